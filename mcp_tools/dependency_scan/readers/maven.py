"""pom.xml."""

import re
from collections.abc import Iterator
from typing import Final

from mcp_tools.dependency_scan.readers.gather import Gather, Opener
from mcp_tools.dependency_scan.readers.xml_tree import Element, XmlDocument, parse_xml
from mcp_tools.dependency_scan.values import Dependency, Ecosystem, FileRead, Kind, Provenance, Scope, SourceKind
from mcp_tools.project import Source

_PROPERTY = re.compile(r"\$\{([^${}\s]+)\}")
_MAX_ROUNDS = 10
_MAX_CHARS = 500
_HARD = re.compile(r"\[\s*([^\s,\[\]()]+)\s*\]")
_SCOPES: Final = {
    "test": Scope.TEST,
    "provided": Scope.BUILD,
    "system": Scope.RUNTIME,
    "compile": Scope.RUNTIME,
    "runtime": Scope.RUNTIME,
    "import": Scope.BUILD,
}


def read_pom(source: Source, opener: Opener) -> FileRead:
    """Read pom.xml: dependencies, managed ones, parent and plugins, with the properties that the file itself has."""
    del opener
    gather = Gather(source, "pom", Kind.MANIFEST)
    document = parse_xml(source)
    gather.notices(document.notices)
    if document.root is not None and document.root.name == "project":
        _Pom(gather, document, document.root).read()
    elif not document.notices:
        gather.tell("not-parsed", "not read: its root is no <project>")
    return gather.done()


class _Pom:
    """One Maven project."""

    def __init__(self, gather: Gather, document: XmlDocument, root: Element) -> None:
        self.gather, self.document, self.root = gather, document, root
        parent = root.child("parent")
        inherited = parent if parent is not None else root
        version = root.said("version") or inherited.said("version")
        group = root.said("groupId") or inherited.said("groupId")
        self.properties = {element.name: element.text for each in root.below("properties") for element in each.children}
        for prefix in ("project.", "pom.", ""):
            self.properties.setdefault(f"{prefix}version", version)
            self.properties.setdefault(f"{prefix}groupId", group)
            self.properties.setdefault(f"{prefix}artifactId", root.said("artifactId"))
        if parent is not None:
            self.properties.setdefault("project.parent.version", parent.said("version"))
            self.properties.setdefault("parent.version", parent.said("version"))
            self.properties.setdefault("project.parent.groupId", parent.said("groupId"))

    def read(self) -> None:
        """Go through everything that names a package."""
        root = self.root
        self.gather.project = root.said("artifactId") or None
        licenses = [element.said("name") for element in root.below("licenses", "license") if element.said("name")]
        self.gather.license = " OR ".join(licenses) or None
        managed = {
            name: element
            for element in root.below("dependencyManagement", "dependencies", "dependency")
            if (name := self._name(element)) is not None
        }
        parent = root.child("parent")
        if parent is not None:
            self._add(parent, Scope.BUILD, "parent", managed)
        for holder in (root, *root.below("profiles", "profile")):
            for element, scope, group in self._asked(holder):
                self._add(element, scope, group, managed)

    def _asked(self, holder: Element) -> Iterator[tuple[Element, Scope | None, str | None]]:
        profile = f"profile {holder.said('id')}" if holder is not self.root else None
        for element in holder.below("dependencies", "dependency"):
            yield element, None, profile
        for element in holder.below("dependencyManagement", "dependencies", "dependency"):
            yield element, None, "dependencyManagement"
        for path in (("plugins", "plugin"), ("pluginManagement", "plugins", "plugin"), ("extensions", "extension")):
            for element in holder.below("build", *path):
                yield element, Scope.BUILD, "plugin"

    def _name(self, element: Element) -> str | None:
        group = self._filled(element.said("groupId")) or (
            "org.apache.maven.plugins" if element.name == "plugin" else ""
        )
        artifact = self._filled(element.said("artifactId"))
        return f"{group}:{artifact}" if group and artifact else None

    def _add(self, element: Element, scope: Scope | None, group: str | None, managed: dict[str, Element]) -> None:
        name = self._name(element)
        if name is None:
            self.gather.bad(f"a <{element.name}> without a name", (element.start, element.inner))
            return
        stated = element.child("version")
        inherited = managed.get(name) if stated is None and element is not managed.get(name) else None
        version = stated if stated is not None else (inherited.child("version") if inherited is not None else None)
        requirement = self._filled(version.text) if version is not None else ""
        artifact = element.child("artifactId") or element
        word = self._filled(element.said("scope"))
        chosen = scope or _SCOPES.get(word, Scope.RUNTIME)
        if chosen is Scope.RUNTIME and element.said("optional") == "true":
            chosen = Scope.OPTIONAL
        system = element.said("systemPath")
        self.gather.add(
            Dependency(
                Ecosystem.MAVEN,
                name,
                self.gather.region(self.document.text_place(stated or artifact)),
                version=_exact(requirement),
                requirement=requirement or None,
                provenance=Provenance(SourceKind.PATH, system) if system else Provenance(),
                is_direct=True,
                scope=chosen,
                group=group,
            )
        )

    def _filled(self, text: str) -> str:
        """A text with its properties filled in; one that is not known stays as written."""
        for _ in range(_MAX_ROUNDS):
            filled = _PROPERTY.sub(lambda found: self.properties.get(found[1]) or found[0], text[:_MAX_CHARS])
            if filled == text:
                break
            text = filled
        return text[:_MAX_CHARS]


def _exact(requirement: str) -> str | None:
    """The version a requirement means: a bare one (Maven takes it unless another wins) or `[1.2]`; None for a range."""
    hard = _HARD.fullmatch(requirement)
    if hard is not None:
        return hard[1]
    is_open = not requirement or requirement[0] in "[(" or "${" in requirement
    return None if is_open or requirement in ("LATEST", "RELEASE") else requirement
