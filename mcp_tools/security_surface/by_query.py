"""What the query patterns say of one text."""

from collections.abc import Callable

from tree_sitter import Tree

from mcp_tools.finding import Notice
from mcp_tools.project import Source
from mcp_tools.project.syntax import MAX_PARSED_CHARS, PARSED, encoded
from mcp_tools.security_surface.drafts import Draft, of_matches
from mcp_tools.security_surface.gates import File
from mcp_tools.security_surface.imports import Imports
from mcp_tools.security_surface.patterns import places, query_set
from mcp_tools.security_surface.search import Wanted, in_code, matches
from mcp_tools.security_surface.syntax import parse, share_of_errors

_MAX_ERROR_SHARE = 0.2


def by_query(source: Source) -> tuple[list[Draft], list[Notice]]:
    """The drafts of a text, and notices where not all of it was searched."""
    language = source.language
    if language not in PARSED:
        return [], []
    data = encoded(source.text)
    patterns = query_set(language).wanted(source.path, data)
    around = places(patterns, data)
    if not any(around.values()):
        return [], []
    if reason := not_parsed(source):
        return [], [short_of(source.path, reason)]
    tree = parse(language, data)
    if tree is None:
        return [], [short_of(source.path, TOO_LONG)]
    return judged(source, tree, data, [(pattern, around[pattern.anchor]) for pattern in patterns], source.from_byte)


TOO_LONG = "parsing took too long"


def not_parsed(source: Source) -> str | None:
    """Why a text is not even parsed."""
    return f"more than {MAX_PARSED_CHARS:,} characters" if len(source.text) > MAX_PARSED_CHARS else None


def judged(
    source: Source,
    tree: Tree,
    data: bytes,
    wanted: Wanted,
    from_byte: Callable[[int], int],
    imports: Imports | None = None,
) -> tuple[list[Draft], list[Notice]]:
    """What patterns find in a parsed text.

    Args:
        source: the text.
        tree: its tree.
        data: the bytes the tree was parsed from.
        wanted: the patterns and their places.
        from_byte: turns an offset in the bytes into one in the text.
        imports: where the text's names come from, if that is known.
    """
    notices: list[Notice] = []
    found = matches(tree.root_node, in_code(tree.root_node, wanted))
    drafts, is_short = of_matches(found, File(source, tree, data, imports), from_byte)
    if is_short:
        notices.append(short_of(source.path, "nested too deeply to be searched as a whole"))
    if (share := share_of_errors(tree)) > _MAX_ERROR_SHARE:
        notices.append(short_of(source.path, f"{share:.0%} of the text is no valid {source.language}"))
    return drafts, notices


def short_of(path: str, reason: str) -> Notice:
    """The notice that not all rules were applied to a text."""
    return Notice("parse-incomplete", f"not all rules were applied: {reason}", path)
