#!/usr/bin/env python3
"""Goal: what the documentation shows is what happens.

Method: every page is read. In a ```console block each line after "$ " is a command, run in one
private folder a page with lbd and lbsim on the PATH, and the lines below it are its output, to the
letter, with "(exit N)" last when it does not end with 0. A ```json block with a "why" is a scenario
and has to pass; a ```yaml block is a configuration and has to check. A part between
<!-- generated: COMMAND --> and <!-- end --> has to be what the command prints; with --update it is
written instead. scenarios/README.md has to tell of every scenario.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
GENERATED = re.compile(r"(<!-- generated: (.+?) -->\n)(.*?)(<!-- end -->)", re.S)


def run(command, folder):
    done = subprocess.run(command, shell=True, cwd=folder, timeout=60, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout + (f"(exit {done.returncode})\n" if done.returncode else "")


def check_console(text, folder):
    """Yields a description of every command whose output is another."""
    steps = re.split(r"^\$ ", text, flags=re.M)[1:]
    for step in steps:
        command, _, expected = step.partition("\n")
        found = run(command, folder)
        if found.strip() != expected.strip():
            yield f"$ {command}\nexpected:\n{expected}\nfound:\n{found}"


def check_page(page, update):
    text = page.read_text()
    problems = []
    checked = 0
    with tempfile.TemporaryDirectory() as folder:
        for kind, block in re.findall(r"^```(\w+)\n(.*?)^```", text, flags=re.M | re.S):
            if kind == "console":
                checked += 1
                problems += check_console(block, folder)
            elif kind == "json" and '"why"' in block:
                checked += 1
                pathlib.Path(folder, "example.json").write_text(block)
                output = run("lbsim run example.json", folder)
                if "(exit" in output:
                    problems.append(f"the scenario in {page.name} does not pass:\n{output}")
            elif kind == "yaml":
                checked += 1
                pathlib.Path(folder, "example.yaml").write_text(block)
                output = run("lbd check example.yaml", folder)
                if "(exit" in output:
                    problems.append(f"the configuration in {page.name} has problems:\n{output}")
        for _, command, present, _ in GENERATED.findall(text):
            checked += 1
            if present.strip() != run(command, folder).strip() and not update:
                problems.append(f"the part made by `{command}` is old; run {page.name} through "
                                "tests/docs/check_docs.py --update")
        if update:
            page.write_text(GENERATED.sub(
                lambda m: m[1] + "\n" + run(m[2], folder) + "\n" + m[4], text))
    return checked, problems


def check_links(page):
    """Links to files of the tree have to lead somewhere."""
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        if not (page.parent / target).exists():
            yield f"{page.name} links to {target}, which is not there"


def check_stories(page):
    text = page.read_text()
    for path in page.parent.rglob("*.json"):
        if f"]({path.relative_to(page.parent)})" not in text:
            yield f"scenarios/README.md does not tell of {path.name}"


def check_features(page):
    """Every test that docs/features.md names has to exist."""
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*")
                      if path.suffix in (".cc", ".py", ".txt") or path.name == "compare_digests")
    scenarios = {path.stem for path in (ROOT / "scenarios").rglob("*.json")}
    for row in page.read_text().splitlines():
        if not row.startswith("|") or row.startswith(("|---", "| feature")):
            continue
        for name in re.findall(r"`([^`]+)`", row.split("|")[-2]):
            last = name.split(".")[-1].split("::")[-1]
            if last not in tests and last not in scenarios and not (ROOT / name).exists():
                yield f"docs/features.md names the test {name}, which is not there"


def main():
    update = "--update" in sys.argv
    folders = [os.environ["LB_BIN"], str(ROOT / "tests/docs"), os.environ["PATH"]]
    os.environ["PATH"] = os.pathsep.join(folders)
    checked, problems = 0, []
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "scenarios/README.md"]
    for page in pages:
        count, found = check_page(page, update)
        checked += count
        problems += found
        problems += check_links(page)
    problems += check_stories(ROOT / "scenarios/README.md")
    problems += check_features(ROOT / "docs/features.md")
    print("\n".join(problems))
    print(f"{len(pages)} pages, {checked} examples, {len(problems)} problems")
    sys.exit(1 if problems or checked == 0 else 0)


if __name__ == "__main__":
    main()
