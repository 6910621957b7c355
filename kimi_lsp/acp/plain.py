"""Words of others where a client may read Markdown: they stay readable and become no markup. Pure."""

import re

from kimi_lsp.faces.markup import MARKDOWN

_LINE_END = re.compile(r"\r\n?")
_LISTS = re.compile(r"(?:(?:[-+]|\d{1,9}[.)]) )*")  # white space is folded: one space behind each sign
_OPENING = ("#", ">", "=", "|")
_RULE = "-:| "  # nothing but these: a rule, a heading's underline, the second row of a table
_INDENT = 3  # more would be a block of code


def plain(text: str) -> str:
    """Lines of a model's reasoning: its lists and code spans stay, what could be a heading, a link or HTML does not.

    Only LF, CR LF and CR end a line; whatever else does so for Python is white space here.
    """
    return "\n".join(map(plain_line, _LINE_END.sub("\n", text).split("\n")))


def plain_line(line: str) -> str:
    """A line, or what follows the sign of our own list."""
    shown = MARKDOWN.prose(line)
    lead = line[: len(line) - len(line.lstrip(" "))][:_INDENT] if shown else ""
    start = _LISTS.match(shown)
    assert start is not None  # it matches nothing, too
    rest = shown[start.end() :]
    if rest and not shown.strip(_RULE):
        return f"{lead}\\{shown}"
    if rest.startswith(_OPENING) or (rest and not rest.strip(_RULE)):
        return f"{lead}{start[0]}\\{rest}"
    return f"{lead}{shown}"


def named(text: str) -> str:
    """A name in a title, which some clients read as Markdown and others show as it is: as code where it must be."""
    return text if MARKDOWN.prose(text) == text else MARKDOWN.code(text)
