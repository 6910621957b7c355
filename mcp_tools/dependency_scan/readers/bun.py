"""bun.lock, the text form of bun's lockfile."""

from mcp_tools.dependency_scan.readers.gather import Gather, Opener
from mcp_tools.dependency_scan.readers.graph import Parents, spread
from mcp_tools.dependency_scan.readers.json_tree import parse_json
from mcp_tools.dependency_scan.readers.npm_manifest import TABLES, record_tables
from mcp_tools.dependency_scan.readers.npm_spec import exact, provenance, split_name
from mcp_tools.dependency_scan.readers.tree import MISSING, Node
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

_MAX_NESTING = 64


def read_bun_lock(source: Source, opener: Opener) -> FileRead:
    """Read bun.lock: a package is `["name@version", registry, {dependencies…}, integrity]` under its place."""
    del opener
    gather = Gather(source, "bun-lock", Kind.LOCKFILE)
    document = parse_json(source, loose=True)
    gather.take([document])
    root = document.root
    gather.expect_table(root)
    table = root.at("packages").table
    parents, direct = Parents(), set[str]()
    seeds: dict[Scope, list[str]] = {}
    for path, workspace in root.at("workspaces").members():
        name = workspace.at("name").text or path
        gather.project = gather.project or name or None
        record_tables(gather, workspace, path or None)
        for key, scope in TABLES:
            for child in workspace.at(key).table:
                place = _resolve(table, [name], child)
                if place is not None:
                    direct.add(place)
                    seeds.setdefault(scope, []).append(place)
                    if path:  # the root is no package of the file
                        parents.add(place, name)
    edges = _edges(table, parents)
    scopes = spread(edges, ((scope, seeds.get(scope, [])) for scope in (Scope.RUNTIME, Scope.OPTIONAL, Scope.DEV)))
    for key, entry in gather.members(root.at("packages"), "packages"):
        first = entry.array[0] if entry.array else MISSING
        if first.text is None:
            gather.bad(f"{key[:80]!r} is no package", entry.place)
            continue
        known = (key in direct, scopes.get(key, Scope.UNKNOWN), parents.of(key))
        gather.add(_dependency(gather, (key, entry), first, known))
    return gather.done()


def _edges(table: dict[str, Node], parents: Parents) -> dict[str, list[str]]:
    edges: dict[str, list[str]] = {}
    for key, entry in table.items():
        name = split_name(entry.array[0].text or "")[0] if entry.array else key
        asked = next((item for item in entry.array if item.table), MISSING)
        for kind in ("dependencies", "optionalDependencies", "peerDependencies"):
            for child in asked.at(kind).table:
                place = _resolve(table, _segments(key), child)
                if place is not None:
                    edges.setdefault(key, []).append(place)
                    parents.add(place, name)
    return edges


def _segments(key: str) -> list[str]:
    """The names in a place such as `a/@scope/b`."""
    parts: list[str] = []
    for part in key.split("/"):
        if parts and parts[-1].startswith("@") and "/" not in parts[-1]:
            parts[-1] += f"/{part}"
        else:
            parts.append(part)
    return parts


def _resolve(table: dict[str, Node], path: list[str], name: str) -> str | None:
    for depth in range(min(len(path), _MAX_NESTING), -1, -1):
        place = "/".join((*path[:depth], name))
        if place in table:
            return place
    return None


def _dependency(
    gather: Gather, member: tuple[str, Node], first: Node, known: tuple[bool, Scope, tuple[str, ...]]
) -> Dependency:
    key, entry = member
    name, where = split_name(first.text or "")
    alias = _segments(key)[-1]
    version = exact(where)
    if version is not None:
        registry = entry.array[1].text if len(entry.array) > 1 else None
        found = REGISTRY if registry is None else Provenance(SourceKind.REGISTRY, bare_url(registry))
        place = (first.stop - len(where), first.stop)
    else:
        found = _elsewhere(where)
        place = first.place
    last = entry.array[-1].text or ""
    has_hash = last.startswith(("sha512-", "sha256-", "sha384-", "sha1-"))
    return Dependency(
        Ecosystem.NPM,
        name,
        gather.region(place),
        version=version,
        requirement=None if version is not None else bare_url(where),
        provenance=found,
        is_direct=known[0],
        scope=known[1],
        parents=known[2],
        has_integrity=has_hash if found.kind in (SourceKind.REGISTRY, SourceKind.URL) else None,
        alias=alias if alias != name else None,
    )


def _elsewhere(where: str) -> Provenance:
    if where.startswith("workspace:"):
        return Provenance(SourceKind.WORKSPACE, where.partition(":")[2])
    return provenance(where) or Provenance(SourceKind.UNKNOWN, bare_url(where) or None)
