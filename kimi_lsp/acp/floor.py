"""One column for the reasoning of several reviews at once: one has the floor, the others wait. Sans-I/O.

A model that reasons says a few characters at a time, and several do so at once. Shown as they come they would be
unreadable; so the first one's reasoning goes out live and the next one's whole when it is done.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from kimi_lsp.faces.markup import MARKDOWN

_KEPT_CHARS = 8_000  # of one that waits
_GAP_S = 0.05  # between two sends: at most twenty a second
_INDENT = 3  # more would be a block of code
_WAITING = 64  # units whose reasoning is kept while another has the floor


@dataclass(slots=True)
class Speaker:
    """A unit and what it has said that has not gone out."""

    number: int
    unit: str
    text: str = ""
    cut: int = 0
    has_begun: bool = False
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of reasoning to be shown; one `message` is one unit's."""

    message: str
    text: str


@dataclass(slots=True)
class Floor:
    """Feed it reasoning as it comes; it gives what is to be shown now. `clock` answers seconds."""

    clock: Callable[[], float]
    _speakers: OrderedDict[str, Speaker] = field(default_factory=OrderedDict[str, Speaker])
    _count: int = 0
    _sent_at: float = float("-inf")

    @property
    def waiting(self) -> tuple[Speaker, ...]:
        """Those with something to say, the one who has the floor first."""
        return tuple(self._speakers.values())

    def feed(self, unit: str, text: str) -> Iterator[Piece]:
        """Take a piece of a unit's reasoning."""
        speaker = self._speakers.get(unit)
        if speaker is None:
            self._count += 1
            speaker = self._speakers[unit] = Speaker(self._count, unit)
        speaker.is_done = False  # it may be reviewed on another lane, too
        if self._holder() is speaker:
            speaker.text += text
            now = self.clock()
            if now - self._sent_at >= _GAP_S:
                self._sent_at = now
                yield from self._out(speaker)
            return
        room = _KEPT_CHARS - len(speaker.text) if len(self._speakers) <= _WAITING else 0
        speaker.text += text[: max(room, 0)]
        speaker.cut += len(text) - max(room, 0) if len(text) > room else 0

    def done(self, unit: str) -> Iterator[Piece]:
        """A unit has no more to say: if it has the floor, the next one gets it."""
        if unit in self._speakers:
            self._speakers[unit].is_done = True
            yield from self._pass_on()

    def flush(self) -> Iterator[Piece]:
        """Nobody says anything more."""
        for speaker in self._speakers.values():
            speaker.is_done = True
        yield from self._pass_on()

    def _holder(self) -> Speaker | None:
        return next(iter(self._speakers.values()), None)

    def _pass_on(self) -> Iterator[Piece]:
        while (speaker := self._holder()) is not None:
            yield from self._out(speaker)
            if not speaker.is_done:
                return
            if speaker.cut:
                more = f"\n… {speaker.cut:,} more characters; the trail has all of them\n"
                yield Piece(f"think-{speaker.number}", more)
            del self._speakers[speaker.unit]

    def _out(self, speaker: Speaker) -> Iterator[Piece]:
        end = len(speaker.text) if speaker.is_done else speaker.text.rfind("\n") + 1  # whole lines: they are escaped
        if not end:
            return
        begin = "" if speaker.has_begun else f"**{MARKDOWN.code(speaker.unit)}**\n\n"
        speaker.has_begun = True
        text, speaker.text = speaker.text[:end], speaker.text[end:]
        yield Piece(f"think-{speaker.number}", begin + plain(text))


def plain(text: str) -> str:
    """Lines of a model's reasoning: its lists and code spans stay, what could be a heading, a link or HTML does not."""
    return "".join(_plain_line(line) for line in text.splitlines(keepends=True))


def _plain_line(line: str) -> str:
    body = line.rstrip("\r\n")
    shown = MARKDOWN.prose(body)
    if shown.startswith(("#", ">", "=", "|")) or not shown.strip("- "):
        shown = f"\\{shown}" if shown else ""
    lead = body[: len(body) - len(body.lstrip(" "))][:_INDENT]
    return f"{lead}{shown}{chr(10) if len(body) < len(line) else ''}"
