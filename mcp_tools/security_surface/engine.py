"""The tool's two doors: `scan` a project, `scan_source` one text. Merges what secrets, queries and ruff each found."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from mcp_tools.finding import Confidence, Finding, Level, Location, Notice, Origin, Region, Rule
from mcp_tools.project import Project, Source
from mcp_tools.project.syntax import MAX_PARSED_CHARS, PARSED, encoded, parse_bytes
from mcp_tools.redaction import Secret, find_secrets, mask
from mcp_tools.security_surface.gates import GATES, RANK, File, Hit
from mcp_tools.security_surface.patterns import Match, query_set
from mcp_tools.security_surface.places import is_quiet
from mcp_tools.security_surface.ruff import Ruff, RuffHit, find_ruff
from mcp_tools.security_surface.ruff_codes import CODES
from mcp_tools.security_surface.rules import RULES
from mcp_tools.security_surface.suppress import suppression
from mcp_tools.security_surface.syntax import share_of_errors

AUTO: Final = "auto"
"""Look for ruff where the project cannot have planted it."""

_TOOL = "security_surface"
_BATCH_FILES = 200
_BATCH_CHARS = 4_000_000
_MAX_EVIDENCE = 200
_MAX_ERROR_SHARE = 0.2
_NOT_LINE_END = re.compile(r"[^\r\n]")


@dataclass(frozen=True, slots=True)
class _Draft:
    """What one engine says about one place, before it is merged and stamped."""

    rule: Rule
    message: str
    start: int
    stop: int
    region: Region
    confidence: Confidence
    tool: str = _TOOL


def scan(project: Project, paths: Sequence[str] = (), *, ruff: str | None = AUTO) -> Iterator[Finding | Notice]:
    """Report what makes a project easy to attack, file by file in the order of the listing.

    Args:
        project: the view to read.
        paths: canonical relative paths; all of the listing when empty.
        ruff: the program for the further rules of Python; None does without, `AUTO` looks for one.

    Yields:
        findings with fingerprint, evidence, confidence and origin; notices about what was not read or not parsed. The
        project's own notices about its listing are not repeated.
    """
    binary = find_ruff(project) if ruff == AUTO else ruff
    wants_ruff = ruff is not None
    for batch in _batches(project, paths or project.listing().paths):
        python = [item for item in batch if isinstance(item, Source) and item.language == "python"]
        if python and binary is None and wants_ruff:
            wants_ruff = False
            yield Notice("ruff-unavailable", "ruff's rules were not applied: no ruff was found")
        runner = Ruff(binary, project, python) if python and binary is not None else None
        try:
            yield from _scan_batch(batch, runner)
        finally:
            if runner is not None:
                runner.close()


def scan_source(source: Source) -> Iterator[Finding | Notice]:
    """Report on one text, without ruff and without touching the disk."""
    yield from _Scan(source).results(())


def _batches(project: Project, paths: Sequence[str]) -> Iterator[list[Source | Notice]]:
    """The texts in groups that bound how much is held at once, and that make starting ruff worth while."""
    batch: list[Source | Notice] = []
    chars = 0
    for path in paths:
        item = project.read(path)
        batch.append(item)
        chars += len(item.text) if isinstance(item, Source) else 0
        if len(batch) >= _BATCH_FILES or chars >= _BATCH_CHARS:
            yield batch
            batch, chars = [], 0
    if batch:
        yield batch


def _scan_batch(batch: Sequence[Source | Notice], runner: Ruff | None) -> Iterator[Finding | Notice]:
    """Scan a batch while ruff works on it; a batch without Python streams at once."""
    if runner is None:
        for item in batch:
            yield from (item,) if isinstance(item, Notice) else scan_source(item)
        return
    scans = [item if isinstance(item, Notice) else _Scan(item) for item in batch]
    answer = runner.answer()
    yield from answer.notices
    for item in scans:
        yield from (item,) if isinstance(item, Notice) else item.results(answer.hits.get(item.path, ()))


class _Scan:
    """What was found in one file. Holds no tree: that is gone when the constructor is done."""

    def __init__(self, source: Source) -> None:
        self.path = source.path
        self._source = source
        self._secrets = [secret for secret in find_secrets(source.text, source.path) if secret.is_reportable]
        self._notices: list[Notice] = []
        self._drafts = [self._of_secret(secret) for secret in self._secrets]
        self._drafts += _distinct(self._by_query())

    def results(self, hits: Iterable[RuffHit]) -> Iterator[Finding | Notice]:
        """The notices, then the findings in text order, ruff's merged with ours."""
        yield from self._notices
        drafts = _merged(self._drafts, [self._of_ruff(hit) for hit in hits if not _is_harmless(hit)])
        masked = self._masked() if drafts else self._source
        for draft in sorted(drafts, key=lambda each: (each.region, each.rule.id)):
            yield Finding(
                rule=draft.rule,
                message=draft.message,
                location=Location(self.path, draft.region),
                confidence=draft.confidence,
                evidence=self._evidence(draft),
                fingerprint=masked.fingerprint(draft.rule.id, draft.region),
                origin=Origin(draft.tool),
                level=_level(draft, is_quiet=is_quiet(self.path)),
                suppressed=suppression(self._source, draft.rule.id, draft.region),
            )

    def _draft(
        self, rule: Rule, message: str, start: int, stop: int, confidence: Confidence, tool: str = _TOOL
    ) -> _Draft:
        return _Draft(rule, message, start, stop, self._source.region(start, stop), confidence, tool)

    def _of_secret(self, secret: Secret) -> _Draft:
        rule_id = "private-key" if secret.kind == "private-key" else "hard-coded-secret"
        message = (
            f"A secret stands in the text ({secret.name}); revoke it, and read it from where only the program can."
        )
        return self._draft(RULES[rule_id], message, secret.start, secret.stop, Confidence.HIGH)

    def _of_ruff(self, hit: RuffHit) -> _Draft:
        row = CODES[hit.code]
        message = hit.message if hit.message.endswith((".", "!")) else f"{hit.message}."
        return self._draft(
            RULES[row.rule], message, hit.start, hit.stop, row.alone or Confidence.LOW, f"ruff {hit.code}"
        )

    def _by_query(self) -> Iterator[_Draft]:
        source = self._source
        language = source.language
        if language not in PARSED:
            return
        data = encoded(source.text)
        queries = query_set(language)
        places = queries.places(source.path, data)
        if not places:
            return
        if len(source.text) > MAX_PARSED_CHARS:
            self._fall_short(f"more than {MAX_PARSED_CHARS:,} characters")
            return
        tree = parse_bytes(language, data)
        if tree is None:
            self._fall_short("parsing took too long")
            return
        file = File(source, tree, data)
        for match in queries.matches(tree.root_node, places):
            if match is None:
                self._fall_short("nested too deeply to be searched as a whole")
            elif match.pattern.path is None or match.pattern.path.search(source.path):
                hit = through_gates(match, file)
                if hit is not None:
                    start, stop = (source.from_byte(offset) for offset in hit.node.byte_range)
                    yield self._draft(match.pattern.rule, match.pattern.message, start, stop, hit.confidence)
        if (share := share_of_errors(tree)) > _MAX_ERROR_SHARE:
            self._fall_short(f"{share:.0%} of the text is no valid {language}")

    def _fall_short(self, reason: str) -> None:
        self._notices.append(Notice("parse-incomplete", f"not all rules were applied: {reason}", self.path))

    def _masked(self) -> Source:
        """The text with every secret blotted out at the same length: no fingerprint lets a secret be guessed."""
        if not self._secrets:
            return self._source
        return replace(self._source, text=_blotted(self._source.text, self._secrets))

    def _evidence(self, draft: _Draft) -> str:
        """The text of a draft, short, with secrets masked."""
        stop = min(draft.stop, draft.start + _MAX_EVIDENCE)
        pieces: list[str] = []
        at = draft.start
        for secret in self._secrets:
            if secret.stop <= at or secret.start >= stop:
                continue
            pieces += (self._source.text[at : max(at, secret.start)], mask(secret.value))
            at = min(max(at, secret.stop), max(stop, at))
            if secret.stop >= stop:
                break
        else:
            pieces.append(self._source.text[at:stop])
        return "".join(pieces) + ("…" if stop < draft.stop and pieces[-1:] != ["…"] else "")


