"""composer.json and composer.lock."""

import re
from typing import Final

from mcp_tools.dependency_scan.readers.gather import Gather, Opener
from mcp_tools.dependency_scan.readers.graph import Parents
from mcp_tools.dependency_scan.readers.json_tree import parse_json
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

_EXACT = re.compile(r"[=v\s]*(\d+(?:\.\d+){1,3}(?:-[0-9A-Za-z.-]+)?)\s*")
_TABLES: Final = (("require", Scope.RUNTIME), ("require-dev", Scope.DEV))


def is_platform(name: str) -> bool:
    """Say whether a name is PHP itself or a part of it rather than a package: those have no slash."""
    return "/" not in name


def read_composer_json(source: Source, opener: Opener) -> FileRead:
    """Read composer.json; PHP and its extensions are no packages."""
    del opener
    gather = Gather(source, "composer-json", Kind.MANIFEST)
    document = parse_json(source)
    gather.take([document])
    root = document.root
    gather.expect_table(root)
    gather.project = root.at("name").text
    gather.license = " OR ".join(root.at("license").texts()) or None
    for table, scope in _TABLES:
        for name, node in gather.members(root.at(table), table):
            if is_platform(name):
                continue
            if node.text is None:
                gather.bad(f"the range of {name[:80]!r} is not a text", node.place)
                continue
            exact = _EXACT.fullmatch(node.text)
            gather.add(
                Dependency(
                    Ecosystem.PACKAGIST,
                    name,
                    gather.region(node.place),
                    version=exact[1] if exact is not None else None,
                    requirement=node.text,
                    is_direct=True,
                    scope=scope,
                    group=table,
                )
            )
    return gather.done()


def read_composer_lock(source: Source, opener: Opener) -> FileRead:
    """Read composer.lock. Which ones are direct only composer.json knows."""
    del opener
    gather = Gather(source, "composer-lock", Kind.LOCKFILE)
    document = parse_json(source)
    gather.take([document])
    root = document.root
    gather.expect_table(root)
    gather.content_hash = root.at("content-hash").text
    tables = (("packages", Scope.RUNTIME), ("packages-dev", Scope.DEV))
    packages = [(package, scope) for key, scope in tables for package in gather.elements(root.at(key), key)]
    parents = Parents()
    for package, _ in packages:
        for child in package.at("require").table:
            parents.add(child.lower(), package.at("name").text or "")
    for package, scope in packages:
        name = package.at("name").text
        if name is None:
            gather.bad("a package without a name", package.place)
        else:
            gather.add(_locked(gather, name, package, scope, parents.of(name.lower())))
    return gather.done()


def _locked(gather: Gather, name: str, package: Node, scope: Scope, parents: tuple[str, ...]) -> Dependency:
    version, abandoned = package.at("version"), package.at("abandoned")
    deprecated = "abandoned" if abandoned.value is True else None
    if abandoned.text is not None:
        deprecated = f"abandoned; use {abandoned.text} instead"
    return Dependency(
        Ecosystem.PACKAGIST,
        name,
        gather.region((package.at("name") if version.text is None else version).place),
        version=version.text,
        provenance=_where(package),
        scope=scope,
        parents=parents,
        has_integrity=bool(package.first("dist").at("shasum").text or package.at("source", "reference").text),
        license=" OR ".join(package.at("license").texts()) or None,
        deprecated=deprecated,
    )


def _where(package: Node) -> Provenance:
    kind, url = package.at("dist", "type").text, package.first("dist").at("url").text
    if kind == "path":
        return Provenance(SourceKind.PATH, url)
    if not package.at("notification-url").is_missing or kind is None:
        return Provenance(SourceKind.REGISTRY, bare_url(url)) if url is not None else _git(package)
    return _git(package)


def _git(package: Node) -> Provenance:
    url = package.at("source", "url").text
    return (
        REGISTRY if url is None else Provenance(SourceKind.GIT, bare_url(url), package.at("source", "reference").text)
    )
