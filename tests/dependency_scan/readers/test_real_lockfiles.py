"""182 real lockfiles: every package that an independent reader found, at a place that says it."""

import json
import lzma
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mcp_tools.dependency_scan.readers import read_file
from mcp_tools.dependency_scan.values import Dependency, SourceKind
from mcp_tools.finding import Notice
from mcp_tools.project import Source, decode

DATA = Path(os.environ.get("KIMI_TEST_DATA", "no-such-folder"))
_EXPLAINED = {("PyPI", "strict-no-cover", "0.1.1")}  # from git, not from the index: the plain reader did not look
_UTF_16 = "lockfiles/alibaba+aacr-bench/requirements.txt"  # the plain reader saw no text in it
_GO_ITSELF = ("stdlib", "toolchain")

pytestmark = pytest.mark.skipif(
    not (DATA / "lockfiles.tar.xz").is_file(), reason="KIMI_TEST_DATA names no folder with the real lockfiles"
)


@pytest.fixture(scope="module")
def sources() -> dict[str, Source]:
    found: dict[str, Source] = {}
    with tarfile.open(DATA / "lockfiles.tar.xz") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None:
                decoded = decode(member.name.removeprefix("./"), content.read())
                assert isinstance(decoded, Source), member.name
                found[decoded.path] = decoded
    return found


def _expected() -> Iterator[tuple[str, set[tuple[str, str, str]]]]:
    held: dict[str, dict[str, list[list[str]]]] = json.loads(
        lzma.decompress((DATA / "lockfiles.expected.json.xz").read_bytes())
    )
    for path, entry in held.items():
        yield path, {(row[0], row[1], row[2]) for row in entry["packages"]}


def _is_audited(item: Dependency) -> bool:
    is_there = item.version is not None and item.provenance.kind is SourceKind.REGISTRY
    return is_there and item.name not in _GO_ITSELF


def test_every_package_is_found_and_no_other(sources: dict[str, Source]) -> None:
    files = packages = 0
    for path, expected in _expected():
        source = sources[path]

        def opened(other: str) -> Source | Notice:
            return sources.get(other) or Notice("no-such-file", "not read: no such file", other)

        found = read_file(source, opened)
        assert found is not None, path
        mine = {
            (str(item.ecosystem), item.name, item.version or "") for item in found.dependencies if _is_audited(item)
        }
        if path == _UTF_16:
            assert (len(mine), expected) == (19, set())
        else:
            assert mine ^ expected <= _EXPLAINED, path
        files, packages = files + 1, packages + len(expected)
        for item in found.dependencies:
            assert _says(source, item), (path, item)
    assert (files, packages) == (182, 41_576)


def _says(source: Source, item: Dependency) -> bool:
    """The text at the place is the version, the name, or the requirement that a replaced version stands in."""
    text = source.slice(item.region)
    return (
        text.removeprefix("v") == item.version
        or text in (item.name, item.alias, item.requirement)
        or (item.provenance.kind is not SourceKind.REGISTRY and item.version is None)
    )
