"""package-lock.json and npm-shrinkwrap.json, lockfileVersion 1 to 3."""

from typing import Final

from mcp_tools.dependency_scan.readers.gather import Gather, Opener
from mcp_tools.dependency_scan.readers.graph import Parents
from mcp_tools.dependency_scan.readers.json_tree import parse_json
from mcp_tools.dependency_scan.readers.npm_manifest import record_tables
from mcp_tools.dependency_scan.readers.npm_spec import provenance, read_spec, resolved
from mcp_tools.dependency_scan.readers.tree import Node
from mcp_tools.dependency_scan.values import Dependency, Ecosystem, FileRead, Kind, Provenance, Scope, SourceKind
from mcp_tools.project import Source

_FOLDER: Final = "node_modules/"
_MAX_NESTING = 64
_ASKED: Final = ("dependencies", "optionalDependencies", "peerDependencies")


def read_npm_lock(source: Source, opener: Opener) -> FileRead:
    """Read an npm lockfile: every installed copy of a package is a dependency of its own."""
    del opener
    gather = Gather(source, "npm-lock", Kind.LOCKFILE)
    document = parse_json(source)
    gather.take([document])
    root = document.root
    gather.expect_table(root)
    gather.project = root.at("name").text or root.at("packages", "", "name").text
    if isinstance(root.at("packages").value, dict):
        _read_packages(gather, root.at("packages"))
    else:
        _read_nested(gather, root)
    return gather.done()


def _read_packages(gather: Gather, packages: Node) -> None:
    """Version 2 and 3: a flat table whose keys are install paths."""
    table = packages.table
    parents, direct = _asked(gather, table)
    for path, package in table.items():
        if path == "" or package.at("link").value is True:
            continue
        if not isinstance(package.value, dict):
            gather.bad(f"{path[:80]!r} is no table", package.place)
        elif _FOLDER not in path:
            gather.add(_member(gather, path, package))
        else:
            gather.add(_installed(gather, path, package, parents.of(path), is_direct=path in direct))


def _asked(gather: Gather, table: dict[str, Node]) -> tuple[Parents, set[str]]:
    """Who asks for which place, and which places the project's own packages ask for."""
    parents, direct = Parents(), set[str]()
    for path, package in table.items():
        is_member = _FOLDER not in path
        name = package.at("name").text or name_of(path) or gather.project or ""
        for key in (*_ASKED, "devDependencies") if is_member else _ASKED:
            for child in package.at(key).table:
                place = _resolve(table, path, child)
                if place is not None:
                    if path:  # the root is no package of the file
                        parents.add(place, name)
                    if is_member:
                        direct.add(place)
        if is_member:
            record_tables(gather, package, path or None)
    return parents, direct


def name_of(path: str) -> str:
    """The package's name in an install path: what follows the last `node_modules/`."""
    return path.rpartition(_FOLDER)[2] if _FOLDER in path else path.rpartition("/")[2]


def _resolve(table: dict[str, Node], path: str, name: str) -> str | None:
    """Where node finds a package from a place: the nearest `node_modules` up the tree. A link leads to its target."""
    for _ in range(_MAX_NESTING):
        place = f"{path}/{_FOLDER}{name}" if path else f"{_FOLDER}{name}"
        if place in table:
            target = table[place].at("resolved").text if table[place].at("link").value is True else None
            return target if target is not None and target in table else place
        if not path:
            return None
        cut = path.rfind(_FOLDER)
        above = path[:cut].rstrip("/") if cut >= 0 else path.rpartition("/")[0]
        path = above
    return None


def _member(gather: Gather, path: str, package: Node) -> Dependency:
    version = package.at("version")
    return Dependency(
        Ecosystem.NPM,
        package.at("name").text or name_of(path),
        gather.region(package.key_place if version.text is None else version.place),
        version=version.text,
        provenance=Provenance(SourceKind.WORKSPACE, path),
        is_direct=False,
        scope=Scope.RUNTIME,
        license=_license(package),
    )


def _installed(gather: Gather, path: str, package: Node, parents: tuple[str, ...], *, is_direct: bool) -> Dependency:
    version = package.at("version")
    found, folder = resolved(package.at("resolved").text), name_of(path)
    name = package.at("name").text or folder
    is_packed = found.kind in (SourceKind.REGISTRY, SourceKind.URL) and package.at("inBundle").value is not True
    return Dependency(
        Ecosystem.NPM,
        name,
        gather.region(package.key_place if version.text is None else version.place),
        version=version.text,
        provenance=found,
        is_direct=is_direct,
        scope=_scope(package),
        parents=parents,
        has_integrity=package.at("integrity").text is not None if is_packed else None,
        license=_license(package),
        deprecated=_deprecated(package),
        alias=folder if folder != name else None,
        has_install_script=package.at("hasInstallScript").value is True,
    )


def _scope(package: Node) -> Scope:
    if package.first("dev", "devOptional").value is True or package.at("devOptional").value is True:
        return Scope.DEV
    return Scope.OPTIONAL if package.at("optional").value is True else Scope.RUNTIME


def _license(package: Node) -> str | None:
    node = package.first("license", "licenses")
    return node.text or node.at("type").text or next((item.at("type").text for item in node.array), None)


def _deprecated(package: Node) -> str | None:
    node = package.at("deprecated")
    return node.text or ("deprecated" if node.value is True else None)


def _read_nested(gather: Gather, root: Node) -> None:
    """Version 1: tables within tables, as they are installed. Direct ones only package.json knows."""
    places: dict[str, Node] = {}
    pending = [("", root)]
    while pending:
        path, holder = pending.pop()
        for name, package in gather.members(holder.at("dependencies"), "dependencies"):
            place = f"{path}/{_FOLDER}{name}" if path else f"{_FOLDER}{name}"
            if not isinstance(package.value, dict):
                gather.bad(f"{name[:80]!r} is no table", package.place)
                continue
            places[place] = package
            if not package.at("dependencies").is_missing and place.count(_FOLDER) < _MAX_NESTING:
                pending.append((place, package))
    parents = Parents()
    for path, package in places.items():
        for child in package.at("requires").table:
            found = _resolve(places, path, child)
            if found is not None:
                parents.add(found, name_of(path))
    for path, package in places.items():
        gather.add(_old(gather, name_of(path), package, parents.of(path)))


def _old(gather: Gather, folder: str, package: Node, parents: tuple[str, ...]) -> Dependency:
    node = package.at("version")
    text = node.text or ""
    spec = read_spec(text) if text.startswith("npm:") else None
    elsewhere = provenance(text) if spec is None else None
    found = elsewhere or resolved(package.at("resolved").text)
    version = spec.version if spec is not None else (None if elsewhere is not None else node.text)
    name = (spec.name if spec is not None else None) or folder
    is_packed = found.kind in (SourceKind.REGISTRY, SourceKind.URL) and package.at("bundled").value is not True
    return Dependency(
        Ecosystem.NPM,
        name,
        gather.region(package.key_place if node.text is None else _tail(gather, node, version)),
        version=version,
        provenance=found,
        is_direct=None,
        scope=_scope(package),
        parents=parents,
        has_integrity=package.at("integrity").text is not None if is_packed else None,
        deprecated=_deprecated(package),
        alias=folder if folder != name else None,
    )


def _tail(gather: Gather, node: Node, version: str | None) -> tuple[int, int]:
    """The place of a version at the end of a text such as `npm:other@1.2.3`."""
    is_last = version is not None and gather.source.text.endswith(version, node.start, node.stop)
    return (node.stop - len(version), node.stop) if version is not None and is_last else node.place
