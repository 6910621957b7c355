r"""`search`: where a text or a pattern stands. No answer depends on what a secret is.

What is said of a file rests on its text as it may be shown: a match counts only where it neither overlaps what stands
for a secret nor could depend on it (`^`, `$` and `\b` look one character aside). Each such match is also one in the
file's own text, so files without any can be passed over before their secrets are looked for, and nobody learns from
the answer which guess was right.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mcp_tools.browse.finder import Deadline, Finder, TooSlowError, finder
from mcp_tools.browse.places import choose, refused
from mcp_tools.browse.shown import Shown, plain, shown
from mcp_tools.finding import Notice
from mcp_tools.project import Project, Source

_CONTINUATION = bytes(range(0x80, 0xC0))
_CLIP = "…"
_HITS = 4_096  # matching lines between two looks at the clock
_LEAD = 60  # characters shown before a match in a line that is too long


@dataclass(frozen=True, slots=True)
class Match:
    """A line that matches, where it matches first. `line` and `column` are 1-based, the column in code points.

    `text`, `before` and `after` are lines as they may be shown; a long one is cut, `text` to a window round the match.
    """

    path: str
    line: int
    column: int
    text: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Matches:
    """What a search found. `total` and `counts` (lines by file, in the order of the paths) go on past what is kept."""

    matches: tuple[Match, ...] = ()
    files_searched: int = 0
    files_matched: int = 0
    total: int = 0
    counts: tuple[tuple[str, int], ...] = ()
    notices: tuple[Notice, ...] = ()
    is_truncated: bool = False


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is kept: how many matches, and of each how many lines around it and characters of a line."""

    matches: int
    context: int
    max_chars: int


@dataclass(slots=True)
class _Tally:
    """The state of one search."""

    matches: list[Match] = field(default_factory=list[Match])
    counts: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    notices: list[Notice] = field(default_factory=list[Notice])
    searched: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class _Hit:
    """Offsets in bytes: of a match, and of its line."""

    number: int
    line_start: int
    line_stop: int
    start: int
    stop: int


def search(  # noqa: PLR0913 - one keyword for each thing that a caller may bound
    project: Project,
    query: str,
    *,
    is_regex: bool = False,
    is_case_sensitive: bool = True,
    patterns: Sequence[str] = (),
    context: int = 0,
    max_matches: int = 10_000,
    max_line_chars: int = 300,
    max_seconds: float = 30.0,
) -> Matches:
    """Find the lines that hold a text or match a regular expression (RE2's syntax).

    Args:
        project: the tree.
        query: at most 1,000 characters, no line end.
        is_regex: the query is a regular expression; `^` and `$` are a line's ends.
        is_case_sensitive: False folds case as Unicode does.
        patterns: files, folders and globs to search, see `places.choose`; all listed files when there is none.
        context: lines kept before and after.
        max_matches: matches kept; those past it are still counted.
        max_line_chars: characters kept of a line, at least 20.
        max_seconds: after which the search stops, with a Notice `search-stopped`.

    Returns:
        what was found, files that are denied left out. A query that cannot be looked for is a Notice `bad-pattern`.
    """
    deadline = Deadline(max_seconds)
    found = finder(query, deadline, is_regex=is_regex, is_case_sensitive=is_case_sensitive)
    if isinstance(found, Notice):
        return Matches(notices=(found,))
    chosen = choose(project, patterns)
    tally = _Tally(notices=list(chosen.notices))
    wanted = _Wanted(max_matches, max(context, 0), max(max_line_chars, 20))
    is_stopped = False
    try:
        for path in chosen.paths:
            if (notice := refused(path)) is not None:
                tally.notices.append(notice)
                continue
            source = project.read(path)
            if isinstance(source, Notice):
                tally.notices.append(source)
                continue
            tally.searched += 1
            if found.may_match(source.text):
                _search_file(source, found, deadline, wanted, tally)
            deadline.check()
    except TooSlowError:
        is_stopped = True
        text = f"stopped after {max_seconds:g} s: not everything was searched; name paths, or a simpler pattern"
        tally.notices.append(Notice("search-stopped", text, incomplete=True))
    return Matches(
        tuple(tally.matches),
        tally.searched,
        len(tally.counts),
        tally.total,
        tuple(tally.counts),
        tuple(dict.fromkeys(tally.notices)),
        is_stopped or tally.total > len(tally.matches),
    )


