"""pyproject.toml: PEP 621, PEP 735 groups, the build system, and what poetry, uv and pdm add."""

from typing import Final

from mcp_tools.dependency_scan.readers.gather import Gather, Opener
from mcp_tools.dependency_scan.readers.pep508 import Asked, add_requirement
from mcp_tools.dependency_scan.readers.poetry_manifest import read_poetry
from mcp_tools.dependency_scan.readers.toml_tree import parse_toml
from mcp_tools.dependency_scan.readers.tree import Node
from mcp_tools.dependency_scan.values import (
    Ecosystem,
    FileRead,
    Kind,
    Provenance,
    Scope,
    SourceKind,
    bare_url,
    normalised_name,
)
from mcp_tools.project import Source

_TESTS: Final = ("test", "tests", "testing")


def read_pyproject(source: Source, opener: Opener) -> FileRead:
    """Read pyproject.toml. An included group is not repeated: its entries stand under their own group."""
    del opener
    gather = Gather(source, "pyproject", Kind.MANIFEST)
    document = parse_toml(source)
    gather.take([document])
    root = document.root
    project, tool = root.at("project"), root.at("tool")
    gather.project = project.at("name").text or tool.at("poetry", "name").text
    gather.license = _license(project) or tool.at("poetry", "license").text
    reader = _Reader(gather, tool.at("uv", "sources"))
    reader.requirements(project.at("dependencies"), "project.dependencies", Scope.RUNTIME)
    for extra, below in gather.members(project.at("optional-dependencies"), "project.optional-dependencies"):
        reader.requirements(below, extra, Scope.OPTIONAL, extra)
    for group, below in gather.members(root.at("dependency-groups"), "dependency-groups"):
        reader.requirements(below, group, _scope_of(group), group)
    reader.requirements(root.at("build-system", "requires"), "build-system.requires", Scope.BUILD)
    reader.requirements(tool.at("uv", "dev-dependencies"), "tool.uv.dev-dependencies", Scope.DEV, "dev")
    for group, below in gather.members(tool.at("pdm", "dev-dependencies"), "tool.pdm.dev-dependencies"):
        reader.requirements(below, group, _scope_of(group), group)
    read_poetry(gather, tool.at("poetry"))
    for index in (*tool.at("uv", "index").array, *tool.at("pdm", "source").array):
        gather.index(index.at("url"), is_extra=index.at("default").value is not True, name=index.at("name").text)
    gather.index(tool.at("uv", "index-url"))
    for extra in tool.at("uv", "extra-index-url").array:
        gather.index(extra, is_extra=True)
    return gather.done()


class _Reader:
    """Reads lists of requirements, knowing where uv takes some from."""

    def __init__(self, gather: Gather, sources: Node) -> None:
        self._gather = gather
        self._sources = {
            normalised_name(Ecosystem.PYPI, name): found
            for name, node in sources.members()
            if (found := _uv_source(node.array[0] if node.array else node)) is not None
        }

    def requirements(self, node: Node, what: str, scope: Scope, group: str | None = None) -> None:
        """Read an array of requirements; `{include-group = …}` is passed over."""
        for item in self._gather.elements(node, what):
            if isinstance(item.value, dict) and not item.at("include-group").is_missing:
                continue
            name = normalised_name(Ecosystem.PYPI, _leading_name(item.text or ""))
            add_requirement(self._gather, item, Asked(scope, group, provenance=self._sources.get(name)))


def _leading_name(text: str) -> str:
    end = next((at for at, letter in enumerate(text) if not (letter.isalnum() or letter in "-_.")), len(text))
    return text[:end]


def _uv_source(node: Node) -> Provenance | None:
    if node.at("workspace").value is True:
        return Provenance(SourceKind.WORKSPACE)
    for key, kind in (("git", SourceKind.GIT), ("url", SourceKind.URL), ("path", SourceKind.PATH)):
        text = node.at(key).text
        if text is not None:
            return Provenance(kind, bare_url(text), node.first("rev", "tag", "branch").text)
    return None


def _license(project: Node) -> str | None:
    node = project.at("license")
    return node.text or node.at("text").text


def _scope_of(group: str) -> Scope:
    return Scope.TEST if group.lower() in _TESTS else Scope.DEV
