"""Gemfile.lock and, as far as text shows it, Gemfile."""

import re
from typing import Final

from mcp_tools.dependency_scan.readers.gather import Gather, Opener
from mcp_tools.dependency_scan.readers.graph import Parents
from mcp_tools.dependency_scan.readers.tree import Node
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

_GEM = re.compile(r"""\s*(?:gem)[\s(]+(["'])([A-Za-z0-9._-]+)\1(.*)""", re.DOTALL)
_TEXT = re.compile(r"""(["'])((?:(?!\1)[^\\]|\\.)*+)\1""")
_PAIR = re.compile(
    r"""(?::?(\w+)\s*(?:=>|:)|:(\w+)\s*=>)\s*(?:(["'])([^"']*)\3|(:\w+)|(\[[^\]]*\])|(%[iw]\[[^\]]*\]))"""
)
_GROUP = re.compile(r"\s*group\b(.*)\bdo\b")
_SOURCE = re.compile(r"""\s*source[\s(]+(["'])([^"']+)\1""")
_EXACT = re.compile(r"=?\s*(\d[0-9A-Za-z.-]*)\s*")
_SPEC = re.compile(r"( {4}| {6})([^\s()!]+)(?: \(([^()]*)\))?!?\s*\Z")
_WISH = re.compile(r" {2}([^\s()!]+)(?: \(([^()]*)\))?(!)?\s*\Z")
_TOP = re.compile(r"[A-Z][A-Z ]*\Z")
_SUM = re.compile(r" {2}([^\s()]+) \(([^()]+)\) (\S+)\s*\Z")
_SOURCES: Final = {
    "GEM": SourceKind.REGISTRY,
    "GIT": SourceKind.GIT,
    "PATH": SourceKind.PATH,
    "PLUGIN SOURCE": SourceKind.UNKNOWN,
}
_DEV_GROUPS: Final = {"test": Scope.TEST, "development": Scope.DEV, "dev": Scope.DEV}


def read_gemfile(source: Source, opener: Opener) -> FileRead:
    """Read a Gemfile's `gem` lines, its groups and its source. It is a program: what is computed is not seen."""
    del opener
    gather = Gather(source, "gemfile", Kind.MANIFEST)
    groups: list[str | None] = []
    for number, line in source.lines():
        code = re.sub(r"(?<=\s)#.*|^#.*", "", line)
        base = source.offset(number, 0)
        gem = _GEM.match(code)
        if gem is not None:
            gather.add(_gem(gather, gem, base, next((group for group in reversed(groups) if group), None)))
            continue
        index = _SOURCE.match(code)
        if index is not None:
            gather.index(Node(index[2], base + index.start(2), base + index.end(2)), is_extra=bool(gather.indexes))
        group = _GROUP.match(code)
        if group is not None:
            groups.append(group[1].strip(" ():"))
        elif re.match(r"\s*end\b", code):
            del groups[-1:]
        elif re.search(r"\bdo\b(?:\s*\|[^|]*\|)?\s*\Z", code) or re.match(r"\s*(?:if|unless|case|begin|def)\b", code):
            groups.append(None)
    return gather.done()


def _gem(gather: Gather, gem: re.Match[str], base: int, group: str | None) -> Dependency:
    rest, offset = gem[3], base + gem.start(3)
    pairs = {(found[1] or found[2]): found for found in _PAIR.finditer(rest)}
    first_pair = min((found.start() for found in pairs.values()), default=len(rest))
    wishes = list(_TEXT.finditer(rest, 0, first_pair))
    exact = _EXACT.fullmatch(wishes[0][2]) if len(wishes) == 1 else None
    place = (base + gem.start(2), base + gem.end(2))
    if exact is not None:
        place = (offset + wishes[0].start(2) + exact.start(1), offset + wishes[0].start(2) + exact.end(1))
    said = {key: found[4] or found[5] or found[6] or found[7] or "" for key, found in pairs.items()}
    chosen = said.get("group") or said.get("groups") or group or ""
    words = re.findall(r"\w+", chosen)
    found = REGISTRY
    for key, kind in (
        ("git", SourceKind.GIT),
        ("github", SourceKind.GIT),
        ("gitlab", SourceKind.GIT),
        ("path", SourceKind.PATH),
    ):
        if key in said:
            found = Provenance(kind, bare_url(said[key]), said.get("ref") or said.get("tag") or said.get("branch"))
    scopes = [_DEV_GROUPS.get(word, Scope.RUNTIME) for word in words]
    return Dependency(
        Ecosystem.RUBYGEMS,
        gem[2],
        gather.region(place),
        version=exact[1] if exact is not None else None,
        requirement=", ".join(wish[2] for wish in wishes) or None,
        provenance=found,
        is_direct=True,
        scope=Scope.RUNTIME if not scopes or Scope.RUNTIME in scopes else scopes[0],
        group=", ".join(words) or None,
    )


