"""How the tests of the checks speak: files in memory, read by the real readers, the answer in short lines."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from mcp_tools.dependency_scan.readers import read_file
from mcp_tools.dependency_scan.reporting import Sources
from mcp_tools.dependency_scan.values import FileRead
from mcp_tools.finding import Finding, Notice
from mcp_tools.project import MemoryProject, Source

Check = Callable[[Sequence[FileRead], Sources], Iterator[Finding | Notice]]


def read_all(texts: Mapping[str, str]) -> tuple[list[FileRead], dict[str, Source]]:
    """Read every file that has a reader."""
    project = MemoryProject(dict(texts))
    sources: dict[str, Source] = {}
    files: list[FileRead] = []
    for path in texts:
        source = project.read(path)
        assert isinstance(source, Source)
        sources[path] = source
        found = read_file(source, project.read)
        if found is not None:
            files.append(found)
    return files, sources


def found(check: Check, texts: Mapping[str, str]) -> list[Finding]:
    """The findings of a check; each is stamped, lies on text, and none of two has the other's fingerprint."""
    files, sources = read_all(texts)
    findings = [item for item in check(files, sources) if isinstance(item, Finding)]
    for finding in findings:
        region = finding.location.region
        assert region is not None
        assert sources[finding.location.path].slice(region), finding
        assert finding.fingerprint == sources[finding.location.path].fingerprint(finding.rule.id, region)
        assert finding.evidence
        assert finding.origin.tool == "dependency_scan"
    assert len({finding.fingerprint for finding in findings}) == len(findings)
    return findings


def lines(check: Check, texts: Mapping[str, str]) -> list[str]:
    """Each finding in a line: path, line, level, rule and message."""
    said: list[str] = []
    for finding in found(check, texts):
        region = finding.location.region
        number = region.start_line + 1 if region is not None else 0
        where = f"{finding.location.path}:{number}"
        said.append(f"{where}: {finding.severity.value} {finding.rule.id}: {finding.message}")
    return said


def places(check: Check, texts: Mapping[str, str]) -> list[str]:
    """The text that each finding lies on."""
    _, sources = read_all(texts)
    return [
        sources[finding.location.path].slice(finding.location.region)
        for finding in found(check, texts)
        if finding.location.region is not None
    ]
