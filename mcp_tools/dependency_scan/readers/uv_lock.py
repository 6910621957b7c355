"""uv.lock."""

import re
from typing import Final

from mcp_tools.dependency_scan.readers.gather import Gather, Opener
from mcp_tools.dependency_scan.readers.graph import Parents, spread
from mcp_tools.dependency_scan.readers.toml_tree import parse_toml
from mcp_tools.dependency_scan.readers.tree import Node
from mcp_tools.dependency_scan.values import (
    Dependency,
    Ecosystem,
    FileRead,
    Kind,
    Provenance,
    Recorded,
    Scope,
    SourceKind,
    bare_url,
    normalised_name,
)
from mcp_tools.project import Source

_EXTRA = re.compile(r"\bextra == '([^']*)'")
_OPAQUE: Final = frozenset({"wheels"})
_ID = tuple[str, str | None]
_MEMBERS: Final = ("editable", "virtual", "directory")


def read_uv_lock(source: Source, opener: Opener) -> FileRead:
    """Read uv.lock: every package once for each version, the workspace's own members among them."""
    del opener
    gather = Gather(source, "uv-lock", Kind.LOCKFILE)
    document = parse_toml(source, _OPAQUE)
    gather.take([document])
    packages = [item for item in gather.elements(document.root.at("package"), "package") if _is_named(gather, item)]
    members = _members(document.root, packages)
    graph = _Graph(packages, members)
    for package in packages:
        identity = _identity(package)
        if package.at("source").first(*_MEMBERS).text == ".":
            gather.project = package.at("name").text
        if identity in members:
            _record(gather, package.at("metadata"))
        gather.add(_dependency(gather, package, graph, identity in members))
    return gather.done()


def _is_named(gather: Gather, package: Node) -> bool:
    if package.at("name").text is None:
        gather.bad("a package without a name", package.place)
        return False
    return True


def _identity(package: Node) -> _ID:
    return package.at("name").text or "", package.at("version").text


def _members(root: Node, packages: list[Node]) -> set[_ID]:
    """The project's own packages: those the manifest lists, else those in the project's folder."""
    named = set(root.at("manifest", "members").texts())
    listed = {_identity(package) for package in packages if package.at("name").text in named}
    own = {_identity(package) for package in packages if package.at("source").first("editable", "virtual").text == "."}
    return listed | own


class _Graph:
    """Who asks for whom, and why."""

    def __init__(self, packages: list[Node], members: set[_ID]) -> None:
        self._versions: dict[str, list[_ID]] = {}
        for package in packages:
            self._versions.setdefault(package.at("name").text or "", []).append(_identity(package))
        self.parents, self.direct = Parents(), set[_ID]()
        edges: dict[_ID, list[_ID]] = {}
        seeds: dict[Scope, list[_ID]] = {Scope.RUNTIME: [], Scope.OPTIONAL: [], Scope.DEV: []}
        for package in packages:
            identity = _identity(package)
            for scope, children in _asked(package):
                for child in children:
                    reached = self._meant(child)
                    if identity in members:
                        self.direct.update(reached)
                        seeds[scope].extend(reached)
                    else:
                        edges.setdefault(identity, []).extend(reached)
                    for item in reached:
                        self.parents.add(item, identity[0])
        self.scopes = spread(edges, seeds.items())

    def _meant(self, child: Node) -> list[_ID]:
        name, version = child.at("name").text or "", child.at("version").text
        return [(name, version)] if version is not None else self._versions.get(name, [])[:8]


def _asked(package: Node) -> list[tuple[Scope, list[Node]]]:
    return [
        (Scope.RUNTIME, package.at("dependencies").array),
        *((Scope.OPTIONAL, below.array) for _, below in package.at("optional-dependencies").members()),
        *((Scope.DEV, below.array) for _, below in package.first("dev-dependencies", "dependency-groups").members()),
    ]


def _dependency(gather: Gather, package: Node, graph: _Graph, is_member: bool) -> Dependency:
    identity = _identity(package)
    version = package.at("version")
    found = _provenance(package.at("source"), is_member=is_member)
    return Dependency(
        Ecosystem.PYPI,
        identity[0],
        gather.region((package.at("name") if version.is_missing else version).place),
        version=identity[1],
        provenance=found,
        is_direct=identity in graph.direct,
        scope=Scope.RUNTIME if is_member else graph.scopes.get(identity, Scope.UNKNOWN),
        parents=graph.parents.of(identity),
        has_integrity=_has_hash(package) if found.kind in (SourceKind.REGISTRY, SourceKind.URL) else None,
        marker=" or ".join(f"({text})" for text in package.at("resolution-markers").texts()) or None,
    )


def _provenance(source: Node, *, is_member: bool) -> Provenance:
    if is_member:
        return Provenance(SourceKind.WORKSPACE, source.first(*_MEMBERS).text)
    for key, kind in (("registry", SourceKind.REGISTRY), ("url", SourceKind.URL)):
        text = source.at(key).text
        if text is not None:
            return Provenance(kind, bare_url(text))
    git = source.at("git").text
    if git is not None:
        return Provenance(SourceKind.GIT, bare_url(git), git.partition("#")[2] or None)
    return Provenance(SourceKind.PATH, source.first("path", *_MEMBERS).text)


def _has_hash(package: Node) -> bool:
    wheels = package.at("wheels")
    in_wheels = "hash = " in wheels.value if isinstance(wheels.value, str) else False
    parsed = any(wheel.at("hash").text is not None for wheel in wheels.array)
    return in_wheels or parsed or package.at("sdist", "hash").text is not None


def _record(gather: Gather, metadata: Node) -> None:
    """Keep what the lockfile remembers of the manifest's requirements."""
    groups = [(None, metadata.at("requires-dist"))]
    groups += [(name, below) for name, below in metadata.first("requires-dev").members()]
    for group, wanted in groups:
        for item in wanted.array:
            name = item.at("name").text
            if name is not None:
                specifier = item.at("specifier")
                place = (item.at("name") if specifier.is_missing else specifier).place
                extra = _EXTRA.search(item.at("marker").text or "")
                scope = Scope.DEV if group is not None else (Scope.OPTIONAL if extra is not None else Scope.RUNTIME)
                folded = normalised_name(Ecosystem.PYPI, name)
                gather.record(
                    Recorded(
                        folded, specifier.text, gather.region(place), scope, extra[1] if extra is not None else group
                    )
                )
