"""gradle.lockfile and gradle's version catalogue libs.versions.toml."""

import re

from mcp_tools.dependency_scan.readers.gather import Gather, Opener
from mcp_tools.dependency_scan.readers.toml_tree import parse_toml
from mcp_tools.dependency_scan.readers.tree import Node
from mcp_tools.dependency_scan.values import Dependency, Ecosystem, FileRead, Kind, Scope
from mcp_tools.project import Source

_LOCKED = re.compile(r"([^\s:=]+):([^\s:=]+):([^\s:=]+)=(.*)")
_RANGE = re.compile(r"[\[\](),+]|latest\.")


def read_gradle_lockfile(source: Source, opener: Opener) -> FileRead:
    """Read gradle.lockfile or buildscript-gradle.lockfile. Its configurations say what a module is for."""
    del opener
    gather = Gather(source, "gradle-lock", Kind.LOCKFILE)
    for number, line in source.lines():
        text = line.strip()
        if not text or text.startswith(("#", "empty=")):
            continue
        found = _LOCKED.fullmatch(text)
        base = source.offset(number, len(line) - len(line.lstrip()))
        if found is None:
            gather.bad("not a locked module", (base, base + len(text)))
            continue
        configurations = [word.strip() for word in found[4].split(",")]
        gather.add(
            Dependency(
                Ecosystem.MAVEN,
                f"{found[1]}:{found[2]}",
                gather.region((base + found.start(3), base + found.end(3))),
                version=found[3],
                scope=Scope.BUILD if "buildscript" in source.path.rpartition("/")[2] else _scope(configurations),
                group=configurations[0] or None,
            )
        )
    return gather.done()


def _scope(configurations: list[str]) -> Scope:
    words = [word.lower() for word in configurations if word]
    if not words:
        return Scope.UNKNOWN
    if all("test" in word for word in words):
        return Scope.TEST
    is_runtime = any("test" not in word and word.endswith(("runtimeclasspath", "compileclasspath")) for word in words)
    return Scope.RUNTIME if is_runtime else Scope.BUILD


def read_version_catalog(source: Source, opener: Opener) -> FileRead:
    """Read a `*.versions.toml` catalogue. A plugin's package is its marker, `id:id.gradle.plugin`."""
    del opener
    gather = Gather(source, "gradle-catalog", Kind.MANIFEST)
    document = parse_toml(source)
    gather.take([document])
    root = document.root
    versions = root.at("versions")
    for alias, node in gather.members(root.at("libraries"), "libraries"):
        group, _, rest = (node.text or node.at("module").text or "").partition(":")
        artifact, _, inline = rest.partition(":")
        group, artifact = group or node.at("group").text or "", artifact or node.at("name").text or ""
        if not group or not artifact:
            gather.bad(f"the library {alias[:80]!r} has no name", node.key_place)
            continue
        _add(gather, f"{group}:{artifact}", node, (inline, versions), Scope.RUNTIME)
    for alias, node in gather.members(root.at("plugins"), "plugins"):
        plugin, _, inline = (node.text or node.at("id").text or "").partition(":")
        if plugin:
            _add(gather, f"{plugin}:{plugin}.gradle.plugin", node, (inline, versions), Scope.BUILD)
        else:
            gather.bad(f"the plugin {alias[:80]!r} has no id", node.key_place)
    return gather.done()


def _add(gather: Gather, name: str, node: Node, known: tuple[str, Node], scope: Scope) -> None:
    inline, versions = known
    wanted = node.at("version")
    reference = wanted.at("ref").text
    if reference is not None:
        wanted = versions.at(reference)
    wanted = wanted if wanted.text is not None else wanted.first("strictly", "require", "prefer")
    text = inline or wanted.text
    if inline:
        place = (node.stop - len(inline), node.stop)
    elif wanted.text is not None and reference is None:
        place = wanted.place
    else:
        named = node if node.text is not None else node.first("module", "name", "id")
        place = node.key_place if named.is_missing else named.place
    gather.add(
        Dependency(
            Ecosystem.MAVEN,
            name,
            gather.region(place),
            version=text if text and not _RANGE.search(text) else None,
            requirement=text,
            is_direct=True,
            scope=scope,
        )
    )
