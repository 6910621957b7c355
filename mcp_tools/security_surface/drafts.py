"""Drafts: what one engine says about one place, before it is merged with the others, placed and made a finding."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from mcp_tools.finding import Confidence, Finding, Level, Location, Origin, Region, Rule
from mcp_tools.project import Source
from mcp_tools.redaction import Secret, mask
from mcp_tools.redaction.lazy import Lazy
from mcp_tools.security_surface.gates import GATES, RANK, File, Hit
from mcp_tools.security_surface.places import is_quiet
from mcp_tools.security_surface.rules import RULES
from mcp_tools.security_surface.search import Match

TOOL = "security_surface"
_MAX_EVIDENCE = 200
_NOT_LINE_END = Lazy(r"[^\r\n]")


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule and a place: code-point offsets into the text."""

    rule: Rule
    message: str
    start: int
    stop: int
    confidence: Confidence
    tool: str = TOOL


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a draft becomes a finding with: all that depends on the rest of the text."""

    region: Region
    fingerprint: str
    suppressed: str | None


def of_secret(secret: Secret) -> Draft:
    """The draft of a secret."""
    rule_id = "private-key" if secret.kind == "private-key" else "hard-coded-secret"
    message = f"A secret stands in the text ({secret.name}); revoke it, and read it from where only the program can."
    return Draft(RULES[rule_id], message, secret.start, secret.stop, Confidence.HIGH)


def of_matches(found: Iterable[Match | None], file: File, from_byte: Callable[[int], int]) -> tuple[list[Draft], bool]:
    """The drafts of the matches that pass their gates, and whether the search fell short."""
    best: dict[tuple[str, int, int], tuple[Hit, Rule, str]] = {}
    is_short = False
    for match in found:
        if match is None:
            is_short = True
        elif (hit := through_gates(match, file)) is not None:
            # Several patterns, or windows, can meet the same place. The surest stays.
            key = (match.pattern.rule.id, *hit.node.byte_range)
            if key not in best or RANK[hit.confidence] > RANK[best[key][0].confidence]:
                best[key] = hit, match.pattern.rule, match.pattern.message
    drafts = [
        Draft(rule, message, from_byte(start), from_byte(stop), hit.confidence)
        for (_, start, stop), (hit, rule, message) in best.items()
    ]
    return drafts, is_short


def through_gates(match: Match, file: File) -> Hit | None:
    """What is left of a match after its gates; None when one of them says that it is no finding."""
    node = match.node("finding")
    hit = None if node is None else Hit(match, node, match.pattern.confidence)
    for name in match.pattern.gates:
        if hit is None:
            return None
        hit = GATES[name](hit, file)
    return hit


def finding(draft: Draft, stamp: Stamp, source: Source, secrets: Sequence[Secret]) -> Finding:
    """Make a draft a finding; `secrets` are all that may not be shown, in text order."""
    return Finding(
        rule=draft.rule,
        message=draft.message,
        location=Location(source.path, stamp.region),
        confidence=draft.confidence,
        evidence=_evidence(draft, source.text, secrets),
        fingerprint=stamp.fingerprint,
        origin=Origin(draft.tool),
        level=_level(draft, is_note=is_quiet(source.path)),
        suppressed=stamp.suppressed,
    )


def _level(draft: Draft, *, is_note: bool) -> Level | None:
    """A note in tests and examples; nothing that is of low confidence is an error."""
    if is_note:
        return Level.NOTE
    return Level.WARNING if draft.confidence is Confidence.LOW and draft.rule.level is Level.ERROR else None


def _evidence(draft: Draft, text: str, secrets: Sequence[Secret]) -> str:
    """The text of a draft, short, with secrets masked."""
    stop = min(draft.stop, draft.start + _MAX_EVIDENCE)
    pieces: list[str] = []
    at = draft.start
    for secret in _between(secrets, at, stop):
        pieces += (text[at : max(at, secret.start)], mask(secret.value))
        at = min(max(at, secret.stop), max(stop, at))
        if secret.stop >= stop:
            break
    else:
        pieces.append(text[at:stop])
    return "".join(pieces) + ("…" if stop < draft.stop and pieces[-1:] != ["…"] else "")


def _between(secrets: Sequence[Secret], start: int, stop: int) -> Iterator[Secret]:
    """The secrets of a sorted sequence that share a character with a span."""
    for index in range(bisect_right(secrets, start, key=_stop_of), len(secrets)):
        if secrets[index].start >= stop:
            return
        yield secrets[index]


def _stop_of(secret: Secret) -> int:
    return secret.stop


def blotted(text: str, secrets: Sequence[Secret], start: int = 0, stop: int | None = None) -> str:
    """A stretch of a text with every secret blotted out at the same length, line ends kept.

    Fingerprints are made of it, so that none lets a secret be guessed.
    """
    stop = len(text) if stop is None else stop
    pieces: list[str] = []
    at = start
    for secret in _between(secrets, start, stop):
        first, last = max(secret.start, at), min(secret.stop, stop)
        pieces += (text[at:first], _NOT_LINE_END.sub("*", text[first:last]))
        at = last
    return "".join((*pieces, text[at:stop]))
