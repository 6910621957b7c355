"""Requirements on semver: npm's ranges, Cargo's comparators, Dart's and Elixir's constraints."""

import re

from mcp_tools.dependency_scan.versions import semver
from mcp_tools.dependency_scan.versions.requirements.bounds import Bound, Partial, Requirement, of_sets, partial

_Comparator = tuple[str, semver.Semver]
_OPERATOR = re.compile(r"(\^|~>?|>=|<=|>|<|=)?\s*(.*)", re.DOTALL)
_NPM_SPACE = re.compile(r"(\^|~>?|[<>]=?|=)\s+")
_WILD = re.compile(r"[0-9.]*[xX*][.xX*]*")
_HYPHEN = re.compile(r"(\S+)\s+-\s+(\S+)")
_ANYTHING: _Comparator = (">=", semver.Semver("0", "0", "0", 3))
_NOTHING: _Comparator = ("<", semver.Semver("0", "0", "0", 3, ("0",)))


def npm(text: str) -> Requirement | None:
    """A range as node-semver reads it, strictly, without `includePrerelease`. None for tags, paths and addresses."""
    alias = re.match(r"npm:(?:@[^@]*|[^@]+)@", text)
    text = text[alias.end() :] if alias else text.removeprefix("workspace:")
    sets: list[tuple[_Comparator, ...]] = []
    for alternative in text.split("||"):
        found = _npm_set(alternative.strip())
        if found is None:
            return None
        sets.append(tuple(comparator for comparator in found if comparator != _ANYTHING))
    if () in sets:
        return _with_pre_rule([()])  # an alternative that allows all makes the others, and their pre-releases, void
    return _with_pre_rule(sets)


def _npm_set(text: str) -> tuple[_Comparator, ...] | None:
    if hyphen := _HYPHEN.fullmatch(text):
        low, high = partial(hyphen[1]), partial(hyphen[2])
        return None if low is None or high is None else _between(low, high)
    found: list[_Comparator] = []
    for word in _NPM_SPACE.sub(r"\1", text).split():
        comparators = _comparators(word, "=")
        if comparators is None:
            return None
        found += comparators
    return tuple(found)


def _between(low: Partial, high: Partial) -> tuple[_Comparator, ...]:
    found: list[_Comparator] = [] if low.major is None else [(">=", low.low)]
    if high.is_whole:
        found.append(("<=", high.low))
    elif high.major is not None:
        found.append(("<", high.next(0 if high.minor is None else 1)))
    return tuple(found)


def cargo(text: str) -> Requirement | None:
    """Comma-separated comparators; a bare version means `^`, one with a `*` means all that begin so."""
    found: list[_Comparator] = []
    for word in map(str.strip, text.split(",")):
        comparators = _comparators(word, "=" if _WILD.fullmatch(word) else "^")
        if comparators is None:
            return None
        found += comparators
    return _with_pre_rule([tuple(found)])


def _comparators(word: str, default: str) -> list[_Comparator] | None:
    """Say one comparator of npm or Cargo with plain comparisons; `*` is none at all."""
    match = _OPERATOR.fullmatch(word)
    found = partial(match[2]) if match else None
    if match is None or found is None:
        return None
    sign = (match[1] or default).removesuffix(">") if match[1] == "~>" else match[1] or default
    if found.is_gapped and (default == "^" or sign not in "^~"):
        return None
    if found.major is None:
        return [_NOTHING] if sign in "<>" else []
    if sign == "^":
        return [(">=", found.low), ("<", found.next(_leading(found)))]
    if sign == "~":
        return [(">=", found.low), ("<", found.next(0 if found.minor is None else 1))]
    if found.is_whole:
        return [(sign, found.low)]
    last = 0 if found.minor is None else 1
    above = found.next(last)
    whole_above = semver.Semver(above.major, above.minor, above.patch, 3)
    return {
        "=": [(">=", found.low), ("<", above)],
        ">=": [(">=", found.low)],
        ">": [(">=", whole_above)],
        "<=": [("<", above)],
        "<": [("<", semver.Semver(found.low.major, found.low.minor, "0", 3, ("0",)))],
    }[sign]


def _leading(found: Partial) -> int:
    """The place a caret holds still: the first that is not zero, of those that are given."""
    places = [place for place in (found.major, found.minor, found.patch) if place is not None]
    return next((index for index, place in enumerate(places) if place), len(places) - 1)


