"""What the configuration of the user and of the projects makes of the tools that other agents get."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kimi_lsp.app.lend import open_roots, reviewers_setup, said_below, tools_setup
from kimi_lsp.errors import ConfigError
from mcp_tools.catalog import Catalog, JsonObject
from mcp_tools.catalog.values import Setup
from mcp_tools.project.patterns import Patterns
from tests.cli.harness import APP
from tests.mcp.reviewing import COMMAND, reviewing
from tests.mcp.wire_client import spawn


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return project(tmp_path.resolve() / "project")


def project(folder: Path, configuration: str = "") -> Path:
    (folder / ".git").mkdir(parents=True)
    (folder / "app.py").write_text(APP)
    (folder / "kimi.toml").write_text(configuration)
    return folder


def setup(*folders: Path, environ: dict[str, str] | None = None, for_models: bool = False) -> Setup:
    sessions = open_roots(folders, environ or {})
    return tools_setup(folders, sessions, for_models=for_models)


def told(made: Setup, name: str = "security_surface", **arguments: int | str) -> str:
    given: JsonObject = {**arguments}
    return Catalog(made).call(name, given).text


async def test_the_server_serves_what_the_configuration_says(root: Path, tmp_path: Path) -> None:
    (root / "big.py").write_text(APP + "#" * 2_000)
    (root / "plan.py").write_text(APP)
    (root / "vendor.py").write_text(APP)
    (root / "kimi.toml").write_text(
        'exclude = ["vendor.py"]\ndeny = ["plan.py"]\n'
        '[limits]\nmax_file_bytes = 1500\n[rules]\nsql-injection = "error"\n'
    )
    env = {"KIMI_LSP_RULES": "shell-injection=off,sql-injection=note", "KIMI_LSP_MAX_FILE_BYTES": "9000"}
    async with reviewing(tmp_path, root, env) as face:
        found = await face.call("security_surface", {"limit": 200})
        listed = await face.call("list_files")
        searched = await face.call("search_text", {"query": "shell=True"})
        plan = await face.call("read_file", {"path": "plan.py"})
        vendor = await face.call("read_file", {"path": "vendor.py"})
    assert "shell-injection" not in found.text
    assert "app.py:10 error sql-injection" in found.text
    assert "file-too-large" in found.text
    assert "app.py" in listed.text
    for hidden in ("plan.py", "vendor.py"):
        assert hidden not in listed.text + found.text + searched.text
    assert plan.is_error
    assert vendor.is_error


async def test_a_project_that_asks_for_what_is_not_its_own_is_not_served(root: Path) -> None:
    (root / "kimi.toml").write_text('[rules]\nshell-injection = "off"\n')
    async with spawn([*COMMAND, "--root", str(root)], cwd=root) as process:
        assert await process.exit_code() == 2
        said = await process.said("kimi.toml")
    assert "shell-injection" in said.string
    assert "Traceback" not in "".join(process.errors)


@pytest.mark.parametrize("text", ["mcp_review = true\n", "[limits]\nmax_file = 1\n", 'exclude = ["!app.py"]\n'])
def test_a_mistake_in_a_projects_file_is_one_for_every_tool(root: Path, text: str) -> None:
    (root / "kimi.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"kimi\.toml"):
        setup(root)


def test_a_project_may_raise_a_level_and_not_lower_one(root: Path) -> None:
    (root / "kimi.toml").write_text('[rules]\nshell-injection = "note"\n')
    assert "error shell-injection" in told(setup(root))
    user = {"KIMI_LSP_RULES": "shell-injection=warning"}
    (root / "kimi.toml").write_text('[rules]\nshell-injection = "error"\n')
    assert "error shell-injection" in told(setup(root, environ=user))
    (root / "kimi.toml").write_text("")
    assert "warning shell-injection" in told(setup(root, environ=user))


def test_of_several_projects_the_strictest_limits_and_levels_hold(tmp_path: Path) -> None:
    one = project(tmp_path / "one", '[limits]\nmax_files = 500\n[rules]\nshell-injection = "error"\n')
    two = project(tmp_path / "two", "[limits]\nmax_file_bytes = 700\n")
    made = setup(one, two, environ={"KIMI_LSP_RULES": "shell-injection=note,sql-injection=off"})
    assert (made.max_files, made.max_file_bytes) == (500, 700)
    assert "shell-injection" not in dict(made.levels), "error is its own level"
    assert made.rules_off == ("sql-injection",)
    text = told(made)
    assert "one/app.py:6 error shell-injection" in text
    assert "two/app.py:6 error shell-injection" in text
    assert "sql-injection" not in text


def test_each_root_has_the_patterns_of_its_own_project(tmp_path: Path) -> None:
    one = project(tmp_path / "one", 'exclude = ["app.py"]\n')
    two = project(tmp_path / "two", 'deny = ["app.py"]\n')
    text = told(setup(one, two), "list_files")
    assert "one/app.py" not in text
    assert "two/app.py" in text
    assert "two/app.py" not in told(setup(one, two, for_models=True), "list_files")


def test_a_reviewing_model_is_shown_neither_what_is_excluded_nor_what_is_denied(root: Path) -> None:
    (root / "kimi.toml").write_text('exclude = ["a/"]\ndeny = ["b/"]\n[rules]\nsql-injection = "error"\n')
    environ = {"KIMI_LSP_RULES": "shell-injection=off,sql-injection=note", "KIMI_LSP_MAX_FILES": "7"}
    [session] = open_roots([root], environ)
    made = reviewers_setup(root, session.settings)
    assert made.roots[0].exclude == ("a/", "b/")
    assert (made.rules_off, made.max_files) == (("shell-injection",), 7)


BELOW = ("src", "shop")


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["*.log", "build/"], ["*.log", "build/"]),
        (["/src/shop/gen.py"], ["/gen.py"]),
        (["src/shop/gen/"], ["/gen/"]),
        (["src/*/gen"], ["/gen"]),
        (["s*/shop/gen"], ["/gen"]),
        (["**/shop/gen"], ["/gen", "/**/shop/gen"]),
        (["src/**/gen"], ["/**/gen"]),
        (["/build/", "docs/*.md"], []),
        (["*.sql", "!/dump.sql", "!/src/shop/keep.sql"], ["*.sql", "!/keep.sql"]),
        (["shop"], ["*"]),
        (["shop/"], ["*"]),
        (["/src/"], ["*"]),
        (["src/*"], ["*"]),
        (["s*"], ["*"]),
        (["src/shop/**"], ["/**"]),
        (["src/*", "!src/shop"], []),
        (["src/[a-z]hop/gen"], ["*"]),
        (["gen.py/ ", "#x/y"], ["gen.py/ ", "#x/y"]),
    ],
)
def test_patterns_are_said_anew_in_a_folder_below(patterns: Sequence[str], expected: Sequence[str]) -> None:
    assert sorted(said_below(patterns, BELOW)) == sorted(expected)


NAMES = ("a", "b", "ab", "src")
PIECES = ("a", "b", "ab", "src", "*", "**", "?", "a*", "*b", "[ab]", "***", "a**", "\\a", " ", "")


def line(mark: str, first: str, pieces: list[str], last: str) -> str:
    return mark + first + "/".join(pieces) + last


PATTERNS = st.lists(
    st.builds(
        line,
        st.sampled_from(["", "", "!"]),
        st.sampled_from(["", "/"]),
        st.lists(st.sampled_from(PIECES), min_size=1, max_size=4),
        st.sampled_from(["", "/", " ", "\\ "]),
    ),
    max_size=5,
)
PARTS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3)


@given(PATTERNS, PARTS, st.lists(PARTS, min_size=1, max_size=8), st.booleans())
@example(["**/a/b"], ["a"], [["b"]], False)
@example(["a/ "], ["b"], [["a"]], True)
@example(["!#/a", "a"], ["#"], [["a"]], False)
def test_nothing_that_is_left_out_of_the_project_is_served_below(
    patterns: list[str], below: list[str], paths: list[list[str]], is_folder: bool
) -> None:
    before, after = Patterns(patterns), Patterns(said_below(patterns, below))
    is_plain = not any(odd in pattern for pattern in patterns for odd in ("***", "a**", "[", " "))
    for path in paths:
        was = before.covers("/".join((*below, *path)), is_folder=is_folder)
        now = after.covers("/".join(path), is_folder=is_folder)
        assert now or not was, (patterns, below, path)
        assert now == was or not is_plain, (patterns, below, path)


def test_a_root_below_the_project_is_held_to_its_patterns(root: Path) -> None:
    below = root / "src" / "shop"
    (below / "gen").mkdir(parents=True)
    for name in ("app.py", "gen/code.py", "plan.py"):
        (below / name).write_text(APP)
    (root / "kimi.toml").write_text('exclude = ["src/*/gen/"]\ndeny = ["**/shop/plan.py"]\n')
    made = setup(below, for_models=True)
    assert [path for path in ("app.py", "gen/code.py", "plan.py") if path in told(made, "list_files")] == ["app.py"]
    assert Catalog(made).call("read_file", {"path": "gen/code.py"}).is_error
    (root / "kimi.toml").write_text('exclude = ["s*"]\n')
    assert "app.py" not in told(setup(below), "list_files")
