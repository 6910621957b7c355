"""The document mirror against a model that works on encoded bytes, and its log of changes."""

import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kimi_lsp.lsp import mirror as mirror_module
from kimi_lsp.lsp.encoding import PositionEncoding
from kimi_lsp.lsp.mirror import Change, ClientRange, Mirror, Ticket
from kimi_lsp.lsp.splice import apply
from mcp_tools.project import Source

HIGH = chr(0xD83D)
TEXT = st.lists(
    st.sampled_from(
        ["a", "b c", "\n", "\r\n", "\r", "é", "ࠀ", "😀", HIGH, "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"]
    ),
    max_size=12,
).map("".join)
PLACE = st.integers(-1, 9)
RANGE = st.tuples(PLACE, PLACE, PLACE, PLACE)
CHANGE = st.builds(Change, st.one_of(RANGE, RANGE, RANGE, st.none()), TEXT)
_CODEC = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


class Encoded:
    """A document as its client's code units: what the specification says, word for word, and nothing else."""

    def __init__(self, text: str, encoding: PositionEncoding) -> None:
        self.codec, self.width = _CODEC[encoding.value]
        self.data = self.encode(text)

    def encode(self, text: str) -> bytes:
        return text.encode(self.codec, "surrogatepass")

    def unit(self, at: int) -> int:
        return int.from_bytes(self.data[at * self.width : (at + 1) * self.width], "little")

    def lines(self) -> list[tuple[int, int]]:
        """The first unit of each line and the one past its last, line ends left out."""
        count = len(self.data) // self.width
        units, lines, start, at = [self.unit(at) for at in range(count)], list[tuple[int, int]](), 0, 0
        while at < count:
            if units[at] in (10, 13):
                lines.append((start, at))
                at += units[at] == 13 and units[at + 1 : at + 2] == [10]
                start = at + 1
            at += 1
        return [*lines, (start, count)]

    def is_inside(self, at: int) -> bool:
        """Say whether a unit is not the first of its character."""
        if at * self.width >= len(self.data):
            return False
        unit = self.unit(at)
        if self.width == 1:
            return unit & 0xC0 == 0x80
        return self.width == 2 and at > 0 and 0xDC00 <= unit < 0xE000 and 0xD800 <= self.unit(at - 1) < 0xDC00

    def at(self, line: int, character: int) -> int:
        lines = self.lines()
        if line < 0:
            return 0
        if line >= len(lines):
            return lines[-1][1]
        start, stop = lines[line]
        at = min(start + max(character, 0), stop)
        while self.is_inside(at):
            at -= 1
        return at

    def change(self, change: Change) -> None:
        if change.range is None:
            self.data = self.encode(change.text)
            return
        start_line, start_character, end_line, end_character = change.range
        start, stop = sorted((self.at(start_line, start_character), self.at(end_line, end_character)))
        self.data = self.data[: start * self.width] + self.encode(change.text) + self.data[stop * self.width :]


class MirrorsTheClient(RuleBasedStateMachine):
    """Notifications of any kind; tickets taken and given back in between."""

    @initialize(text=TEXT, encoding=st.sampled_from(PositionEncoding))
    def open(self, text: str, encoding: PositionEncoding) -> None:
        self.mirror, self.client, self.version = Mirror(text, 0, encoding), Encoded(text, encoding), 0
        self.tickets: list[tuple[Ticket, str]] = []

    @rule(changes=st.lists(CHANGE, max_size=3))
    def change(self, changes: list[Change]) -> None:
        before = self.mirror.text
        self.version += 1
        splices = self.mirror.apply(changes, self.version)
        for change in changes:
            self.client.change(change)
        assert apply(before, splices) == self.mirror.text

    @rule()
    def mark(self) -> None:
        self.tickets.append((self.mirror.mark(), self.mirror.text))

    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        if self.tickets:
            ticket, _ = self.tickets.pop(data.draw(st.integers(0, len(self.tickets) - 1)))
            self.mirror.release(ticket)
            assert self.mirror.since(ticket) is None

    @invariant()
    def its_source_knows_the_lines_that_a_search_finds(self) -> None:
        known, found = self.mirror.source("a.py", None), Source("a.py", self.mirror.text)
        assert list(known.lines()) == list(found.lines())

    @invariant()
    def the_text_is_the_clients(self) -> None:
        assert self.client.encode(self.mirror.text) == self.client.data
        assert self.mirror.version == self.version

    @invariant()
    def every_place_is_where_the_client_has_it(self) -> None:
        lines = self.client.lines()
        assert self.mirror.line_count == len(lines)
        for line, (start, stop) in enumerate(lines):
            for character in range(stop - start + 2):
                offset = self.mirror.offset(line, character)
                units = len(self.client.encode(self.mirror.text[:offset])) // self.client.width
                assert units == self.client.at(line, character)
                assert self.mirror.position(offset) == (line, units - start)

    @invariant()
    def every_ticket_tells_what_happened_since(self) -> None:
        for ticket, text in self.tickets:
            splices = self.mirror.since(ticket)
            assert splices is not None
            assert apply(text, splices) == self.mirror.text
        if not self.tickets:
            assert self.mirror.recorded == 0


