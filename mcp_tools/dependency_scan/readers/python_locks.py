"""poetry.lock, pdm.lock and pylock.toml."""

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
    normalised_name,
)
from mcp_tools.project import Source

_OPAQUE: Final = frozenset({"files", "wheels"})
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_GROUPS: Final = {"main": Scope.RUNTIME, "default": Scope.RUNTIME, "dev": Scope.DEV, "test": Scope.TEST}


def _opened(
    source: Source, form: str, key: str, opaque: frozenset[str] = frozenset()
) -> tuple[Gather, Node, list[Node]]:
    """What gathers a lockfile, its root, and its packages, which lie below a key."""
    gather = Gather(source, form, Kind.LOCKFILE)
    document = parse_toml(source, opaque)
    gather.take([document])
    return gather, document.root, list(gather.elements(document.root.at(key), key))


def read_poetry_lock(source: Source, opener: Opener) -> FileRead:
    """Read poetry.lock, of any version of its format. Which ones are direct only pyproject.toml knows."""
    del opener
    gather, root, packages = _opened(source, "poetry-lock", "package", _OPAQUE)
    parents = _parents(packages)
    gather.content_hash = root.at("metadata", "content-hash").text
    old_hashes = root.at("metadata", "files").table
    for package in packages:
        name = package.at("name").text or ""
        files = package.at("files")
        hashed = _has_hash(files) if not files.is_missing else bool(old_hashes.get(name, Node(None)).value)
        scope, found = _poetry_scope(package), _poetry_source(package.at("source"))
        _add(
            gather,
            package,
            Dependency(
                Ecosystem.PYPI,
                name,
                gather.region(_place(package)),
                version=package.at("version").text,
                provenance=found,
                scope=scope,
                parents=parents.of(normalised_name(Ecosystem.PYPI, name)),
                has_integrity=hashed if found.kind is SourceKind.REGISTRY else None,
                marker=package.at("markers").text,
                group=next(iter(package.at("groups").texts()), None),
            ),
        )
    return gather.done()


def _poetry_scope(package: Node) -> Scope:
    groups = package.at("groups").texts() or ((package.at("category").text,) if package.at("category").text else ())
    if not groups:
        return Scope.OPTIONAL if package.at("optional").value is True else Scope.UNKNOWN
    if "main" in groups:
        return Scope.OPTIONAL if package.at("optional").value is True else Scope.RUNTIME
    return Scope.TEST if all(group in ("test", "tests") for group in groups) else Scope.DEV


def _poetry_source(source: Node) -> Provenance:
    kind, url = source.at("type").text, source.at("url").text
    shown = bare_url(url) if url is not None else None
    if kind in (None, "legacy", "pypi"):
        return Provenance(SourceKind.REGISTRY, shown) if shown is not None else REGISTRY
    revision = source.first("resolved_reference", "reference").text
    kinds = {"git": SourceKind.GIT, "url": SourceKind.URL, "file": SourceKind.PATH, "directory": SourceKind.PATH}
    return Provenance(kinds.get(kind or "", SourceKind.UNKNOWN), shown, revision)


def read_pdm_lock(source: Source, opener: Opener) -> FileRead:
    """Read pdm.lock. Its groups say what a package is for; which ones are direct only pyproject.toml knows."""
    del opener
    gather, root, packages = _opened(source, "pdm-lock", "package", _OPAQUE)
    parents = _parents(packages)
    gather.content_hash = root.at("metadata", "content_hash").text
    seen: set[tuple[str, str | None]] = set()
    for package in packages:
        name, version = package.at("name").text or "", package.at("version").text
        if (name, version) in seen and package.at("extras").array:
            continue  # the same package again, with extras
        seen.add((name, version))
        groups = package.at("groups").texts()
        found = _pdm_source(package)
        known = [_GROUPS.get(group, Scope.OPTIONAL) for group in groups]
        _add(
            gather,
            package,
            Dependency(
                Ecosystem.PYPI,
                name,
                gather.region(_place(package)),
                version=version,
                provenance=found,
                scope=Scope.RUNTIME if Scope.RUNTIME in known else next(iter(known), Scope.UNKNOWN),
                parents=parents.of(normalised_name(Ecosystem.PYPI, name)),
                has_integrity=_has_hash(package.at("files")) if found.kind is SourceKind.REGISTRY else None,
                marker=package.at("marker").text,
                extras=package.at("extras").texts(),
                group=next(iter(groups), None),
            ),
        )
    return gather.done()


