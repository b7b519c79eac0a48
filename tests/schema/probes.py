"""Documents made from a schema: every key it has, with values that fit and values that do not."""

VALUES = [None, True, 0, -1, 2.5, 10**19, "", "x", ".5s", "64KiB", [1], {"x": 1}]

# What a value has to be for the loader to take it, where the schema alone leaves it open.
GOOD = {"cluster": "web", "address": "127.0.0.1:8001", "bind": "127.0.0.1:0", "backend": "b1",
        "id": "b1", "listener": "web", "path": "/", "path_prefix": "/", "scheme": "http",
        "class": "upload", "file": "measured_times.txt", "zone": "a", "table_size": 5,
        "until": "1s", "status": 302}


class Probes:
    """Goes through a schema along a document that fits, and fills in what the document has not."""

    def __init__(self, schema):
        self.schema = schema
        self.seen = set()

    def resolve(self, schema):
        if "$ref" not in schema:
            return schema
        return self.schema["$defs"][schema["$ref"].rsplit("/", 1)[1]]

    def example(self, schema, key=None):
        """The least that fits the schema."""
        if key in GOOD:
            return GOOD[key]
        schema = self.resolve(schema)
        if "anyOf" in schema:
            return self.example(schema["anyOf"][0], key)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        kind = schema["type"]
        if kind == "object":
            made = {each: self.example(schema["properties"][each], each)
                    for each in schema.get("required", [])}
            for rule in schema.get("allOf", []):
                for one in (rule.get("anyOf") or rule.get("oneOf") or [])[:1]:
                    made |= {each: self.example(schema["properties"][each], each)
                             for each in one["required"]}
            return made
        if kind == "array":
            return [self.example(schema["items"], key)] * schema.get("minItems", 0)
        if kind == "integer" or kind == "number":
            return max(1, schema.get("minimum", 1))
        if kind == "boolean":
            return True
        return "1s" if "pattern" in schema else "x"

    def walk(self, schema, base, build, path="", beside=False):
        """Yields (path, kind, document); kind is value, unknown or missing. `beside` others in a
        list that was gone through, what the document does not have is not gone through again."""
        values = [] if beside else VALUES
        for value in values if base is None else [base, *values]:
            yield path, "value", build(value)
        yield from self.inside(schema, base, build, path, beside)

    def inside(self, schema, base, build, path, beside):
        if "$ref" in schema and not beside:
            if schema["$ref"] in self.seen:
                return
            self.seen.add(schema["$ref"])
        schema = self.resolve(schema)
        for alternative in schema.get("anyOf", []):
            fits = base if self.may_be(alternative, base) else None
            if fits is None and beside:
                continue
            example = self.example(alternative) if fits is None else fits
            yield path, "value", build(example)
            yield from self.inside(alternative, example, build, path, beside)
        for word in schema.get("enum", []):
            yield path, "value", build(word)
        if schema.get("type") == "array":
            items = base or [self.example(schema["items"])]
            for i, item in enumerate(items):
                def one(value, i=i):
                    return build([*items[:i], value, *items[i + 1:]])
                yield from self.walk(schema["items"], item, one, path + "[]", beside or i > 0)
        if schema.get("type") == "object":
            yield from self.keys(schema, base, build, path, beside)

    def may_be(self, schema, base):
        """Whether a value may be of this kind, going by its outermost keys."""
        schema = self.resolve(schema)
        if schema.get("type") == "array":
            return isinstance(base, list)
        if not isinstance(base, dict) or schema.get("type") != "object":
            return False
        known = schema["properties"]
        return all(known.get(each, {}).get("const", value) == value and each in known
                   for each, value in base.items()) and set(schema.get("required", [])) <= set(base)

    def keys(self, schema, base, build, path, beside):
        base = dict(self.example(schema) if base is None else base)
        if schema["additionalProperties"] is False:
            yield path, "unknown", build(base | {"unheard_of": 1})
        else:
            name = next(iter(base), "b1")
            yield from self.walk(schema["additionalProperties"], base.get(name),
                                 lambda v: build(base | {name: v}), path + ".*", beside)
        for key in [] if beside else schema.get("required", []):
            yield path + "." + key, "missing", build(
                {each: value for each, value in base.items() if each != key})
        for key, each in schema.get("properties", {}).items():
            if beside and key not in base:
                continue
            yield path + "." + key, "value", build(base | {key: self.example(each, key)})
            yield from self.walk(each, base.get(key), lambda v, key=key: build(base | {key: v}),
                                 path + "." + key, beside)
