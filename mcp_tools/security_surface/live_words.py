"""Which query patterns can match in a text, and where, kept up while it is edited."""

from collections.abc import Iterator, Sequence

from mcp_tools.redaction.live import Hunk
from mcp_tools.security_surface.patterns import NEEDS, Pattern, Words, query_set, tokens
from mcp_tools.security_surface.search import Place
from mcp_tools.security_surface.syntax import occurrences

_NEED_BYTES = 4_000  # beside a change in which it can make or break a need


class LiveWords:
    """The patterns that can match, and the places of their anchors, as `QuerySet.wanted` and `places` give them.

    Args:
        language: one of `PARSED`.
        path: the file's path.
        data: its bytes.
    """

    def __init__(self, language: str, path: str, data: bytes) -> None:
        self._patterns = [pattern for pattern in query_set(language).patterns if pattern.takes(path)]
        held = tokens(data)
        groups = {group: None for pattern in self._patterns for group in pattern.groups}
        self._stands = {group: group.may_stand_in(data, held) for group in groups}
        needs = {pattern.needs for pattern in self._patterns if pattern.needs is not None}
        self._meets = {name: NEEDS[name].search(data) is not None for name in needs}
        self._around: dict[Words, list[Place]] = {}
        self._choose(data)

    @property
    def wanted(self) -> list[tuple[Pattern, list[Place]]]:
        """The patterns with their places."""
        return [(pattern, self._around[pattern.anchor]) for pattern in self._wanted]

    @property
    def count(self) -> int:
        """How many places there are."""
        return sum(map(len, self._around.values()))

    def _choose(self, data: bytes) -> None:
        self._wanted = [
            pattern
            for pattern in self._patterns
            if all(self._stands[group] for group in pattern.groups)
            and (pattern.needs is None or self._meets[pattern.needs])
        ]
        known = self._around
        self._around = {
            anchor: known[anchor] if anchor in known else sorted(anchor.places(data))
            for anchor in {pattern.anchor: None for pattern in self._wanted}
        }

    def update(self, old: bytes, data: bytes, changed: Sequence[Hunk]) -> None:
        """Take a changed text in; the hunks count bytes."""
        rows = list(_rows(old, data, changed))
        gone, come = _exchanged(old, data, rows)
        for group, stands in self._stands.items():
            if not group.is_whole:
                is_touched = any(text in old[row.old_start : row.old_stop] for row in rows for text in group.texts)
                if is_touched if stands else True:
                    ours = [(0, len(data))] if stands else [(row.start, row.stop) for row in rows]
                    self._stands[group] = any(data.find(text, *span) >= 0 for span in ours for text in group.texts)
            elif not group.all_parts.isdisjoint(gone if stands else come):
                self._stands[group] = any(all(_has(part, data) for part in parts) for parts in group.parts)
        for name, meets in self._meets.items():
            self._meets[name] = _meets(name, old, data, changed, was_met=meets)
        self._around = {anchor: _followed(anchor, places, data, rows) for anchor, places in self._around.items()}
        self._choose(data)


def _rows(old: bytes, data: bytes, changed: Sequence[Hunk]) -> Iterator[Hunk]:
    """The whole lines of the hunks; what lies on one line is joined."""
    held: Hunk | None = None
    for hunk in changed:
        back = hunk.start - (data.rfind(b"\n", 0, hunk.start) + 1)
        end = data.find(b"\n", hunk.stop)
        on = (len(data) if end < 0 else end) - hunk.stop
        row = Hunk(hunk.old_start - back, hunk.old_stop + on, hunk.start - back, hunk.stop + on)
        if held is not None and row.start <= held.stop:
            row = Hunk(min(held.old_start, row.old_start), row.old_stop, min(held.start, row.start), row.stop)
        elif held is not None:
            yield held
        held = row
    if held is not None:
        yield held


def _exchanged(old: bytes, data: bytes, rows: Sequence[Hunk]) -> tuple[frozenset[bytes], frozenset[bytes]]:
    """The words that some lines lost, and those that they gained."""
    had = tokens(b" ".join(old[row.old_start : row.old_stop] for row in rows))
    has = tokens(b" ".join(data[row.start : row.stop] for row in rows))
    return had - has, has - had


def _has(word: bytes, data: bytes) -> bool:
    return next(occurrences(word, data), None) is not None


def _meets(name: str, old: bytes, data: bytes, changed: Sequence[Hunk], *, was_met: bool) -> bool:
    """Say whether a text meets a need. Where it did, that must be looked at again only if what met it was touched."""
    search = NEEDS[name].search
    if was_met:
        was_touched = any(
            search(old, max(hunk.old_start - _NEED_BYTES, 0), hunk.old_stop + _NEED_BYTES) for hunk in changed
        )
        return not was_touched or search(data) is not None
    return any(search(data, max(hunk.start - _NEED_BYTES, 0), hunk.stop + _NEED_BYTES) for hunk in changed)


def _followed(anchor: Words, places: Sequence[Place], data: bytes, rows: Sequence[Hunk]) -> list[Place]:
    """The places of an anchor: those on changed lines anew, the others moved."""
    followed: list[Place] = []
    at = shift = 0
    for row in rows:
        while at < len(places) and places[at][1] <= row.old_start:
            followed.append((places[at][0] + shift, places[at][1] + shift))
            at += 1
        followed += sorted(anchor.places(data, row.start, row.stop))
        while at < len(places) and places[at][0] < row.old_stop:
            at += 1
        shift = row.stop - row.old_stop
    followed += [(start + shift, stop + shift) for start, stop in places[at:]]
    return followed
