"""The tools on projects of every shape: none, several, gone, with names that are no text."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from mcp_tools.catalog import TOOLS, Answer, JsonObject, output_schema
from tests.catalog.trees import FINDING, catalog, listed, write

CALLS: tuple[tuple[str, JsonObject], ...] = (
    ("codebase_health", {}),
    ("codebase_health", {"paths": ["no/such"]}),
    ("list_files", {}),
    ("list_files", {"limit": 1}),
    ("read_file", {"path": "web/a.py"}),
    ("read_file", {"path": "web/a.py", "start_line": 9}),
    ("search_text", {"query": "eval"}),
    ("search_text", {"query": "eval", "show": "files", "limit": 1}),
    ("security_surface", {}),
    ("security_surface", {"limit": 1}),
    ("audit_file", {"path": "web/a.py"}),
    ("explain_rule", {"rule": "code-injection"}),
)


def test_every_answer_follows_the_schema_of_its_tool(tmp_path: Path) -> None:
    tools = catalog(write(tmp_path, {"web/a.py": FINDING, "b.py": FINDING * 2}))
    found = listed(tools.call("security_surface", {}), "findings")[0]["id"]
    for name, arguments in (*CALLS, ("get_finding", {"id": found})):
        answer = tools.call(name, arguments)
        assert not answer.is_error, answer.text
        jsonschema.validate(answer.data, output_schema(TOOLS[name]), cls=jsonschema.Draft202012Validator)
        model = TOOLS[name].result.model_validate(answer.data)
        assert model.model_dump(mode="json", exclude_none=True) == answer.data
    assert {name for name, _ in CALLS} | {"get_finding"} == set(TOOLS)


def test_paths_of_several_projects_begin_with_their_names(tmp_path: Path) -> None:
    web, api = write(tmp_path / "web", {"a.py": FINDING}), write(tmp_path / "api", {"a.py": FINDING, "b.txt": "eval\n"})
    tools = catalog(web, api)
    assert [item["path"] for item in listed(tools.call("list_files", {}), "files")] == [
        "api/a.py", "api/b.txt", "web/a.py",
    ]  # fmt: skip
    found = listed(tools.call("security_surface", {}), "findings")
    assert [item["path"] for item in found] == ["api/a.py", "web/a.py"]
    assert found[0]["id"] != found[1]["id"]
    for item in found:
        detail = tools.call("get_finding", {"id": item["id"]})
        assert (detail.data["path"], "1\teval(name)" in detail.text) == (item["path"], True)
    assert tools.call("read_file", {"path": "web/a.py"}).data["text"] == "eval(name)"
    assert tools.call("read_file", {"path": "a.py"}).is_error
    assert tools.call("codebase_health", {"paths": ["api"]}).data["files"] == 2
    assert [item["path"] for item in listed(tools.call("search_text", {"query": "eval"}), "matches")] == [
        "api/a.py", "api/b.txt", "web/a.py",
    ]  # fmt: skip


def test_projects_of_one_name_are_told_apart(tmp_path: Path) -> None:
    one, other = write(tmp_path / "x" / "app", {"a.py": ""}), write(tmp_path / "y" / "app", {"b.py": ""})
    files = listed(catalog(one, other).call("list_files", {}), "files")
    assert [item["path"] for item in files] == ["app-2/b.py", "app/a.py"]


def test_an_empty_project_is_never_called_clean(tmp_path: Path) -> None:
    tools = catalog(tmp_path)
    assert tools.call("list_files", {}).text == "list_files: 0 files"
    assert tools.call("security_surface", {}).text == "security_surface: nothing was read"
    assert tools.call("search_text", {"query": "x"}).text == (
        "search_text: 0 matching lines in 0 files (0 files searched)"
    )
    health = tools.call("codebase_health", {})
    assert health.text.splitlines()[:2] == ["codebase_health: 0 files, 0 lines, 0 test files", "languages: none"]
    assert "no findings" not in health.text


def test_a_project_with_git_leaves_out_what_it_ignores_and_says_how_much(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": FINDING, "build/b.py": FINDING, "c.log": "x", ".gitignore": "build/\n*.log\n"})
    subprocess.run(["git", "init", "-q", tmp_path], check=True, timeout=30)
    (tmp_path / ".git" / "info" / "exclude").write_text("more.txt\n")
    write(tmp_path, {"more.txt": ""})
    answer = catalog(tmp_path).call("list_files", {})
    assert [item["path"] for item in listed(answer, "files")] == [".gitignore", "a.py"]
    assert answer.text.startswith("list_files: 2 files; 4 ignored\n")  # with `.git` itself
    shutil.rmtree(tmp_path / ".git")
    without = catalog(tmp_path).call("list_files", {})
    assert without.text.startswith("list_files: 3 files; 2 ignored\n")


def test_a_root_that_goes_while_it_is_served_is_an_error_and_its_return_an_answer(tmp_path: Path) -> None:
    root = write(tmp_path / "root", {"web/a.py": FINDING})
    tools = catalog(root)
    assert not tools.call("list_files", {}).is_error
    shutil.rmtree(root)
    for name, arguments in CALLS:
        if name != "explain_rule":
            assert tools.call(name, arguments) == Answer(
                f"{name}: a project root cannot be listed any more", {}, is_error=True
            )
    write(root, {"web/a.py": FINDING})
    assert tools.call("audit_file", {"path": "web/a.py"}).data["total"] == 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a name is text")
@pytest.mark.parametrize("name", [b"bad\xff.py", b"d\xe9ir/a.py", "zero\u200bwidth.py".encode(), b"new\nline.py"])
def test_a_name_that_cannot_be_shown_comes_back_as_it_was_shown(tmp_path: Path, name: bytes) -> None:
    tools = catalog(write(tmp_path, {os.fsdecode(name): FINDING}))
    (item,) = listed(tools.call("list_files", {}), "files")
    shown = item["path"]
    assert isinstance(shown, str)
    assert shown.isprintable()
    assert shown.isascii()
    assert tools.call("read_file", {"path": shown}).data["text"] == "eval(name)"
    (found,) = listed(tools.call("security_surface", {"paths": [shown]}), "findings")
    assert found["path"] == shown
    assert tools.call("audit_file", {"path": shown}).data["total"] == 1
    assert tools.call("get_finding", {"id": found["id"], "path": shown}).data["path"] == shown
    assert tools.call("search_text", {"query": "eval", "paths": [shown]}).data["total"] == 1


def test_a_path_too_long_to_be_asked_for_does_not_break_a_page(tmp_path: Path) -> None:
    tools = catalog(write(tmp_path, {"/".join(["f" * 250] * 6 + ["a.py"]): FINDING}))
    for name, arguments in (("list_files", {}), ("security_surface", {}), ("search_text", {"query": "e"})):
        answer = tools.call(name, {**arguments})
        assert not answer.is_error
        assert answer.data["total"] == 1
        assert max(map(len, answer.text.splitlines())) < 2_000
        assert "f…" in answer.text
