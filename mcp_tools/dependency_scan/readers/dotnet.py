"""NuGet: packages.lock.json, *.csproj and its kin, Directory.Packages.props, packages.config."""

import re
from typing import Final

from mcp_tools.dependency_scan.readers.gather import Gather, Opener
from mcp_tools.dependency_scan.readers.graph import Parents
from mcp_tools.dependency_scan.readers.json_tree import parse_json
from mcp_tools.dependency_scan.readers.xml_tree import Element, XmlDocument, parse_xml
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
)
from mcp_tools.project import Source

_PROPERTY = re.compile(r"\$\(([A-Za-z_][\w.]*)\)")
_EXACT = re.compile(r"\[\s*([^\s,\[\]()*]+)\s*\]|(\d[^\s,\[\]()*]*)")
_ITEMS: Final = ("PackageReference", "PackageVersion", "GlobalPackageReference", "PackageDownload")
_MAX_ROUNDS = 5


def read_packages_lock(source: Source, opener: Opener) -> FileRead:
    """Read packages.lock.json: the packages of each target framework; `group` is the framework."""
    del opener
    gather = Gather(source, "nuget-lock", Kind.LOCKFILE)
    document = parse_json(source)
    gather.take([document])
    gather.expect_table(document.root)
    for framework, table in gather.members(document.root.at("dependencies"), "dependencies"):
        parents = Parents()
        for name, node in table.members():
            for child in node.at("dependencies").table:
                parents.add(child.lower(), name)
        for name, node in gather.members(table, framework):
            kind, version = (node.at("type").text or "").lower(), node.at("resolved")
            if kind == "direct" and node.at("requested").text is not None:
                wish = node.at("requested")
                gather.record(Recorded(name, wish.text, gather.region(wish.place), Scope.RUNTIME, framework))
            is_own = kind == "project"
            gather.add(
                Dependency(
                    Ecosystem.NUGET,
                    name,
                    gather.region(node.key_place if version.text is None else version.place),
                    version=version.text,
                    requirement=node.at("requested").text,
                    provenance=Provenance(SourceKind.WORKSPACE) if is_own else REGISTRY,
                    is_direct=kind == "direct",
                    scope=Scope.RUNTIME,
                    parents=parents.of(name.lower()),
                    has_integrity=None if is_own else node.at("contentHash").text is not None,
                    group=framework,
                )
            )
    return gather.done()


def read_msbuild(source: Source, opener: Opener) -> FileRead:
    """Read a project's package references. A bare version is the lowest allowed, and what NuGet takes: it is exact."""
    del opener
    gather = Gather(source, "msbuild", Kind.MANIFEST)
    document = parse_xml(source)
    gather.notices(document.notices)
    root = document.root
    if root is None:
        return gather.done()
    properties = {element.name: element.text for group in root.below("PropertyGroup") for element in group.children}
    gather.project = properties.get("PackageId") or properties.get("AssemblyName") or None
    gather.license = properties.get("PackageLicenseExpression") or None
    pending = list(reversed(root.children))
    while pending:
        element = pending.pop()
        if element.name in _ITEMS:
            _item(gather, document, element, properties)
        elif element.name in ("ItemGroup", "Choose", "When", "Otherwise"):
            pending.extend(reversed(element.children))
    return gather.done()


def _item(gather: Gather, document: XmlDocument, element: Element, properties: dict[str, str]) -> None:
    key = next((word for word in ("Include", "Update") if word in element.attributes), None)
    if key is None:
        if "Remove" not in element.attributes:
            gather.bad(f"a {element.name} without a name", (element.start, element.inner))
        return
    stated = next((word for word in ("VersionOverride", "Version") if word in element.attributes), None)
    child = element.child("VersionOverride") or element.child("Version")
    if stated is not None:
        text, place = element.attributes[stated], document.attribute_place(element, stated)
    elif child is not None:
        text, place = child.text, document.text_place(child)
    else:
        text, place = "", document.attribute_place(element, key)
    wanted = _filled(text.strip(), properties)
    exact = _EXACT.fullmatch(wanted)
    private = element.attributes.get("PrivateAssets") or element.said("PrivateAssets")
    for name in _filled(element.attributes[key], properties).split(";"):
        if name.strip():
            gather.add(
                Dependency(
                    Ecosystem.NUGET,
                    name.strip(),
                    gather.region(place),
                    version=(exact[1] or exact[2]) if exact is not None else None,
                    requirement=wanted or None,
                    is_direct=True,
                    scope=Scope.BUILD if private.lower() == "all" else Scope.RUNTIME,
                    marker=element.attributes.get("Condition"),
                    group=element.name if element.name != "PackageReference" else None,
                )
            )


def _filled(text: str, properties: dict[str, str]) -> str:
    for _ in range(_MAX_ROUNDS):
        filled = _PROPERTY.sub(lambda found: properties.get(found[1]) or found[0], text[:500])
        if filled == text:
            break
        text = filled
    return text[:500]


def read_packages_config(source: Source, opener: Opener) -> FileRead:
    """Read packages.config, which lists exact versions, transitive ones too."""
    del opener
    gather = Gather(source, "nuget-config", Kind.MANIFEST)
    document = parse_xml(source)
    gather.notices(document.notices)
    for element in document.root.below("package") if document.root is not None else ():
        name, version = element.attributes.get("id", ""), element.attributes.get("version")
        place = document.attribute_place(element, "version" if version is not None else "id")
        is_dev = element.attributes.get("developmentDependency", "").lower() == "true"
        gather.add(
            Dependency(
                Ecosystem.NUGET,
                name,
                gather.region(place),
                version=version,
                requirement=element.attributes.get("allowedVersions") or version,
                scope=Scope.DEV if is_dev else Scope.RUNTIME,
            )
        )
    return gather.done()
