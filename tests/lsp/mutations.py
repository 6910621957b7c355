"""Findings of one file before and after somebody worked on it, and which of them are the same: the truth by lines."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from kimi_lsp.lsp.identity import Known, known
from mcp_tools.finding import Finding, Lane, Level, Location, Origin, Region, Rule
from mcp_tools.project import Source

_RULES = [Rule(f"rule-{name}", name, Level.WARNING, Lane.SECURITY) for name in ("one", "two", "three")]
_MESSAGES = (
    "The value {name} comes from outside and reaches the query without a check.",
    "{name} is read here although it may not be set, and the error says nothing of it.",
    "Nobody closes {name} when an exception is raised in between.",
    "A secret may be written to the log by way of {name}.",
)
_REWORDED = {
    "The": "This",
    "comes": "arrives",
    "without": "lacking",
    "Nobody": "No one",
    "may": "might",
    "raised": "thrown",
}
_NAME = re.compile(r"[A-Za-z_]{4,}")


@dataclass(frozen=True, slots=True)
class Case:
    """Two reports, and for each old finding that was reported again its new index."""

    old: Sequence[Known]
    new: Sequence[Known]
    truth: dict[int, int]


@dataclass(frozen=True, slots=True)
class _Spot:
    """What is found on a line: its rule, its message, the share of the line it covers, and who says so."""

    rule: Rule
    message: str
    share: tuple[float, float]
    origin: Origin


class Corpus:
    """Works on a text line by line, so that every line knows which old one it is."""

    def __init__(self, text: str, chooser: random.Random) -> None:
        self._random = chooser
        self._lines = text.splitlines()

    def case(self, findings: int = 30, edits: int = 12) -> Case:
        """Findings on random lines; then lines are added, deleted, moved, duplicated, reindented, renamed in."""
        lines = self._lines
        telling = [number for number, line in enumerate(lines) if len(line.strip()) > 6]
        spots = {number: self._spot(lines[number]) for number in self._random.sample(telling, findings)}
        old = [self._known(lines, number, spot) for number, spot in sorted(spots.items())]
        index_of = {number: index for index, number in enumerate(sorted(spots))}
        rows: list[tuple[int, str]] = list(enumerate(lines))
        for _ in range(edits):
            self._edit(rows, spots)
        texts = [text for _, text in rows]
        new: list[Known] = []
        truth: dict[int, int] = {}
        for number, (origin, _) in enumerate(rows):
            if origin in spots:
                truth[index_of[origin]] = len(new)
                new.append(self._known(texts, number, self._again(spots[origin])))
        for _ in range(8):  # and some that nobody knew, half of them beside known ones
            number = self._random.randrange(len(texts))
            if self._random.random() < 0.5 and new:
                number = min(self._random.choice(new).line + self._random.randint(1, 2), len(texts) - 1)
            if rows[number][0] not in spots and len(texts[number].strip()) > 6:
                new.append(self._known(texts, number, self._spot(texts[number])))
        order = self._random.sample(range(len(new)), len(new))
        at = {index: place for place, index in enumerate(order)}
        return Case(old, [new[index] for index in order], {one: at[other] for one, other in truth.items()})

    def _spot(self, line: str) -> _Spot:
        names = _NAME.findall(line) or ["it"]
        message = self._random.choice(_MESSAGES).format(name=self._random.choice(names))
        model = self._random.choice((None, "kimi-k2.6"))
        share = self._random.choice(((0.0, 1.0), (0.0, 0.6), (0.3, 1.0)))
        return _Spot(self._random.choice(_RULES), message, share, Origin("audit", model))

    def _again(self, spot: _Spot) -> _Spot:
        """The same spot in a later report: a model may word it anew."""
        if spot.origin.model is None or self._random.random() < 0.5:
            return spot
        words = [_REWORDED.get(word, word) for word in spot.message.split()]
        return _Spot(spot.rule, " ".join(words), spot.share, spot.origin)

    def _known(self, lines: Sequence[str], number: int, spot: _Spot) -> Known:
        source = Source("a.py", "\n".join(lines))
        line = lines[number]
        indent, stop = len(line) - len(line.lstrip()), len(line.rstrip())
        width = stop - indent
        region = Region(number, indent + int(width * spot.share[0]), number, indent + int(width * spot.share[1]))
        print_ = source.fingerprint(spot.rule.id, region)
        location = Location("a.py", region)
        return known(Finding(spot.rule, spot.message, location, fingerprint=print_, origin=spot.origin), source)

    def _edit(self, rows: list[tuple[int, str]], spots: dict[int, _Spot]) -> None:
        at = self._random.randrange(len(rows))
        near = self._random.choice(sorted(spots)) if self._random.random() < 0.5 else at
        at = next((place for place, (origin, _) in enumerate(rows) if origin == near), at)  # half of them at findings
        kind = self._random.choice(("add", "add", "delete", "move", "duplicate", "indent", "rename", "fix"))
        if kind == "add":
            rows[at:at] = [(-1, f"    added_{self._random.randrange(99)} = compute()") for _ in range(3)]
        elif kind == "delete":
            del rows[at : at + self._random.randint(1, 3)]
        elif kind == "move":
            taken = rows[at : at + 8]
            del rows[at : at + 8]
            target = self._random.randrange(len(rows))
            rows[target:target] = taken
        elif kind == "duplicate":
            rows[at + 1 : at + 1] = [(-1, rows[at][1])]
        elif kind == "fix":
            rows[at] = (-1, f"    checked_{self._random.randrange(99)}(value)")
        elif kind == "indent":
            rows[at : at + 6] = [(origin, f"    {text}") for origin, text in rows[at : at + 6]]
        else:
            self._rename(rows, at)

    def _rename(self, rows: list[tuple[int, str]], at: int) -> None:
        name = _NAME.search(rows[at][1])
        if name is not None:
            pattern = re.compile(rf"\b{name[0]}\b")
            rows[:] = [(origin, pattern.sub(f"{name[0]}_new", text)) for origin, text in rows]
