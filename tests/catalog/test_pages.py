"""Pages: together they are everything once, of one look, and none is larger than it may be."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from mcp_tools.catalog import Answer, Catalog, JsonObject
from tests.catalog.trees import FINDING, catalog, chars, listed, number, pages, write

FILES, EACH = 100, 20
LONG = "a-rather-long-name-" * 8
AGENTS_LIMIT = 2_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with 2,000 findings in files with long names, and with every kind of thing that is not read."""
    root = tmp_path_factory.mktemp("large")
    text = "".join(f"x{each} = eval(name + {'y' * 150!r})\n" for each in range(EACH))
    write(root, {f"src/{each:03}/{LONG}.py": text for each in range(FILES)})
    write(root, {f"{LONG}{each}/{LONG}.png": b"\x89PNG\0" for each in range(5)})
    write(root, {f"{LONG}{each}/{LONG}.txt": b"x" * 1_000_001 for each in range(3)})
    for each in range(5):
        (root / f"{LONG}link{each}").symlink_to("src")
    return root


@pytest.fixture(scope="module")
def tools(large: Path) -> Catalog:
    return catalog(large)


CALLS: tuple[tuple[str, JsonObject], ...] = (
    ("codebase_health", {}),
    ("list_files", {}),
    ("search_text", {"query": "eval"}),
    ("search_text", {"query": "eval", "context": 3}),
    ("search_text", {"query": "eval", "show": "files"}),
    ("security_surface", {}),
    ("audit_file", {"path": f"src/000/{LONG}.py"}),
    ("read_file", {"path": f"src/000/{LONG}.py"}),
    ("read_file", {"path": "quotes.txt"}),
)


@pytest.mark.parametrize(("name", "arguments"), CALLS)
def test_an_answer_has_8000_characters_at_the_most_unless_more_is_asked_for(
    tools: Catalog, large: Path, name: str, arguments: JsonObject
) -> None:
    write(large, {"quotes.txt": '"\\\t\u202e' * 200 + "\n" + '"""\\\\\n' * 3_000})
    assert 1_000 < chars(answer := tools.call(name, arguments)) <= 8_000, answer.text
    assert not answer.is_error


@pytest.mark.parametrize(("name", "arguments"), CALLS)
@pytest.mark.parametrize("limit", [7, 200])
def test_an_answer_has_40000_characters_at_the_most_whatever_is_asked_for(
    tools: Catalog, name: str, arguments: JsonObject, limit: int
) -> None:
    extra: JsonObject = {"max_lines": limit * 10} if name == "read_file" else {"limit": limit}
    answer = tools.call(name, arguments if name == "codebase_health" else {**arguments, **extra})
    assert not answer.is_error
    assert chars(answer) <= 40_000
    assert max(map(len, answer.text.splitlines())) < AGENTS_LIMIT


def test_a_higher_limit_really_gives_more(tools: Catalog) -> None:
    few, many = tools.call("security_surface", {}), tools.call("security_surface", {"limit": 200})
    assert number(few, "returned") < number(many, "returned")
    assert chars(many) > 30_000


@pytest.mark.parametrize("arguments", [{"paths": ["src/00*"]}, {"limit": 3, "paths": ["src/00*"]}, {"limit": 200}])
def test_pages_of_findings_add_up_to_the_total_and_no_id_comes_twice(tools: Catalog, arguments: JsonObject) -> None:
    told = list(pages(tools, "security_surface", arguments))
    ids = [str(item["id"]) for page in told for item in listed(page, "findings")]
    assert len(told) > 1
    assert len(ids) == len(set(ids)) == number(told[0], "total") == FILES * EACH // (10 if "paths" in arguments else 1)
    for page in told:
        assert page.data["counts"] == told[0].data["counts"]
        assert page.data["by_rule"] == told[0].data["by_rule"] == {"code-injection": len(ids)}
        assert page.data["truncated"] is True


@pytest.mark.parametrize(
    ("name", "arguments", "key"),
    [
        ("list_files", {}, "files"),
        ("search_text", {"query": "eval", "limit": 200}, "matches"),
        ("search_text", {"query": "eval", "show": "files"}, "files"),
    ],
)
def test_pages_of_files_and_matches_add_up_too(tools: Catalog, name: str, arguments: JsonObject, key: str) -> None:
    told = list(pages(tools, name, arguments))
    entries = [json.dumps(item, sort_keys=True) for page in told for item in listed(page, key)]
    assert len(entries) == len(set(entries)) == number(told[0], "total") == sum(number(p, "returned") for p in told)


