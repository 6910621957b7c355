"""Pipfile and Pipfile.lock."""

from typing import Final

from mcp_tools.dependency_scan.readers.gather import Gather, Opener
from mcp_tools.dependency_scan.readers.json_tree import parse_json
from mcp_tools.dependency_scan.readers.poetry_manifest import table_source, tail
from mcp_tools.dependency_scan.readers.toml_tree import parse_toml
from mcp_tools.dependency_scan.readers.tree import Node
from mcp_tools.dependency_scan.values import Dependency, Ecosystem, FileRead, Kind, Scope, SourceKind
from mcp_tools.project import Source

_NOT_PACKAGES: Final = frozenset({"source", "requires", "scripts", "pipenv", "_meta", "pipfile"})
_SCOPES: Final = {
    "packages": Scope.RUNTIME,
    "default": Scope.RUNTIME,
    "dev-packages": Scope.DEV,
    "develop": Scope.DEV,
}


def read_pipfile(source: Source, opener: Opener) -> FileRead:
    """Read a Pipfile; a category of one's own counts as optional."""
    del opener
    gather = Gather(source, "pipfile", Kind.MANIFEST)
    document = parse_toml(source)
    gather.take([document])
    _categories(gather, document.root, is_lock=False)
    for index in document.root.at("source").array:
        gather.index(index.at("url"), is_extra=bool(gather.indexes), name=index.at("name").text)
    return gather.done()


def read_pipfile_lock(source: Source, opener: Opener) -> FileRead:
    """Read Pipfile.lock. It holds no graph: direct or not is unknown."""
    del opener
    gather = Gather(source, "pipfile-lock", Kind.LOCKFILE)
    document = parse_json(source)
    gather.take([document])
    gather.expect_table(document.root)
    _categories(gather, document.root, is_lock=True)
    meta = document.root.at("_meta")
    gather.content_hash = meta.at("hash", "sha256").text
    for index in meta.at("sources").array:
        gather.index(index.at("url"), is_extra=bool(gather.indexes), name=index.at("name").text)
    return gather.done()


def _categories(gather: Gather, root: Node, *, is_lock: bool) -> None:
    for category, table in root.members():
        if category in _NOT_PACKAGES:
            continue
        scope = _SCOPES.get(category, Scope.OPTIONAL)
        for name, node in gather.members(table, category):
            gather.add(_dependency(gather, name, node, (scope, category), is_lock=is_lock))


def _dependency(gather: Gather, name: str, node: Node, category: tuple[Scope, str], *, is_lock: bool) -> Dependency:
    wanted = node if node.text is not None else node.at("version")
    text = wanted.text
    is_pin = text is not None and text.startswith("==") and not text.endswith("*") and "," not in text
    version = text.lstrip("=").strip() if text is not None and is_pin else None
    found = table_source(node)
    has_hash = bool(node.at("hashes").array) if is_lock and found.kind is SourceKind.REGISTRY else None
    return Dependency(
        Ecosystem.PYPI,
        name,
        gather.region(tail(gather, wanted, version) or node.key_place),
        version=version or None,
        requirement=text,
        provenance=found,
        is_direct=None if is_lock else True,
        scope=category[0],
        has_integrity=has_hash,
        marker=node.at("markers").text,
        extras=node.at("extras").texts(),
        group=category[1],
    )
