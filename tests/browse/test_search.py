"""Where a text or a pattern stands."""

import pytest

from mcp_tools.browse import Match, Matches, search
from mcp_tools.finding import Notice
from mcp_tools.project import MemoryProject

_TREE = MemoryProject(
    {
        "a.py": "import os\n\ndef run(name):\n    os.run(name); os.run(name)\n",
        "b/c.md": "Run it.\r\nThen run it again.\rdone",
        "b/d.bin": b"\0run",
        "e.txt": "",
        "f.txt": "straße STRASSE ÉTÉ été\n",
    }
)


def _rows(
    query: str, *, is_regex: bool = False, is_case_sensitive: bool = True, patterns: tuple[str, ...] = ()
) -> list[str]:
    found = search(_TREE, query, is_regex=is_regex, is_case_sensitive=is_case_sensitive, patterns=patterns)
    return [f"{match.path}:{match.line}:{match.column}: {match.text}" for match in found.matches]


def test_each_line_is_told_once_where_it_matches_first() -> None:
    assert search(_TREE, "run") == Matches(
        (
            Match("a.py", 3, 5, "def run(name):"),
            Match("a.py", 4, 8, "    os.run(name); os.run(name)"),
            Match("b/c.md", 2, 6, "Then run it again."),
        ),
        files_searched=4,
        files_matched=2,
        total=3,
        counts=(("a.py", 2), ("b/c.md", 1)),
        notices=(Notice("binary-file", "not read: binary", "b/d.bin"),),
    )


def test_a_query_is_text_unless_it_is_called_a_pattern() -> None:
    assert _rows("os.run(") == ["a.py:4:5:     os.run(name); os.run(name)"]
    assert _rows("[Rr]un") == []
    assert _rows("^[Rr]un", is_regex=True) == ["b/c.md:1:1: Run it."]
    assert _rows(r"it\.$", is_regex=True) == ["b/c.md:1:5: Run it."]
    assert _rows(r"\brun\b", is_regex=True, patterns=("b",)) == ["b/c.md:2:6: Then run it again."]


def test_case_is_folded_as_unicode_does_where_it_does_not_count() -> None:
    assert _rows("RUN IT", is_case_sensitive=False) == ["b/c.md:1:1: Run it.", "b/c.md:2:6: Then run it again."]
    assert _rows("Été", is_case_sensitive=False) == ["f.txt:1:16: straße STRASSE ÉTÉ été"]
    assert _rows("(?:É)TÉ ", is_case_sensitive=False, is_regex=True) == ["f.txt:1:16: straße STRASSE ÉTÉ été"]
    assert _rows("it.", is_case_sensitive=False) == ["b/c.md:1:5: Run it."]


def test_no_match_goes_past_the_end_of_a_line() -> None:
    for query in (r"it\.\s+Then", r"(?s)Run.*again", r"[^q]+again", "it.\\n", r"os\n\ndef"):
        assert not any("Run" in row for row in _rows(query, is_regex=True)), query
    assert search(MemoryProject({"a": "x\n\n\n"}), r"\s", is_regex=True).total == 0
    assert search(MemoryProject({"a": "x\n\ny\n"}), "^$", is_regex=True).counts == (("a", 1),)
    assert search(MemoryProject({"a": "x\n\ny"}), "z*", is_regex=True).counts == (("a", 3),)
    assert search(MemoryProject({"a": "x\r\ny\r\n"}), "[xy]$", is_regex=True).counts == (("a", 2),)


def test_lines_around_a_match_come_along() -> None:
    project = MemoryProject({"a": "1\n2\n3\n4\n5"})
    (match,) = search(project, "3", context=1).matches
    assert (match.before, match.after) == (("2",), ("4",))
    (match,) = search(project, "1", context=3).matches
    assert (match.before, match.after) == ((), ("2", "3", "4"))
    (match,) = search(project, "5", context=2).matches
    assert (match.before, match.after) == (("3", "4"), ())


def test_what_is_not_kept_is_still_counted() -> None:
    project = MemoryProject({"a": "x\n" * 100, "b": "x\n" * 50})
    found = search(project, "x", max_matches=120)
    assert (len(found.matches), found.total, found.counts, found.is_truncated) == (
        120,
        150,
        (("a", 100), ("b", 50)),
        True,
    )
    assert not search(project, "x").is_truncated


