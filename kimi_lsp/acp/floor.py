"""One column for the reasoning of several reviews at once: one has the floor, the others wait. Sans-I/O.

A model that reasons says a few characters at a time, and several do so at once. Shown as they come they would be
unreadable; so the first one's reasoning goes out live and the next one's whole when it is done.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from kimi_lsp.acp.plain import plain
from kimi_lsp.faces.markup import MARKDOWN

_KEPT_CHARS = 8_000  # of one that waits
_GAP_S = 0.05  # between two sends: at most twenty a second
_WAITING = 64  # units whose reasoning is kept while another has the floor


@dataclass(slots=True)
class Speaker:
    """A unit and what it has said that has not gone out."""

    number: int
    unit: str
    room: int  # characters that are kept while it waits
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
            speaker = self._speakers[unit] = Speaker(
                self._count, unit, _KEPT_CHARS if len(self._speakers) < _WAITING else 0
            )
        speaker.is_done = False  # it may be reviewed on another lane, too
        if self._holder() is speaker:
            speaker.text += text
            now = self.clock()
            if now - self._sent_at >= _GAP_S:
                self._sent_at = now
                yield from self._out(speaker)
            return
        kept = text[: max(speaker.room - len(speaker.text), 0)] if not speaker.cut else ""
        speaker.text += kept
        speaker.cut += len(text) - len(kept)

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
            del self._speakers[speaker.unit]

    def _out(self, speaker: Speaker) -> Iterator[Piece]:
        is_all = speaker.is_done or speaker.cut > 0
        end = len(speaker.text) if is_all else speaker.text.rfind("\n") + 1  # whole lines: they are escaped
        if not end and not speaker.cut:
            return
        begin = "" if speaker.has_begun else f"**{MARKDOWN.code(speaker.unit)}**\n\n"
        gap = f"\n… {speaker.cut:,} more characters; the trail has all of them\n" if speaker.cut else ""
        speaker.has_begun, speaker.cut = True, 0
        text, speaker.text = speaker.text[:end], speaker.text[end:]
        yield Piece(f"think-{speaker.number}", begin + plain(text) + gap)
