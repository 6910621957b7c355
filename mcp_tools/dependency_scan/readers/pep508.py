"""One Python requirement as a dependency: PEP 508 by `packaging`, the URLs and paths that pip takes beside it."""

import posixpath
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from packaging.requirements import InvalidRequirement, Requirement

from mcp_tools.dependency_scan.readers.gather import Gather
from mcp_tools.dependency_scan.readers.tree import Node
from mcp_tools.dependency_scan.values import (
    REGISTRY,
    Dependency,
    Ecosystem,
    Provenance,
    Scope,
    SourceKind,
    bare_url,
)

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_PIN = re.compile(r"===?\s*v?([^\s,;)*#]+)(?=[\s,;)]|\Z)")
_LENIENT = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[(?P<extras>[^\]]*)\])?\s*"
    r"(?P<spec>\(?\s*(?:===|==|~=|!=|<=|>=|<|>)[^;#]*)?(?:;(?P<marker>.*))?",
    re.DOTALL,
)
_VCS = re.compile(r"(?:git|hg|svn|bzr)(?:\+|://)|git@", re.IGNORECASE)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|file:|git@")
_FRAGMENT = re.compile(r"[#&]egg=([A-Za-z0-9._-]+)(?:\[([^\]]*)\])?")
_WHEEL = re.compile(r"([A-Za-z0-9_.]+?)-([0-9][^-]*)-(?:[^-]+-)?[^-]+-[^-]+-[^-]+\.whl\Z")
_SDIST = re.compile(r"([A-Za-z0-9_.-]+?)-([0-9][A-Za-z0-9.!+_]*)\.(?:tar\.gz|tgz|zip|tar\.bz2)\Z")
_LOCAL = re.compile(r"(?:\.{1,2}(?:[/\[]|\Z)|/|~/|[A-Za-z]:\\)|.*\.(?:whl|tar\.gz|zip)\Z|[^\s;=<>!~@\[]+/")
_MAX_CHARS: Final = 8_000
_MAX_PARENTHESES: Final = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """What the place of a requirement says about it."""

    scope: Scope = Scope.RUNTIME
    group: str | None = None
    is_direct: bool | None = True
    parents: tuple[str, ...] = ()
    has_integrity: bool | None = None
    provenance: Provenance | None = None  # where another part of the file says it


def add_requirement(gather: Gather, node: Node, asked: Asked) -> None:
    """Read a node whose value is a requirement; a notice says when it is not one."""
    text = node.value
    if not isinstance(text, str):
        gather.bad("a requirement is not a text", node.place)
        return
    dependency = requirement(gather, text, node.place, asked)
    if dependency is None:
        gather.bad(f"not a requirement: {bare_url(text)[:80]!r}", node.place)
    else:
        gather.add(dependency)


def requirement(gather: Gather, text: str, place: tuple[int, int], asked: Asked) -> Dependency | None:
    """The dependency that a requirement names; None when it names none.

    Args:
        gather: whose source holds the text at `place`; where it does not (escapes), the place itself is the region.
        text: such as `flask[async]==3.1.0 ; python_version >= "3.9"`, a URL, or a path.
        place: the offsets of the text.
        asked: what is known from around it.
    """
    stripped = text.strip()
    if not stripped or len(text) > _MAX_CHARS or text.count("(") > _MAX_PARENTHESES:
        return None
    if _URL.match(stripped) or (_LOCAL.match(stripped) and " @ " not in stripped):
        return _reference(gather, stripped, place, asked)
    try:
        parsed = Requirement(stripped)
    except InvalidRequirement:
        return _lenient(gather, text, place, asked)
    pin = next((each.version for each in parsed.specifier if each.operator in ("==", "===")), None)
    version = pin if pin is not None and not pin.endswith(".*") else None
    provenance = asked.provenance or (REGISTRY if parsed.url is None else direct(parsed.url).provenance)
    found = direct(parsed.url) if parsed.url is not None else None
    return Dependency(
        Ecosystem.PYPI,
        parsed.name,
        gather.region(_place(gather, text, place, version)),
        version=version if found is None else found.version,
        requirement=_as_written(stripped) or str(parsed.specifier) or None,
        provenance=provenance,
        is_direct=asked.is_direct,
        scope=asked.scope,
        parents=asked.parents,
        has_integrity=asked.has_integrity,
        marker=str(parsed.marker) if parsed.marker is not None else None,
        extras=tuple(sorted(parsed.extras)),
        group=asked.group,
    )


