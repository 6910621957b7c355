"""Whole answers, as an agent gets them."""
# ruff: noqa: E501, W291 - a snapshot holds lines as they are

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from mcp_tools.catalog import TOOLS, Answer, Catalog, Json, JsonObject
from tests.catalog.trees import catalog, write

DB = """\
import subprocess


def find(cur, name):
    cur.execute(f"select * from t where n = {name}")
    subprocess.call(name, shell=True)  # noqa: S602
    return eval(name)
"""
ALL: tuple[tuple[str, JsonObject], ...] = (
    ("codebase_health", {}),
    ("list_files", {}),
    ("read_file", {"path": "src/db.py"}),
    ("search_text", {"query": "name"}),
    ("security_surface", {}),
    ("audit_file", {"path": "src/db.py"}),
    ("explain_rule", {"rule": "sql-injection"}),
)


@pytest.fixture
def tools(tmp_path: Path) -> Catalog:
    files = {"src/db.py": DB, "src/empty.py": "", "tests/test_db.py": "def test_it(): ...\n", "logo.png": b"\x89PNG\0"}
    return catalog(write(tmp_path / "shop", files))


def test_codebase_health_is_counts_on_one_page(tools: Catalog) -> None:
    answer = tools.call("codebase_health", {})
    assert answer.text == snapshot("""\
codebase_health: 3 files, 8 lines, 1 test file
languages: python 8 lines in 3 files
largest: src/db.py 7 lines
largest: tests/test_db.py 1 line
largest: src/empty.py 0 lines
security_surface: 2 findings (1 error, 1 warning); 3 files read; 1 suppressed. Call security_surface for the places.
most findings: src/db.py 2
not done: binary-file: not read: binary: logo.png\
""")
    assert answer.data == snapshot(
        {
            "files": 3,
            "lines": 8,
            "test_files": 1,
            "languages": [{"language": "python", "files": 3, "lines": 8}],
            "largest": [
                {"path": "src/db.py", "lines": 7, "language": "python"},
                {"path": "tests/test_db.py", "lines": 1, "language": "python"},
                {"path": "src/empty.py", "lines": 0, "language": "python"},
            ],
            "findings": {"security_surface": {"error": 1, "warning": 1, "note": 0}},
            "worst_files": [{"path": "src/db.py", "count": 2}],
            "notices": [
                {
                    "code": "binary-file",
                    "message": "not read: binary",
                    "count": 1,
                    "paths": ["logo.png"],
                    "incomplete": False,
                }
            ],
        }
    )


def test_list_files_has_a_file_a_line(tools: Catalog) -> None:
    answer = tools.call("list_files", {})
    assert answer.text == snapshot("""\
list_files: 4 files
logo.png 5 bytes
src/db.py 168 bytes python
src/empty.py 0 bytes python
tests/test_db.py 19 bytes python\
""")
    assert answer.data == snapshot(
        {
            "total": 4,
            "returned": 4,
            "truncated": False,
            "ignored": 0,
            "files": [
                {"path": "logo.png", "size": 5},
                {"path": "src/db.py", "size": 168, "language": "python"},
                {"path": "src/empty.py", "size": 0, "language": "python"},
                {"path": "tests/test_db.py", "size": 19, "language": "python"},
            ],
            "notices": [],
        }
    )


def test_list_files_goes_only_so_deep(tools: Catalog) -> None:
    assert tools.call("list_files", {"max_depth": 1}).text == snapshot("""\
list_files: 1 file
logo.png 5 bytes\
""")


def test_read_file_quotes_lines_with_their_numbers(tools: Catalog) -> None:
    answer = tools.call("read_file", {"path": "src/db.py", "start_line": 4, "max_lines": 2})
    assert answer.text == snapshot("""\
read_file: src/db.py: lines 4-5 of 7; go on with start_line=6
<<<untrusted text fcb3bf622c4399f6
4	def find(cur, name):
5	    cur.execute(f"select * from t where n = {name}")
fcb3bf622c4399f6 end of untrusted text>>>\
""")
    assert answer.data == snapshot(
        {
            "path": "src/db.py",
            "language": "python",
            "sha256": "95775fef5350d4dbeb1ca22789b64e4c116d972a407e3b39793d9a177c0ac135",
            "total_lines": 7,
            "first_line": 4,
            "last_line": 5,
            "truncated": True,
            "redacted": {},
            "text": """\
def find(cur, name):
    cur.execute(f"select * from t where n = {name}")\
""",
        }
    )


