"""mix.lock."""

import re

from mcp_tools.dependency_scan.readers.gather import Gather, Opener
from mcp_tools.dependency_scan.readers.graph import Parents
from mcp_tools.dependency_scan.values import Dependency, Ecosystem, FileRead, Kind, Provenance, SourceKind, bare_url
from mcp_tools.project import Source

_ENTRY = re.compile(r'^[ \t]*+(?:%\{)?+[ \t]*+"([^"\n]++)":[ \t]*+\{[ \t]*+:(\w++)[ \t]*+,(.*)$', re.MULTILINE)
_HEX = re.compile(r'\s*:"?([\w@.-]+)"?\s*,\s*"([^"\n]*)"\s*,\s*"([^"\n]*)"')
_GIT = re.compile(r'\s*"([^"\n]*)"\s*,\s*"([^"\n]*)"')
_ASKED = re.compile(r"\{\s*:(\w+)\s*,")
_SKIPPED = re.compile(r"[ \t]*+(?:%\{)?+[ \t]*+\}?+,?+[ \t\r]*+|[ \t]*+#.*")


def read_mix_lock(source: Source, opener: Opener) -> FileRead:
    """Read mix.lock: one entry a line, as mix writes it. Which ones are direct only mix.exs knows."""
    del opener
    gather = Gather(source, "mix-lock", Kind.LOCKFILE)
    text, parents = source.text, Parents()
    entries = list(_ENTRY.finditer(text))
    read_lines = {source.position(entry.start(1))[0] for entry in entries}
    for number, line in source.lines():
        if number not in read_lines and not _SKIPPED.fullmatch(line):
            gather.bad("not an entry of mix.lock", (source.offset(number, 0), source.offset(number, len(line))))
            break
    for entry in entries:
        for child in _ASKED.finditer(entry[3]):
            parents.add(child[1], entry[1])
    for entry in entries:
        dependency = _read(gather, entry, parents)
        if dependency is None:
            gather.bad(f"the entry of {entry[1][:80]!r} is not understood", entry.span(1))
        else:
            gather.add(dependency)
    return gather.done()


def _read(gather: Gather, entry: re.Match[str], parents: Parents) -> Dependency | None:
    alias, kind, base = entry[1], entry[2], entry.start(3)
    found = (_HEX if kind == "hex" else _GIT).match(entry[3])
    if found is None or kind not in ("hex", "git"):
        return None
    if kind == "git":
        return Dependency(
            Ecosystem.HEX,
            alias,
            gather.region((base + found.start(2), base + found.end(2))),
            provenance=Provenance(SourceKind.GIT, bare_url(found[1]), found[2]),
            parents=parents.of(alias),
        )
    return Dependency(
        Ecosystem.HEX,
        found[1],
        gather.region((base + found.start(2), base + found.end(2))),
        version=found[2],
        parents=parents.of(alias),
        has_integrity=bool(found[3]),
        alias=alias if alias != found[1] else None,
    )
