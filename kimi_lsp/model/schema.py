"""JSON Schema into the subset Moonshot takes ("MFJS"). Pure.

The rules, as Moonshot's own clients apply them: the root is an object; every property has a type; no `type` beside
`anyOf`; references are inlined unless they recurse; `prefixItems` instead of a list of `items`; no `$schema`.
"""

from collections.abc import Iterable, Mapping

from kimi_lsp.model.request import Json, JsonObject

_MAX_NODES = 20_000  # inlining may multiply a schema; beyond this, references stay
_MAX_ROUNDS = 8
_DROPPED = ("$schema", "$defs", "definitions", "$id")
_SCHEMA_KEYS = (
    "items",
    "additionalProperties",
    "contains",
    "propertyNames",
    "not",
    "if",
    "then",
    "else",
    "unevaluatedProperties",
    "unevaluatedItems",
    "contentSchema",
)
_MAP_KEYS = ("patternProperties", "dependentSchemas", "dependencies")
_NOTES = ("title", "description", "default", "examples")
_TYPES = ("string", "number", "boolean", "object", "array", "null")
_NUMERIC = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_RULES_OF = {
    "object": ("properties", "required", "additionalProperties", "patternProperties", "minProperties", "maxProperties"),
    "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"),
    "string": ("pattern", "minLength", "maxLength", "format"),
    "number": _NUMERIC,
    "integer": _NUMERIC,
}


def normalise(schema: Mapping[str, Json]) -> JsonObject:
    """The same schema as Moonshot takes it; the argument is not changed.

    What was valid stays valid (a rule may get lost, none is added), save where the root describes no object: the
    root becomes one. Alternatives at the root become one object with the properties of all. A reference out of the
    schema accepts anything. Idempotent.
    """
    result = _rewritten(dict(schema))
    for _ in range(_MAX_ROUNDS):  # a rule that was dropped may have held the last reference to a definition
        again = _rewritten(result)
        if again == result:
            break
        result = again
    return result


def _rewritten(schema: JsonObject) -> JsonObject:
    walker = _Walker(schema)
    result = walker.walk(walker.root())
    definitions: JsonObject = {}
    todo = list(_pointers(result))
    while todo:
        name = todo.pop().removeprefix("#/$defs/")
        if name in walker.kept and name not in definitions:
            definitions[name] = kept = walker.walk(walker.target(walker.kept[name]) or {})
            todo += _pointers(kept)
    return {**result, "$defs": definitions} if definitions else result


class _Walker:
    """Rewrites the schemas below one root; remembers which references had to stay."""

    def __init__(self, root: JsonObject) -> None:
        self._root = root
        self._nodes = 0
        self._recursive: dict[str, bool] = {}
        self.kept: dict[str, str] = {}  # name below $defs -> pointer into the root as given

    def root(self) -> JsonObject:
        """The root as an object schema: references followed, alternatives merged."""
        root = self._resolved({key: value for key, value in self._root.items() if key not in _DROPPED})
        merged = {key: value for key, value in root.items() if key not in {"anyOf", "oneOf", "allOf"}}
        properties = dict(_mapping(root.get("properties")))
        required = list(_names(root.get("required")))
        for key in ("anyOf", "oneOf", "allOf"):
            branches = [self._resolved(branch) for branch in _sequence(root.get(key)) if isinstance(branch, dict)]
            if not branches:
                continue
            merged.pop("additionalProperties", None)
            wanted = [set(_names(branch.get("required"))) for branch in branches]
            shared = set[str]().union(*wanted) if key == "allOf" else wanted[0].intersection(*wanted[1:])
            required += sorted(shared.difference(required))
            for branch in branches:
                for name, value in _mapping(branch.get("properties")).items():
                    known = properties.get(name, value)
                    properties[name] = value if known == value else {"anyOf": [known, value]}
        if required:
            merged["required"] = list[Json](required)
        return {**merged, "type": "object", "properties": properties}

    def walk(self, schema: JsonObject) -> JsonObject:
        """Rewrite one schema and all below it."""
        self._nodes += 1
        schema = {key: value for key, value in schema.items() if key not in _DROPPED}
        pointer = schema.pop("$ref", None)
        if isinstance(pointer, str):
            return self._reference(pointer, schema)
        schema = _renamed(schema)
        only = schema.get("allOf")
        if isinstance(only, list) and len(only) == 1 and isinstance(only[0], dict):  # how a reference gets a title
            schema.pop("allOf")
            return self.walk(_beside(only[0], schema))
        return _one_type(self._descend(schema))

    def _descend(self, schema: JsonObject) -> JsonObject:
        """The schema with every schema right below it rewritten."""
        if isinstance(inner := schema.get("properties"), dict):
            schema["properties"] = {name: self._typed(value) for name, value in inner.items()}
        for key in _MAP_KEYS:
            if isinstance(inner := schema.get(key), dict):
                schema[key] = {name: self._any(value) for name, value in inner.items()}
        for key in ("allOf", "prefixItems"):
            if isinstance(inner := schema.get(key), list):
                schema[key] = [self._any(value) for value in inner]
        for key in _SCHEMA_KEYS:
            if key in schema:
                schema[key] = self._any(schema[key])
        if isinstance(branches := schema.get("anyOf"), list):
            visit = self._any if "type" in schema else self._typed
            schema["anyOf"] = [visit(branch) for branch in branches]
        return schema

    def target(self, pointer: str) -> JsonObject | None:
        """What a local JSON pointer (RFC 6901) leads to, if that is a schema."""
        if pointer != "#" and not pointer.startswith("#/"):
            return None
        node: Json = self._root
        for step in pointer.split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(node, dict):
                node = node.get(name)
            elif isinstance(node, list) and name.isascii() and name.isdecimal() and int(name) < len(node):
                node = node[int(name)]
            else:
                return None
        return {} if node is True else node if isinstance(node, dict) else None

    def _any(self, schema: Json) -> Json:
        return self.walk(schema) if isinstance(schema, dict) else schema

    def _typed(self, schema: Json) -> Json:
        """A schema that says its type, inferred from what it demands; "anything" is spelled out."""
        if schema is False:
            return {"type": "null", "not": {}}  # nothing is valid
        walked = self.walk(schema if isinstance(schema, dict) else {})
        if any(key in walked for key in ("type", "anyOf", "$ref", "allOf")):
            return walked
        choices = walked.get("enum", [walked["const"]] if "const" in walked else None)
        kinds = dict.fromkeys(_kind_of(choice) for choice in _sequence(choices)) or dict.fromkeys(_TYPES)
        return _one_type({**walked, "type": list[Json](kinds)})

    def _reference(self, pointer: str, siblings: JsonObject) -> JsonObject:
        target = self.target(pointer)
        if target is None:
            return self.walk(siblings)
        if self._nodes < _MAX_NODES and not self._recurses(pointer):
            return self.walk(_beside(target, siblings))
        name = _name_of(pointer)
        while self.kept.setdefault(name, pointer) != pointer:
            name += "_"
        return {"$ref": f"#/$defs/{name}"}

    def _recurses(self, pointer: str) -> bool:
        """Whether what a pointer leads to refers, over however many steps, to itself."""
        if pointer not in self._recursive:
            seen, todo = set[str](), [pointer]
            while todo:
                found = set(_pointers(self.target(todo.pop()))) - seen
                seen |= found
                todo += found
            self._recursive[pointer] = pointer in seen
        return self._recursive[pointer]

    def _resolved(self, schema: JsonObject) -> JsonObject:
        """A schema without a reference at its top."""
        seen = set[str]()
        while isinstance(pointer := schema.get("$ref"), str):
            siblings = {key: value for key, value in schema.items() if key != "$ref"}
            target = None if pointer in seen else self.target(pointer)
            seen.add(pointer)
            schema = siblings if target is None else _beside(target, siblings)
        return {key: value for key, value in schema.items() if key not in _DROPPED}


