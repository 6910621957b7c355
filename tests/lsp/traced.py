"""A text in which every character has an identity: the oracle for places that follow their text. Knows no marks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from kimi_lsp.lsp.splice import Splice


class Verdict(StrEnum):
    """What a place is, judged by the identities of its characters."""

    RIGHT = "right"  # the very characters, all of them, in their order
    RETYPED = "retyped"  # the same text between the same neighbours, with characters that are new
    WITHDRAWN = "withdrawn"  # changed, and so it was
    MISSED = "missed"  # said to be changed, but the very characters stand together
    WRONG = "wrong"  # said to hold, and does not


@dataclass(frozen=True, slots=True)
class Memory:
    """A place at the moment that it was marked: its text, its characters and all that stood before and behind it."""

    text: str
    before: frozenset[int]
    inside: tuple[int, ...]
    behind: frozenset[int]


@dataclass(slots=True)
class Traced:
    """A text with an undo list. Undoing brings the characters themselves back."""

    text: str
    ids: list[int] = field(init=False)
    _next: int = field(init=False)
    _past: list[tuple[str, list[int]]] = field(default_factory=list[tuple[str, list[int]]], init=False)
    _future: list[tuple[str, list[int]]] = field(default_factory=list[tuple[str, list[int]]], init=False)

    def __post_init__(self) -> None:
        self._next = len(self.text)
        self.ids = list(range(self._next))

    def remember(self, start: int, stop: int) -> Memory:
        """Note a place."""
        ids = self.ids
        return Memory(self.text[start:stop], frozenset(ids[:start]), tuple(ids[start:stop]), frozenset(ids[stop:]))

    def edit(self, start: int, stop: int, text: str) -> Splice:
        """Replace characters by new ones."""
        self._past.append((self.text, self.ids))
        self._future.clear()
        return self._replace(start, stop, text, range(self._next, self._next + len(text)))

    def undo(self, steps: int = 1) -> Splice | None:
        """Go back some steps at once, as one splice of all that differs. None when there is nothing to undo."""
        return self._go(self._past, self._future, steps)

    def redo(self, steps: int = 1) -> Splice | None:
        """Take the last steps back that were undone."""
        return self._go(self._future, self._past, steps)

    def judge(self, memory: Memory, start: int, stop: int, *, is_changed: bool) -> Verdict:
        """Say what a place is that claims to be the remembered one."""
        if is_changed:
            return Verdict.MISSED if self._has(memory.inside) else Verdict.WITHDRAWN
        if tuple(self.ids[start:stop]) == memory.inside:
            return Verdict.RIGHT
        own = set(memory.inside)
        left, right = self.ids[:start], self.ids[stop:]
        is_between = memory.behind.isdisjoint(left) and memory.before.isdisjoint(right)
        is_alone = own.isdisjoint(left) and own.isdisjoint(right)
        is_same = self.text[start:stop] == memory.text
        return Verdict.RETYPED if is_same and is_between and is_alone else Verdict.WRONG

    def _has(self, ids: Sequence[int]) -> bool:
        if not ids or ids[0] not in self.ids:
            return False
        at = self.ids.index(ids[0])
        return tuple(self.ids[at : at + len(ids)]) == ids

    def _go(
        self, source: list[tuple[str, list[int]]], target: list[tuple[str, list[int]]], steps: int
    ) -> Splice | None:
        if not source:
            return None
        text, ids = self.text, self.ids
        for _ in range(min(steps, len(source))):
            target.append((self.text, self.ids))
            self.text, self.ids = source.pop()
        limit = min(len(ids), len(self.ids))
        head = next((at for at in range(limit) if ids[at] != self.ids[at]), limit)
        limit -= head
        tail = next((at for at in range(limit) if ids[-1 - at] != self.ids[-1 - at]), limit)
        return Splice(head, text[head : len(text) - tail], self.text[head : len(self.text) - tail])

    def _replace(self, start: int, stop: int, text: str, ids: range) -> Splice:
        splice = Splice(start, self.text[start:stop], text)
        self._next = ids.stop
        self.text = self.text[:start] + text + self.text[stop:]
        self.ids = [*self.ids[:start], *ids, *self.ids[stop:]]
        return splice
