"""Cargo.toml and Cargo.lock."""

import re
from typing import Final

from mcp_tools.dependency_scan.readers.gather import Gather, Opener
from mcp_tools.dependency_scan.readers.graph import Parents
from mcp_tools.dependency_scan.readers.toml_tree import parse_toml
from mcp_tools.dependency_scan.readers.tree import Node
from mcp_tools.dependency_scan.values import (
    REGISTRY,
    Dependency,
    Ecosystem,
    FileRead,
    Kind,
    Provenance,
    Scope,
    SourceKind,
    bare_url,
)
from mcp_tools.project import Source

_TABLES: Final = (
    ("dependencies", Scope.RUNTIME),
    ("dev-dependencies", Scope.DEV),
    ("dev_dependencies", Scope.DEV),
    ("build-dependencies", Scope.BUILD),
    ("build_dependencies", Scope.BUILD),
)
_EXACT = re.compile(r"=\s*(\d+\.\d+\.\d+[0-9A-Za-z.+-]*)")
_QUERY = re.compile(r"[?&](?:rev|tag|branch)=([^&#]+)")
_ID = tuple[str, str]


def read_cargo_toml(source: Source, opener: Opener) -> FileRead:
    """Read Cargo.toml. Only `=1.2.3` is exact; `workspace = true` stands for what the workspace's own table says."""
    del opener
    gather = Gather(source, "cargo-toml", Kind.MANIFEST)
    document = parse_toml(source)
    gather.take([document])
    root = document.root
    gather.project = root.at("package", "name").text
    gather.license = root.at("package", "license").text or root.at("workspace", "package", "license").text
    _tables(gather, root, None)
    for target, below in gather.members(root.at("target"), "target"):
        _tables(gather, below, target)
    for name, node in gather.members(root.at("workspace", "dependencies"), "workspace.dependencies"):
        gather.add(_wanted(gather, name, node, Scope.RUNTIME, "workspace"))
    return gather.done()


def _tables(gather: Gather, holder: Node, target: str | None) -> None:
    for table, scope in _TABLES:
        for name, node in gather.members(holder.at(table), table):
            gather.add(_wanted(gather, name, node, scope, None, marker=target))


def _wanted(
    gather: Gather, name: str, node: Node, scope: Scope, group: str | None, *, marker: str | None = None
) -> Dependency:
    wanted = node if node.text is not None else node.at("version")
    found = _EXACT.fullmatch(wanted.text or "")
    real = node.at("package").text or name
    is_optional = node.at("optional").value is True and scope is Scope.RUNTIME
    return Dependency(
        Ecosystem.CRATES,
        real,
        gather.region(node.key_place if wanted.text is None else wanted.place),
        version=found[1] if found is not None else None,
        requirement=wanted.text,
        provenance=_table_source(node),
        is_direct=True,
        scope=Scope.OPTIONAL if is_optional else scope,
        marker=marker,
        extras=node.at("features").texts(),
        alias=name if real != name else None,
        group=group,
    )


def _table_source(node: Node) -> Provenance:
    git, path = node.at("git").text, node.at("path").text
    if git is not None:
        return Provenance(SourceKind.GIT, bare_url(git), node.first("rev", "tag", "branch").text)
    if path is not None:
        return Provenance(SourceKind.PATH, path)
    return Provenance(SourceKind.WORKSPACE) if node.at("workspace").value is True else REGISTRY


def read_cargo_lock(source: Source, opener: Opener) -> FileRead:
    """Read Cargo.lock, of any version. A package without a source is a member of the workspace."""
    del opener
    gather = Gather(source, "cargo-lock", Kind.LOCKFILE)
    document = parse_toml(source)
    gather.take([document])
    root = document.root
    packages = [*gather.elements(root.at("package"), "package")]
    if not root.at("root").is_missing:
        packages.insert(0, root.at("root"))
    parents, direct = _graph(packages)
    checksums = root.at("metadata").table
    for package in packages:
        name, version = package.at("name"), package.at("version")
        if name.text is None:
            gather.bad("a package without a name", package.place)
            continue
        origin = package.at("source").text
        found = _lock_source(origin)
        identity = (name.text, version.text or "")
        has_old = origin is not None and f"checksum {name.text} {version.text} ({origin})" in checksums
        gather.add(
            Dependency(
                Ecosystem.CRATES,
                name.text,
                gather.region((name if version.text is None else version).place),
                version=version.text,
                provenance=found,
                is_direct=identity in direct,
                parents=parents.of(identity),
                has_integrity=None
                if found.kind is not SourceKind.REGISTRY
                else not package.at("checksum").is_missing or has_old,
            )
        )
    return gather.done()


def _graph(packages: list[Node]) -> tuple[Parents, set[_ID]]:
    """Who asks for whom, and what the members ask for. `name version (source)`: the last two only where needed."""
    versions: dict[str, list[str]] = {}
    for package in packages:
        versions.setdefault(package.at("name").text or "", []).append(package.at("version").text or "")
    parents, direct = Parents(), set[_ID]()
    for package in packages:
        is_member = package.at("source").is_missing
        for item in package.at("dependencies").texts():
            name, _, rest = item.partition(" ")
            version = rest.partition(" ")[0]
            for each in [version] if version else versions.get(name, [])[:8]:
                parents.add((name, each), package.at("name").text or "")
                if is_member:
                    direct.add((name, each))
    return parents, direct


def _lock_source(text: str | None) -> Provenance:
    if text is None:
        return Provenance(SourceKind.WORKSPACE)
    kind, _, url = text.partition("+")
    if kind == "git":
        query = _QUERY.search(url)
        commit = url.partition("#")[2] or (query[1] if query is not None else None)
        return Provenance(SourceKind.GIT, bare_url(url), commit)
    if kind in ("registry", "sparse"):
        return Provenance(SourceKind.REGISTRY, bare_url(url))
    return Provenance(SourceKind.PATH if kind == "path" else SourceKind.UNKNOWN, bare_url(url))