class _Lock:
    """The state of reading a Gemfile.lock."""

    def __init__(self, gather: Gather) -> None:
        self.gather = gather
        self.section, self.spec = "", ""
        self.remote: str | None = None
        self.revision: str | None = None
        self.found: list[tuple[str, str | None, tuple[int, int], Provenance]] = []
        self.parents = Parents()
        self.wishes: dict[str, str | None] = {}
        self.sums: set[tuple[str, str]] = set()
        self.has_sums = False

    def take(self, line: str, base: int) -> bool:
        """Take a line; False when it is not understood."""
        if not line.strip():
            return True
        if _TOP.match(line):
            self.section, self.spec, self.remote, self.revision = line.strip(), "", None, None
            self.has_sums = self.has_sums or self.section == "CHECKSUMS"
            return True
        if self.section in _SOURCES:
            return self._specs(line, base)
        if self.section == "DEPENDENCIES":
            wish = _WISH.match(line)
            if wish is not None:
                self.wishes[wish[1]] = wish[2]
                region = self.gather.region((base + wish.start(1), base + wish.end(1)))
                self.gather.record(Recorded(wish[1], wish[2], region))
            return wish is not None
        if self.section == "CHECKSUMS":
            found = _SUM.match(line)
            if found is not None:
                self.sums.add((found[1], found[2]))
            return True
        return bool(self.section) and line.startswith(" ")

    def _specs(self, line: str, base: int) -> bool:
        key, colon, value = line.strip().partition(":")
        if line.startswith("  ") and line[2:3] != " " and colon:
            if key == "remote":
                self.remote = bare_url(value)
            elif key == "revision":
                self.revision = value.strip()
            return True
        spec = _SPEC.match(line)
        if spec is None:
            return False
        if len(spec[1]) == 6:
            self.parents.add(spec[2], self.spec)
            return True
        self.spec = spec[2]
        group = 3 if spec[3] else 2
        place = (base + spec.start(group), base + spec.end(group))
        where = Provenance(_SOURCES[self.section], self.remote, self.revision)
        self.found.append((spec[2], spec[3], place, where))
        return True


def read_gemfile_lock(source: Source, opener: Opener) -> FileRead:
    """Read Gemfile.lock: a version without the platform that may follow it."""
    del opener
    gather = Gather(source, "gemfile-lock", Kind.LOCKFILE)
    lock, has_told = _Lock(gather), False
    for number, line in source.lines():
        if not lock.take(line, source.offset(number, 0)) and not has_told:
            has_told = True
            gather.bad("not a line of Gemfile.lock", (source.offset(number, 0), source.offset(number, len(line))))
    for name, stated, place, where in lock.found:
        version = stated.partition("-")[0] if stated is not None else None
        stop = place[0] + len(version) if version is not None else place[1]
        is_packed = lock.has_sums and where.kind is SourceKind.REGISTRY
        gather.add(
            Dependency(
                Ecosystem.RUBYGEMS,
                name,
                gather.region((place[0], stop)),
                version=version,
                provenance=where,
                is_direct=name in lock.wishes if lock.wishes else None,
                parents=lock.parents.of(name),
                has_integrity=(name, stated) in lock.sums if is_packed else None,
            )
        )
    return gather.done()
