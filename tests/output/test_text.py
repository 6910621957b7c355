"""The text form: what a person reads in a terminal."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from mcp_tools.finding import Confidence, Finding, Level, Location, Notice, Region, Related, Report
from mcp_tools.output import Format, finding_text, printable, render, summary_text
from mcp_tools.output.excerpt import excerpt
from mcp_tools.project import Source
from tests.output.samples import DRIFT, RELAXED, SECRET, SQL, STYLE, context, regions, source_texts, texts


def quoted(text: str, region: Region) -> str:
    return "\n".join(excerpt(Source("a", text), region))


def finding(message: str = "It is wrong.", region: Region | None = None, path: str = "a.py") -> Finding:
    return Finding(DRIFT, message, Location(path, region), Confidence.HIGH)


def test_a_finding_begins_with_a_place_that_a_terminal_can_open() -> None:
    told = finding_text(finding(region=Region(2, 4, 2, 9)), None)
    assert told == "a.py:3:5: warning[doc-drift] It is wrong."


def test_a_finding_about_a_whole_file_names_the_file() -> None:
    assert finding_text(finding(), Source("a.py", "x")) == "a.py: warning[doc-drift] It is wrong."


def test_a_column_counts_code_points() -> None:
    source = Source("a.py", "𐐀𐐀 = é\n")
    assert finding_text(finding(region=Region(0, 5, 0, 6)), source).startswith("a.py:1:6: ")


def test_the_level_that_holds_is_told() -> None:
    assert "error[doc-drift]" in finding_text(replace(finding(), level=Level.ERROR), None)


def test_all_that_supports_a_finding_is_told_below_it() -> None:
    full = replace(
        finding(region=Region(0, 0, 0, 1)),
        confidence=Confidence.LOW,
        evidence="first\nsecond",
        related=(Related("the other side", Location("b.md", Region(4, 0, 4, 2))), Related("", Location("c.md"))),
        protected_area="payments",
    )
    assert finding_text(full, Source("a.py", "x = 1\n")) == snapshot("""\
a.py:1:1: warning[doc-drift] It is wrong.
  1 | x = 1
    | ^
  = confidence: low
  = evidence: first
    second
  = see b.md:5:1: the other side
  = see c.md
  = human decision required (payments)\
""")


def test_nothing_is_said_of_high_confidence_and_of_what_is_not_there() -> None:
    assert finding_text(finding(region=Region(0, 0, 0, 1)), Source("a.py", "x"), show_source=False).count("\n") == 0


def test_a_secret_is_not_quoted_even_with_its_source_at_hand() -> None:
    canary = "hunter" + "2hunter2"
    source = Source("a.py", f"password = '{canary}'\n")
    secret = Finding(SECRET, "A password.", Location("a.py", Region(0, 12, 0, 26)), evidence="hu…r2")
    told = finding_text(secret, source)
    assert canary not in told
    assert "hu…r2" in told


def test_a_message_cannot_pose_as_another_finding() -> None:
    told = finding_text(finding("Bad.\nb.py:1:1: error[x] not real\r\x1b[2K"), None)
    assert told.split("\n")[1].startswith("    b.py")
    assert "\r" not in told
    assert "\x1b" not in told


def test_a_path_is_made_printable() -> None:
    assert finding_text(finding(path="a\n\udcff\u202e.py"), None).startswith("a\\n\\xff\\u{202e}.py: ")


def test_carets_stand_under_the_region() -> None:
    assert quoted("one\nvalue = load(x)\n", Region(1, 8, 1, 15)) == snapshot("""\
  2 | value = load(x)
    |         ^^^^^^^\
""")


def test_tabs_take_four_columns_in_the_line_and_below_it() -> None:
    assert quoted("\tif\tx:", Region(0, 4, 0, 5)) == snapshot("""\
  1 |     if    x:
    |           ^\
""")


def test_wide_signs_take_two_columns_and_marks_take_none() -> None:
    assert quoted("名前e\u0301 = x", Region(0, 7, 0, 8)) == snapshot("""\
  1 | 名前é = x
    |         ^\
""")


def test_unseen_signs_are_shown_and_counted_as_shown() -> None:
    assert quoted("a\u202eb = x", Region(0, 6, 0, 7)) == snapshot("""\
  1 | a\\u{202e}b = x
    |              ^\
""")


def test_a_point_gets_one_caret() -> None:
    assert quoted("abc", Region(0, 1, 0, 1)) == snapshot("""\
  1 | abc
    |  ^\
""")


def test_the_end_of_the_file_can_be_pointed_at() -> None:
    assert quoted("abc\n", Region(1, 0, 1, 0)) == snapshot("""\
  2 |
    | ^\
""")
    assert quoted("", Region(0, 0, 0, 0)) == snapshot("""\
  1 |
    | ^\
""")


def test_several_lines_are_marked_from_their_first_sign_on() -> None:
    assert quoted("call(\n    a,\n)\n", Region(0, 2, 2, 1)) == snapshot("""\
  1 | call(
    |   ^^^
  2 |     a,
    |     ^^
  3 | )
    | ^\
""")


def test_the_middle_of_many_lines_is_left_out() -> None:
    text = "".join(f"line {number}\n" for number in range(8, 20))
    assert quoted(text, Region(0, 0, 11, 2)) == snapshot("""\
   1 | line 8
     | ^^^^^^
   2 | line 9
     | ^^^^^^
     ...
  12 | line 19
     | ^^\