@pytest.mark.parametrize(
    ("line", "limit", "text", "column"),
    [
        ("needle" + "-" * 100, 20, "needle" + "-" * 13 + "…", 1),
        ("-" * 100 + "needle", 20, "…" + "-" * 13 + "needle", 101),
        ("-" * 100 + "needle" + "-" * 100, 20, "…" + "-" * 12 + "needle" + "…", 101),
        ("-" * 100 + "needle" + "-" * 100, 100, "…" + "-" * 60 + "needle" + "-" * 32 + "…", 101),
        ("-" * 14 + "needle", 20, "-" * 14 + "needle", 15),
        ("é" * 100 + "needle", 20, "…" + "é" * 13 + "needle", 101),
    ],
)
def test_a_long_line_is_cut_round_the_match(line: str, limit: int, text: str, column: int) -> None:
    (match,) = search(MemoryProject({"a": f"{line}\n"}), "needle", max_line_chars=limit).matches
    assert (match.text, match.column) == (text, column)
    assert len(match.text) <= limit


def test_a_match_that_is_longer_than_the_window_is_shown_from_its_start() -> None:
    (match,) = search(MemoryProject({"a": "-" * 50 + "x" * 500}), "x+", is_regex=True, max_line_chars=30).matches
    assert match.text == "…" + "x" * 28 + "…"


@pytest.mark.parametrize(
    ("query", "is_regex", "word"),
    [
        ("", False, "empty"),
        ("x" * 1_001, False, "1,000 characters"),
        ("a\nb", False, "line end"),
        ("(", True, "RE2 syntax"),
        ("[z-a]", True, "RE2 syntax"),
        ("(?=a)b", True, "look-around"),
        ("(?<!a)b", True, "look-around"),
        (r"(a)\1", True, "back-references"),
        ("(x{1,1000}){1,1000}", True, "too large"),
        (r"\pL{1000}", True, "too large"),
        (".{1000}", True, "too costly"),
    ],
)
def test_a_query_that_cannot_be_looked_for_is_said_in_our_words(query: str, is_regex: bool, word: str) -> None:
    found = search(_TREE, query, is_regex=is_regex)
    (notice,) = found.notices
    assert (notice.code, found.matches, found.files_searched) == ("bad-pattern", (), 0)
    assert word in notice.message


def test_a_lone_surrogate_is_found_like_any_character() -> None:
    project = MemoryProject({"a": "x\udcffy\n"})
    for is_regex in (False, True):
        for is_case_sensitive in (False, True):
            found = search(project, "\udcffy", is_regex=is_regex, is_case_sensitive=is_case_sensitive)
            assert found.matches == (Match("a", 1, 2, "x\udcffy"),)


def test_a_long_query_may_disregard_case() -> None:
    project = MemoryProject({"a": "K" * 1_000})
    assert search(project, "k" * 1_000, is_case_sensitive=False).total == 1


def test_a_pattern_that_would_backtrack_for_ever_ends() -> None:
    project = MemoryProject({"a": "a" * 500_000 + "b\n", "b": "aaa\n"})
    assert search(project, "(a+)+$", is_regex=True).counts == (("b", 1),)
    assert search(project, "(a|aa)+$", is_regex=True).counts == (("b", 1),)


def test_a_search_that_takes_too_long_stops_and_says_so() -> None:
    found = search(_TREE, "run", max_seconds=0)
    assert (found.files_searched, found.is_truncated) == (1, True)
    assert [(notice.code, notice.incomplete) for notice in found.notices] == [("search-stopped", True)]
    costly = MemoryProject({"a": "xy" * 200_000})
    stopped = search(costly, "x[xy]{900}z", is_regex=True, max_seconds=0)
    assert [notice.code for notice in stopped.notices] == ["search-stopped"]


def test_what_was_found_before_a_search_stopped_is_told() -> None:
    found = search(MemoryProject({"a": "x\n" * 10_000}), "x", max_seconds=0, max_matches=10)
    assert (len(found.matches), found.counts, found.total) == (10, (("a", 4_096),), 4_096)
    assert found.is_truncated


def test_long_texts_are_searched_in_pieces_without_a_seam() -> None:
    lines = [f"line {number} {'x' * (number % 97)}" for number in range(5_000)]
    project = MemoryProject({"a": "\n".join(lines)})
    assert search(project, r"^line \d+ x*$", is_regex=True).total == 5_000
    assert search(project, r"\Aline", is_regex=True).total == 1
    assert search(project, r"x\z", is_regex=True).total == 1
    assert search(project, r"(?-m)^line", is_regex=True).total == 1