def test_the_text_of_a_page_has_every_count_and_id_that_its_data_has(tools: Catalog) -> None:
    for page in pages(tools, "security_surface", {"limit": 150, "paths": ["src/00*"]}):
        first, by_rule, *rest = page.text.splitlines()
        assert f"{number(page, 'total')} findings (200 warnings) in 10 files (10 files read)" in first
        assert by_rule == "by rule: code-injection 200"
        assert str(page.data.get("next_cursor", "this is the last page")) in first
        for line, item in zip(rest, listed(page, "findings"), strict=False):
            assert line.startswith(f"{item['path']}:{item['line']} {item['level']} {item['rule']} ")
            assert line.endswith(f"[{item['id']}]")


def test_evidence_goes_before_entries_do(large: Path) -> None:
    def said(most: int) -> Answer:
        return catalog(large, max_answer_chars=most).call("security_surface", {"limit": 20, "paths": ["src/000"]})

    whole, shorter, shortest = said(40_000), said(18_000), said(8_000)
    assert all("evidence" in item for item in listed(whole, "findings"))
    assert not any("evidence" in item for item in listed(shorter, "findings"))
    assert [number(page, "returned") for page in (whole, shorter)] == [20, 20]
    assert 0 < number(shortest, "returned") < 20
    assert [number(page, "total") for page in (whole, shorter, shortest)] == [20, 20, 20]


def test_all_pages_are_of_one_look_even_when_a_file_changes_between(tmp_path: Path) -> None:
    tools = catalog(write(tmp_path, {"a.py": FINDING * 5, "b.py": FINDING * 5}))
    first = tools.call("security_surface", {"limit": 4})
    write(tmp_path, {"a.py": "", "b.py": FINDING})
    second = tools.call("security_surface", {"limit": 4, "cursor": first.data["next_cursor"]})
    third = tools.call("security_surface", {"limit": 4, "cursor": second.data["next_cursor"]})
    assert [number(page, "total") for page in (first, second, third)] == [10, 10, 10]
    places = [(item["path"], item["line"]) for page in (first, second, third) for item in listed(page, "findings")]
    assert places == [(name, line) for name in ("a.py", "b.py") for line in range(1, 6)]
    assert tools.call("security_surface", {"limit": 4}).data["total"] == 1


def test_a_cursor_is_refused_once_the_look_is_forgotten_and_there_is_something_else_now(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": FINDING * 5})
    cursor = catalog(tmp_path).call("security_surface", {"limit": 2}).data["next_cursor"]
    other_worker = catalog(tmp_path)  # of the same server: it has the same key
    assert other_worker.call("security_surface", {"limit": 2, "cursor": cursor}).data["returned"] == 2
    write(tmp_path, {"a.py": FINDING * 4})
    third_worker = catalog(tmp_path)
    refused = third_worker.call("security_surface", {"limit": 2, "cursor": cursor})
    assert refused == Answer("security_surface: the results have changed: ask again without cursor", {}, True)


def test_read_file_leads_through_a_whole_file(tools: Catalog, large: Path) -> None:
    lines = [f"line {each} " + '"' * (each % 50) for each in range(1, 700)]
    write(large, {"long.txt": "\n".join(lines) + "\n"})
    seen: list[str] = []
    start = 1
    while start <= len(lines):
        answer = tools.call("read_file", {"path": "long.txt", "start_line": start})
        assert chars(answer) <= 8_000
        assert number(answer, "first_line") == start
        seen += str(answer.data["text"]).split("\n")
        start = number(answer, "last_line") + 1
        assert answer.data["truncated"] == (start <= len(lines)) == (f"go on with start_line={start}" in answer.text)
    assert seen == lines


def test_a_long_line_is_cut_where_a_client_would_cut_it(tools: Catalog, large: Path) -> None:
    write(large, {"line.txt": "find me " + "x" * 10_000 + "\nnext\n"})
    answers = [
        tools.call("read_file", {"path": "line.txt"}),
        tools.call("search_text", {"query": "find me", "context": 1}),
    ]
    for answer in answers:
        assert max(map(len, answer.text.splitlines())) < AGENTS_LIMIT
        assert "xxx…" in answer.text
        assert "next" in answer.text


def test_what_was_not_done_never_crowds_out_what_was_found(tools: Catalog) -> None:
    answer = tools.call("security_surface", {})
    assert number(answer, "returned") >= 3
    codes = {str(item["code"]): number_of(item) for item in listed(answer, "notices")}
    assert codes == {"binary-file": 5, "file-too-large": 3, "link-not-followed": 5}
    assert all(f"not done: {code} x{count}: " in answer.text for code, count in codes.items())


def number_of(item: JsonObject) -> int:
    count = item["count"]
    assert isinstance(count, int)
    return count


def test_findings_come_in_the_order_of_their_places(tools: Catalog) -> None:
    first = listed(tools.call("security_surface", {"limit": 50}), "findings")
    places = [(str(item["path"]), int(str(item["line"]))) for item in first]
    assert all(one < other for one, other in pairwise(places))
