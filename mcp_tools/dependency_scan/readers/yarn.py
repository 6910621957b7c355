"""yarn.lock: the indented text of yarn 1 and the YAML of yarn 2 and later."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from mcp_tools.dependency_scan.readers.gather import MAX_DEPENDENCIES, Gather, Opener
from mcp_tools.dependency_scan.readers.graph import Parents
from mcp_tools.dependency_scan.readers.npm_spec import provenance, read_spec, resolved, split_name
from mcp_tools.dependency_scan.readers.tree import not_parsed
from mcp_tools.dependency_scan.readers.yaml_tree import parse_yaml
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
    bare_url,
)
from mcp_tools.project import Source

_LINE = re.compile(r"([ ]*+)([^\r\n]*+)(?:\r\n|\n|\r|\Z)")
_DESCRIPTOR = re.compile(r'"((?:[^"\\]|\\.)*+)"|([^",\s]+)')
_FIELD = re.compile(r'(?:"((?:[^"\\]|\\.)*+)"|([^"\s]\S*))(?:\s+(?:"((?:[^"\\]|\\.)*+)"|(\S.*)))?\s*\Z')
_LINKED: Final = ("dependencies", "optionalDependencies", "peerDependencies")


def read_yarn_lock(source: Source, opener: Opener) -> FileRead:
    """Read yarn.lock of any version. Yarn 1 does not say which are direct; later ones do, by their workspaces."""
    del opener
    if re.search(r"^__metadata:", source.text, re.MULTILINE) is not None:
        return _read_berry(source)
    return _read_classic(source)


@dataclass(slots=True)
class _Entry:
    """One block of a yarn 1 lockfile."""

    descriptors: list[str]
    place: tuple[int, int]
    fields: dict[str, str] = field(default_factory=dict[str, str])
    version_place: tuple[int, int] | None = None
    asked: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


def _read_classic(source: Source) -> FileRead:
    gather = Gather(source, "yarn-lock", Kind.LOCKFILE)
    entries = list(islice(_entries(gather), MAX_DEPENDENCIES + 1))
    parents = Parents()
    for entry in entries:
        name = split_name(entry.descriptors[0])[0]
        for child, wanted in entry.asked:
            parents.add(f"{child}@{wanted}", name)
    for entry in entries:
        if gather.is_full:
            break
        asking = dict.fromkeys(name for each in entry.descriptors for name in parents.of(each))
        alias, wanted = split_name(entry.descriptors[0])
        spec = read_spec(wanted)
        found = resolved(entry.fields.get("resolved"))
        elsewhere = spec.provenance if spec.provenance.kind is not SourceKind.REGISTRY else None
        name = spec.name or alias
        provenance_ = (elsewhere or found) if found.kind is not SourceKind.GIT else found
        is_packed = provenance_.kind in (SourceKind.REGISTRY, SourceKind.URL)
        has_hash = "integrity" in entry.fields or "#" in entry.fields.get("resolved", "")
        gather.add(
            Dependency(
                Ecosystem.NPM,
                name,
                gather.region(entry.version_place or entry.place),
                version=entry.fields.get("version"),
                requirement=spec.requirement,
                provenance=provenance_,
                parents=tuple(asking),
                has_integrity=has_hash if is_packed else None,
                alias=alias if alias != name else None,
            )
        )
    return gather.done()


def _entries(gather: Gather) -> Iterator[_Entry]:
    """The blocks of a yarn 1 lockfile; what is no such thing is said once."""
    entry: _Entry | None = None
    section, has_told = "", False
    for line in _LINE.finditer(gather.source.text):
        indent, text = len(line[1]), line[2].rstrip()
        if not text or text.startswith("#"):
            continue
        if indent == 0 and text.endswith(":"):
            if entry is not None:
                yield entry
            names = [found[1] or found[2] for found in _DESCRIPTOR.finditer(text[:-1])]
            entry = _Entry(names, (line.start(2), line.start(2) + len(text) - 1)) if names else None
            section = ""
            continue
        part = _FIELD.match(text)
        if entry is None or part is None or indent == 0:
            if not has_told:
                has_told = True
                gather.notices([not_parsed(gather.source, "yarn.lock", "not an entry", line.start())])
            continue
        section = _field(entry, part, (indent, line.start(2)), section)
    if entry is not None:
        yield entry


def _field(entry: _Entry, part: re.Match[str], place: tuple[int, int], section: str) -> str:
    """Put a line into its entry; returns the section that it opens or stands in."""
    indent, offset = place
    key, value = part[1] or part[2], part[3] or part[4]
    if indent >= 4:
        if section in _LINKED and value is not None:
            entry.asked.append((key, value))
        return section
    if value is None:
        return key.removesuffix(":")
    entry.fields[key] = value
    if key == "version":
        group = 3 if part[3] else 4
        entry.version_place = (offset + part.start(group), offset + part.end(group))
    return ""


def _read_berry(source: Source) -> FileRead:
    gather = Gather(source, "yarn-lock", Kind.LOCKFILE)
    documents = parse_yaml(source)
    gather.take(documents)
    root = documents[-1].root
    parents, direct = Parents(), set[str]()
    for descriptors, entry in root.members():
        if descriptors == "__metadata":
            continue
        name, where = split_name(entry.at("resolution").text or descriptors)
        is_member = where.startswith("workspace:")
        if where == "workspace:.":
            gather.project = name
        for key in ("dependencies", "peerDependencies"):
            for child, wanted in entry.at(key).members():
                wish = f"{child}@{wanted.text or ''}"
                parents.add(wish, name)
                if is_member:
                    direct.update((wish, f"{child}@npm:{wanted.text}"))
                    region = gather.region(wanted.place)
                    gather.record(Recorded(child, wanted.text, region, Scope.UNKNOWN, where.partition(":")[2]))
    for descriptors, entry in root.members():
        if descriptors == "__metadata":
            continue
        if entry.at("version").is_missing and entry.at("resolution").is_missing:
            gather.bad("an entry without a version", entry.key_place)
            continue
        wishes = [wish.strip() for wish in descriptors.split(",")]
        keys = [*wishes, *(wish.replace("@npm:", "@", 1) for wish in wishes if "@npm:" in wish)]
        asking = dict.fromkeys(name for wish in keys for name in parents.of(wish))
        alias, wanted = split_name(wishes[0])
        name, where = split_name(entry.at("resolution").text or wishes[0])
        found = _berry_source(where)
        version = entry.at("version")
        gather.add(
            Dependency(
                Ecosystem.NPM,
                name,
                gather.region(entry.key_place if version.text is None else version.place),
                version=version.text,
                requirement=read_spec(wanted).requirement if "@" in wanted[5:] else wanted.removeprefix("npm:") or None,
                provenance=found,
                is_direct=any(wish in direct for wish in keys),
                parents=tuple(asking),
                has_integrity=not entry.at("checksum").is_missing if found.kind is SourceKind.REGISTRY else None,
                alias=alias if alias != name else None,
            )
        )
    return gather.done()


def _berry_source(where: str) -> Provenance:
    if where.startswith("npm:"):
        archive = where.partition("__archiveUrl=")[2]
        return REGISTRY if not archive else Provenance(SourceKind.REGISTRY, bare_url(archive))
    if where.startswith("workspace:"):
        return Provenance(SourceKind.WORKSPACE, where.partition(":")[2])
    if where.startswith("patch:"):
        return REGISTRY
    return provenance(where) or Provenance(SourceKind.UNKNOWN, bare_url(where) or None)
