"""PyPA's and Go's whole databases against real lockfiles, where KIMI_TEST_DATA names the folder that has them."""

import json
import lzma
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from mcp_tools.dependency_scan.advisories import Index, audit
from mcp_tools.dependency_scan.advisories.build import Built, update
from mcp_tools.dependency_scan.values import Ecosystem
from tests.dependency_scan.advisories.making import NOW, dependency, opened

DATA = Path(os.environ.get("KIMI_TEST_DATA", "no-such-folder"))
EXPECTED = DATA / "lockfiles.expected.json.xz"
pytestmark = pytest.mark.skipif(
    not EXPECTED.is_file(), reason="KIMI_TEST_DATA names no folder with the real advisories"
)
COVERED = ("PyPI", "Go")
ROWS = TypeAdapter(list[tuple[str, str, str]])
FINDINGS = TypeAdapter(list[tuple[str, str, str, str, list[str], str | None]])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Built, Index]]:
    """The index of all."""
    path = tmp_path_factory.mktemp("whole") / "advisories.sqlite"
    found = update(path, [DATA / "osv"], now=NOW)
    assert isinstance(found, Built)
    with opened(path) as index:
        yield found, index


def test_every_record_is_read_and_the_index_is_small(whole: tuple[Built, Index]) -> None:
    found, _ = whole
    assert (found.notices, found.info.unreadable) == ((), 0)
    assert {str(item.ecosystem): (item.packages, item.advisories) for item in found.info.coverage} == {
        "Go": (1_367, 4_274),
        "PyPI": (1_469, 6_811),
    }
    assert [source.records for source in found.info.sources] == [6_811, 4_274]
    assert found.path.stat().st_size < 10_000_000


def test_every_expected_finding_is_found_and_no_other(whole: tuple[Built, Index]) -> None:
    _, index = whole
    unaudited: set[tuple[str, str, str]] = set()
    rows = 0
    for path, expected in json.loads(lzma.decompress(EXPECTED.read_bytes())).items():
        packages = [row for row in ROWS.validate_python(expected["packages"]) if row[0] in COVERED]
        found = audit(index, [dependency(name, version, Ecosystem(each)) for each, name, version in packages])
        ours = {
            (str(item.dependency.ecosystem), item.dependency.name, item.dependency.version, advisory.id)
            for item in found.vulnerable
            for advisory in item.advisories
        }
        theirs = {row[:4] for row in FINDINGS.validate_python(expected["findings"]) if row[0] in COVERED}
        assert ours == theirs, path
        rows += len(theirs)
        unaudited |= {
            (item.dependency.name, item.dependency.version or "", item.reason.partition(":")[0])
            for item in found.unaudited
        }
    assert rows == 1_119
    assert unaudited == {("gradio", "6.19.0", "PYSEC-2024-261"), ("torch", "2.13.0", "PYSEC-2025-189")}
