"""Exports: files, folders, archives and lines; broken and hostile ones are notices, and bounded."""

import io
import json
import os
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import Buffer

from mcp_tools.dependency_scan.advisories.exports import Limits, digest, read, read_lines
from mcp_tools.dependency_scan.advisories.osv import Parsed
from tests.dependency_scan.advisories.making import Json, osv

SMALL = Limits(file_bytes=100_000, total_bytes=20_000, records=50, record_bytes=5_000, depth=2)


def archive(entries: dict[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as output:
        for name, data in entries.items():
            output.writestr(name, data)
    return buffer.getvalue()


def text(record: Json) -> str:
    """One line of JSON."""
    return json.dumps(record)


def ids(found: Iterable[Parsed]) -> list[str]:
    """The ids of the records that were read, and the codes of the notices."""
    return [
        name
        for item in found
        for name in (item.record.id if item.record else "", *(n.code for n in item.notices))
        if name
    ]


def written(path: Path, data: bytes | str) -> Path:
    """A file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def test_one_record_is_read_from_a_file(tmp_path: Path) -> None:
    assert ids(read(written(tmp_path / "a.json", text(osv("A-1"))))) == ["A-1"]


def test_a_folder_is_read_in_the_order_of_names_whatever_is_in_it(tmp_path: Path) -> None:
    written(
        tmp_path / "PyPI" / "all.zip",
        archive({"B-2.json": text(osv("B-2")), "notes.txt": "x", "B-1.json": text(osv("B-1"))}),
    )
    written(tmp_path / "Go" / "A-1.json", text(osv("A-1")))
    written(tmp_path / "more.jsonl", text(osv("C-1")) + "\n\n" + text(osv("C-2")))
    written(tmp_path / "README.md", "not JSON")
    assert ids(read(tmp_path)) == ["A-1", "B-2", "B-1", "C-1", "C-2"]


def test_one_bad_record_does_not_cost_the_others(tmp_path: Path) -> None:
    data = archive({"a.json": text(osv("A-1")), "b.json": "{", "c.json": b"\x00", "d.json": text(osv("D-1"))})
    found = list(read(written(tmp_path / "all.zip", data)))
    assert ids(found) == ["A-1", "advisory-unreadable", "advisory-unreadable", "D-1"]
    assert found[1].notices[0].path == "all.zip/b.json"
    assert not any(notice.incomplete for item in found for notice in item.notices)


def test_a_link_out_of_a_folder_is_not_followed(tmp_path: Path) -> None:
    outside = written(tmp_path / "outside" / "a.json", text(osv("A-1")))
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "a.json").symlink_to(outside)
    (inside / "more").symlink_to(outside.parent)
    assert ids(read(inside)) == []


def test_a_pipe_does_not_stop_the_reader(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    assert ids(read(tmp_path / "a.json")) == ["advisory-export-unreadable"]
    assert ids(read(tmp_path)) == []


def test_what_is_not_there_is_a_notice(tmp_path: Path) -> None:
    (found,) = read(tmp_path / "none.zip")
    assert found.notices[0].incomplete
    assert found.notices[0].path == "none.zip"


def test_a_record_that_unpacks_to_too_much_is_left_at_the_limit(tmp_path: Path) -> None:
    data = archive({"bomb.json": b'{"id":"A-1","details":"' + b"x" * 50_000_000 + b'"}', "b.json": text(osv("B-1"))})
    assert len(data) < 100_000
    assert ids(read(written(tmp_path / "all.zip", data), SMALL)) == ["advisory-unreadable", "B-1"]


def test_many_records_that_unpack_to_too_much_end_the_archive(tmp_path: Path) -> None:
    data = archive({f"{n}.json": text(osv(f"A-{n}", details="x" * 4_000)) for n in range(40)})
    found = list(read(written(tmp_path / "all.zip", data), SMALL))
    assert ids(found)[-1] == "advisory-export-unreadable"
    assert len(found) == 5
    assert found[-1].notices[0].incomplete


def test_a_directory_with_too_many_entries_is_refused_before_it_is_read(tmp_path: Path) -> None:
    data = archive({f"{n}.json": "{}" for n in range(60)})
    assert ids(read(written(tmp_path / "all.zip", data), SMALL)) == ["advisory-export-unreadable"]
    lying = bytearray(data)
    lying[-12:-10] = (1).to_bytes(2, "little")  # the count of all entries, which `zipfile` does not go by
    assert ids(read(written(tmp_path / "all.zip", bytes(lying)), Limits(records=10))) == ["advisory-export-unreadable"]


def test_an_encrypted_entry_is_a_notice(tmp_path: Path) -> None:
    data = bytearray(archive({"a.json": text(osv("A-1"))}, zipfile.ZIP_STORED))
    data[6] |= 1  # of the local header
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    assert ids(read(written(tmp_path / "all.zip", bytes(data)))) == ["advisory-unreadable"]


def test_a_wrong_checksum_is_a_notice(tmp_path: Path) -> None:
    data = bytearray(archive({"a.json": text(osv("A-1"))}, zipfile.ZIP_STORED))
    data[60] ^= 1
    assert ids(read(written(tmp_path / "all.zip", bytes(data)))) == ["advisory-unreadable"]


WHOLE = archive({"a.json": text(osv("A-1")), "b.json": text(osv("B-1"))})


@given(st.integers(0, len(WHOLE)), st.integers(0, len(WHOLE) - 1), st.binary(max_size=8))
def test_a_damaged_archive_never_raises(
    tmp_path_factory: pytest.TempPathFactory, end: int, at: int, noise: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.zip"
    for data in (WHOLE[:end], WHOLE[:at] + noise + WHOLE[at + len(noise) :]):
        path.write_bytes(b"PK" + data[2:])
        assert all(item.record is not None or item.notices for item in read(path))


def test_a_name_inside_an_archive_is_made_printable(tmp_path: Path) -> None:
    (found,) = read(written(tmp_path / "all.zip", archive({"../\x1b[31m\u202ex.json": "{"})))
    assert found.notices[0].path == "all.zip/../ [31m x.json"


def test_too_long_a_line_is_skipped_to_its_end() -> None:
    lines = f"{text(osv('A-1'))}\n" + "x" * 12_000 + f"\n{text(osv('B-1'))}\n"
    found = list(read_lines(io.BytesIO(lines.encode()), "stdin", SMALL))
    assert ids(found) == ["A-1", "advisory-unreadable", "B-1"]
    assert [notice.path for item in found for notice in item.notices] == ["stdin:2"]


def test_a_stream_without_end_is_ended() -> None:
    class Endless(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Buffer, /) -> int:
            view = memoryview(buffer)
            view[:] = b"x" * len(view)
            return len(view)

    found = list(read_lines(io.BufferedReader(Endless()), "stdin", SMALL))
    assert ids(found)[-1] == "advisory-export-unreadable"


def test_folders_below_folders_end(tmp_path: Path) -> None:
    written(tmp_path / "1" / "2" / "3" / "4" / "a.json", text(osv("A-1")))
    assert ids(read(tmp_path, SMALL)) == ["advisory-export-unreadable"]
    assert ids(read(tmp_path)) == ["A-1"]


def test_a_digest_names_the_inputs_by_what_is_in_them(tmp_path: Path) -> None:
    one, two = written(tmp_path / "1.json", "{}"), written(tmp_path / "2.json", "[]")
    name = digest([one, two])
    assert digest([two, one]) == name
    written(two, "{ }")
    assert digest([one, two]) != name
    assert digest([one]) != digest([])
    folder = digest([tmp_path])
    written(tmp_path / "3.json", "{}")
    assert digest([tmp_path]) != folder
