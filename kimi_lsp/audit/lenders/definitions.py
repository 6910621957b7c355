"""What a lender says of its tools into what a model may be offered, or the reason why not. Pure."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kimi_lsp.model import Json, JsonObject, ToolSpec
from mcp_tools.output.escape import printable

MAX_TOOLS = 64
MAX_DESCRIPTION_CHARS = 600
MAX_SCHEMA_BYTES = 8_000
MAX_EXPANDED_CHARS = 24_000  # with every reference written out, as an endpoint may want it
MAX_DEPTH = 24
_MAX_NAME = 64
_MAX_LISTED = 5
_FOREIGN = re.compile(r"[^A-Za-z0-9_-]")
_LOCAL = re.compile(r"#/(\$defs|definitions)/([^/~%]+)")


@dataclass(frozen=True, slots=True)
class Definition:
    """A tool as its lender declares it. `digest` is of the whole declaration, whatever else stands in it."""

    name: str
    description: str
    parameters: JsonObject
    reads_only: bool  # it says so, and does not say that it destroys
    digest: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A tool as the model sees it, and its name at the lender."""

    spec: ToolSpec
    tool: str
    digest: str


@dataclass(frozen=True, slots=True)
class Selection:
    """The tools of one lender that are offered, and a sentence's end for each reason why others are not."""

    offers: tuple[Offer, ...]
    left_out: tuple[str, ...]


def digest_of(declaration: JsonObject) -> str:
    """Name a declaration by its content; the order of its keys does not matter."""
    return hashlib.sha256(json.dumps(declaration, sort_keys=True).encode()).hexdigest()


def select(lender: str, definitions: Sequence[Definition], allowed: Sequence[str] | None) -> Selection:
    """Choose what is offered: only what declares that it reads, of that only what is allowed, of that what is usable.

    Args:
        lender: the lender's name in the configuration.
        definitions: what it listed, in its order.
        allowed: the tool names that the user gave; None allows all.
    """
    offers: dict[str, Offer] = {}
    reasons: dict[str, list[str]] = {}
    for one in definitions:
        if allowed is not None and one.name not in allowed:
            continue
        if reason := _reason_against(one, offers, lender):
            reasons.setdefault(reason, []).append(one.name)
            continue
        name = offered_name(lender, one.name)
        spec = ToolSpec(name, described(one.description), _clean(one.parameters))
        offers[name] = Offer(spec, one.name, one.digest)
    listed = {one.name for one in definitions}
    if missing := [name for name in allowed or () if name not in listed]:
        reasons["it has none of that name"] = missing
    return Selection(tuple(offers.values()), tuple(f"{_listed(names)}: {why}" for why, names in reasons.items()))


def offered_name(lender: str, tool: str) -> str:
    """`LENDER__tool` as Moonshot takes names; one that had to be changed ends in six digits of its own hash.

    A lender's name holds no underscore: what one lender offers never has the name of another's tool.
    """
    plain = f"{lender}__{tool}"
    cut = _FOREIGN.sub("_", plain)
    if cut == plain and len(plain) <= _MAX_NAME and tool:
        return plain
    mark = hashlib.sha256(tool.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{cut[: _MAX_NAME - 7]}_{mark}"


def described(text: str) -> str:
    """A description as a model is shown it: visible characters, line ends, at most 600 of them."""
    shown = printable(text[: 2 * MAX_DESCRIPTION_CHARS].replace("\r\n", "\n"), keep="\n").strip()
    return shown if len(shown) <= MAX_DESCRIPTION_CHARS else shown[: MAX_DESCRIPTION_CHARS - 1] + "…"


def _reason_against(one: Definition, offers: Mapping[str, Offer], lender: str) -> str:
    """Why a tool is not offered, empty if it is."""
    if not one.reads_only:
        return "not declared to only read"
    if len(offers) >= MAX_TOOLS:
        return f"only {MAX_TOOLS} tools are offered"
    if offered_name(lender, one.name) in offers:
        return "its name is taken"
    return _unusable(one.parameters)


def _unusable(schema: JsonObject) -> str:
    """Why parameters cannot be shown to a model, empty if they can."""
    if schema.get("type") != "object":
        return "its parameters are no object"
    if len(json.dumps(schema)) > MAX_SCHEMA_BYTES or _depth(schema) > MAX_DEPTH:
        return f"its parameters take more than {MAX_SCHEMA_BYTES:,} bytes or {MAX_DEPTH} levels"
    if any(printable(key) != key for key in _names(schema)):
        return "its parameters have names that cannot be shown"
    if any(not isinstance(pointer, str) or not _LOCAL.fullmatch(pointer) for pointer in _pointers(schema)):
        return "its parameters refer to something outside their own definitions"
    if _expanded_chars(schema) > MAX_EXPANDED_CHARS:
        return "its parameters grow too large when their references are followed"
    return ""


def _depth(node: Json) -> int:
    """Levels of nesting; what is deeper than allowed is not looked at."""
    level, depth = [node], 0
    while level and depth <= MAX_DEPTH:
        depth += 1
        level = [child for one in level for child in _children(one)]
    return depth


def _children(node: Json) -> Iterable[Json]:
    return node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()


def _names(node: Json) -> Iterator[str]:
    if isinstance(node, dict):
        yield from node
    for child in _children(node):
        yield from _names(child)


def _pointers(node: Json) -> Iterator[Json]:
    if isinstance(node, dict):
        yield from (node[key] for key in ("$ref", "$dynamicRef", "$recursiveRef") if key in node)
    for child in _children(node):
        yield from _pointers(child)


def _expanded_chars(schema: JsonObject) -> int:
    """The size of a schema with its references written out; one that leads back to itself is written once."""
    known: dict[str, int] = {}

    def size(node: Json) -> int:
        return len(json.dumps(node)) + sum(target_size(str(pointer)) for pointer in _pointers(node))

    def target_size(pointer: str) -> int:
        if pointer not in known:
            known[pointer] = 0  # where a cycle closes
            match = _LOCAL.fullmatch(pointer)
            table = schema.get(match[1]) if match else None
            known[pointer] = size(table.get(match[2])) if match and isinstance(table, dict) else 0
        return known[pointer]

    return size({key: value for key, value in schema.items() if key not in ("$defs", "definitions")})


def _clean(node: JsonObject) -> JsonObject:
    """The same schema, its texts visible."""
    return {key: _visible(value) for key, value in node.items()}


def _visible(node: Json) -> Json:
    match node:
        case str():
            return printable(node, keep="\n")
        case list():
            return [_visible(one) for one in node]
        case dict():
            return _clean(node)
        case _:
            return node


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(printable(name[:60]) for name in names[:_MAX_LISTED])
    return shown + (f" and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else "")
