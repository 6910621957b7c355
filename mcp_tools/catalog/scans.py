"""The tools that look for findings, by name. `audit_file` runs all of them on one file."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from mcp_tools.browse import Chosen, choose, named
from mcp_tools.catalog.params import AuditFileParams, ScanParams
from mcp_tools.catalog.view import View
from mcp_tools.finding import Finding, Notice, Report, Rule, collect
from mcp_tools.project import Project, Source

Scan = Callable[[Project, Sequence[str]], Iterator[Finding | Notice]]


def _security_surface(project: Project, paths: Sequence[str]) -> Iterator[Finding | Notice]:
    from mcp_tools.security_surface import scan  # noqa: PLC0415 - parsers load with the first scan

    return scan(project, paths) if paths else iter(())


def _security_rules() -> Mapping[str, Rule]:
    from mcp_tools.security_surface import RULES  # noqa: PLC0415 - as above

    return RULES


SCANS: Mapping[str, Scan] = {"security_surface": _security_surface}
"""Each tool that looks for findings in files."""

RULES: tuple[Callable[[], Mapping[str, Rule]], ...] = (_security_rules,)
"""The rules of those tools."""


def run_scan(name: str, view: View, meant: Chosen) -> Report:
    """What one tool finds in the files that are meant."""
    return _report(view, meant, SCANS[name](view.project, meant.paths))


def find_findings(name: str, view: View, params: ScanParams) -> Report:
    """What one tool finds."""
    return run_scan(name, view, choose(view.project, params.paths or ()))


def audit_file(view: View, params: AuditFileParams) -> Report | Notice:
    """What all tools find in one file, or why it cannot be read."""
    path = named(view.project, params.path)
    if isinstance(path, Notice):
        return path
    source = view.project.read(path)
    if isinstance(source, Notice):
        return source
    return everything(view, Chosen((path,)))


def everything(view: View, meant: Chosen) -> Report:
    """What all tools find in the files that are meant."""
    return _report(view, meant, (item for scan in SCANS.values() for item in scan(view.project, meant.paths)))


def _report(view: View, meant: Chosen, items: Iterator[Finding | Notice]) -> Report:
    report = view.levelled(collect(items))
    notices = tuple(dict.fromkeys((*meant.notices, *report.notices)))
    files_read = sum(isinstance(view.project.read(path), Source) for path in meant.paths)  # remembered by the project
    return Report(report.findings, notices, files_read)


def source_of(project: Project, path: str) -> Source | None:
    """The text of a path, None when it cannot be had."""
    item = project.read(path)
    return item if isinstance(item, Source) else None
