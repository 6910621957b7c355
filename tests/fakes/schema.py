"""The JSON Schema dialect that Moonshot accepts for tool parameters and strict answers (MFJS).

Rules from MoonshotAI/walle (docs/mfjs-spec.md and its validator's cases) and from the messages users report of the live
endpoint. Keywords that the dialect merely does not support (format, pattern, allOf ...) pass, as they do there;
`$schema` is refused although the real endpoint takes it, because a model answered nonsense with it.
"""

from collections.abc import Iterator

from tests.fakes.json_value import Json, JsonObject, get, items

TYPES = frozenset({"null", "boolean", "object", "array", "number", "integer", "string"})
RESERVED_NAMES = frozenset({"$defs", "$ref", "anyOf", "required", "additionalProperties"})
BESIDE_REFERENCE = frozenset({"$ref", "description", "title", "$defs", "$id"})


def violation(schema: Json) -> str | None:
    """The first rule a root schema breaks, worded as the endpoint words it; None when it is fine."""
    if not isinstance(schema, dict):
        return "At path 'root': schema must be an object"
    if "$schema" in schema:
        return "At path 'root': $schema is not supported"
    return next(_node(schema, "", schema), None)


def _node(node: JsonObject, path: str, root: JsonObject) -> Iterator[str]:
    """Every broken rule of a schema and of what it holds."""
    for message in (*_kind(node, root), *_enum(node), *_members(node, is_root=not path)):
        yield f"At path '{path or 'root'}': {message}"
    for child, where in _children(node, path):
        if isinstance(child, dict):
            yield from _node(child, where, root)
        else:
            yield f"At path '{where}': schema must be an object"


def _kind(node: JsonObject, root: JsonObject) -> Iterator[str]:
    """A schema says its type, or refers to one, or lists alternatives: exactly one of them."""
    kind = node.get("type")
    if "anyOf" in node:
        if kind is not None:
            yield "when using anyOf, type should be defined in anyOf items instead of the parent schema"
        if not items(node["anyOf"]):
            yield "anyOf must have at least one item"
    elif "$ref" in node:
        yield from _reference(node, root)
    elif kind is None:
        yield "type is not defined"
    elif not _is_type(kind):
        yield "type must be one of the seven JSON Schema types"


def _members(node: JsonObject, *, is_root: bool) -> Iterator[str]:
    names = node.get("properties")
    known = names if isinstance(names, dict) else {}
    for name in items(node.get("required")):
        if not isinstance(name, str) or name not in known:
            yield f"required property '{name}' is not defined in properties"
    for name in known:
        if name in RESERVED_NAMES:
            yield f"property name '{name}' is reserved for JSON Schema keywords"
    if "items" in node and not isinstance(node["items"], dict):
        yield "items must be an object"
    if "$defs" in node and not is_root:
        yield "$defs is only allowed at the root"


def _children(node: JsonObject, path: str) -> Iterator[tuple[Json, str]]:
    prefix = f"{path}." if path else ""
    for group in ("properties", "$defs"):
        members = node.get(group)
        if isinstance(members, dict):
            for name, child in members.items():
                yield child, f"{prefix}{group}.{name}"
    for group in ("anyOf", "prefixItems"):
        for index, child in enumerate(items(node.get(group))):
            yield child, f"{prefix}{group}.[{index}]"
    if isinstance(node.get("items"), dict):
        yield node["items"], f"{prefix}items"
    more = node.get("additionalProperties")
    if isinstance(more, dict) and more:  # {} means anything
        yield more, f"{prefix}additionalProperties"


def _is_type(kind: Json) -> bool:
    if isinstance(kind, list):
        return bool(kind) and all(isinstance(one, str) and one in TYPES for one in kind)
    return isinstance(kind, str) and kind in TYPES


def _reference(node: JsonObject, root: JsonObject) -> Iterator[str]:
    target = node["$ref"]
    if not isinstance(target, str):
        yield "$ref must be a string"
    elif target != "#" and not target.startswith("#/$defs/"):
        yield "references must start with #/$defs/"
    elif target != "#" and get(root, "$defs", target.removeprefix("#/$defs/")) is None:
        yield f"$defs not found for reference: {target}"
    if "type" in node:
        yield "when using $ref, type should be defined in the referenced schema instead of the parent schema"
    for key in node.keys() - BESIDE_REFERENCE - {"type"}:
        yield f"keyword '{key}' is not allowed at the same level as $ref"


def _enum(node: JsonObject) -> Iterator[str]:
    if "enum" not in node:
        return
    values = items(node["enum"])
    kinds = {type(value) for value in values if value is not None}
    if not values:
        yield "enum array cannot be empty"
    elif not kinds <= {str, int, float, bool} or len(kinds) > 1:
        yield "enum values must be literals of one type"
