"""Count files and lines by language, and name the largest files."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from mcp_tools.finding import Notice
from mcp_tools.project import Project

_TEST = re.compile(
    r"(?:^|/)(?:tests?|__tests__|spec|specs|testing)/|(?:^|/)(?:test_[^/]+|[^/]+_test|[^/]+[.-](?:test|spec)|[^/]+Tests?)"
    r"\.[A-Za-z]+$|(?:^|/)conftest\.py$"
)
_LARGEST = 10


@dataclass(frozen=True, slots=True)
class LanguageCount:
    """What there is of a language."""

    language: str
    files: int
    lines: int


@dataclass(frozen=True, slots=True)
class SizedFile:
    """A file and its lines."""

    path: str
    language: str | None
    lines: int


@dataclass(frozen=True, slots=True)
class Survey:
    """The counts. Languages and files are sorted, most lines first."""

    files: int
    lines: int
    test_files: int
    languages: tuple[LanguageCount, ...]
    largest: tuple[SizedFile, ...]
    notices: tuple[Notice, ...]


def survey(project: Project, paths: Sequence[str]) -> Survey:
    """Count these files. What cannot be read is a notice and counts nowhere."""
    sized: list[SizedFile] = []
    notices: list[Notice] = []
    for path in paths:
        source = project.read(path)
        if isinstance(source, Notice):
            notices.append(source)
            continue
        ends_open = bool(source.text) and not source.text.endswith(("\n", "\r"))
        sized.append(SizedFile(path, source.language, source.line_count - (0 if ends_open else 1)))
    files, lines = Counter[str](), Counter[str]()
    for item in sized:
        name = item.language or "other"
        files[name] += 1
        lines[name] += item.lines
    order = sorted(files, key=lambda name: (-lines[name], name))
    largest = sorted(sized, key=lambda item: (-item.lines, item.path))[:_LARGEST]
    return Survey(
        files=len(sized),
        lines=sum(lines.values()),
        test_files=sum(1 for item in sized if is_test(item.path)),
        languages=tuple(LanguageCount(name, files[name], lines[name]) for name in order),
        largest=tuple(largest),
        notices=tuple(notices),
    )


def is_test(path: str) -> bool:
    """Say whether a path looks like a test's, by the habits of the common test runners."""
    return _TEST.search(path) is not None
