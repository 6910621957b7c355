"""Edits as people and editors make them, on a traced text: typing, deleting, pasting, commenting out, undoing."""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from kimi_lsp.lsp.splice import Splice
from tests.lsp.traced import Traced

_LINE = re.compile(r".*\n|.+", re.DOTALL)
_WORD = re.compile(r"\w+")
_SNIPPETS = (
    "x",
    "_",
    "(",
    ")",
    "\n",
    "    ",
    "value",
    "return None\n",
    "if ready:\n        ",
    "  # note",
    ", timeout=3",
    "é😀",
)


@dataclass(slots=True)
class Typist:
    """Makes one edit after the other."""

    traced: Traced
    random: random.Random
    at: int = field(default=0, init=False)  # where the caret is

    def steps(self, count: int) -> Iterator[tuple[str, Sequence[Splice]]]:
        """Edits by their kind, each made already."""
        kinds: list[tuple[str, int, Callable[[], Sequence[Splice | None]]]] = [
            ("type", 30, self._type),
            ("erase", 14, self._erase),
            ("delete lines", 6, self._delete_lines),
            ("paste lines", 5, self._paste_lines),
            ("duplicate a line", 4, self._duplicate),
            ("move lines", 3, self._move_lines),
            ("replace a word", 8, self._replace_word),
            ("retype a line", 4, self._retype),
            ("comment out", 4, self._comment),
            ("rename everywhere", 2, self._rename),
            ("cut and paste back", 4, self._cut_and_paste_back),
            ("replace all by the same", 1, self._same),
            ("undo", 22, self._undo),
            ("redo", 6, self._redo),
        ]
        weights = [weight for _, weight, _ in kinds]
        for _ in range(count):
            if self.random.random() < 0.25:
                self.at = self.random.randrange(len(self.traced.text) + 1)
            kind, _, make = self.random.choices(kinds, weights)[0]
            yield kind, [splice for splice in make() if splice is not None]
            self.at = min(self.at, len(self.traced.text))

    def _edit(self, start: int, stop: int, text: str) -> Splice:
        self.at = start + len(text)
        return self.traced.edit(start, stop, text)

    def _lines(self, most: int) -> tuple[int, int]:
        """Some whole lines at the caret."""
        text = self.traced.text
        start = text.rfind("\n", 0, self.at) + 1
        stop = start
        for _ in range(self.random.randint(1, most)):
            end = text.find("\n", stop)
            stop = len(text) if end < 0 else end + 1
        return start, stop

    def _type(self) -> Sequence[Splice]:
        word = self.random.choice(_SNIPPETS)
        if self.random.random() < 0.5:
            return [self._edit(self.at, self.at, character) for character in word]
        return [self._edit(self.at, self.at, word)]

    def _erase(self) -> Sequence[Splice]:
        count = min(self.random.choice((1, 1, 2, 4, 12)), self.at)
        if self.random.random() < 0.5:
            return [self._edit(self.at - 1, self.at, "") for _ in range(count)]
        return [self._edit(self.at - count, self.at, "")]

    def _delete_lines(self) -> Sequence[Splice]:
        start, stop = self._lines(self.random.choice((1, 1, 3, 40)))
        return [self._edit(start, stop, "")]

    def _paste_lines(self) -> Sequence[Splice]:
        text = self.traced.text
        start, _ = self._lines(1)
        here = self.at
        self.at = self.random.randrange(len(text) + 1)
        first, last = self._lines(5)
        self.at = here
        return [self._edit(start, start, text[first:last])]

    def _duplicate(self) -> Sequence[Splice]:
        start, stop = self._lines(1)
        return [self._edit(stop, stop, self.traced.text[start:stop])]

    def _move_lines(self) -> Sequence[Splice]:
        start, stop = self._lines(3)
        lines = self.traced.text[start:stop]
        taken = self._edit(start, stop, "")
        self.at = min(start + 200, len(self.traced.text))
        target, _ = self._lines(1)
        return [taken, self._edit(target, target, lines)]

    def _replace_word(self) -> Sequence[Splice]:
        word = _WORD.search(self.traced.text, self.at)
        if word is None:
            return []
        return [self._edit(word.start(), word.end(), self.random.choice((word[0] + "_2", "other", word[0][:1])))]

    def _retype(self) -> Sequence[Splice]:
        start, stop = self._lines(1)
        line = self.traced.text[start:stop]
        taken = self._edit(start, stop, "")
        if self.random.random() < 0.5:
            return [taken, self._edit(start, start, line)]
        return [taken, *(self._edit(self.at, self.at, character) for character in line)]

    def _comment(self) -> Sequence[Splice]:
        start, stop = self._lines(4)
        first = [start + match.start() for match in re.finditer("^", self.traced.text[start:stop], re.MULTILINE)]
        return [self._edit(at, at, "# ") for at in reversed(first)]

    def _rename(self) -> Sequence[Splice]:
        word = _WORD.search(self.traced.text, self.at)
        if word is None or not word[0].isidentifier():
            return []
        places = [each.span() for each in re.finditer(rf"\b{word[0]}\b", self.traced.text)]
        return [self._edit(start, stop, "renamed") for start, stop in reversed(places[:40])]

    def _cut_and_paste_back(self) -> Sequence[Splice]:
        start, stop = self._lines(6)
        lines = self.traced.text[start:stop]
        return [self._edit(start, stop, ""), self._edit(start, start, lines)]

    def _same(self) -> Sequence[Splice]:
        text = self.traced.text
        return [self._edit(0, len(text), ""), self._edit(0, 0, text)]

    def _undo(self) -> Sequence[Splice | None]:
        if self.random.random() < 0.3:
            return [self.traced.undo(self.random.randint(2, 6))]
        return [self.traced.undo() for _ in range(self.random.choice((1, 1, 2, 5)))]

    def _redo(self) -> Sequence[Splice | None]:
        return [self.traced.redo() for _ in range(self.random.choice((1, 1, 3)))]
