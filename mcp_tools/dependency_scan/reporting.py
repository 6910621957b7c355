"""What a check saw as a finding: on the dependency's own region, stamped with its fingerprint. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from mcp_tools.dependency_scan.rules import RULES
from mcp_tools.dependency_scan.values import Dependency, FileRead
from mcp_tools.finding import Confidence, Finding, Level, Location, Origin, Region, Related
from mcp_tools.project import Source

ORIGIN: Final = Origin("dependency_scan")
MAX_SHOWN: Final = 120

Sources = Mapping[str, Source]
"""The files that were read, by path. What is missing leaves a finding without a fingerprint."""


def report(
    sources: Sources,
    rule_id: str,
    place: tuple[str, Region],
    message: str,
    *,
    evidence: str = "",
    confidence: Confidence = Confidence.HIGH,
    level: Level | None = None,
    related: Sequence[Related] = (),
) -> Finding:
    """Make a finding of a rule at a path and region.

    `evidence` is what the dependency itself says where it is not empty, else the text of the line.
    """
    path, region = place
    source = sources.get(path)
    if not evidence and source is not None and region.start_line < source.line_count:
        evidence = shown(source.line(region.start_line).strip())
    rule = RULES[rule_id]
    return Finding(
        rule,
        message,
        Location(path, region),
        confidence,
        evidence,
        source.fingerprint(rule_id, region) if source is not None else "",
        tuple(related),
        ORIGIN,
        level if level is not rule.level else None,
    )


def each_file(files: Iterable[FileRead]) -> Iterator[FileRead]:
    """Every file once, with those that it includes: a file that stands by itself comes before what includes it."""
    seen: set[str] = set()
    for file in (*(given := tuple(files)), *(below for each in given for below in each.included)):
        if file.path not in seen:
            seen.add(file.path)
            yield file


def shown(text: str) -> str:
    """A text of a file, short enough for a message."""
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def at(file: FileRead, dependency: Dependency) -> tuple[str, Region]:
    """The place of a dependency."""
    return file.path, dependency.region


def folder(path: str) -> str:
    """The folder of a path; empty for the root."""
    return path.rpartition("/")[0]


def above(path: str) -> Iterator[str]:
    """The folder of a path and those around it, the nearest first; the root is empty and last."""
    current = folder(path)
    while current:
        yield current
        current = folder(current)
    yield ""


def count(number: int, word: str) -> str:
    """`1 package`, `2 packages`."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"