def through_gates(match: Match, file: File) -> Hit | None:
    """What is left of a match after its gates; None when one of them says that it is no finding."""
    node = match.node("finding")
    hit = None if node is None else Hit(match, node, match.pattern.confidence)
    for name in match.pattern.gates:
        if hit is None:
            return None
        hit = GATES[name](hit, file)
    return hit


def _level(draft: _Draft, *, is_quiet: bool) -> Level | None:
    """A note in tests and examples; nothing that is of low confidence is an error."""
    if is_quiet:
        return Level.NOTE
    return Level.WARNING if draft.confidence is Confidence.LOW and draft.rule.level is Level.ERROR else None


def _is_harmless(hit: RuffHit) -> bool:
    """Say whether ruff itself says so."""
    unless = CODES[hit.code].unless
    return bool(unless) and unless in hit.message


def _blotted(text: str, secrets: Sequence[Secret]) -> str:
    pieces: list[str] = []
    at = 0
    for secret in secrets:
        pieces += (text[at : secret.start], _NOT_LINE_END.sub("*", text[secret.start : secret.stop]))
        at = secret.stop
    return "".join((*pieces, text[at:]))


def _distinct(drafts: Iterable[_Draft]) -> list[_Draft]:
    """One draft for a rule and place: several patterns, or windows, can meet the same one. The surest stays."""
    best: dict[tuple[str, int, int], _Draft] = {}
    for draft in drafts:
        key = (draft.rule.id, draft.start, draft.stop)
        if key not in best or RANK[draft.confidence] > RANK[best[key].confidence]:
            best[key] = draft
    return list(best.values())


def _merged(ours: Sequence[_Draft], theirs: Sequence[_Draft]) -> list[_Draft]:
    """Our drafts, with ruff named where it agrees, and what ruff alone reports.

    They agree where the rule is the same and ruff's place begins on one of our lines. The surer confidence holds.
    """
    merged = list(ours)
    for draft in theirs:
        line = draft.region.start_line
        index = next(
            (
                number
                for number, known in enumerate(merged)
                if known.rule.id == draft.rule.id and known.region.start_line <= line <= known.region.end_line
            ),
            None,
        )
        if index is None:
            if CODES[draft.tool.removeprefix("ruff ")].alone is not None:
                merged.append(draft)
            continue
        known = merged[index]
        surer = max(known.confidence, draft.confidence, key=RANK.__getitem__)
        tool = known.tool if draft.tool in known.tool else f"{known.tool}, {draft.tool}"
        merged[index] = replace(known, confidence=surer, tool=tool)
    return merged
