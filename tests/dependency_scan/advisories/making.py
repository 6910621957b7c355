"""How these tests make records and indexes: OSV JSON in, an index in a temporary folder out."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from mcp_tools.dependency_scan.advisories import Index, open_index
from mcp_tools.dependency_scan.advisories.advisory import Record
from mcp_tools.dependency_scan.advisories.build import Built, build
from mcp_tools.dependency_scan.advisories.osv import Parsed, parse
from mcp_tools.dependency_scan.values import REGISTRY, Dependency, Ecosystem, Provenance
from mcp_tools.finding import Region

DATA = Path(__file__).parent / "data"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"


def osv(record_id: str, name: str = "flask", fixed: str | None = "2.0", **parts: Json) -> dict[str, Json]:
    """A record about one PyPI package, affected from the start to `fixed`; parts given replace its own."""
    events: list[Json] = [{"introduced": "0"}, *([{"fixed": fixed}] if fixed else [])]
    return {
        "id": record_id,
        "modified": "2026-10-01T00:00:00Z",
        "summary": f"About {record_id}",
        "affected": [affected(name, ranges=[{"type": "ECOSYSTEM", "events": events}])],
        **parts,
    }


def affected(name: str = "flask", ecosystem: str = "PyPI", **parts: Json) -> dict[str, Json]:
    """One entry of `affected`."""
    return {"package": {"ecosystem": ecosystem, "name": name}, **parts}


def parsed(record: Json) -> Parsed:
    """Read a record."""
    return parse(json.dumps(record).encode(), "test.json")


def clean(record: Json) -> Record:
    """Read a record that has nothing wrong with it."""
    found = parsed(record)
    assert found.record is not None
    assert found.notices == ()
    return found.record


def built(path: Path, records: Iterable[Json]) -> Built:
    """Build an index."""
    found = build(path, [parsed(record) for record in records], now=NOW)
    assert isinstance(found, Built), found
    return found


def index_of(folder: Path, *records: Json) -> Index:
    """An index of some records, open."""
    built(folder / "advisories.sqlite", records)
    return opened(folder / "advisories.sqlite")


def opened(path: Path) -> Index:
    """An index that must be usable."""
    index = open_index(path)
    assert isinstance(index, Index), index
    return index


def dependency(
    name: str,
    version: str | None,
    ecosystem: Ecosystem = Ecosystem.PYPI,
    *,
    requirement: str | None = None,
    provenance: Provenance = REGISTRY,
) -> Dependency:
    """A dependency somewhere."""
    place = Region(0, 0, 0, len(name))
    return Dependency(ecosystem, name, place, version, requirement, provenance)
