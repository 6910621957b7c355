"""The bearer token: read from a file of the user's, made up, compared."""

import os
from pathlib import Path

import pytest

from mcp_tools.server.token import check_token, is_same_token, new_token, read_token

_GOOD = "A" * 8 + "~!" * 4


def _file(folder: Path, data: bytes, mode: int = 0o600) -> Path:
    path = folder / "token"
    path.write_bytes(data)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_token_is_the_line_of_its_file(tmp_path: Path, end: bytes) -> None:
    assert read_token(_file(tmp_path, _GOOD.encode() + end)) == _GOOD


@pytest.mark.parametrize("chars", [16, 512])
def test_the_shortest_and_the_longest_token_are_taken(tmp_path: Path, chars: int) -> None:
    assert len(read_token(_file(tmp_path, b"x" * chars + b"\n"))) == chars


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"x" * 15,
        b"x" * 513,
        b"x" * 600,
        b"x" * 20 + b" y",
        b"x" * 20 + b"\ny",
        b"x" * 20 + b"\n\n",
        b"x" * 20 + b"\x00",
        b"x" * 20 + b"\x7f",
        b"x" * 20 + b"\xff",
        "ü".encode() * 20,
    ],
)
def test_a_file_that_holds_no_token_is_refused_without_repeating_it(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^a token is one line of 16 to 512 printable ASCII characters") as caught:
        read_token(_file(tmp_path, data))
    assert "xxx" not in str(caught.value)


@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o666])
def test_a_file_that_others_can_touch_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ValueError, match="chmod 600"):
        read_token(_file(tmp_path, _GOOD.encode(), mode))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFO here")
def test_a_fifo_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo", 0o600)
    with pytest.raises(ValueError, match="no regular file"):
        read_token(tmp_path / "fifo")


def test_a_folder_and_a_missing_file_are_errors(tmp_path: Path) -> None:
    with pytest.raises((ValueError, OSError)):
        read_token(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_token(tmp_path / "none")


def test_new_tokens_are_good_and_never_the_same() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    for token in tokens:
        check_token(token)


@pytest.mark.parametrize("token", ["", "x" * 15, "x" * 513, "x" * 20 + " ", "x" * 20 + "\n", "é" * 20, "\udcff" * 20])
def test_what_cannot_be_a_token_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match=r"^a token is"):
        check_token(token)


@pytest.mark.parametrize(
    "presented", [b"", _GOOD.encode()[:-1], _GOOD.encode() + b"x", _GOOD.lower().encode(), b"\xff"]
)
def test_only_the_very_token_is_the_same(presented: bytes) -> None:
    assert is_same_token(_GOOD, _GOOD.encode())
    assert not is_same_token(_GOOD, presented)