def _pdm_source(package: Node) -> Provenance:
    for key, kind in (("git", SourceKind.GIT), ("url", SourceKind.URL), ("path", SourceKind.PATH)):
        text = package.at(key).text
        if text is not None:
            return Provenance(kind, bare_url(text), package.first("revision", "ref").text)
    return REGISTRY


def read_pylock(source: Source, opener: Opener) -> FileRead:
    """Read pylock.toml and pylock.*.toml (PEP 751)."""
    del opener
    gather, _, packages = _opened(source, "pylock", "packages")
    parents = _parents(packages)
    for package in packages:
        name = package.at("name").text or ""
        _add(
            gather,
            package,
            Dependency(
                Ecosystem.PYPI,
                name,
                gather.region(_place(package)),
                version=package.at("version").text,
                provenance=_pylock_source(package),
                parents=parents.of(normalised_name(Ecosystem.PYPI, name)),
                has_integrity=_pylock_integrity(package),
                marker=package.at("marker").text,
            ),
        )
    return gather.done()


def _pylock_source(package: Node) -> Provenance:
    vcs = package.at("vcs")
    if not vcs.is_missing:
        url = vcs.first("url", "path").text
        revision = vcs.first("commit-id", "requested-revision").text
        return Provenance(SourceKind.GIT, bare_url(url) if url is not None else None, revision)
    folder = package.at("directory", "path").text
    if folder is not None:
        return Provenance(SourceKind.PATH, folder)
    archive = package.at("archive")
    if not archive.is_missing:
        url = archive.at("url").text
        return Provenance(SourceKind.URL, bare_url(url)) if url is not None else Provenance(SourceKind.PATH)
    index = package.at("index").text
    return Provenance(SourceKind.REGISTRY, bare_url(index)) if index is not None else REGISTRY


def _pylock_integrity(package: Node) -> bool | None:
    files = [*package.at("wheels").array, package.at("sdist"), package.at("archive")]
    hashes = [bool(file.at("hashes").table) for file in files if not file.is_missing]
    return all(hashes) if hashes else None


def _parents(packages: "list[Node]") -> Parents:
    """Who asks for whom. Dependencies are a table by name, or an array of requirements or of tables with a name."""
    parents = Parents()
    for package in packages:
        name = package.at("name").text or ""
        below = package.at("dependencies")
        asked = [*below.table, *(_named(item) for item in below.array)]
        for child in asked:
            if child != name:  # a package with extras asks for itself
                parents.add(normalised_name(Ecosystem.PYPI, child), name)
    return parents


def _named(item: Node) -> str:
    found = _NAME.match(item.text or item.at("name").text or "")
    return found[0] if found is not None else ""


def _has_hash(files: Node) -> bool:
    """Say whether a list of files, parsed or as text, has hashes."""
    if isinstance(files.value, str):
        return "hash = " in files.value
    return any(file.at("hash").text is not None for file in files.array)


def _place(package: Node) -> tuple[int, int]:
    return next(
        (node.place for node in (package.at("version"), package.at("name")) if not node.is_missing), package.place
    )


def _add(gather: Gather, package: Node, dependency: Dependency) -> None:
    if package.at("name").text is None:
        gather.bad("a package without a name", package.place)
    else:
        gather.add(dependency)
