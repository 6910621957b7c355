"""Records about one flaw -> one advisory: which belong together, and what they say together. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mcp_tools.dependency_scan.advisories.advisory import Imported, Record, Reference, Severity
from mcp_tools.dependency_scan.advisories.advisory import Informational as Kind
from mcp_tools.dependency_scan.advisories.databases import database, preference, prefix
from mcp_tools.dependency_scan.advisories.severity import best
from mcp_tools.dependency_scan.values import Ecosystem
from mcp_tools.dependency_scan.versions import Affected

_MAX_REFERENCES = 5
_MAX_ALIASES = 60


class Groups:
    """Sets of ids that name one flaw: an alias holds both ways, and for the aliases of aliases."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def join(self, record_id: str, aliases: Iterable[str]) -> None:
        """Say that all of these are one."""
        root = self.find(record_id)
        for alias in aliases:
            other = self.find(alias)
            if other != root:
                root, other = sorted((root, other), key=preference)
                self._above[other] = root

    def find(self, record_id: str) -> str:
        """The id that stands for the set; an id never joined stands for itself."""
        root = record_id
        while (above := self._above.get(root, root)) != root:
            root = above
        while (above := self._above.get(record_id, record_id)) != root:
            self._above[record_id], record_id = root, above
        return root


@dataclass(frozen=True, slots=True)
class Part:
    """What an advisory says of one package."""

    ecosystem: Ecosystem
    name: str
    affected: tuple[Affected, ...]
    imports: tuple[Imported, ...]


@dataclass(frozen=True, slots=True)
class United:
    """An advisory and its packages, before it is laid down. Times are seconds since 1970, 0: not said."""

    id: str
    aliases: tuple[str, ...]
    summary: str
    severity: Severity | None
    is_malicious: bool
    informational: Kind | None
    references: tuple[Reference, ...]
    source: str
    modified: int
    published: int
    parts: tuple[Part, ...]


def unite(records: Iterable[Record]) -> Iterator[United]:
    """Make advisories of records that name one flaw: one for all packages that the same records speak of.

    Each is named after a record that speaks of the package; what those do not say is borrowed from the others.
    The order of the records does not matter.
    """
    ordered = sorted(records, key=lambda record: preference(record.id))
    speakers: dict[tuple[Ecosystem, str], list[Record]] = {}
    for record in ordered:
        for identity in dict.fromkeys((package.ecosystem, package.name) for package in record.packages):
            speakers.setdefault(identity, []).append(record)
    shared: dict[tuple[str, ...], list[tuple[Ecosystem, str]]] = {}
    for identity, speaking in sorted(speakers.items()):
        shared.setdefault(tuple(record.id for record in speaking), []).append(identity)
    for identities in shared.values():
        yield _united(speakers[identities[0]], ordered, identities)


def _united(speaking: list[Record], everyone: list[Record], identities: list[tuple[Ecosystem, str]]) -> United:
    ids = list(dict.fromkeys(record.id for record in (*speaking, *everyone)))
    others = sorted({alias for record in everyone for alias in record.aliases} - set(ids), key=preference)
    named = {name for record in speaking for name in (record.id, *record.aliases)}
    kinds = [record.informational for record in speaking if record.informational]
    return United(
        id=ids[0],
        aliases=(*ids[1:], *others)[:_MAX_ALIASES],
        summary=next((record.summary for record in (*speaking, *everyone) if record.summary), ""),
        severity=best(record.severity for record in speaking) or best(record.severity for record in everyone),
        is_malicious=any(prefix(name) == "MAL" for name in named),
        informational=min(kinds, key=list(Kind).index, default=None),
        references=_references(speaking),
        source=database(ids[0]).name,
        modified=max(record.modified for record in speaking),
        published=min((record.published for record in speaking if record.published), default=0),
        parts=tuple(_part(identity, speaking) for identity in identities),
    )


def _references(records: Iterable[Record]) -> tuple[Reference, ...]:
    unique = {reference.url: reference for record in records for reference in record.references}
    return tuple(unique.values())[:_MAX_REFERENCES]


def _part(identity: tuple[Ecosystem, str], records: Iterable[Record]) -> Part:
    said = [
        package for record in records for package in record.packages if (package.ecosystem, package.name) == identity
    ]
    affected = dict.fromkeys(package.affected for package in said)
    imports = dict.fromkeys(imported for package in said for imported in package.imports)
    return Part(*identity, tuple(affected), tuple(imports))