def test_read_file_says_where_there_is_nothing(tools: Catalog) -> None:
    said = [
        tools.call("read_file", {"path": "src/db.py", "start_line": 99}).text,
        tools.call("read_file", {"path": "src/empty.py"}).text,
        tools.call("read_file", {"path": "logo.png"}).text,
        tools.call("read_file", {"path": "src"}).text,
        tools.call("read_file", {"path": "src/missing.py"}).text,
        tools.call("read_file", {"path": "../other"}).text,
    ]
    assert said == snapshot(
        [
            "read_file: src/db.py: no line 99; it has 7 lines",
            "read_file: src/empty.py: no line 1; it has 0 lines",
            "read_file: logo.png: not read: binary",
            "read_file: src: not read: a folder; list_files lists it",
            "read_file: src/missing.py: not read: no such file",
            "read_file: ../other: not read: no relative path inside the project",
        ]
    )


def test_search_text_has_a_match_a_line_between_marks(tools: Catalog) -> None:
    answer = tools.call("search_text", {"query": "name)", "context": 1})
    assert answer.text == snapshot("""\
search_text: 2 matching lines in 1 file (3 files searched)
<<<untrusted text 504dd73306623562
src/db.py-3- \n\
src/db.py:4: def find(cur, name):
src/db.py-5-     cur.execute(f"select * from t where n = {name}")
src/db.py-6-     subprocess.call(name, shell=True)  # noqa: S602
src/db.py:7:     return eval(name)
504dd73306623562 end of untrusted text>>>
not done: binary-file: not read: binary: logo.png\
""")
    assert answer.data == snapshot(
        {
            "total": 2,
            "returned": 2,
            "truncated": False,
            "files_searched": 3,
            "files_matched": 1,
            "notices": [
                {
                    "code": "binary-file",
                    "message": "not read: binary",
                    "count": 1,
                    "paths": ["logo.png"],
                    "incomplete": False,
                }
            ],
            "matches": [
                {"path": "src/db.py", "line": 4, "column": 15, "text": "def find(cur, name):"},
                {"path": "src/db.py", "line": 7, "column": 17, "text": "    return eval(name)"},
            ],
        }
    )


def test_search_text_counts_by_file(tools: Catalog) -> None:
    answer = tools.call("search_text", {"query": "^def", "regex": True, "show": "files"})
    assert answer.text == snapshot("""\
search_text: 2 matching lines in 2 files (3 files searched)
src/db.py: 1
tests/test_db.py: 1
not done: binary-file: not read: binary: logo.png\
""")
    assert answer.data == snapshot(
        {
            "total": 2,
            "returned": 2,
            "truncated": False,
            "files_searched": 3,
            "files_matched": 2,
            "notices": [
                {
                    "code": "binary-file",
                    "message": "not read: binary",
                    "count": 1,
                    "paths": ["logo.png"],
                    "incomplete": False,
                }
            ],
            "files": [
                {"path": "src/db.py", "count": 1},
                {"path": "tests/test_db.py", "count": 1},
            ],
        }
    )


def test_search_text_finds_nothing_in_so_many_words(tools: Catalog) -> None:
    assert tools.call("search_text", {"query": "nowhere"}).text == snapshot("""\
search_text: 0 matching lines in 0 files (3 files searched)
not done: binary-file: not read: binary: logo.png\
""")


def test_security_surface_has_a_summary_and_a_finding_a_line(tools: Catalog) -> None:
    answer = tools.call("security_surface", {})
    assert answer.text == snapshot("""\
security_surface: 2 findings (1 error, 1 warning) in 1 file (3 files read); 1 suppressed
src/db.py:5 error sql-injection This SQL is built from text that is not constant; pass the values as parameters. [391a57866ad7]
src/db.py:7 warning code-injection Text that is not constant is run as Python; parse it instead (`ast.literal_eval`, `json.loads`). [d949b5b16333]
not done: binary-file: not read: binary: logo.png
get_finding(id) tells a finding whole; explain_rule(rule) says what a rule means.\
""")
    assert answer.data == snapshot(
        {
            "total": 2,
            "returned": 2,
            "truncated": False,
            "counts": {"error": 1, "warning": 1, "note": 0},
            "by_rule": {"code-injection": 1, "sql-injection": 1},
            "files_read": 3,
            "suppressed": 1,
            "complete": True,
            "findings": [
                {
                    "id": "391a57866ad7",
                    "rule": "sql-injection",
                    "level": "error",
                    "confidence": "high",
                    "path": "src/db.py",
                    "line": 5,
                    "message": "This SQL is built from text that is not constant; pass the values as parameters.",
                    "evidence": 'f"select * from t where n = {name}"',
                },
                {
                    "id": "d949b5b16333",
                    "rule": "code-injection",
                    "level": "warning",
                    "confidence": "low",
                    "path": "src/db.py",
                    "line": 7,
                    "message": "Text that is not constant is run as Python; parse it instead (`ast.literal_eval`, `json.loads`).",
                    "evidence": "eval(name)",
                },
            ],
            "notices": [
                {
                    "code": "binary-file",
                    "message": "not read: binary",
                    "count": 1,
                    "paths": ["logo.png"],
                    "incomplete": False,
                }
            ],
            "report": "audit://report/b390e7a2d147b83f",
        }
    )