MirrorsTheClient.TestCase.settings = settings(max_examples=120, stateful_step_count=15, deadline=None)
test_the_mirror_is_what_the_client_has = MirrorsTheClient.TestCase


@given(TEXT, st.integers(-2, 60))
def test_any_offset_has_a_place_that_leads_back_unless_it_is_within_a_line_end(text: str, offset: int) -> None:
    mirror = Mirror(text, 0)
    clamped = min(max(offset, 0), len(text))
    is_within = text[clamped - 1 : clamped + 1] == "\r\n" and clamped > 0
    assert mirror.offset(*mirror.position(offset)) == clamped - is_within


@given(TEXT)
def test_lines_are_those_of_a_source(text: str) -> None:
    mirror = Mirror(text, 0, PositionEncoding.UTF32)
    source = Source("a.py", text)
    assert mirror.line_count == source.line_count
    assert [mirror.position(at) for at in range(len(text) + 1)] == [source.position(at) for at in range(len(text) + 1)]


CASES: list[tuple[str, ClientRange, str, str]] = [
    ("abc", (0, 99, 0, 99), "X", "abcX"),  # past the line's end
    ("abc\nd", (0, 99, 0, 99), "X", "abcX\nd"),
    ("abc\r\nd", (0, 99, 0, 99), "X", "abcX\r\nd"),
    ("abc", (9, 0, 9, 9), "X", "abcX"),  # past the last line
    ("abc\n", (1, 5, 1, 5), "X", "abc\nX"),
    ("abc", (0, 2, 0, 1), "X", "aXc"),  # the wrong way round
    ("a='\x0c'\nb=1", (1, 2, 1, 3), "9", "a='\x0c'\nb=9"),  # a form feed ends no line
    ("a\u2028b\nc", (1, 0, 1, 1), "9", "a\u2028b\n9"),
    ("😀b", (0, 1, 0, 2), "", "b"),  # from within a character
    ("a\r\nb", (0, 1, 1, 0), "", "ab"),
]


@pytest.mark.parametrize(("text", "place", "new", "expected"), CASES)
def test_a_change_lands_where_the_specification_says(text: str, place: ClientRange, new: str, expected: str) -> None:
    mirror = Mirror(text, 0)
    mirror.apply([Change(place, new)], 1)
    assert mirror.text == expected


def test_a_change_of_the_whole_text_is_told_as_small_splices() -> None:
    lines = [f"line {number}\n" for number in range(50)]
    mirror = Mirror("".join(lines), 0)
    lines[10], lines[40] = "line ten\n", "forty\n"
    assert len(mirror.apply([Change(None, "".join(lines))], 1)) == 2
    assert mirror.apply([Change(None, "".join(lines))], 2) == ()
    assert mirror.apply([Change((0, 0, 60, 0), "".join(lines))], 3) == ()
    assert [splice.text for splice in mirror.apply([Change((0, 0, 60, 0), "".join([*lines, "z\n"]))], 4)] == ["z\n"]


def test_a_source_is_kept_until_the_text_changes() -> None:
    mirror = Mirror("a\n", 0)
    first = mirror.source("a.py", "python")
    assert mirror.source("a.py", "python") is first
    assert mirror.source("b.py", "python").path == "b.py"
    mirror.apply([Change((0, 0, 0, 0), "b")], 1)
    assert (mirror.source("a.py", "python").text, first.text) == ("ba\n", "a\n")


def test_nothing_is_recorded_without_a_ticket_and_nothing_stays_after_the_last_one() -> None:
    mirror = Mirror("", 0)
    for version in range(100):
        mirror.apply([Change((0, 0, 0, 0), "x")], version)
    assert mirror.recorded == 0
    older = mirror.mark()
    mirror.apply([Change((0, 0, 0, 0), "x")], 101)
    newer = mirror.mark()
    mirror.apply([Change((0, 0, 0, 0), "y")], 102)
    assert mirror.recorded == 2
    mirror.release(older)
    assert mirror.recorded == 1
    assert [splice.text for splice in mirror.since(newer) or ()] == ["y"]
    mirror.release(newer)
    mirror.release(newer)
    assert mirror.recorded == 0


def test_a_ticket_outlives_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror_module, "_MAX_LOG_SPLICES", 5)
    mirror = Mirror("one\ntwo\nthree\n", 0)
    ticket = mirror.mark()
    for version in range(20):
        mirror.apply([Change((0, 0, 0, 0), "x")], version)
    assert mirror.recorded <= 5
    assert [(splice.start, splice.text) for splice in mirror.since(ticket) or ()] == [(0, "x" * 20)]


def test_a_ticket_of_another_document_tells_nothing() -> None:
    assert Mirror("a", 0).since(Mirror("a", 0).mark()) is None


def test_the_text_modules_load_neither_sdk_nor_event_loop() -> None:
    code = (
        "import sys, kimi_lsp.lsp.mirror, kimi_lsp.lsp.marks, kimi_lsp.lsp.identity\n"
        "print(sorted({'asyncio', 'anyio', 'msgspec', 'pydantic', 'openai', 'tree_sitter'} & set(sys.modules)))"
    )
    import subprocess

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert re.sub(r"\s", "", ran.stdout) == "[]"
