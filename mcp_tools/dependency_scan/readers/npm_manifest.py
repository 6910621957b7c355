"""package.json."""

from typing import Final

from mcp_tools.dependency_scan.readers.gather import Gather, Opener
from mcp_tools.dependency_scan.readers.json_tree import parse_json
from mcp_tools.dependency_scan.readers.npm_spec import read_spec
from mcp_tools.dependency_scan.readers.tree import Node
from mcp_tools.dependency_scan.values import Dependency, Ecosystem, FileRead, Kind, Recorded, Scope
from mcp_tools.project import Source

TABLES: Final = (
    ("dependencies", Scope.RUNTIME),
    ("devDependencies", Scope.DEV),
    ("optionalDependencies", Scope.OPTIONAL),
    ("peerDependencies", Scope.RUNTIME),
)


def read_package_json(source: Source, opener: Opener) -> FileRead:
    """Read package.json. A peer that is marked optional counts as optional; `group` says which table it stands in."""
    del opener
    gather = Gather(source, "package-json", Kind.MANIFEST)
    document = parse_json(source)
    gather.take([document])
    root = document.root
    gather.expect_table(root)
    gather.project = root.at("name").text
    gather.license = root.at("license").text or root.at("license", "type").text
    for table, scope in TABLES:
        for name, node in gather.members(root.at(table), table):
            if not isinstance(node.value, str):
                gather.bad(f"the range of {name[:80]!r} is not a text", node.place)
                continue
            is_optional = root.at("peerDependenciesMeta", name, "optional").value is True
            chosen = Scope.OPTIONAL if table == "peerDependencies" and is_optional else scope
            gather.add(wanted(gather, name, node, chosen, table))
    return gather.done()


def wanted(gather: Gather, name: str, node: Node, scope: Scope, group: str) -> Dependency:
    """A manifest's entry as a dependency. Its place is the range, which is what one edits."""
    spec = read_spec(node.text or "")
    place = node.place if node.text is not None else node.key_place
    return Dependency(
        Ecosystem.NPM,
        spec.name or name,
        gather.region(place),
        version=spec.version,
        requirement=spec.requirement,
        provenance=spec.provenance,
        is_direct=True,
        scope=scope,
        alias=name if spec.name is not None and spec.name != name else None,
        group=group,
    )


def record_tables(gather: Gather, package: Node, group: str | None) -> None:
    """Keep what a lockfile remembers of a package.json: the same tables."""
    for table, scope in TABLES:
        for name, node in package.at(table).members():
            gather.record(Recorded(name, node.text, gather.region(node.place), scope, group))