def _search_file(source: Source, found: Finder, deadline: Deadline, wanted: _Wanted, tally: _Tally) -> None:
    data = _encoded(plain(source.text))
    if found.find(data, 0, len(data)) is None:
        return
    text = shown(source)
    if text.marks:
        data = _encoded(text.text)
    number = 0
    try:
        for number, hit in enumerate(_hits(data, found, _spans(text)), start=1):
            if len(tally.matches) < wanted.matches:
                tally.matches.append(_match(source.path, data, hit, wanted))
            if number % _HITS == 0:
                deadline.check()
    finally:  # what was found before the deadline counts
        if number:
            tally.counts.append((source.path, number))
            tally.total += number


def _hits(data: bytes, found: Finder, marks: Sequence[tuple[int, int]]) -> Iterator[_Hit]:
    """The first match of each line that has one outside the marks."""
    position = counted = number = at = 0
    while position < len(data) and (span := found.find(data, position, len(data))) is not None:
        start = span[0]
        line_start, line_stop = data.rfind(b"\n", 0, start) + 1, data.find(b"\n", start)
        line_stop = len(data) if line_stop < 0 else line_stop
        if line_start == len(data):
            return  # past the last line end there is no line
        number += data.count(b"\n", counted, start)
        counted = start
        while at < len(marks) and marks[at][1] <= line_start:
            at += 1
        if at < len(marks) and marks[at][0] < line_stop:
            span = _clear(data, found, span, line_stop, marks[at:])
        if span is not None:
            yield _Hit(number, line_start, line_stop, *span)
        position = line_stop + 1


def _clear(
    data: bytes, found: Finder, span: tuple[int, int] | None, line_stop: int, marks: Sequence[tuple[int, int]]
) -> tuple[int, int] | None:
    """The first match of a line, from one on, that no mark bears on."""
    at = 0
    while span is not None:
        low, high = span[0] - found.margin, max(span[1] + found.margin, span[0] - found.margin + 1)
        while at < len(marks) and marks[at][1] <= low:
            at += 1
        if at == len(marks) or marks[at][0] >= high:
            return span
        position = max(span[1], span[0] + 1)
        while position < line_stop and data[position] & 0xC0 == 0x80:
            position += 1
        span = found.find(data, position, line_stop) if position <= line_stop else None
    return None


def _match(path: str, data: bytes, hit: _Hit, wanted: _Wanted) -> Match:
    line = _decoded(data[hit.line_start : hit.line_stop])
    start, stop = _chars(data[hit.line_start : hit.start]), _chars(data[hit.line_start : hit.stop])
    before: list[str] = []
    edge = hit.line_start
    while len(before) < wanted.context and edge > 0:
        begin = data.rfind(b"\n", 0, edge - 1) + 1
        before.append(_clipped(_decoded(data[begin : edge - 1]), 0, 0, wanted.max_chars))
        edge = begin
    after: list[str] = []
    edge = hit.line_stop + 1
    while len(after) < wanted.context and edge < len(data):
        end = data.find(b"\n", edge)
        end = len(data) if end < 0 else end
        after.append(_clipped(_decoded(data[edge:end]), 0, 0, wanted.max_chars))
        edge = end + 1
    text = _clipped(line, start, stop, wanted.max_chars)
    return Match(path, hit.number + 1, start + 1, text, tuple(reversed(before)), tuple(after))


def _clipped(line: str, start: int, stop: int, limit: int) -> str:
    """A line, or a window of `limit` characters with as much of a match as fits."""
    if len(line) <= limit:
        return line
    low = 0
    if stop > limit - 1:
        room = limit - 2
        low = max(start - min(_LEAD, max(room - (stop - start), 0)), 0)
        low = min(low, len(line) - (limit - 1))
    head = _CLIP if low else ""
    size = limit - len(head)
    if low + size >= len(line):
        return head + line[low:]
    return head + line[low : low + size - 1] + _CLIP


def _spans(text: Shown) -> list[tuple[int, int]]:
    """The marks as offsets in bytes."""
    if text.text.isascii():
        return [(mark.start, mark.stop) for mark in text.marks]
    spans: list[tuple[int, int]] = []
    at = offset = 0
    for mark in text.marks:
        offset += len(_encoded(text.text[at : mark.start]))
        length = len(_encoded(text.text[mark.start : mark.stop]))
        spans.append((offset, offset + length))
        offset += length
        at = mark.stop
    return spans


def _chars(data: bytes) -> int:
    """How many code points there are in UTF-8."""
    return len(data.translate(None, _CONTINUATION))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")
