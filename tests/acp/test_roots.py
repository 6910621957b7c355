"""The folders of a session."""

from pathlib import Path

import pytest

from kimi_lsp.acp.roots import pattern_in, resolved_roots
from kimi_lsp.errors import UsageError


def test_roots_are_resolved_and_one_within_another_is_left_out(tmp_path: Path) -> None:
    base = tmp_path.resolve()
    for name in ("a/deep", "b", "b/below"):
        (base / name).mkdir(parents=True, exist_ok=True)
    (base / "link").symlink_to(base / "a")
    found = resolved_roots(str(base / "link"), [str(base / "a/deep"), str(base / "b/below"), str(base / "b")])
    assert found == (base / "a", base / "b")


@pytest.mark.parametrize("name", ["relative", ".", "", "~", "/nowhere/at/all", "/etc/passwd", "/tmp\0/x"])
def test_what_is_no_absolute_folder_is_refused(name: str, tmp_path: Path) -> None:
    for cwd, more, what in ((name, [], "cwd"), (str(tmp_path), [str(tmp_path), name], "additionalDirectories[1]")):
        with pytest.raises(UsageError) as caught:
            resolved_roots(cwd, more)
        assert caught.value.line.startswith(f"{what} is ")
        assert name in {"", "."} or name not in caught.value.line


def test_words_are_said_as_the_project_knows_them(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    cwd = root / "src"
    cwd.mkdir()
    (root.parent / f"{root.name}-link").symlink_to(root)
    said = {
        "a.py": "src/a.py",
        "../top.py": "top.py",
        "*.py": "*.py",
        "!*.py": "!*.py",
        "!a.py": "!src/a.py",
        "sub/*.py": "src/sub/*.py",
        str(root / "x/y.py"): "x/y.py",
        str(root.parent / f"{root.name}-link" / "z.py"): "z.py",
        "../../other": None,
        "/etc/passwd": None,
        ".": "src",
    }
    assert {word: pattern_in(root, cwd, word) for word in said} == said
