"""`get_finding`, `explain_rule` and `codebase_health` against what is known otherwise."""

import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcp_tools.catalog import Answer, Catalog, RootSetup, Setup
from mcp_tools.catalog.findings import finding_id
from mcp_tools.catalog.params import ScanParams
from mcp_tools.catalog.scans import find_findings
from mcp_tools.rules import list_pages, page
from tests.catalog.trees import FINDING, KEY, catalog, listed, write

SHELL = "import os\n\n\ndef f(name):\n    os.system('ls ' + name)\n"


def only_id(tools: Catalog) -> str:
    (found,) = listed(tools.call("security_surface", {}), "findings")
    return str(found["id"])


@pytest.mark.parametrize("with_path", [False, True])
def test_a_finding_is_found_by_its_id_after_lines_were_added_above_it(tmp_path: Path, with_path: bool) -> None:
    tools = catalog(write(tmp_path, {"src/a.py": SHELL}))
    arguments = {"id": only_id(tools), **({"path": "src/a.py"} if with_path else {})}
    before = tools.call("get_finding", {**arguments})
    write(tmp_path, {"src/a.py": "# a line\n\n" + SHELL})
    after = tools.call("get_finding", {**arguments})
    assert (before.data["line"], after.data["line"]) == (5, 7)
    assert "7\t    os.system('ls ' + name)" in after.text
    assert {**before.data, "line": 7, "end_line": 7, "lines": after.data["lines"]} == after.data
    assert only_id(tools) == arguments["id"]


def test_a_finding_is_found_by_its_whole_fingerprint_and_by_a_server_that_never_told_it(tmp_path: Path) -> None:
    tools = catalog(write(tmp_path, {"a.py": SHELL}))
    fingerprint = tools.call("get_finding", {"id": only_id(tools)}).data["fingerprint"]
    assert catalog(tmp_path).call("get_finding", {"id": fingerprint}).data["id"] == only_id(tools)


@pytest.mark.parametrize("change", ["mended", "deleted", "suppressed elsewhere"])
def test_a_finding_that_no_longer_holds_is_an_error(tmp_path: Path, change: str) -> None:
    tools = catalog(write(tmp_path, {"a.py": SHELL}))
    stale = only_id(tools)
    match change:
        case "mended":
            write(tmp_path, {"a.py": SHELL.replace("'ls ' + name", "'ls'")})
        case "deleted":
            (tmp_path / "a.py").unlink()
        case _:
            tools = Catalog(Setup((RootSetup(str(tmp_path)),), rules_off=("shell-injection",), key=KEY))
    answer = tools.call("get_finding", {"id": stale})
    assert answer.is_error
    assert answer.text == ("get_finding: no finding has this id now: the code may have changed, so run the tool again")


def test_an_unknown_id_and_a_path_outside_are_errors(tmp_path: Path) -> None:
    tools = catalog(write(tmp_path, {"a.py": SHELL, "b.py": ""}))
    for arguments in ({"id": "0" * 12}, {"id": only_id(tools), "path": "b.py"}, {"id": "0" * 12, "path": "/etc"}):
        answer = tools.call("get_finding", {**arguments})
        assert answer.is_error
        assert answer.data == {}


def test_a_suppressed_finding_is_not_listed_but_counted_and_says_why(tmp_path: Path) -> None:
    tools = catalog(write(tmp_path, {"a.py": SHELL.rstrip() + "  # noqa: S605\n"}))
    answer = tools.call("security_surface", {})
    assert answer.text == "security_surface: no findings in what was read (1 file read); 1 suppressed"
    assert (answer.data["total"], answer.data["findings"], answer.data["suppressed"]) == (0, [], 1)
    (hidden,) = find_findings("security_surface", tools.view(), ScanParams()).findings
    detail = tools.call("get_finding", {"id": finding_id(hidden)})
    assert f"\nsuppressed: {detail.data['suppressed']}\n" in detail.text
    assert "noqa" in str(detail.data["suppressed"])


