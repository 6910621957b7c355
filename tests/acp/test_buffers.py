"""Unsaved text is asked for as a whole, compared with the disk, and never from outside."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from kimi_lsp.acp import buffers as buffers_module
from kimi_lsp.acp.buffers import Buffers, Unsaved
from mcp_tools.project import DiskProject
from tests.acp.inmemory import Answer, Client, agent
from tests.fakes.json_value import JsonObject, get


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = (tmp_path / "project").resolve()
    (root / "pkg").mkdir(parents=True)
    for name in ("a.py", "b.py", "pkg/c.py", "keys.pem", "out.py"):
        (root / name).write_bytes(b"x = 1\r\ny = 2\r\n")
    (root / "link.py").symlink_to("/etc/passwd")
    (root / "inner.py").symlink_to("a.py")
    return root


def editor(texts: Mapping[str, str], root: Path) -> Answer:
    """Answers with unsaved texts, and with what lies on disk for other files."""

    def answer(params: JsonObject) -> JsonObject:
        path = Path(str(params["path"]))
        text = texts.get(path.relative_to(root).as_posix())
        return {"content": path.read_text("utf-8") if text is None else text}

    return answer


async def read(
    client: Client, root: Path, *paths: str, roots: tuple[Path, ...] = (), max_bytes: int = 1_000
) -> Unsaved:
    buffers = Buffers(client.connection, "s1", roots or (root,))
    return await buffers.read(DiskProject(root, exclude=("out.py",)), paths, max_bytes)


def paths_asked(client: Client, root: Path) -> list[str]:
    return sorted(Path(str(get(one, "params", "path"))).relative_to(root).as_posix() for one in client.asked)


async def test_only_what_differs_is_unsaved_and_line_ends_are_no_difference(root: Path) -> None:
    async with agent({}) as client:
        client.answers["fs/read_text_file"] = editor({"b.py": "x = 1\ny = 3\n", "a.py": "x = 1\ny = 2\n"}, root)
        found = await read(client, root, "a.py", "b.py", "pkg/c.py")
        assert found == Unsaved({"b.py": "x = 1\ny = 3\n"})
        assert paths_asked(client, root) == ["a.py", "b.py", "pkg/c.py"]
        assert {tuple(sorted(one["params"])) for one in client.asked if isinstance(one["params"], dict)} == {
            ("path", "sessionId")
        }, "the whole file, with no line and no limit"


async def test_what_may_not_be_read_is_not_asked_for(root: Path) -> None:
    async with agent({}) as client:
        client.answers["fs/read_text_file"] = lambda _: {"content": "stolen"}
        found = await read(client, root, "keys.pem", "out.py", "link.py", "inner.py", "../up.py", "/etc/passwd", "")
        assert (found, client.asked) == (Unsaved(), [])
        found = await read(client, root, "a.py", "pkg/c.py", roots=(root / "pkg",))
        assert found.texts == {"pkg/c.py": "stolen"}
        assert paths_asked(client, root) == ["pkg/c.py"]


async def test_a_new_file_that_only_the_editor_has_is_read(root: Path) -> None:
    async with agent({}) as client:
        client.answers["fs/read_text_file"] = lambda _: {"content": "new = 1\n"}
        assert (await read(client, root, "new.py")).texts == {"new.py": "new = 1\n"}


async def test_an_editor_that_does_not_answer_is_given_up_after_two_reads(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buffers_module, "READ_DEADLINE_S", 0.05)
    for number in range(30):
        (root / f"n{number}.py").write_text("x\n", "utf-8")
    async with agent({}) as client:
        found = await read(client, root, *(f"n{number}.py" for number in range(30)))
        assert found.texts == {}
        [notice] = found.notices
        assert notice.code == "unsaved-not-answered"
        assert len(client.asked) < 30


async def test_errors_nonsense_and_too_long_texts_leave_the_disks_word(root: Path) -> None:
    async with agent({}) as client:
        client.answers["fs/read_text_file"] = lambda _: {"content": 7}
        assert await read(client, root, "a.py") == Unsaved()
        client.answers["fs/read_text_file"] = lambda _: {"content": "x" * 2_000}
        found = await read(client, root, "a.py")
        assert ([notice.code for notice in found.notices], found.texts) == (["file-too-large"], {})


async def test_more_than_two_hundred_files_are_not_asked_for_and_that_is_said(root: Path) -> None:
    names = [f"m{number}.py" for number in range(205)]
    for name in names:
        (root / name).write_text("x\n", "utf-8")
    async with agent({}) as client:
        client.answers["fs/read_text_file"] = editor({}, root)
        found = await read(client, root, *names)
        assert [notice.code for notice in found.notices] == ["unsaved-not-asked"]
        assert len(client.asked) == 200