""")


def test_whole_lines_do_not_reach_into_the_next_one() -> None:
    assert quoted("one\rtwo\rthree", Region(1, 0, 2, 0)) == snapshot("""\
  2 | two
    | ^^^\
""")


def test_a_very_long_line_is_cut_to_a_window_round_the_region() -> None:
    rows = excerpt(Source("a", "x" * 500_000 + "HERE" + "y" * 500_000), Region(0, 500_000, 0, 500_004))
    assert max(map(len, rows)) < 200
    code, carets = rows
    at = carets.index("^")
    assert code[at : at + carets.count("^")] == "HERE"
    assert code.count("…") == 2


def test_a_region_longer_than_the_window_is_cut_with_it() -> None:
    rows = excerpt(Source("a", "z" * 1000), Region(0, 0, 0, 1000))
    assert rows[1].count("^") == 160


def test_a_region_past_the_end_quotes_nothing() -> None:
    assert excerpt(Source("a", "x\n"), Region(7, 0, 7, 1)) == []


@RELAXED
@given(source_texts, regions())
def test_any_region_of_any_text_can_be_quoted_line_by_line(text: str, region: Region) -> None:
    for row in excerpt(Source("a", text), region):
        assert printable(row) == row


@RELAXED
@given(st.text("abc é\t名𐐀", min_size=1, max_size=300), st.data())
def test_the_carets_cover_the_region_and_nothing_else(line: str, data: st.DataObject) -> None:
    """Read in a font where each sign has its width: the cells above the carets are the region's."""
    start = data.draw(st.integers(0, len(line) - 1))
    stop = data.draw(st.integers(start + 1, min(len(line), start + 30)))
    rows = excerpt(Source("a", line), Region(0, start, 0, stop))
    code, carets = rows[0].ljust(400), rows[1]
    cells = [sign for char in code for sign in ([char, ""] if char == "名" else [char])]
    first, last = carets.index("^"), carets.rindex("^")
    assert "".join(cells[first : last + 1]) == line[start:stop].replace("\t", "    ")


@pytest.mark.parametrize(
    ("report", "verdict"),
    [
        (Report(), "Nothing was read, so nothing can be said."),
        (Report(files_read=1), "No findings in what was read; 1 file read."),
        (Report((finding(), finding("b")), files_read=1200), "2 findings (2 warnings); 1,200 files read."),
        (
            Report((replace(finding(), suppressed="x"),), files_read=2),
            "No findings in what was read; 2 files read; 1 suppressed.",
        ),
    ],
)
def test_the_verdict_says_what_was_read(report: Report, verdict: str) -> None:
    assert summary_text(report, replace(context(), facts=())) == verdict


def test_suppressed_findings_are_counted_and_not_listed() -> None:
    told = render(
        Report((replace(finding("hidden one"), suppressed="dismissed"),), files_read=1), Format.TEXT, context()
    )
    assert "hidden one" not in told
    assert "1 suppressed" in told


def test_an_incomplete_audit_says_so_first_and_loudly() -> None:
    report = Report((), (Notice("budget-spent", "the budget is spent", incomplete=True),), 3)
    assert summary_text(report, context()) == snapshot("""\
INCOMPLETE: not all was audited; no findings there means nothing.
No findings in what was read; 3 files read.
Not done:
  INCOMPLETE budget-spent: the budget is spent
cost: $0.0123 of $1.00\
""")


def test_notices_are_gathered_by_code_with_their_first_paths() -> None:
    big = tuple(Notice("file-too-large", "not read: over 1 MB", f"d/{n}.sql") for n in range(1200))
    odd = (Notice("unreadable", "permission denied", "a"), Notice("unreadable", "input/output error", "b\x1b"))
    assert summary_text(Report((), big + odd, 1), context()) == snapshot("""\
No findings in what was read; 1 file read.
Not done:
  file-too-large x1,200: not read: over 1 MB: d/0.sql, d/1.sql, d/10.sql, and 1,197 more
  unreadable x2: input/output error (and 1 other reason): a, b\\x1b
cost: $0.0123 of $1.00\
""")


def test_findings_are_told_in_order_of_place() -> None:
    report = Report(
        (
            Finding(SQL, "third", Location("b.py", Region(0, 0, 0, 1))),
            Finding(STYLE, "second", Location("a.py", Region(9, 0, 9, 1))),
            Finding(STYLE, "first", Location("a.py")),
        ),
        files_read=2,
    )
    told = render(report, Format.TEXT, context())
    assert told.index("first") < told.index("second") < told.index("third")


def test_a_finding_without_a_message_says_its_rule() -> None:
    assert finding_text(Finding(SQL, " ", Location("a")), None).startswith("a: error[sql-injection] SQL is built")
    assert finding_text(Finding(STYLE, "", Location("a")), None).startswith("a: note[no-tabs] no-tabs")


@RELAXED
@given(texts, texts, texts)
def test_no_text_opens_a_line_of_its_own(message: str, evidence: str, path: str) -> None:
    told = finding_text(replace(finding(message, path=path or "a"), evidence=evidence), None)
    assert all(row.startswith("  ") for row in told.split("\n")[1:])


def test_evidence_that_the_carets_mark_already_is_not_said_twice() -> None:
    source = Source("a.py", "run( x )\n", "python")
    finding = Finding(SQL, "m", Location("a.py", Region(0, 0, 0, 8)), evidence="run(x)")
    assert "evidence" not in finding_text(finding, source)
    assert "evidence: run(x)" in finding_text(finding, None)
    assert "evidence: because" in finding_text(replace(finding, evidence="because"), source)
