#!/usr/bin/env python3
"""Goal: the JSON Schemas say what the loaders say, as far as a schema can.

Method: a validator that others wrote. Whatever the project has of scenarios and configurations has
to fit. Then documents made from the schema itself, every key with values of every kind, and every
scenario with parts taken out or replaced: what the loader takes, the schema must take, without an
exception; what the loader refuses and the schema takes must be something no schema can know.
"""
import concurrent.futures
import json
import os
import pathlib
import random
import re
import subprocess
import tempfile
import unittest

import jsonschema
import yaml

from probes import Probes

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = {"scenario": os.environ["LBSIM"], "configuration": os.environ["LBD"]}
SCENARIOS = sorted((ROOT / "scenarios").rglob("*.json"))

# What only fits together, and bounds that are none of a type: the loader alone knows them.
BEYOND = re.compile("|".join([
    "there is no ", "is in two clusters", "cannot read", "no backend ", "already", "expected host",
    "expected a path that", "has to be", "has both", "without \"every\"", "is empty",
    "has a mean of zero", "may not be above", "expected a number above 0", "not a ",
    "goes with ", "would happen more", "does not go with", "is before the point",
    "expected a prime", "expected one number for each", "is above", "a daemon can",
    r"\.daemon: expected", r"daemon\[\d+\]: expected", "expected \"backend\"",
    "there are two backends", "expected a number, found \"10000000000000000000\"",
    "only listen on loopback", "at least one (listener|route|certificate)", "which takes everything",
    "nothing to choose by", "takes the place of", "expected a host", "expected a method",
    "alone says nothing", "expected a name", "expected an origin", "is older than", "at least one,",
    "changes nothing", "leads back", "expected an address or a prefix", "bits are set behind",
    "expected \"trusted_proxies\"", "none can be opened ahead", "expected \"http\" or \"https\"",
    "expected exactly one of", r"line \d+: expected",
    "there are several loads", "there are several, and each", "there is another window",
    "has \"window\" and", "is in the warm-up", "is too short", "is more than 10,000 times",
    # A figure has limits in its own unit.
    r"expect\[\d+\]\.(min|max|below): expected a (number|duration)",
]))


def printed_schema(kind):
    done = subprocess.run([TOOLS[kind], "schema"], capture_output=True, check=True, timeout=60)
    return json.loads(done.stdout)


SCHEMAS = {kind: printed_schema(kind) for kind in TOOLS}
VALIDATORS = {kind: jsonschema.Draft202012Validator(schema) for kind, schema in SCHEMAS.items()}


class Yaml12(yaml.SafeLoader):
    """PyYAML reads 1.1, to which "on" and "off" are not words."""


Yaml12.yaml_implicit_resolvers = {
    first: [(tag, regex) for tag, regex in resolvers if not tag.endswith(":bool")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}
Yaml12.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), "tf")


def read_yaml(text):
    return yaml.load(text, Yaml12)


def blocks(language):
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for block in re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.M | re.S):
            yield page.name, block


class SchemaTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        for name in ("busy_minute.log", "measured_times.txt"):
            (self.folder / name).write_text((ROOT / "scenarios/capacity" / name).read_text())

    def loader_says(self, kind, number, document):
        """What the loader has against it; nothing when it takes it."""
        file = self.folder / f"{number}.json"
        file.write_text(json.dumps(document))
        done = subprocess.run([TOOLS[kind], "check", file], capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertIn(done.returncode, (0, 2), done.stderr)
        if done.returncode == 0:
            return []  # There may be warnings.
        return [line.split(": ", 1)[1] for line in done.stderr.splitlines()]

    def judge(self, documents):
        """(path, kind, what the loader says, whether the schema takes it) of every document."""
        valid = VALIDATORS["scenario"]
        with concurrent.futures.ThreadPoolExecutor(2) as threads:
            said = threads.map(lambda each: self.loader_says("scenario", *each),
                               enumerate(document for _, _, document in documents))
            return [(path, kind, problems, valid.is_valid(document), document)
                    for (path, kind, document), problems in zip(documents, said)]

    def check_law(self, judged):
        for path, kind, problems, fits, document in judged:
            with self.subTest(path=path, kind=kind):
                if not problems and not fits:
                    refusals = [e.message for e in VALIDATORS["scenario"].iter_errors(document)]
                    self.fail(f"the loader takes what the schema refuses: {refusals}")
                if problems and fits:
                    self.assertTrue(any(BEYOND.search(problem) for problem in problems),
                                    f"a schema could refuse this too: {problems}")

    def test_they_are_schemas(self):
        for schema in SCHEMAS.values():
            jsonschema.Draft202012Validator.check_schema(schema)

    def test_whatever_there_is_fits(self):
        found = [("scenario", path.name, json.loads(path.read_text())) for path in SCENARIOS]
        found += [("scenario", page, json.loads(block)) for page, block in blocks("json")
                  if '"why"' in block]
        found += [("configuration", page, read_yaml(block)) for page, block in blocks("yaml")]
        example = ROOT / "docs/examples/lbd.yaml"
        found.append(("configuration", example.name, read_yaml(example.read_text())))
        starter = subprocess.run([TOOLS["scenario"], "new"], capture_output=True, check=True)
        found.append(("scenario", "lbsim new", read_yaml(starter.stdout)))
        self.assertGreater(len(found), 40)
        for kind, name, document in found:
            with self.subTest(name):
                VALIDATORS[kind].validate(document)

    def test_broken_ones_are_refused_by_both(self):
        table = {
            "a word for a list": ("load", "all"),
            "a number for a duration": ("duration", 10),
            "a duration without a unit": ("duration", "10"),
            "a duration of nothing": ("duration", "0s"),
            "a text for a number": ("seed", "7"),
            "a fraction for a whole number": ("backends.*.concurrency", 1.5),
            "a key that is not known": ("backends.*.concurency", 8),
            "a word that is not known": ("expect.0.metric", "error_rate"),
            "a strategy that is not known": ("config.clusters.0.strategy", "round_robbin"),
            "a strategy's option at another": ("config.clusters.0.strategy",
                                               {"name": "round_robin", "choice_count": 2}),
            "more than there may be": ("config.clusters.0.backends.0.weight", 65536),
            "less than there may be": ("config.clusters.0.retries", {"attempts": 0}),
            "two kinds of arrivals": ("load.0.arrivals", {"poisson": {"rate": 1},
                                                          "constant": {"rate": 1}}),
            "no kind of arrivals": ("load.0.arrivals", {}),
            "a distribution with half its keys": ("backends.*.service_time",
                                                  {"lognormal": {"mean": "5ms"}}),
            "an event of no kind": ("events", [{"at": "1s", "backend": "b1"}]),
            "a fault that strikes nobody": ("events", [{"at": "1s", "fault": "crash"}]),
            "a daemon of no number": ("events", [{"at": "1s", "fault": "crash", "daemon": "d1"}]),
            "a slow one that is not slower": ("events", [{"at": "1s", "backend": "b1",
                                                          "fault": "slow"}]),
            "a drip that takes no time at all": ("events", [{"at": "1s", "backend": "b1",
                                                             "fault": "drip", "over": "0s"}]),
            "a drip without a time": ("events", [{"at": "1s", "backend": "b1",
                                                  "fault": "drip"}]),
            "a reset that is neither": ("events", [{"at": "1s", "backend": "b1",
                                                    "fault": "truncate", "reset": "RST"}]),
            "an expectation without a limit": ("expect", [{"metric": "error_ratio"}]),
            "the share of nobody": ("expect", [{"metric": "share", "max": 1}]),
            "a count of outcomes of no kind": ("expect", [{"metric": "outcomes", "max": 1}]),
            "a time since nothing": ("expect", [{"metric": "time_to_eject", "backend": "b1",
                                                 "max": "1s"}]),
            "a recovery to nothing": ("expect", [{"metric": "recovery_time", "after": "1s",
                                                  "max": "1s"}]),
            "a recovery of what cannot recover": ("expect", [
                {"metric": "recovery_time", "after": "1s", "of": "share", "below": 0.1,
                 "max": "1s"}]),
            "a window without a start": ("windows", [{"name": "late"}]),
            "a listener that leads nowhere": ("config.listeners.0", {"name": "web",
                                                                     "bind": "127.0.0.1:80"}),
        }
        for number, (name, (path, value)) in enumerate(table.items()):
            document = json.loads((ROOT / "scenarios/steady.json").read_text())
            *owners, key = path.split(".")
            owner = document
            for each in owners:
                owner = owner[int(each) if each.isdigit() else each]
            owner[int(key) if key.isdigit() else key] = value
            with self.subTest(name):
                self.assertNotEqual(self.loader_says("scenario", number, document), [])
                self.assertFalse(VALIDATORS["scenario"].is_valid(document))

    def test_every_key_with_every_kind_of_value(self):
        base = json.loads(pathlib.Path(__file__).with_name("company.json").read_text())
        documents = list(Probes(SCHEMAS["scenario"]).walk(SCHEMAS["scenario"], base, lambda v: v))
        self.assertGreater(len(documents), 3000)
        judged = self.judge(documents)
        self.check_law(judged)
        taken = {path for path, kind, problems, _, _ in judged if kind == "value" and not problems}
        never = {path for path, _, _, _, _ in judged} - taken
        self.assertEqual(never, set(), "no value was taken there, so nothing was tested")
        for path, kind, problems, fits, _ in judged:
            if kind != "value":
                self.assertTrue(problems and not fits, f"{path}: {kind} and yet taken")

    def test_scenarios_with_parts_taken_out_or_replaced(self):
        draws = random.Random(4)
        documents = [(path.stem, "mutation", mutated(json.loads(path.read_text()), draws))
                     for path in SCENARIOS for _ in range(25)]
        judged = self.judge(documents)
        self.check_law(judged)
        refused = sum(1 for _, _, problems, _, _ in judged if problems)
        self.assertGreater(refused, len(judged) / 2)
        self.assertLess(refused, len(judged), "nothing was taken, so the law was not tested")

    def test_an_editor_finds_the_schema_by_the_file(self):
        for kind, path in (("scenario", SCENARIOS[0]), ("configuration", None)):
            document = json.loads(path.read_text()) if path else json.loads(
                SCENARIOS[0].read_text())["config"]
            document = {"$schema": "./schema.json", **document}
            self.assertEqual(self.loader_says(kind, kind, document), [])
            VALIDATORS[kind].validate(document)
            document["$schema"] = ["./schema.json"]
            self.assertIn("$schema", self.loader_says(kind, kind, document)[0])
            self.assertFalse(VALIDATORS[kind].is_valid(document))

    def test_the_pages_have_every_key(self):
        pages = {kind: (ROOT / "docs" / name).read_text() for kind, name in
                 (("scenario", "scenario-format.md"), ("configuration", "configuration.md"))}
        for kind, schema in SCHEMAS.items():
            if kind == "scenario":
                schema = {**schema, "$defs": {name: each for name, each in schema["$defs"].items()
                                              if name != "configuration"}}
            for key in sorted(keys_of(schema)):
                with self.subTest(page=kind, key=key):
                    self.assertTrue(re.search(rf"[`\".{{] ?{re.escape(key)}[`\".\[:]", pages[kind]),
                                    f"the page does not have the key {key}")


def keys_of(schema):
    """Every key that an object may have, at any depth."""
    if isinstance(schema, list):
        return {key for each in schema for key in keys_of(each)}
    if not isinstance(schema, dict):
        return set()
    found = set(schema.get("properties", {})) if "additionalProperties" in schema else set()
    return found.union(*(keys_of(each) for each in schema.values()))


def mutated(document, draws):
    """The document with one value taken out, replaced, or put where it is unknown."""
    places = []

    def collect(value):
        keys = value if isinstance(value, dict) else range(len(value))
        for key in keys:
            places.append((value, key))
            if isinstance(value[key], (dict, list)):
                collect(value[key])
    collect(document)
    owner, key = draws.choice(places)
    what = draws.randrange(4)
    if what == 0:
        del owner[key]
    elif what == 1 and isinstance(owner, dict):
        owner[str(key)[:-1] + "x"] = owner.pop(key)
    else:
        other, other_key = draws.choice(places)
        values = [None, True, 0, -1, 2.5, 10**12, "", "x", "5ms", [], {}, other[other_key]]
        owner[key] = json.loads(json.dumps(draws.choice(values)))
    return document


if __name__ == "__main__":
    unittest.main()