def _with_pre_rule(sets: list[tuple[_Comparator, ...]]) -> Requirement:
    """A pre-release is allowed only where a comparator of the set names a pre-release of the same three numbers."""
    bounded = [tuple((Bound(sign, found.key), found) for sign, found in comparators) for comparators in sets]

    def allows(version: str) -> bool | None:
        parsed = semver.parse(version)
        if parsed is None or parsed.given < 3 or parsed.extra:
            return None
        at, core = parsed.key, parsed.core
        for comparators in bounded:
            if not all(bound.holds(at) for bound, _ in comparators):
                continue
            if not parsed.pre or any(found.pre and found.core == core for _, found in comparators):
                return True
        return False

    is_pinned = len(sets) == 1 and any(sign == "=" for sign, _ in sets[0])
    return Requirement(allows, is_pinned)


_PUB_WORD = re.compile(r"\s*(\^|>=|<=|>|<)?\s*([^\s<>=^]+)")


def pub(text: str) -> Requirement | None:
    """A Dart constraint: `any`, `^1.2.3`, `>=1.0.0 <2.0.0`, or one version."""
    if text in ("", "any"):
        return of_sets(semver.key_with_build, ((),), is_pinned=False)
    words = _words(_PUB_WORD, text)
    if not words:
        return None
    bounds: list[Bound] = []
    lows: list[semver.Semver] = []
    highs: list[semver.Semver] = []
    for sign, version in words:
        parsed, at = semver.parse(version), semver.key_with_build(version)
        if parsed is None or at is None or parsed.given < 3:
            return None
        if sign == "^":
            found = partial(str(parsed))
            if found is None:
                return None
            bounds += [Bound(">=", at), Bound("<", (*found.next(0 if found.major else 1).key, ()))]
        elif sign == "<":
            highs.append(parsed)
            bounds.append(Bound("<", at))
        else:
            bounds.append(Bound(sign or "=", at))
            lows += [parsed] if sign in (">", ">=") else []
    for high in highs:  # `<2.0.0` leaves out 2.0.0-dev as well, unless the lower bound is such a one
        if not high.pre and not any(low.pre and low.core == high.core for low in lows):
            bounds.append(Bound("<", (*semver.Semver(high.major, high.minor, high.patch, 3, ("0",)).key, ())))
    return of_sets(semver.key_with_build, (tuple(bounds),), is_pinned=[sign for sign, _ in words] == [""])


_HEX_WORD = re.compile(r"\s*(~>|==|!=|>=|<=|>|<)?\s*([0-9A-Za-z.+-]+)")


def hex_pm(text: str) -> Requirement | None:
    """An Elixir requirement: comparisons joined by `and`, alternatives by `or`; a bare version is that one."""
    sets: list[tuple[Bound, ...]] = []
    for alternative in re.split(r"\s+or\s+", text):
        bounds: list[Bound] = []
        for comparison in re.split(r"\s+and\s+", alternative):
            words = _words(_HEX_WORD, comparison)
            found = partial(words[0][1]) if len(words) == 1 else None
            if found is None or found.minor is None:
                return None
            sign = words[0][0].replace("==", "=") or "="
            if sign == "~>":
                upper = found.next(1 if found.is_whole else 0)
                bounds += [Bound(">=", found.low.key), Bound("<", upper.key)]
            elif found.is_whole:
                bounds.append(Bound(sign, found.low.key))
            else:
                return None
        sets.append(tuple(bounds))
    return of_sets(semver.key, tuple(sets), is_pinned=_is_one(sets))


def _is_one(sets: list[tuple[Bound, ...]]) -> bool:
    return len(sets) == 1 and any(bound.operator == "=" for bound in sets[0])


def _words(shape: re.Pattern[str], text: str) -> list[tuple[str, str]]:
    """Split into pairs of sign and version; nothing where a part of the text fits no pair."""
    found: list[tuple[str, str]] = []
    position, text = 0, text.rstrip()
    while position < len(text):
        match = shape.match(text, position)
        if match is None:
            return []
        found.append((match[1] or "", match[2]))
        position = match.end()
    return found


def go(text: str) -> Requirement | None:
    """A version in go.mod: the lowest that will do, within its major version. It pins: the newest is never picked."""
    least = semver.parse(text)
    if least is None or least.given < 3:
        return None

    def allows(version: str) -> bool | None:
        parsed = semver.parse(version)
        return None if parsed is None else parsed.major == least.major and parsed.key >= least.key

    return Requirement(allows, is_pinned=True)


def action(text: str) -> Requirement | None:
    """A reference of a workflow's `uses`: only a full commit pins; a tag may be moved."""
    is_commit = re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", text) is not None
    named = semver.parse(text)
    if is_commit:
        return Requirement(lambda version: version == text or None, is_pinned=True)
    if named is None:
        return Requirement(lambda _: None, is_pinned=False)
    numbers = (named.major, named.minor, named.patch)[: named.given]

    def allows(version: str) -> bool | None:
        parsed = semver.parse(version)
        return None if parsed is None else (parsed.major, parsed.minor, parsed.patch)[: named.given] == numbers

    return Requirement(allows, is_pinned=False)