@dataclass(frozen=True, slots=True)
class Direct:
    """What a URL or path alone says of a package."""

    provenance: Provenance
    name: str | None = None
    version: str | None = None
    extras: tuple[str, ...] = ()


def direct(url: str) -> Direct:
    """Read a direct reference: a VCS URL with `@revision` and `#egg=`, an archive named for its version, a path."""
    egg = _FRAGMENT.search(url)
    name = egg[1] if egg is not None else None
    extras = tuple(part.strip() for part in egg[2].split(",") if part.strip()) if egg is not None and egg[2] else ()
    plain = bare_url(url)
    if _VCS.match(url):
        head, at, revision = plain.rpartition("@")
        is_revision = bool(at) and "/" in head.partition("://")[2]
        shown, commit = (head, revision) if is_revision else (plain, None)
        return Direct(Provenance(SourceKind.GIT, shown, commit), name, None, extras)
    is_path = plain.startswith("file:") or not _URL.match(plain)
    file = unquote(posixpath.basename(plain))
    archive = _WHEEL.match(file) or _SDIST.match(file)
    if archive is not None:
        name, version = name or archive[1], archive[2]
    else:
        version = None
    kind = SourceKind.PATH if is_path else SourceKind.URL
    return Direct(Provenance(kind, plain), name, version, extras)


def _reference(gather: Gather, text: str, place: tuple[int, int], asked: Asked) -> Dependency:
    url, _, marker = text.partition(" ;")
    extra_text = re.fullmatch(r"([^\[\]#]+)\[([^\]]*)\]", url.strip())
    found = direct(extra_text[1] if extra_text is not None else url.strip())
    extras = extra_text[2].split(",") if extra_text is not None else found.extras
    return Dependency(
        Ecosystem.PYPI,
        found.name or found.provenance.url or url,
        gather.region(place),
        version=found.version,
        provenance=found.provenance,
        is_direct=asked.is_direct,
        scope=asked.scope,
        parents=asked.parents,
        has_integrity=asked.has_integrity,
        marker=marker.strip() or None,
        extras=tuple(extra.strip() for extra in extras if extra.strip()),
        group=asked.group,
    )


def _lenient(gather: Gather, text: str, place: tuple[int, int], asked: Asked) -> Dependency | None:
    """What PEP 508 refuses but old tools took: a version such as `==1.0-NA`, a bad marker."""
    found = _LENIENT.fullmatch(text.strip())
    if found is None:
        return None
    spec = (found["spec"] or "").strip().strip("()").strip()
    pin = _PIN.search(spec)
    version = pin[1] if pin is not None else None
    return Dependency(
        Ecosystem.PYPI,
        found["name"],
        gather.region(_place(gather, text, place, version)),
        version=version,
        requirement=spec or None,
        provenance=asked.provenance or REGISTRY,
        is_direct=asked.is_direct,
        scope=asked.scope,
        parents=asked.parents,
        has_integrity=asked.has_integrity,
        marker=(found["marker"] or "").strip() or None,
        extras=tuple(extra.strip() for extra in (found["extras"] or "").split(",") if extra.strip()),
        group=asked.group,
    )


def _as_written(text: str) -> str:
    """The range of a requirement as its author wrote it."""
    found = _LENIENT.fullmatch(text)
    return (found["spec"] or "").strip().strip("()").strip() if found is not None else ""


def _place(gather: Gather, text: str, place: tuple[int, int], version: str | None) -> tuple[int, int]:
    """The place of the pinned version within a requirement, else of its name."""
    start = place[0]
    if len(gather.source.text[start : place[1]]) != len(text):
        return place
    name = _NAME.search(text)
    if name is None:
        return place
    if version is not None:
        at = text.find(version, name.end())
        if at >= 0:
            return start + at, start + at + len(version)
    return start + name.start(), start + name.end()
