"""What holds for any text."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_tools.browse import Excerpt, read_lines, search
from mcp_tools.browse.shown import plain, shown
from mcp_tools.project import MemoryProject, Source
from tests.browse.secrets import AWS, PEM, TOKEN

_TEXTS = st.text(st.sampled_from("ab. é\r\n\t\u2028\U0001f600"), max_size=60)
_PARTS = st.lists(
    st.sampled_from(
        [f'token = "{TOKEN}"', AWS, PEM, PEM.replace("\n", "\\n"), "\n", "\r\n", "\r", " x = 1 ", '"', "é"]
    ),
    max_size=12,
)
_LINE_END = re.compile(r"\r\n|\n|\r")


def _lines(text: str) -> list[str]:
    lines = _LINE_END.split(text)
    return lines if lines[-1] else lines[:-1]


@given(_TEXTS, st.text("ab. é", min_size=1, max_size=3))
def test_the_total_is_a_plain_count(text: str, query: str) -> None:
    expected = [number for number, line in enumerate(_lines(text), start=1) if query in line]
    found = search(MemoryProject({"a": text}), query)
    assert [match.line for match in found.matches] == expected
    assert [match.column for match in found.matches] == [
        _lines(text)[number - 1].index(query) + 1 for number in expected
    ]
    assert found.total == len(expected)
    escaped = search(MemoryProject({"a": text}), re.escape(query), is_regex=True)
    assert escaped.matches == found.matches


@given(
    _TEXTS, st.sampled_from(["^a", "b$", "^$", "a*", r"[^a]b", r"a|\.", r"\s", "^a?b*$", "é.", "(?:ab)+", "$", r"a\b"])
)
def test_a_pattern_matches_as_it_would_line_by_line(text: str, pattern: str) -> None:
    meant = re.compile(pattern.replace(r"\s", r"[ \t]"), re.ASCII)
    expected = [
        (number, found.start() + 1) for number, line in enumerate(_lines(text), 1) if (found := meant.search(line))
    ]
    matches = search(MemoryProject({"a": text}), pattern, is_regex=True).matches
    assert [(match.line, match.column) for match in matches] == expected


@given(_TEXTS)
def test_lines_join_back_to_the_text(text: str) -> None:
    excerpt = read_lines(MemoryProject({"a": text}), "a", max_lines=1_000)
    assert isinstance(excerpt, Excerpt)
    joined = "\n".join(excerpt.lines)
    assert plain(text) in (joined, joined + "\n")
    assert list(excerpt.lines) == _lines(text)


_OTHER = "gh" + "p_" + TOKEN[4:][::-1]
_SYNTAX = r'| .* ^ $ \b \B \A \z [^a] (?: ) ? + " token \[redacted mine #'.split()
_PIECES = st.sampled_from([*_SYNTAX, "= ", TOKEN[:5], TOKEN[4:8], _OTHER[:5], _OTHER[-4:], "gh" + "p_", TOKEN[-3:]])


@settings(max_examples=400, deadline=None)
@given(st.lists(_PIECES, min_size=1, max_size=9).map("".join), st.sampled_from(["", "x\n", '"\n', "mine "]))
def test_no_pattern_tells_two_secrets_apart(pattern: str, before: str) -> None:
    first, second = (
        search(MemoryProject({"a.py": f'{before}token = "{value}"  # mine\nx\n'}), pattern, is_regex=True, context=1)
        for value in (TOKEN, _OTHER)
    )
    assert first == second


@settings(max_examples=60, deadline=None)
@given(_PARTS)
def test_redaction_keeps_the_lines_and_drops_the_secrets(parts: list[str]) -> None:
    text = "".join(parts)
    made = shown(Source("a.py", text))
    assert len(made.starts) == len(_lines(text))
    assert made.text.count("\n") == len(_LINE_END.findall(text))
    assert all(made.text[mark.start : mark.stop] == f"[redacted:{mark.kind}]" for mark in made.marks)
    assert f'"{TOKEN}"' not in made.text
    excerpt = read_lines(MemoryProject({"a.py": text}), "a.py", max_lines=1_000)
    assert isinstance(excerpt, Excerpt)
    joined = "\n".join(excerpt.lines)
    assert made.text in (joined, joined + "\n")


@settings(max_examples=60, deadline=None)
@given(_PARTS, st.sampled_from(["x =", "token", "é", "BEGIN", '"', "redacted", "1"]))
def test_a_literal_counts_where_it_stands_outside_of_secrets(parts: list[str], query: str) -> None:
    made = shown(Source("a.py", "".join(parts)))
    blank = made.text
    for mark in made.marks:
        blank = blank[: mark.start] + "\0" * (mark.stop - mark.start) + blank[mark.stop :]
    expected = [number for number, line in enumerate(blank.split("\n"), start=1) if query in line]
    found = search(MemoryProject({"a.py": "".join(parts)}), query)
    assert [match.line for match in found.matches] == expected
