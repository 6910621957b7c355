"""The installation's key: one, private, the same for everybody who asks."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kimi_lsp.errors import StoreError
from kimi_lsp.store import install_key


def test_the_key_is_the_same_on_every_call_and_another_for_every_purpose(tmp_path: Path) -> None:
    key = install_key(tmp_path, "placeholders")
    assert len(key) == 32
    assert install_key(tmp_path, "placeholders") == key
    assert install_key(tmp_path, "fingerprints") != key
    assert install_key(tmp_path / "other", "placeholders") != key


def test_the_file_does_not_hold_the_key_that_is_handed_out(tmp_path: Path) -> None:
    assert install_key(tmp_path, "") != (tmp_path / "install.key").read_bytes()


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_the_file_is_private_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        install_key(tmp_path / "state", "test")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["install.key"]
    path = tmp_path / "state" / "install.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    install_key(tmp_path / "state", "test")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_threads_that_ask_at_once_get_the_same_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        for attempt in range(10):
            folder = tmp_path / str(attempt)
            assert len(set(pool.map(install_key, [folder] * 16, ["test"] * 16))) == 1
            assert [path.name for path in folder.iterdir()] == ["install.key"]


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_a_file_that_is_no_key_is_never_used_nor_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "install.key"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="does not hold a key") as caught:
        install_key(tmp_path, "test")
    assert "Move it away" in caught.value.hint
    assert path.read_bytes() == content


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="links cannot be told apart here")
def test_a_link_in_the_place_of_the_key_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"x" * 32)
    (tmp_path / "install.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="cannot be used"):
        install_key(tmp_path, "test")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFO")
def test_a_fifo_in_the_place_of_the_key_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "install.key")
    with pytest.raises(StoreError, match="is no file"):
        install_key(tmp_path, "test")


def test_a_state_directory_that_cannot_be_made_is_an_error_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be used"):
        install_key(tmp_path / "file" / "state", "test")
