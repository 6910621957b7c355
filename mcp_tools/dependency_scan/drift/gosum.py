"""go.mod beside go.sum: what is required directly must be vouched for at its version. Go refuses to build else."""

from collections.abc import Iterator, Sequence

from mcp_tools.dependency_scan.reporting import Sources, at, folder, report
from mcp_tools.dependency_scan.values import Ecosystem, FileRead, SourceKind
from mcp_tools.finding import Confidence, Finding


def check(files: Sequence[FileRead], sources: Sources) -> Iterator[Finding]:
    """Report each direct requirement of a go.mod that the go.sum beside it does not list."""
    sums = {folder(file.path): file for file in files if file.format == "go-sum"}
    for file in files:
        held = sums.get(folder(file.path)) if file.format == "go-mod" else None
        if held is None or any(notice.incomplete for notice in held.notices):
            continue
        vouched = {(item.name, item.version) for item in held.dependencies}
        for item in file.dependencies:
            is_module = item.ecosystem is Ecosystem.GO and item.name not in ("stdlib", "toolchain")
            if not is_module or not item.is_direct or item.provenance.kind is not SourceKind.REGISTRY:
                continue
            if (item.name, item.version) not in vouched:
                message = f"{item.name} v{item.version} is required here, but {held.path} has no hash of it."
                yield report(sources, "lockfile-drift", at(file, item), message, confidence=Confidence.MEDIUM)
