"""go.mod and go.sum."""

import re
from dataclasses import dataclass

from mcp_tools.dependency_scan.readers.gather import MAX_DEPENDENCIES, Gather, Opener
from mcp_tools.dependency_scan.values import (
    REGISTRY,
    Dependency,
    Ecosystem,
    FileRead,
    Kind,
    Provenance,
    Scope,
    SourceKind,
)
from mcp_tools.project import Source

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|`[^`]*+`|=>|[(),\[\]]|//[^\r\n]*+|[^\s"`(),\[\]]++')
_VERSION = re.compile(r"v\d+(?:\.\d+){0,2}[0-9A-Za-z.+-]*")
_DIRECTIVES = frozenset(
    {"module", "go", "toolchain", "require", "replace", "exclude", "retract", "tool", "godebug", "ignore"}
)
_SUM = re.compile(r"[ \t]*+(\S++)[ \t]++(v[^\s/]++)(/go\.mod)?[ \t]++(h1:\S++)[ \t]*+\Z")


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    start: int

    @property
    def place(self) -> tuple[int, int]:
        return self.start, self.start + len(self.text)

    @property
    def plain(self) -> str:
        return self.text.strip('"`')


@dataclass(frozen=True, slots=True)
class _Target:
    """What a `replace` leads to; `version` None for a folder."""

    name: str
    version: _Word | None


def read_go_mod(source: Source, opener: Opener) -> FileRead:
    """Read go.mod. `go 1.22.3` asks for `stdlib`; what `replace` names stands in for what it replaces."""
    del opener
    gather = Gather(source, "go-mod", Kind.MANIFEST)
    statements = list(_statements(gather))
    replaced: dict[tuple[str, str], _Target] = {}
    for directive, words, _ in statements:
        if directive == "replace":
            _replace(gather, words, replaced)
    excluded = {
        (words[0].plain, words[1].plain)
        for directive, words, _ in statements
        if directive == "exclude" and len(words) > 1
    }
    for directive, words, comment in statements:
        if directive == "module" and words:
            gather.project = words[0].plain
        elif directive in ("go", "toolchain") and words:
            _toolchain(gather, directive, words[0])
        elif directive == "require":
            if len(words) != 2 or not _VERSION.fullmatch(words[1].plain):
                gather.bad("not a requirement", words[0].place if words else (0, 0))
            elif (words[0].plain, words[1].plain) not in excluded:
                gather.add(_required(gather, words, comment, replaced))
    return gather.done()


def _statements(gather: Gather) -> "list[tuple[str, list[_Word], str]]":
    """The directives with their words and comment; those of a block one by one."""
    found: list[tuple[str, list[_Word], str]] = []
    block: str | None = None
    has_told = False
    for number, line in gather.source.lines():
        if len(found) > 2 * MAX_DEPENDENCIES:
            gather.tell("too-many-dependencies", f"line {number + 1}: more directives than are read")
            return found
        base = gather.source.offset(number, 0)
        words = [_Word(token[0], base + token.start()) for token in _TOKEN.finditer(line)]
        comment = words.pop().text if words and words[-1].text.startswith("//") else ""
        if not words:
            continue
        if block is not None:
            if words[0].text == ")":
                block = None
            else:
                found.append((block, words, comment))
        elif words[0].text in _DIRECTIVES and len(words) == 2 and words[1].text == "(":
            block = words[0].text
        elif words[0].text in _DIRECTIVES:
            found.append((words[0].text, words[1:], comment))
        elif not has_told:
            has_told = True
            gather.bad("not a directive of go.mod", words[0].place)
    if block is not None:
        gather.tell("not-parsed", f"not read to its end: the block of {block!r} is not closed")
    return found


def _replace(gather: Gather, words: list[_Word], replaced: dict[tuple[str, str], _Target]) -> None:
    arrow = next((at for at, word in enumerate(words) if word.text == "=>"), 0)
    left, right = words[:arrow], words[arrow + 1 :]
    if not left or not right:
        gather.bad("not a replacement", words[0].place if words else (0, 0))
        return
    version = left[1].plain if len(left) > 1 else ""
    replaced[left[0].plain, version] = _Target(right[0].plain, right[1] if len(right) > 1 else None)


def _toolchain(gather: Gather, directive: str, word: _Word) -> None:
    version = word.plain.removeprefix("go") if directive == "toolchain" else word.plain
    if not re.fullmatch(r"\d+\.\d+[0-9A-Za-z.]*", version):
        return
    stop = word.place[1]
    gather.add(
        Dependency(
            Ecosystem.GO,
            "stdlib" if directive == "go" else "toolchain",
            gather.region((stop - len(version), stop)),
            version=version,
            requirement=word.plain,
            is_direct=True,
            scope=Scope.RUNTIME if directive == "go" else Scope.BUILD,
        )
    )


def _required(gather: Gather, words: list[_Word], comment: str, replaced: dict[tuple[str, str], _Target]) -> Dependency:
    name, wanted = words[0].plain, words[1].plain
    target = replaced.get((name, wanted)) or replaced.get((name, ""))
    real, version, found, place = name, wanted, REGISTRY, words[1].place
    if target is not None and target.version is None:
        found, version = Provenance(SourceKind.PATH, target.name), ""
    elif target is not None and target.version is not None:
        real, version, place = target.name, target.version.plain, target.version.place
    return Dependency(
        Ecosystem.GO,
        real,
        gather.region(place),
        version=version.removeprefix("v") or None,
        requirement=wanted,
        provenance=found,
        is_direct=not re.match(r"//\s*indirect\b", comment),
        scope=Scope.RUNTIME,
        alias=name if real != name else None,
    )


def read_go_sum(source: Source, opener: Opener) -> FileRead:
    """Read go.sum: the modules whose content it vouches for, which may be more than the build uses."""
    del opener
    gather = Gather(source, "go-sum", Kind.LOCKFILE)
    for number, line in source.lines():
        if not line.strip():
            continue
        found = _SUM.match(line)
        base = source.offset(number, 0)
        if found is None:
            gather.bad("not a line of go.sum", (base, base + len(line)))
        elif found[3] is None:
            gather.add(
                Dependency(
                    Ecosystem.GO,
                    found[1],
                    gather.region((base + found.start(2), base + found.end(2))),
                    version=found[2].removeprefix("v"),
                    requirement=found[2],
                    has_integrity=True,
                )
            )
    return gather.done()
