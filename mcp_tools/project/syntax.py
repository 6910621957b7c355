"""Parse a text with tree-sitter: one grammar a language, loaded when first needed, never downloaded."""

import importlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import tree_sitter

from mcp_tools.project.source import Source

_GRAMMARS = {
    "python": ("tree_sitter_python", "language"),
    "javascript": ("tree_sitter_javascript", "language"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
    "tsx": ("tree_sitter_typescript", "language_tsx"),
    "go": ("tree_sitter_go", "language"),
    "java": ("tree_sitter_java", "language"),
    "rust": ("tree_sitter_rust", "language"),
}
_DEADLINE_S = 5.0  # a text that takes longer is no source code

PARSED = frozenset(_GRAMMARS)
"""Languages that have a grammar here."""


@cache
def grammar(language: str) -> tree_sitter.Language:
    """The grammar of a language of PARSED."""
    module, function = _GRAMMARS[language]
    pointer: object = getattr(importlib.import_module(module), function)()
    return tree_sitter.Language(pointer)


def parse(source: Source) -> tree_sitter.Tree | None:
    """The syntax tree of a text; None when its language has no grammar or parsing takes over 5 s.

    Offsets in the tree count UTF-8 bytes: `source.from_byte` converts them.
    """
    if source.language not in PARSED:
        return None
    data = source.text.encode("utf-8", "surrogatepass")
    deadline = time.monotonic() + _DEADLINE_S
    parser = tree_sitter.Parser(grammar(source.language))

    def read(offset: int, _point: object) -> bytes:
        return data[offset : offset + 65536]

    def is_over(_offset: int, _has_error: bool) -> bool:
        return time.monotonic() > deadline

    try:
        return parser.parse(read, progress_callback=is_over)
    except ValueError:  # "Parsing failed": the callback ended it
        return None


@dataclass(frozen=True, slots=True)
class Symbol:
    """A named definition: its name, its first line as it is written, and its lines (0-based, last included)."""

    name: str
    signature: str
    first_line: int
    last_line: int
    depth: int


def symbols(source: Source, tree: tree_sitter.Tree, *, max_depth: int = 2) -> Iterator[Symbol]:
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


def lines_of(source: Source, node: tree_sitter.Node) -> tuple[int, int]:
    """The first and last line of a node in the source's own lines, last included."""
    first = source.position(source.from_byte(node.start_byte))[0]
    last = source.position(source.from_byte(max(node.end_byte - 1, node.start_byte)))[0]
    return first, last