def test_a_page_says_which_entries_it_shows_and_counts_all(tools: Catalog) -> None:
    first = tools.call("security_surface", {"limit": 1})
    assert first.text == snapshot("""\
security_surface: 2 findings (1 error, 1 warning) in 1 file (3 files read); 1 suppressed; showing 1-1 of 2; next_cursor=AAAAAAAB77U9d1NMR1ek7KSiGJJhgwKiKbY
by rule: code-injection 1, sql-injection 1
src/db.py:5 error sql-injection This SQL is built from text that is not constant; pass the values as parameters. [391a57866ad7]
not done: binary-file: not read: binary: logo.png
get_finding(id) tells a finding whole; explain_rule(rule) says what a rule means.\
""")
    second = tools.call("security_surface", {"limit": 1, "cursor": first.data["next_cursor"]})
    assert second.text == snapshot("""\
security_surface: 2 findings (1 error, 1 warning) in 1 file (3 files read); 1 suppressed; showing 2-2 of 2; this is the last page
by rule: code-injection 1, sql-injection 1
src/db.py:7 warning code-injection Text that is not constant is run as Python; parse it instead (`ast.literal_eval`, `json.loads`). [d949b5b16333]
not done: binary-file: not read: binary: logo.png
get_finding(id) tells a finding whole; explain_rule(rule) says what a rule means.\
""")


def test_less_grave_findings_are_left_out_of_the_counts_too(tools: Catalog) -> None:
    answer = tools.call("security_surface", {"min_severity": "error"})
    assert answer.text == snapshot("""\
security_surface: 1 finding (1 error) in 1 file (3 files read); 1 suppressed
src/db.py:5 error sql-injection This SQL is built from text that is not constant; pass the values as parameters. [391a57866ad7]
not done: binary-file: not read: binary: logo.png
get_finding(id) tells a finding whole; explain_rule(rule) says what a rule means.\
""")
    assert answer.data["by_rule"] == {"sql-injection": 1}


def test_only_the_paths_that_are_meant_are_looked_at(tools: Catalog) -> None:
    meant: list[list[Json]] = [["tests"], ["no/such"], ["*.md", "/x"]]
    said = [tools.call("security_surface", {"paths": paths}).text for paths in meant]
    assert said == snapshot(
        [
            "security_surface: no findings in what was read (1 file read)",
            """\
security_surface: nothing was read
not done: no-such-file: nothing listed matches; ignored files are not listed: no/such\
""",
            """\
security_surface: nothing was read
not done: no-such-file: nothing listed matches; ignored files are not listed: *.md
not done: outside-project: not read: no relative path inside the project: /x\
""",
        ]
    )


def test_audit_file_says_what_there_is_in_one_file(tools: Catalog) -> None:
    assert tools.call("audit_file", {"path": "src/db.py"}).text == snapshot("""\
audit_file: 2 findings (1 error, 1 warning) in 1 file (1 file read); 1 suppressed
src/db.py:5 error sql-injection This SQL is built from text that is not constant; pass the values as parameters. [391a57866ad7]
src/db.py:7 warning code-injection Text that is not constant is run as Python; parse it instead (`ast.literal_eval`, `json.loads`). [d949b5b16333]
get_finding(id) tells a finding whole; explain_rule(rule) says what a rule means.\
""")
    assert tools.call("audit_file", {"path": "logo.png"}) == snapshot(
        Answer(text="audit_file: logo.png: not read: binary", data={}, is_error=True)
    )


