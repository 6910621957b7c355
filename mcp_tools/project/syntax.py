"""Parse a text with tree-sitter: one grammar a language, loaded when first needed, never downloaded; within bounds."""

import importlib
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tree_sitter import Language, Node, Parser, Point, Tree

from mcp_tools.project.source import Source

MAX_PARSED_CHARS = 2_000_000
_LONE_CR = re.compile(rb"\r(?!\n)")
_DEADLINE_S = 10.0
_WATCHED_BYTES = 256_000  # below it a parse is short; the watched way costs a fifth more
_CHUNK_BYTES = 65_536

_WHEELS = {
    "python": ("tree_sitter_python", "language"),
    "javascript": ("tree_sitter_javascript", "language"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
    "tsx": ("tree_sitter_typescript", "language_tsx"),
    "go": ("tree_sitter_go", "language"),
    "java": ("tree_sitter_java", "language"),
    "rust": ("tree_sitter_rust", "language"),
}
PARSED = frozenset(_WHEELS)
"""Languages that have a grammar here."""


MAKING = threading.RLock()
"""Held while a `Language` or a `Query` is made: py-tree-sitter 0.26 crashes when two threads do so at once. Their use
by several threads is safe."""


def grammar(language: str) -> Language:
    """The grammar of a language of PARSED, loaded on first use."""
    with MAKING:
        return _grammar(language)


@cache
def _grammar(language: str) -> Language:
    module, function = _WHEELS[language]
    capsule: object = getattr(importlib.import_module(module), function)()
    return Language(capsule)


def encoded(text: str) -> bytes:
    """A text as UTF-8 for `parse_bytes`. A lone CR ends a line, which no grammar knows: it becomes LF, in place."""
    data = text.encode("utf-8", "surrogatepass")
    return _LONE_CR.sub(b"\n", data) if b"\r" in data else data


def parse_bytes(language: str, data: bytes) -> Tree | None:
    """The tree of UTF-8 bytes; None when it took longer than ten seconds."""
    parser = Parser(grammar(language))
    if len(data) < _WATCHED_BYTES:
        return parser.parse(data)
    deadline = time.monotonic() + _DEADLINE_S

    def chunk(offset: int, _point: Point) -> bytes:
        return data[offset : offset + _CHUNK_BYTES]

    def is_late(_offset: int, _has_error: bool) -> bool:
        return time.monotonic() > deadline

    try:
        return parser.parse(chunk, progress_callback=is_late)
    except ValueError:  # how the binding says that the callback stopped it
        return None


def parse(source: Source) -> Tree | None:
    """The syntax tree of a text; None when its language has no grammar, it is too long, or it took too long.

    Offsets in the tree count UTF-8 bytes: `source.from_byte` converts them.
    """
    if source.language not in PARSED or len(source.text) > MAX_PARSED_CHARS:
        return None
    return parse_bytes(source.language, encoded(source.text))


@dataclass(frozen=True, slots=True)
class Symbol:
    """A named definition: its name, its first line as it is written, and its lines (0-based, last included)."""

    name: str
    signature: str
    first_line: int
    last_line: int
    depth: int


def symbols(source: Source, tree: Tree, *, max_depth: int = 2) -> Iterator[Symbol]:
    """The named definitions of a text in order: functions, classes, types and their members."""
    pending = [(child, 0) for child in reversed(tree.root_node.children)]
    while pending:
        node, depth = pending.pop()
        name = node.child_by_field_name("name")
        is_definition = name is not None and node.type.endswith(_DEFINITIONS)
        if is_definition and name is not None and name.text is not None:
            first, last = lines_of(source, node)
            yield Symbol(name.text.decode("utf-8", "replace"), source.line(first).strip(), first, last, depth)
        below = depth + 1 if is_definition else depth
        if below <= max_depth and (is_definition or node.type in _CONTAINERS):
            pending.extend((child, below) for child in reversed(node.children))


_DEFINITIONS = ("_definition", "_declaration", "_item", "_signature", "_spec")
_CONTAINERS = frozenset(
    "block class_body declaration_list decorated_definition export_statement interface_body enum_body statement_block "
    "object_type impl_item type_declaration field_declaration_list body enum_body_declarations".split()
)


def lines_of(source: Source, node: Node) -> tuple[int, int]:
    """The first and last line of a node in the source's own lines, last included."""
    first = source.position(source.from_byte(node.start_byte))[0]
    last = source.position(source.from_byte(max(node.end_byte - 1, node.start_byte)))[0]
    return first, last
