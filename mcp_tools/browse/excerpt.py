"""`read_lines`: some lines of one file, secrets replaced."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mcp_tools.browse.places import named, refused
from mcp_tools.browse.shown import shown
from mcp_tools.finding import Notice
from mcp_tools.project import Project


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Lines of a file, without their ends.

    `first_line` is 1-based; `lines` is empty where it lies past `total_lines`. `sha256` is of the whole text as it may
    be shown: line ends as line feeds, secrets replaced. `redactions` counts by kind what was replaced in these lines.
    """

    path: str
    language: str | None
    first_line: int
    lines: tuple[str, ...]
    total_lines: int
    sha256: str
    encoding: str
    redactions: Mapping[str, int] = field(default_factory=dict[str, int])


def read_lines(project: Project, path: str, *, start_line: int = 1, max_lines: int = 200) -> Excerpt | Notice:
    """Read a part of a file.

    Args:
        project: the tree.
        path: relative; or as an answer showed it. No link is followed, not even one that stays inside the project.
        start_line: 1-based; less counts as 1.
        max_lines: how many lines at the most; less than 0 counts as 0.

    Returns:
        the lines, or a Notice that says why there are none: `outside-project`, `secrets-file`, `repository-internals`,
        or what `Project.read` says.
    """
    canonical = named(project, path)
    if isinstance(canonical, Notice):
        return canonical
    if (notice := refused(canonical)) is not None:
        return notice
    source = project.read(canonical)
    if isinstance(source, Notice):
        return source
    text = shown(source)
    total = len(text.starts)
    first = max(start_line, 1)
    stop = min(first - 1 + max(max_lines, 0), total)
    lines = text.lines(first - 1, stop)
    span = (text.starts[first - 1], text.starts[stop - 1] + len(lines[-1])) if lines else (0, 0)
    counts = text.counts(*span) if lines else {}
    return Excerpt(source.path, source.language, first, lines, total, text.sha256, source.encoding, counts)
