"""Which editors are found, and what happens to a test whose editor is not here."""

from pathlib import Path

import pytest

from tests.editors.programs import Missing, Program, found, installed


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KIMI_TEST_EDITORS", str(tmp_path))
    return tmp_path


def test_versions_are_in_order_of_their_numbers(folder: Path) -> None:
    for suite, name in (("sid", "neovim-0.12.4"), ("bookworm", "neovim-0.7.2"), ("sid", "helix-25.07.1")):
        (folder / suite / "bin").mkdir(parents=True, exist_ok=True)
        (folder / suite / "bin" / name).touch()
    assert [program.id for program in installed("neovim")] == ["neovim-0.7.2", "neovim-0.12.4"]
    [helix] = installed("helix")
    assert helix == Program("helix", "25.07.1", folder / "sid" / "bin" / "helix-25.07.1")
    assert found(helix) is helix


def test_a_missing_editor_skips_its_tests(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KIMI_TEST_REQUIRE_EDITORS", raising=False)
    assert installed("emacs") == []
    with pytest.raises(pytest.skip.Exception, match=r"no emacs in .*: run `python3 \.ci/editors\.py`"):
        found(Missing("emacs"))


def test_a_missing_editor_fails_its_tests_where_it_is_required(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIMI_TEST_REQUIRE_EDITORS", "1")
    with pytest.raises(pytest.fail.Exception, match="no emacs in"):
        found(Missing("emacs"))
