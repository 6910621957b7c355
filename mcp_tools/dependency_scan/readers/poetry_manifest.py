"""The tables of `tool.poetry` in pyproject.toml."""

import re

from mcp_tools.dependency_scan.readers.gather import Gather
from mcp_tools.dependency_scan.readers.tree import Node
from mcp_tools.dependency_scan.values import (
    REGISTRY,
    Dependency,
    Ecosystem,
    Provenance,
    Scope,
    SourceKind,
    bare_url,
)

_EXACT = re.compile(r"(?:==?=?\s*)?v?([0-9][^\s,*^~<>=!|]*)")


def read_poetry(gather: Gather, poetry: Node) -> None:
    """Add what `tool.poetry` asks for. A bare `1.2.3` is exact there; `python` is no package."""
    tables = [
        (Scope.RUNTIME, None, poetry.at("dependencies")),
        (Scope.DEV, "dev", poetry.at("dev-dependencies")),
    ]
    for group, node in gather.members(poetry.at("group"), "tool.poetry.group"):
        scope = Scope.TEST if group in ("test", "tests") else Scope.DEV
        tables.append((Scope.RUNTIME if group == "main" else scope, group, node.at("dependencies")))
    for scope, group, table in tables:
        for name, node in gather.members(table, "a table of poetry's dependencies"):
            if name.lower() != "python":
                for one in node.array or [node]:
                    gather.add(
                        _dependency(gather, name, Node(one.value, one.start, one.stop, *node.key_place), scope, group)
                    )
    for index in poetry.at("source").array:
        priority = index.at("priority").text
        gather.index(index.at("url"), is_extra=priority not in ("primary", "default"), name=index.at("name").text)


def exact(requirement: str | None) -> str | None:
    """The version that a requirement of poetry or Pipfile names exactly; None for a range."""
    found = _EXACT.fullmatch(requirement or "")
    return found[1] if found is not None else None


def tail(gather: Gather, wanted: Node, version: str | None) -> tuple[int, int] | None:
    """The place of an exact version at the end of its requirement; None when it does not stand there."""
    if not version or not gather.source.text.endswith(version, wanted.start, wanted.stop):
        return None
    return wanted.stop - len(version), wanted.stop


def _dependency(gather: Gather, name: str, node: Node, scope: Scope, group: str | None) -> Dependency:
    wanted = node if node.text is not None else node.at("version")
    version, python = exact(wanted.text), node.at("python").text
    is_optional = node.at("optional").value is True
    return Dependency(
        Ecosystem.PYPI,
        name,
        gather.region(tail(gather, wanted, version) or node.key_place),
        version=version,
        requirement=wanted.text,
        provenance=table_source(node),
        is_direct=True,
        scope=Scope.OPTIONAL if is_optional and scope is Scope.RUNTIME else scope,
        marker=node.at("markers").text or (f"python {python}" if python is not None else None),
        extras=node.at("extras").texts(),
        group=group,
    )


def table_source(node: Node) -> Provenance:
    """Where a dependency written as a table comes from: `git`, `url`, `path` or `file` in it."""
    for key, kind in (
        ("git", SourceKind.GIT),
        ("url", SourceKind.URL),
        ("path", SourceKind.PATH),
        ("file", SourceKind.URL),
    ):
        text = node.at(key).text
        if text is not None:
            return Provenance(kind, bare_url(text), node.first("rev", "ref", "tag", "branch").text)
    return REGISTRY
