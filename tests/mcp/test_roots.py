from pathlib import Path

import pytest

from mcp_tools.server.roots import checked_roots


def test_the_current_folder_is_served_when_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert checked_roots([]) == (tmp_path.resolve(),)


def test_a_folder_that_is_named_twice_is_served_once(tmp_path: Path) -> None:
    assert checked_roots([tmp_path, tmp_path / "."]) == (tmp_path.resolve(),)


def test_a_whole_machine_a_home_and_what_does_not_exist_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home" / "me"))
    (tmp_path / "home" / "me").mkdir(parents=True)
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "home" / "me")
    for folder in (Path("/"), tmp_path / "home" / "me", tmp_path / "home", tmp_path / "link"):
        with pytest.raises(ValueError, match="is no project"):
            checked_roots([folder])
    with pytest.raises(ValueError, match="no such folder"):
        checked_roots([tmp_path / "missing"])
    with pytest.raises(ValueError, match="not a folder"):
        checked_roots([tmp_path / "file"])
