"""pubspec.yaml and pubspec.lock."""

import re
from typing import Final

from mcp_tools.dependency_scan.readers.gather import Gather, Opener
from mcp_tools.dependency_scan.readers.tree import Node
from mcp_tools.dependency_scan.readers.yaml_tree import parse_yaml
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

_EXACT = re.compile(r"\d+\.\d+\.\d+[0-9A-Za-z.+-]*")
_TABLES: Final = (
    ("dependencies", Scope.RUNTIME),
    ("dev_dependencies", Scope.DEV),
    ("dependency_overrides", Scope.RUNTIME),
)


def read_pubspec(source: Source, opener: Opener) -> FileRead:
    """Read pubspec.yaml; what an SDK brings has no version of its own."""
    del opener
    gather = Gather(source, "pubspec", Kind.MANIFEST)
    documents = parse_yaml(source)
    gather.take(documents)
    root = documents[0].root
    gather.expect_table(root)
    gather.project = root.at("name").text
    for table, scope in _TABLES:
        for name, node in gather.members(root.at(table), table):
            wanted = node.at("version") if node.table else node
            text = wanted.text
            exact = _EXACT.fullmatch(text or "")
            gather.add(
                Dependency(
                    Ecosystem.PUB,
                    name,
                    gather.region(node.key_place if text is None else wanted.place),
                    version=text if exact is not None else None,
                    requirement=text,
                    provenance=_where(node),
                    is_direct=True,
                    scope=scope,
                    group=table,
                )
            )
    return gather.done()


def _where(node: Node) -> Provenance:
    git = node.at("git")
    if not git.is_missing:
        url = git.text or git.at("url").text
        return Provenance(SourceKind.GIT, bare_url(url) if url else None, git.at("ref").text)
    if not node.at("path").is_missing:
        return Provenance(SourceKind.PATH, node.at("path").text)
    if not node.at("sdk").is_missing:
        return Provenance(SourceKind.UNKNOWN, f"sdk:{node.at('sdk').text}")
    hosted = node.at("hosted").text or node.at("hosted", "url").text
    return REGISTRY if hosted is None else Provenance(SourceKind.REGISTRY, bare_url(hosted))


def read_pubspec_lock(source: Source, opener: Opener) -> FileRead:
    """Read pubspec.lock, which says what is direct and what is for development."""
    del opener
    gather = Gather(source, "pubspec-lock", Kind.LOCKFILE)
    documents = parse_yaml(source)
    gather.take(documents)
    gather.expect_table(documents[0].root)
    for name, node in gather.members(documents[0].root.at("packages"), "packages"):
        kind, version = node.at("dependency").text or "", node.at("version")
        found = _locked_at(node)
        is_hosted = found.kind is SourceKind.REGISTRY
        gather.add(
            Dependency(
                Ecosystem.PUB,
                node.at("description", "name").text or name,
                gather.region(node.key_place if version.text is None else version.place),
                version=version.text,
                provenance=found,
                is_direct=kind.startswith("direct") if kind else None,
                scope=Scope.DEV
                if kind == "direct dev"
                else (Scope.RUNTIME if kind == "direct main" else Scope.UNKNOWN),
                has_integrity=not node.at("description", "sha256").is_missing if is_hosted else None,
            )
        )
    return gather.done()


def _locked_at(node: Node) -> Provenance:
    kind, url = node.at("source").text, node.at("description", "url").text
    shown = bare_url(url) if url is not None else None
    if kind == "git":
        return Provenance(SourceKind.GIT, shown, node.at("description").first("resolved-ref", "ref").text)
    if kind == "path":
        return Provenance(SourceKind.PATH, node.at("description", "path").text)
    if kind == "sdk":
        return Provenance(SourceKind.UNKNOWN, f"sdk:{node.at('description').text}")
    return Provenance(SourceKind.REGISTRY, shown)
