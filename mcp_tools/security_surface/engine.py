"""The tool's two doors: `scan` a project, `scan_source` one text. Merges what secrets, queries and ruff each found."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final, Protocol

from mcp_tools.finding import Confidence, Finding, Notice
from mcp_tools.project import Project, Source
from mcp_tools.redaction import find_secrets
from mcp_tools.security_surface.by_query import by_query
from mcp_tools.security_surface.drafts import Draft, Stamp, blotted, finding, of_secret
from mcp_tools.security_surface.gates import RANK
from mcp_tools.security_surface.ruff_codes import CODES, RuffAnswer, RuffHit
from mcp_tools.security_surface.rules import RULES
from mcp_tools.security_surface.suppress import suppression

AUTO: Final = "auto"
"""Look for ruff where the project cannot have planted it."""

_BATCH_FILES = 200
_BATCH_CHARS = 4_000_000


class _Runner(Protocol):
    """What is asked of ruff: see `ruff.Ruff`."""

    def answer(self) -> RuffAnswer:
        """Wait for it and give its hits."""
        ...


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
    from mcp_tools.security_surface.ruff import Ruff, find_ruff  # noqa: PLC0415 -- one text goes without; 60 ms

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


def _scan_batch(batch: Sequence[Source | Notice], runner: _Runner | None) -> Iterator[Finding | Notice]:
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
        queried, self._notices = by_query(source)
        self._drafts = [*map(of_secret, self._secrets), *queried]

    def results(self, hits: Iterable[RuffHit]) -> Iterator[Finding | Notice]:
        """The notices, then the findings in text order, ruff's merged with ours."""
        yield from self._notices
        source = self._source
        drafts = _merged(source, self._drafts, [_of_ruff(hit) for hit in hits if not _is_harmless(hit)])
        masked = replace(source, text=blotted(source.text, self._secrets)) if drafts and self._secrets else source
        placed = [(source.region(draft.start, draft.stop), draft) for draft in drafts]
        for region, draft in sorted(placed, key=lambda each: (each[0], each[1].rule.id)):
            print_of = masked.fingerprint(draft.rule.id, region)
            mark = suppression(source.line, draft.rule.id, region, is_python=source.language == "python")
            stamp = Stamp(region, print_of, mark)
            yield finding(draft, stamp, source, self._secrets)


def _of_ruff(hit: RuffHit) -> Draft:
    row = CODES[hit.code]
    message = hit.message if hit.message.endswith((".", "!")) else f"{hit.message}."
    return Draft(RULES[row.rule], message, hit.start, hit.stop, row.alone or Confidence.LOW, f"ruff {hit.code}")


def _is_harmless(hit: RuffHit) -> bool:
    """Say whether ruff itself says so."""
    unless = CODES[hit.code].unless
    return bool(unless) and unless in hit.message


def _merged(source: Source, ours: Sequence[Draft], theirs: Sequence[Draft]) -> list[Draft]:
    """Our drafts, with ruff named where it agrees, and what ruff alone reports.

    They agree where the rule is the same and ruff's place begins on one of our lines. The surer confidence holds.
    """
    merged = list(ours)
    lines = [_lines(source, draft) for draft in merged] if theirs else []
    for draft in theirs:
        first, last = _lines(source, draft)
        index = next(
            (
                number
                for number, (top, bottom) in enumerate(lines)
                if top <= first <= bottom and merged[number].rule.id == draft.rule.id
            ),
            None,
        )
        if index is None:
            if CODES[draft.tool.removeprefix("ruff ")].alone is not None:
                merged.append(draft)
                lines.append((first, last))
            continue
        known = merged[index]
        surer = max(known.confidence, draft.confidence, key=RANK.__getitem__)
        tool = known.tool if draft.tool in known.tool else f"{known.tool}, {draft.tool}"
        merged[index] = replace(known, confidence=surer, tool=tool)
    return merged


def _lines(source: Source, draft: Draft) -> tuple[int, int]:
    """The first and the last line of a draft."""
    return source.position(draft.start)[0], source.position(draft.stop)[0]