def test_get_finding_tells_it_whole(tools: Catalog) -> None:
    answer = tools.call("get_finding", {"id": _id_of(tools, "sql-injection")})
    assert answer.text == snapshot("""\
src/db.py:5:17 error sql-injection This SQL is built from text that is not constant; pass the values as parameters. [391a57866ad7]
rule: SQL is built from text that is not constant. (CWE-89)
confidence: high; reported by security_surface, ruff S608
evidence: f"select * from t where n = {name}"
<<<untrusted text c30e4de15453ec79
2	
3	
4	def find(cur, name):
5	    cur.execute(f"select * from t where n = {name}")
6	    subprocess.call(name, shell=True)  # noqa: S602
7	    return eval(name)
c30e4de15453ec79 end of untrusted text>>>
explain_rule(sql-injection) says how to fix it.\
""")
    assert answer.data == snapshot(
        {
            "id": "391a57866ad7",
            "fingerprint": "391a57866ad7bf7fad2dda7aea5b0220",
            "rule": "sql-injection",
            "summary": "SQL is built from text that is not constant.",
            "level": "error",
            "confidence": "high",
            "path": "src/db.py",
            "line": 5,
            "column": 17,
            "end_line": 5,
            "end_column": 52,
            "message": "This SQL is built from text that is not constant; pass the values as parameters.",
            "evidence": 'f"select * from t where n = {name}"',
            "tags": ["CWE-89"],
            "reported_by": "security_surface, ruff S608",
            "related": [],
            "lines": [
                "2\t",
                "3\t",
                "4\tdef find(cur, name):",
                '5\t    cur.execute(f"select * from t where n = {name}")',
                "6\t    subprocess.call(name, shell=True)  # noqa: S602",
                "7\t    return eval(name)",
            ],
        }
    )


def test_an_error_names_what_is_wrong_and_what_there_is(tools: Catalog) -> None:
    said = [
        tools.call("list_files", {"limit": 0}).text,
        tools.call("list_files", {"limit": True, "depth": 1}).text,
        tools.call("read_file", {}).text,
        tools.call("read_file", {"path": 3}).text,
        tools.call("security_surface", {"paths": "src"}).text,
        tools.call("security_surface", {"paths": ["src", ""]}).text,
        tools.call("security_surface", {"min_severity": "grave"}).text,
        tools.call("security_surface", {"cursor": "x" * 30}).text,
        tools.call("get_finding", {"id": "XYZ"}).text,
        tools.call("search_text", {"query": "(", "regex": True}).text,
    ]
    assert said == snapshot(
        [
            "list_files: limit: input should be greater than or equal to 1. Arguments: limit, cursor, paths, max_depth.",
            "list_files: limit: input should be a valid integer; unknown argument 'depth'. Arguments: limit, cursor, paths, max_depth.",
            "read_file: argument 'path' is missing. Arguments: path, start_line, max_lines, line_numbers.",
            "read_file: path: input should be a valid string. Arguments: path, start_line, max_lines, line_numbers.",
            "security_surface: paths: input should be a valid list. Arguments: limit, cursor, paths, min_severity.",
            "security_surface: paths.1: string should have at least 1 character. Arguments: limit, cursor, paths, min_severity.",
            "security_surface: min_severity: input should be 'note', 'warning' or 'error'. Arguments: limit, cursor, paths, min_severity.",
            "security_surface: not a cursor of this server",
            "get_finding: id: string should match pattern '^[0-9a-f]{12,32}$'. Arguments: id, path.",
            "search_text: the pattern is no regular expression in RE2 syntax, or too large a one; a text as it is needs no regex",
        ]
    )


def test_an_unknown_tool_is_the_callers_mistake(tools: Catalog) -> None:
    with pytest.raises(KeyError):
        tools.call("write_file", {})


@pytest.mark.parametrize("name", TOOLS)
def test_the_same_call_twice_gives_the_same_bytes_also_from_another_process(tools: Catalog, name: str) -> None:
    arguments = {**dict(ALL), "get_finding": {"id": _id_of(tools, "sql-injection")}}[name]
    again = catalog(*(Path(root.path) for root in tools.view().setup.roots))
    answers = [tools.call(name, {**arguments}), tools.call(name, {**arguments}), again.call(name, {**arguments})]
    assert not answers[0].is_error
    assert list(map(repr, answers)) == [repr(answers[0])] * 3


def _id_of(tools: Catalog, rule: str) -> str:
    findings = tools.call("security_surface", {}).data["findings"]
    assert isinstance(findings, list)
    (found,) = [item for item in findings if isinstance(item, dict) and item["rule"] == rule]
    return str(found["id"])
