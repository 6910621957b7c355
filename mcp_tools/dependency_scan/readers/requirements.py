"""requirements.txt and constraints files, as pip reads them, with the files they pull in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from mcp_tools.dependency_scan.readers.gather import Gather, Opener, beside
from mcp_tools.dependency_scan.readers.pep508 import Asked, requirement
from mcp_tools.dependency_scan.readers.tree import Node
from mcp_tools.dependency_scan.values import Dependency, FileRead, Kind, Scope, SourceKind, bare_url
from mcp_tools.finding import Notice
from mcp_tools.project import Source

MAX_INCLUDED: Final = 100
MAX_INCLUDE_DEPTH: Final = 16
_LINE_END = re.compile(r"\r\n|\n|\r")
_CONTINUED = re.compile(r"\\(\r\n|\n|\r)")
_COMMENT = re.compile(r"(?:^|(?<=\s))#")
_OPTION = re.compile(r"\s(?=--?(?:hash|config-settings?|global-option|install-option|build-option)\b)")
_FLAG = re.compile(r"(--[a-z-]+|-[a-zA-Z])(?:\s*=\s*|\s+|(?<=-[a-zA-Z])(?=\S)|\Z)")
_VIA = re.compile(r"#\s+via(?:\s+(\S.*?))?\s*\Z")
_VIA_MORE = re.compile(r"#\s{2,}(\S.*?)\s*\Z")
_INCLUDES = {"-r": "requirements", "--requirement": "requirements", "-c": "constraints", "--constraint": "constraints"}
_INDEXES = {"-i": False, "--index-url": False, "--pypi-url": False, "--extra-index-url": True, "-f": True}
_SCOPES = (("test", Scope.TEST), ("dev", Scope.DEV), ("doc", Scope.DEV), ("lint", Scope.DEV), ("build", Scope.BUILD))


@dataclass(slots=True)
class _Reach:
    """The files that one reading has reached."""

    opener: Opener
    seen: set[str]
    files: list[FileRead]


def read_requirements(source: Source, opener: Opener) -> FileRead:
    """Read a requirements file; what `-r` and `-c` name is in `included`, and exact constraints fill in versions."""
    reach = _Reach(opener, {source.path}, [])
    read = _File(source, "requirements", reach, 0).read()
    pins = {
        item.normalised: item.version
        for file in reach.files
        if file.format == "constraints"
        for item in file.dependencies
        if item.version is not None and item.marker is None
    }
    included = tuple(file if file.format == "constraints" else _pinned(file, pins) for file in reach.files)
    return replace(_pinned(read, pins), included=included)


def read_constraints(source: Source, opener: Opener) -> FileRead:
    """Read a constraints file by itself."""
    reach = _Reach(opener, {source.path}, [])
    read = _File(source, "constraints", reach, 0).read()
    return replace(read, included=tuple(reach.files))


def _pinned(file: FileRead, pins: Mapping[str, str]) -> FileRead:
    """The same file with the versions that constraints force on what it leaves open."""
    if not pins:
        return file
    return replace(file, dependencies=tuple(_pin(item, pins) for item in file.dependencies))


def _pin(item: Dependency, pins: Mapping[str, str]) -> Dependency:
    if item.version is not None or item.provenance.kind is not SourceKind.REGISTRY or item.normalised not in pins:
        return item
    return replace(item, version=pins[item.normalised])


class _File:
    """One requirements file on its way to a FileRead."""

    def __init__(self, source: Source, file_format: str, reach: _Reach, depth: int) -> None:
        self.source, self.reach, self.depth = source, reach, depth
        self.gather = Gather(source, file_format, Kind.MANIFEST)
        self.scope = Scope.UNKNOWN if file_format == "constraints" else scope_of(source.path)
        self.has_hashes = "--hash" in source.text
        self.has_via = re.search(r"#\s+via\b", source.text) is not None

    def read(self) -> FileRead:
        """Go through the logical lines."""
        last: int | None = None
        via: list[str] = []
        for start, stop in _logical_lines(self.source.text):
            raw = self.source.text[start:stop]
            comment = _COMMENT.search(raw)
            said = raw[comment.start() :] if comment is not None else ""
            line = _CONTINUED.sub(lambda end: " " * (len(end[0])), raw[: comment.start()] if comment else raw)
            if line.strip():
                self._close(last, via)
                before, via = len(self.gather.dependencies), []
                self._line(line, start)
                last = before if len(self.gather.dependencies) > before else None
            if said and self.has_via:
                _take_via(said, via, is_begun=bool(via))
        self._close(last, via)
        return self.gather.done()

    def _close(self, last: int | None, via: list[str]) -> None:
        """Give the last requirement the parents that the comments after it named."""
        if last is None or not self.has_via:
            return
        parents = tuple(name for name in via if name and not _is_file(name))
        is_direct = any(map(_is_file, via)) if any(via) else None
        known = self.gather.dependencies[last]
        self.gather.dependencies[last] = replace(known, parents=parents, is_direct=is_direct)

    def _line(self, line: str, start: int) -> None:
        text = line.lstrip()
        offset = start + len(line) - len(text)
        text = text.rstrip()
        flag = _FLAG.match(text) if text.startswith("-") else None
        if flag is None:
            self._requirement(text, offset)
            return
        name, value, at = flag[1], text[flag.end() :].strip(), offset + flag.end()
        place = (at, at + len(value))
        if name in _INCLUDES:
            self._include(value.strip("\"'"), place, _INCLUDES[name])
        elif name in ("-e", "--editable"):
            self._requirement(value, at)
        elif name in _INDEXES and value:
            self.gather.index(Node(value, *place), is_extra=_INDEXES[name])

    def _requirement(self, text: str, offset: int) -> None:
        option = _OPTION.search(text)
        bare = (text[: option.start()] if option is not None else text).rstrip()
        has_hash = option is not None and "--hash" in text[option.start() :]
        asked = Asked(self.scope, has_integrity=has_hash if self.has_hashes else None)
        place = (offset, offset + len(bare))
        found = requirement(self.gather, bare, place, asked)
        if found is not None:
            self.gather.add(found)
        else:
            self.gather.bad(f"not a requirement: {bare_url(bare)[:80]!r}", place)

    def _include(self, target: str, place: tuple[int, int], file_format: str) -> None:
        path = beside(self.source.path, target) if target else None
        if path is None:
            shown = bare_url(target)[:200]
            self.gather.tell("include-not-followed", f"{shown!r} lies outside the project: not followed")
            return
        if path in self.reach.seen:
            return
        if self.depth + 1 > MAX_INCLUDE_DEPTH or len(self.reach.seen) > MAX_INCLUDED:
            self.gather.tell("include-not-followed", f"{target[:200]!r}: too many files are included")
            return
        self.reach.seen.add(path)
        opened = self.reach.opener(path)
        if isinstance(opened, Notice):
            line = self.source.position(place[0])[0] + 1
            self.gather.tell("include-not-read", f"line {line}: {target[:200]!r}: {opened.message}")
            return
        self.reach.files.append(_File(opened, file_format, self.reach, self.depth + 1).read())


def scope_of(path: str) -> Scope:
    """What a requirements file is for, by its name; runtime when the name says nothing."""
    name = path.rpartition("/")[2].lower()
    folder = path.rpartition("/")[0].rpartition("/")[2].lower() if path.count("/") else ""
    words = re.split(r"[^a-z]+", name) + (re.split(r"[^a-z]+", folder) if folder.startswith("req") else [])
    return next((scope for word, scope in _SCOPES if any(each.startswith(word) for each in words)), Scope.RUNTIME)


def _logical_lines(text: str) -> "list[tuple[int, int]]":
    """The offsets of logical lines: a line whose end is escaped goes on, unless it is a comment."""
    spans: list[tuple[int, int]] = []
    start = offset = 0
    while offset <= len(text):
        end = _LINE_END.search(text, offset)
        stop = end.start() if end is not None else len(text)
        is_comment = text[offset:stop].lstrip().startswith("#")
        following = end.end() if end is not None else len(text) + 1
        if not (stop > offset and text[stop - 1] == "\\" and not is_comment and end is not None):
            spans.append((start, stop))
            start = following
        offset = following
    return spans


def _take_via(comment: str, via: list[str], *, is_begun: bool) -> None:
    """Read pip-compile's and uv's `# via` comments: on one line, or a name a line."""
    found = _VIA.match(comment)
    if found is not None:
        via.extend(part.strip() for part in (found[1] or "").split(","))
        return
    more = _VIA_MORE.match(comment) if is_begun else None
    if more is not None:
        via.append(more[1])


def _is_file(name: str) -> bool:
    """Say whether a `via` names a file rather than a package."""
    return name.startswith(("-r", "-c")) or "(" in name or "/" in name or name.endswith((".in", ".toml"))