def _renamed(schema: JsonObject) -> JsonObject:
    """Older or rarer keywords by the names that are understood; `oneOf` loses its "only"."""
    renamed = dict(schema)
    if isinstance(one_of := renamed.pop("oneOf", None), list):
        if "anyOf" in renamed:
            renamed["allOf"] = [*_sequence(renamed.get("allOf")), {"anyOf": one_of}]
        else:
            renamed["anyOf"] = one_of
    if isinstance(renamed.get("items"), list):
        renamed["prefixItems"] = renamed.pop("items")
        if (rest := renamed.pop("additionalItems", None)) is not None:
            renamed["items"] = rest
    return renamed


def _beside(target: JsonObject, siblings: JsonObject) -> JsonObject:
    """A schema with what stood beside the reference to it."""
    merged = {**target, **siblings}
    if "properties" in target and "properties" in siblings:
        merged["properties"] = {**_mapping(target["properties"]), **_mapping(siblings["properties"])}
    return merged


def _one_type(schema: JsonObject) -> JsonObject:
    """No list of types and no `type` beside `anyOf`: both become one `anyOf` whose branches say their type."""
    kinds, branches = schema.get("type"), schema.get("anyOf")
    if isinstance(kinds, list) and len(kinds) == 1:
        kinds = kinds[0]
    if kinds is None or (isinstance(kinds, str) and not isinstance(branches, list)):
        return {**schema, "type": kinds} if isinstance(kinds, str) else schema
    rest = {key: value for key, value in schema.items() if key not in {"type", "anyOf"}}
    if isinstance(branches, list):
        return {**rest, "anyOf": [typed for branch in branches for typed in _with_types(branch, kinds)]}
    notes = {key: value for key, value in rest.items() if key in _NOTES}
    rules = {key: value for key, value in rest.items() if key not in _NOTES}
    return {**notes, "anyOf": [_rules_for(kind, rules) for kind in _sequence(kinds) if isinstance(kind, str)]}


def _with_types(branch: Json, kinds: Json) -> list[Json]:
    """A branch, once for each type that it gets from its parent."""
    if branch is False or (isinstance(branch, dict) and ("type" in branch or "$ref" in branch)):
        return [branch]
    own = branch if isinstance(branch, dict) else {}
    return [_one_type({**own, "type": kind}) for kind in (kinds if isinstance(kinds, list) else [kinds])]


def _rules_for(kind: str, rules: JsonObject) -> Json:
    """One type and the rules that say something about it."""
    foreign = {key for keys in _RULES_OF.values() for key in keys}.difference(_RULES_OF.get(kind, ()))
    kept = {key: value for key, value in rules.items() if key not in foreign}
    if isinstance(choices := kept.get("enum"), list):
        generic = "number" if kind == "integer" else kind
        kept["enum"] = [choice for choice in choices if _kind_of(choice) == generic]
    return {**kept, "type": kind}


def _pointers(node: Json) -> Iterable[str]:
    if isinstance(node, dict):
        if isinstance(pointer := node.get("$ref"), str):
            yield pointer
        for value in node.values():
            yield from _pointers(value)
    elif isinstance(node, list):
        for value in node:
            yield from _pointers(value)


def _mapping(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _sequence(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _names(value: Json) -> Iterable[str]:
    return (name for name in _sequence(value) if isinstance(name, str))


def _kind_of(value: Json) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case dict():
            return "object"


def _name_of(pointer: str) -> str:
    return pointer.removeprefix("#/$defs/").removeprefix("#/definitions/").replace("/", "_").strip("#_") or "root"
