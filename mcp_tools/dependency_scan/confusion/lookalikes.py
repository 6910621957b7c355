"""Is a name almost that of a well-known package? Slips of the fingers and of the eye, and nothing wider.

What most often differs between two honest names is left out, and with it the squats that use it: plurals and other
endings, a first letter, digits, short words, separators (PyPI and npm themselves refuse a new name that differs by
these alone).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from mcp_tools.dependency_scan.values import Ecosystem

MIN_WORD: Final = 6
"""How long the word must be in which a letter is missing, added or another one."""
MIN_NAME: Final = 5
MAX_NAME: Final = 100

_WORDS = re.compile(r"[^-_.]+")
_TWINS: Final = (("rn", "m"), ("vv", "w"), ("0", "o"), ("1", "l"))
_NEIGHBOURS: Final = {
    letter: frozenset(near)
    for letter, near in (
        pair.split(":")
        for pair in (
            "q:wa w:qeas e:wrsd r:etdf t:ryfg y:tugh u:yihj i:uojk o:ipkl p:ol a:qwsz s:awedxz d:serfcx f:drtgvc "
            "g:ftyhbv h:gyujnb j:huikmn k:jiolm l:kop z:asx x:zsdc c:xdfv v:cfgb b:vghn n:bhjm m:njk"
        ).split()
    )
}
_VOWELS: Final = frozenset("aeiouy")


@dataclass(frozen=True, slots=True)
class Slip:
    """The well-known name, and how the other one differs."""

    name: str
    how: str


@dataclass(frozen=True)
class Lookalikes:
    """Well-known names of one ecosystem, ready to be asked. Names are folded as `values.normalised_name` does."""

    names: frozenset[str]
    _by_deletion: dict[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)
    _by_skeleton: dict[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Build the indexes: every name by each text that it gives with a letter left out."""
        deletions: dict[str, tuple[str, ...]] = {}
        skeletons: dict[str, str] = {}
        for name in sorted(self.names):
            if MIN_NAME <= len(name) <= MAX_NAME:
                for shorter in {name, *_shortened(name)}:
                    deletions[shorter] = (*deletions.get(shorter, ()), name)
                skeletons.setdefault(_skeleton(name), name)
        object.__setattr__(self, "_by_deletion", deletions)
        object.__setattr__(self, "_by_skeleton", skeletons)

    def of(self, name: str) -> Slip | None:
        """The well-known name that one is easily taken for; None for a well-known one, and for most."""
        if name in self.names or not MIN_NAME <= len(name) <= MAX_NAME:
            return None
        twin = self._by_skeleton.get(_skeleton(name))
        if twin is not None:
            return Slip(twin, "characters that look alike")
        near = {known for text in (name, *_shortened(name)) for known in self._by_deletion.get(text, ())}
        return next((Slip(known, how) for known in sorted(near) if (how := slip(name, known))), None)


def slip(name: str, known: str) -> str | None:
    """How a name differs from another by one slip of the fingers; None where it differs otherwise."""
    start = 0
    while start < min(len(name), len(known)) and name[start] == known[start]:
        start += 1
    tail = 0
    while tail < min(len(name), len(known)) - start and name[-1 - tail] == known[-1 - tail]:
        tail += 1
    here, there = name[start : len(name) - tail], known[start : len(known) - tail]
    if not (here + there).isalpha() or start == 0:
        return None
    if len(here) == 2 and here == there[::-1]:
        return "two letters changed places"
    word = next((found for found in _WORDS.finditer(known) if found.start() <= start <= found.end()), None)
    if word is None or start == word.start() or start >= word.end() - 1:
        return None
    if len(here) == 1 and not there and here in (known[start - 1], known[start]) and len(word[0]) >= MIN_NAME:
        return "a letter is doubled"
    if len(word[0]) < MIN_WORD or start >= word.end() - 2:
        return None
    if len(here) == 1 and not there:
        return "a letter is added"
    if len(there) == 1 and not here:
        return "a letter is left out"
    is_slip = len(here) == len(there) == 1 and (there in _NEIGHBOURS.get(here, ()) or _are_alike(here, there))
    return "one letter is another" if is_slip else None


def _are_alike(one: str, other: str) -> bool:
    return {one, other} <= _VOWELS or {one, other} == {"i", "l"}


def comparable(ecosystem: Ecosystem, name: str) -> Iterator[tuple[str, str]]:
    """The part of a name that somebody else could have chosen, and the text around it, which must be the same.

    npm's scopes and the owners of Go's repositories are what a squatter takes; what stands below one belongs to it.
    """
    if ecosystem is Ecosystem.NPM and name.startswith("@") and "/" in name:
        scope, _, rest = name[1:].partition("/")
        yield scope, f"@*/{rest}"
    elif ecosystem is Ecosystem.GO:
        parts = name.split("/")
        if len(parts) >= 3 and "." in parts[0]:
            yield parts[1], f"{parts[0]}/*/{parts[2]}"
    else:
        yield name, "*"


def group(ecosystem: Ecosystem, names: Iterable[str]) -> dict[str, Lookalikes]:
    """Well-known names by the text around the part that is compared."""
    found: dict[str, set[str]] = {}
    for name in names:
        for part, around in comparable(ecosystem, name):
            found.setdefault(around, set()).add(part)
    return {around: Lookalikes(frozenset(parts)) for around, parts in found.items()}


def _shortened(name: str) -> Iterator[str]:
    for at in range(len(name)):
        yield name[:at] + name[at + 1 :]


def _skeleton(name: str) -> str:
    for written, seen in _TWINS:
        name = name.replace(written, seen)
    return name