@pytest.mark.parametrize("rule", list_pages())
def test_a_rule_is_explained_by_its_page(tmp_path: Path, rule: str) -> None:
    answer = catalog(tmp_path).call("explain_rule", {"rule": rule})
    assert not answer.is_error
    assert answer.data["page"] == answer.text == (page(rule) or "").strip()
    assert answer.data["rule"] == rule


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("sql-injectin", "sql-injection"), ("SQL-injection", "sql-injection"), ("hardcoded-secret", "hard-coded-secret")],
)
def test_a_rule_that_is_misspelt_is_answered_with_what_may_be_meant(tmp_path: Path, typed: str, meant: str) -> None:
    answer = catalog(tmp_path).call("explain_rule", {"rule": typed})
    assert answer.is_error
    assert answer.text.startswith("explain_rule: no such rule. Did you mean ")
    assert meant in answer.text


def test_a_rule_that_is_like_none_is_answered_with_those_there_are(tmp_path: Path) -> None:
    answer = catalog(tmp_path).call("explain_rule", {"rule": "../../etc/passwd"})
    assert answer.is_error
    assert all(rule in answer.text for rule in list_pages())


LINE = st.sampled_from(["x = 1", "", "eval(name)", "os.system(name)", "# a remark", "import os"])
FILE = st.tuples(st.lists(LINE, max_size=8), st.sampled_from(["\n", "\r\n"]), st.booleans())
NAMES = ("a.py", "b/c.py", "b/test_c.py", "tests/d.py", "web/e.js", "web/e.test.js", "notes.md", "Makefile")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(NAMES), FILE))
def test_the_numbers_of_codebase_health_are_those_of_an_independent_count(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, tuple[list[str], str, bool]]
) -> None:
    root = tmp_path_factory.mktemp("counted")
    texts = {
        name: end.join(lines) + (end if lines and is_ended else "") for name, (lines, end, is_ended) in files.items()
    }
    tools = catalog(write(root, texts))
    lines = {
        Path(folder, name).relative_to(root).as_posix(): len(Path(folder, name).read_bytes().splitlines())
        for folder, _, names in os.walk(root)
        for name in names
    }
    health = tools.call("codebase_health", {})
    assert (health.data["files"], health.data["lines"]) == (len(lines), sum(lines.values()))
    assert health.data["test_files"] == len(lines.keys() & {"b/test_c.py", "tests/d.py", "web/e.test.js"})
    languages = {str(item["language"]): item for item in listed(health, "languages")}
    python = [count for name, count in lines.items() if name.endswith(".py")]
    assert languages.get("python") == (
        {"language": "python", "files": len(python), "lines": sum(python)} if python else None
    )
    largest = sorted(lines.items(), key=lambda each: (-each[1], each[0]))[:5]
    assert [(item["path"], item["lines"]) for item in listed(health, "largest")] == largest
    surface = tools.call("security_surface", {"limit": 200})
    assert health.data["findings"] == {"security_surface": surface.data["counts"]}
    worst = Counter(str(item["path"]) for item in listed(surface, "findings"))
    ranked = sorted(worst.items(), key=lambda each: (-each[1], each[0]))[:5]
    assert [(item["path"], item["count"]) for item in listed(health, "worst_files")] == ranked


def test_every_count_of_codebase_health_stands_in_its_text(tmp_path: Path) -> None:
    answer = catalog(write(tmp_path, {"a.py": FINDING * 3, "b/a.py": "", "c.md": "x\n" * 1_234})).call(
        "codebase_health", {}
    )
    assert answer.text.splitlines() == [
        "codebase_health: 3 files, 1,237 lines, 0 test files",
        "languages: markdown 1,234 lines in 1 file, python 3 lines in 2 files",
        "largest: c.md 1,234 lines",
        "largest: a.py 3 lines",
        "largest: b/a.py 0 lines",
        "security_surface: 3 findings (3 warnings); 3 files read. Call security_surface for the places.",
        "most findings: a.py 3",
    ]


def test_a_long_page_of_a_rule_is_still_within_the_limit(tmp_path: Path) -> None:
    tools = catalog(tmp_path)
    said = [tools.call("explain_rule", {"rule": rule}) for rule in list_pages()]
    assert max(len(answer.text) + len(repr(answer.data)) for answer in said) < 40_000
    assert max(len(line) for answer in said for line in answer.text.splitlines()) < 2_000
    assert not any(isinstance(answer, Answer) and answer.is_error for answer in said)
