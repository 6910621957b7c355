"""Text from code and from models as Markdown or as plain text, so that it shows itself and does nothing else."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from mcp_tools.output.escape import printable

_CODE_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
# Only where it would act: names such as `user_id`, `a[i]` and `x < y` stay readable in editors that show the source.
_ACTIVE = re.compile(
    r"""
      \\(?=[!-/:-@\[-`{-~]|$)               # would escape, or break the line
    | [`*~]
    | (?<![^\W_])_+ | _+(?![^\W_])          # not within a word
    | <(?=[^\s=])
    | &(?=[A-Za-z#])
    | \[(?=[\[^]) | \](?=[(\[:\]]) | !(?=\[)
    """,
    re.VERBOSE,
)
# What is linked without any markup. A zero-width space, written as an entity, keeps the sign and breaks the link.
_AUTOLINK = re.compile(r"(?<=[\w.+-])@(?=\w)|(?<=:)(?=//)|(?<=www)(?=\.)", re.IGNORECASE)
_FENCE = re.compile("`{3,}")
_FENCE_MARK = re.compile("`{3,}|~{3,}")
_FENCE_WITHIN = re.compile(r"^[ \t]*(?:(?:[-+*>]|\d{1,9}[.)])[ \t]*)+(?=`{3}|~{3})")
_WAYS = re.compile(r"\](?=[(\[:])|<(?=[A-Za-z/!?])|(?<=[\w.+-])@(?=\w)|:(?=//)|(?<=www)(?=\.)", re.IGNORECASE)
_LINE_END = re.compile(r"\r\n?")
_INDENT = "    "


class Ink(Protocol):
    """A way to write. Everything but `trusted` takes any text."""

    def prose(self, text: str) -> str:
        """Text on one line. It must not start a line: put words of ours before it."""
        ...

    def code(self, text: str) -> str:
        """A name, on one line."""
        ...

    def strong(self, words: str) -> str:
        """Words of ours, loud."""
        ...

    def link(self, text: str, uri: str | None) -> str:
        """Text that leads to a URI of ours."""
        ...

    def block(self, text: str) -> str:
        """Lines as they are."""
        ...

    def trusted(self, markdown: str) -> str:
        """Markdown of ours."""
        ...


class MarkdownInk:
    """CommonMark, safe with GitHub's extensions too."""

    def prose(self, text: str) -> str:
        """Backticked code stays code; whatever else could be markup or a link is escaped."""
        line, parts, done = one_line(text), list[str](), 0
        for span in _CODE_SPAN.finditer(line):
            parts += (_escaped(line[done : span.start()]), span[0])
            done = span.end()
        parts.append(_escaped(line[done:]))
        return "".join(parts)

    def code(self, text: str) -> str:
        """A code span with as many backticks as it takes."""
        line = one_line(text) or " "
        longest = max(map(len, re.findall("`+", line)), default=0)
        pad = " " if line[0] == "`" or line[-1] == "`" else ""
        ticks = "`" * (longest + 1)
        return f"{ticks}{pad}{line}{pad}{ticks}"

    def strong(self, words: str) -> str:
        """Bold."""
        return f"**{words}**"

    def link(self, text: str, uri: str | None) -> str:
        """A link; the text alone without a URI."""
        return self.code(text) if uri is None else f"[{self.code(text)}](<{uri}>)"

    def block(self, text: str) -> str:
        """A fence that is longer than any in the text."""
        shown = lines_of(text)
        longest = max(map(len, _FENCE.findall(shown)), default=2)
        fence = "`" * (longest + 1)
        return f"{fence}text\n{shown}\n{fence}"

    def trusted(self, markdown: str) -> str:
        """As it is."""
        return markdown


class PlainInk:
    """Plain text."""

    def prose(self, text: str) -> str:
        """One printable line."""
        return one_line(text)

    def code(self, text: str) -> str:
        """The text alone."""
        return one_line(text)

    def strong(self, words: str) -> str:
        """The words alone."""
        return words

    def link(self, text: str, uri: str | None) -> str:
        """The text alone: an address in a plain hover is noise."""
        del uri
        return one_line(text)

    def block(self, text: str) -> str:
        """Indented lines."""
        return "\n".join(f"{_INDENT}{line}" for line in lines_of(text).split("\n"))

    def trusted(self, markdown: str) -> str:
        """Without the backticks."""
        return markdown.replace("`", "")


@dataclass(slots=True)
class Tamed:
    """A model's Markdown while it streams: it stays Markdown, without a way to anywhere.

    A link or an image in an answer could carry what the model has read to whoever owns the address, by itself or at a
    click. A zero-width space in each place that makes one is not seen and breaks it: links, images, references,
    addresses and HTML. Nothing is changed within a fenced block. So that everybody agrees where one begins and ends, it
    does so at the start of a line: an indented fence is moved there, and behind a list's or a quote's sign it is none.
    """

    _fence: str = ""  # of the block that is open

    def feed(self, text: str) -> str:
        """Take whole lines, the last one perhaps without its end."""
        shown = printable(_LINE_END.sub("\n", text), keep="\n\t")
        return "".join(map(self._line, re.findall(r"[^\n]*\n|[^\n]+", shown)))

    def _line(self, line: str) -> str:
        moved = line.lstrip(" \t")
        mark = _FENCE_MARK.match(moved)
        if self._fence:
            if mark and mark[0].startswith(self._fence) and not moved[mark.end() :].strip(" \t\n"):
                self._fence = ""
                return moved
            return line
        if mark and not (mark[0][0] == "`" and "`" in moved[mark.end() :]):  # that would be a code span
            self._fence = mark[0]
            return moved
        shown = _WAYS.sub(lambda match: f"{match[0]}\u200b", line)
        return _FENCE_WITHIN.sub(lambda match: f"{match[0]}\u200b", shown)


MARKDOWN: Ink = MarkdownInk()
PLAIN: Ink = PlainInk()


def one_line(text: str) -> str:
    """Printable text with its white space folded."""
    if text.isascii() and text.isprintable() and "  " not in text:  # nearly all text, and a tenth of the time
        return text.strip(" ")
    return printable(" ".join(text.split()))


def lines_of(text: str) -> str:
    """Printable lines that end at LF, without blank ones at either end."""
    return printable(_LINE_END.sub("\n", text).strip("\n"), keep="\n\t")


def clipped(text: str, max_chars: int) -> str:
    """The text, or its start and an ellipsis."""
    return text if len(text) <= max_chars else f"{text[: max_chars - 1].rstrip()}…"


def first_lines(text: str, max_lines: int, max_chars: int) -> str:
    """The start of a longer text, whole lines where they fit, and how many more there are."""
    lines: Sequence[str] = lines_of(text).split("\n")
    shown = clipped("\n".join(lines[:max_lines]), max_chars)
    more = len(lines) - (shown.count("\n") + 1)
    return f"{shown}\n… {more:,} more line{'s' if more > 1 else ''}" if more > 0 else shown


def dollars(amount_usd: Decimal) -> str:
    """`$0.0123`: exact to a millionth of a dollar, two digits at the least."""
    whole, _, fraction = f"{amount_usd:,.6f}".partition(".")
    return f"${whole}.{fraction.rstrip('0').ljust(2, '0')}"


def _escaped(text: str) -> str:
    shown = _ACTIVE.sub(lambda match: "".join(f"\\{char}" for char in match[0]), text)
    return _AUTOLINK.sub(lambda match: f"{match[0]}&#8203;", shown)
