"""A strict reader of Prometheus' text format, version 0.0.4: it repairs nothing."""

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}


class Family:
    def __init__(self, name, kind):
        self.name, self.kind = name, kind
        self.samples = {}  # (name, labels as a frozenset of pairs) -> value

    def sum(self, **labels):
        """Of all samples that have these labels."""
        return sum(value for (_, have), value in self.samples.items()
                   if labels.items() <= dict(have).items())


def read_labels(text):
    labels, rest = [], text or ""
    while rest:
        match = LABEL.match(rest)
        assert match, f"bad labels: {text}"
        labels.append(match.groups())
        rest = rest[match.end():]
    assert len({name for name, _ in labels}) == len(labels), f"a label twice: {text}"
    return frozenset(labels)


def check_histogram(family):
    series = {}
    for (name, labels), value in family.samples.items():
        rest = frozenset(pair for pair in labels if pair[0] != "le")
        part = series.setdefault(rest, {"buckets": []})
        if name.endswith("_bucket"):
            part["buckets"].append((float(dict(labels)["le"]), value))
        else:
            part[name[len(family.name):]] = value
    for labels, part in series.items():
        bounds = [bound for bound, _ in part["buckets"]]
        counts = [count for _, count in part["buckets"]]
        assert bounds == sorted(set(bounds)), f"{family.name}: bounds out of order: {bounds}"
        assert bounds[-1] == float("inf"), f"{family.name} has no +Inf"
        assert counts == sorted(counts), f"{family.name} is not cumulative: {counts}"
        assert counts[-1] == part["_count"], f"{family.name}: +Inf is not the count: {labels}"
        assert part["_sum"] >= 0, f"{family.name}: negative sum"


def parse(text):
    """The families by name."""
    assert text.endswith("\n"), "the last line does not end"
    families, helped, current = {}, set(), None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            _, _, name, words = line.split(" ", 3)
            assert name not in helped and words.strip(), line
            helped.add(name)
            current = None
            continue
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert kind in SUFFIXES and name not in families, line
            assert name in helped, f"no HELP before {line}"
            assert (kind == "counter") == name.endswith("_total"), line
            current = families[name] = Family(name, kind)
            continue
        match = SAMPLE.fullmatch(line)
        assert match, f"not a sample: {line!r}"
        name, labels, value = match.group(1), read_labels(match.group(2)), float(match.group(3))
        assert current is not None, f"no TYPE right before {line}"
        assert name in [current.name + suffix for suffix in SUFFIXES[current.kind]], line
        assert (name, labels) not in current.samples, f"twice: {line}"
        assert current.kind == "gauge" or value >= 0, line
        current.samples[name, labels] = value
    for family in families.values():
        if family.kind == "histogram":
            check_histogram(family)
    return families
