"""pnpm-lock.yaml, lockfileVersion 5 to 9."""

import re
from typing import Final

from mcp_tools.dependency_scan.readers.gather import Gather, Opener
from mcp_tools.dependency_scan.readers.graph import Parents, spread
from mcp_tools.dependency_scan.readers.npm_spec import split_name
from mcp_tools.dependency_scan.readers.tree import Node
from mcp_tools.dependency_scan.readers.yaml_tree import parse_yaml
from mcp_tools.dependency_scan.values import (
    REGISTRY,
    Dependency,
    Ecosystem,
    FileRead,
    Kind,
    Provenance,
    Recorded,
    Scope,
    SourceKind,
    bare_url,
    without_credentials,
)
from mcp_tools.project import Source

_VERSION = re.compile(r"v?\d+(?:\.\d+)*[0-9A-Za-z.+-]*")
_TABLES: Final = (
    ("dependencies", Scope.RUNTIME),
    ("optionalDependencies", Scope.OPTIONAL),
    ("devDependencies", Scope.DEV),
    ("configDependencies", Scope.BUILD),
    ("packageManagerDependencies", Scope.BUILD),
)
_LINKED: Final = ("dependencies", "optionalDependencies")


def read_pnpm_lock(source: Source, opener: Opener) -> FileRead:
    """Read pnpm-lock.yaml; a second document, which holds pnpm's own packages, is read too."""
    del opener
    gather = Gather(source, "pnpm-lock", Kind.LOCKFILE)
    documents = parse_yaml(source)
    gather.take(documents)
    for document in documents:
        _Reader(gather, document.root).read()
    return gather.done()


class _Reader:
    """One document of a pnpm lockfile."""

    def __init__(self, gather: Gather, root: Node) -> None:
        self.gather, self.root = gather, root
        version = str(root.at("lockfileVersion").value or "")
        self.is_old = version.startswith("5")
        self.packages = root.at("packages").table
        self.snapshots = root.at("snapshots").table or self.packages
        self.parents, self.direct = Parents(), set[str]()

    def read(self) -> None:
        """Walk the importers, then the packages."""
        self.gather.expect_table(self.root)
        seeds: dict[Scope, list[str]] = {scope: [] for _, scope in _TABLES}
        importers = self.root.at("importers")
        for path, importer in importers.members() if not importers.is_missing else [("", self.root)]:
            for table, scope in _TABLES:
                for name, node in self.gather.members(importer.at(table), table):
                    seeds[scope].append(self._asked(path, (name, node), importer, scope))
        scopes = self._scopes(seeds)
        for key, package in self.gather.members(self.root.at("packages"), "packages"):
            if self.gather.is_full:
                return
            self.gather.add(self._dependency(key, package, scopes.get(_base(key), Scope.UNKNOWN)))

    def _asked(self, path: str, member: tuple[str, Node], importer: Node, scope: Scope) -> str:
        """Note what an importer asks for; returns the key of the package that answers it."""
        name, node = member
        version = node.at("version") if node.table else node
        wish = node.at("specifier") if node.table else importer.at("specifiers", name)
        region = self.gather.region(wish.place if not wish.is_missing else node.key_place)
        self.gather.record(Recorded(name, wish.text, region, scope, path or None))
        key = self._key(name, version.text or "")
        self.direct.add(_base(key))
        return key

    def _key(self, name: str, reference: str) -> str:
        """The key in `packages` or `snapshots` that a reference such as `1.0.0(peer@2.0.0)` means."""
        joint = "/" if self.is_old else "@"
        for key in (f"{name}@{reference}", reference, f"/{name}{joint}{reference}"):
            if key in self.snapshots or key in self.packages:
                return key
        return reference

    def _scopes(self, seeds: dict[Scope, list[str]]) -> dict[str, Scope]:
        edges: dict[str, list[str]] = {}
        for key, node in self.snapshots.items():
            name = self._named(key, node)[0]
            for table in _LINKED:
                for child, reference in node.at(table).members():
                    below = self._key(child, reference.text or "")
                    edges.setdefault(key, []).append(below)
                    self.parents.add(_base(below), name)
        found: dict[str, Scope] = {}
        for key, scope in spread(edges, seeds.items()).items():
            found.setdefault(_base(key), scope)
        return found

    def _named(self, key: str, package: Node) -> tuple[str, str]:
        """The name and version of a package key, of any version of the format."""
        plain = without_credentials(_base(key.removeprefix("/")))
        if self.is_old:
            name, _, version = plain.rpartition("/")
            version = version.partition("_")[0]
        else:
            name, version = split_name(plain)
        stated = package.at("name").text, package.at("version").text
        return stated[0] or name or plain, stated[1] or version

    def _dependency(self, key: str, package: Node, scope: Scope) -> Dependency:
        name, version = self._named(key, package)
        found = _provenance(package.at("resolution"), key)
        is_exact = _VERSION.fullmatch(version) is not None
        start, stop = package.key_place
        stated = package.at("version")
        at = self.gather.source.text.find(version, start + len(name), stop) if is_exact else -1
        place = (at, at + len(version)) if at >= 0 else (start, stop)
        if not stated.is_missing:
            place = stated.place
        if scope is Scope.UNKNOWN and package.at("dev").value is True:
            scope = Scope.DEV
        elif scope is Scope.UNKNOWN and package.at("optional").value is True:
            scope = Scope.OPTIONAL
        has_hash = not package.at("resolution", "integrity").is_missing
        return Dependency(
            Ecosystem.NPM,
            name,
            self.gather.region(place),
            version=version if is_exact else None,
            provenance=found,
            is_direct=_base(key) in self.direct,
            scope=scope,
            parents=self.parents.of(_base(key)),
            has_integrity=has_hash if found.kind in (SourceKind.REGISTRY, SourceKind.URL) else None,
            deprecated=_deprecated(package.at("deprecated")),
            has_install_script=package.at("requiresBuild").value is True,
        )


def _base(key: str) -> str:
    """A key without the peers that it was resolved with."""
    return key.partition("(")[0]


def _deprecated(node: Node) -> str | None:
    return node.text or ("deprecated" if node.value is True else None)


def _provenance(resolution: Node, key: str) -> Provenance:
    tarball = resolution.at("tarball").text
    if resolution.at("type").text == "git" or not resolution.at("repo").is_missing:
        repo = resolution.at("repo").text
        return Provenance(SourceKind.GIT, bare_url(repo) if repo else None, resolution.at("commit").text)
    if resolution.at("type").text == "directory" or not resolution.at("directory").is_missing:
        return Provenance(SourceKind.PATH, resolution.at("directory").text)
    if tarball is not None:
        if tarball.startswith("file:"):
            return Provenance(SourceKind.PATH, tarball)
        is_elsewhere = "://" in key or "codeload." in tarball or "file:" in key
        return Provenance(SourceKind.URL if is_elsewhere else SourceKind.REGISTRY, bare_url(tarball))
    return REGISTRY
