from hypothesis import given
from hypothesis import strategies as st

from mcp_tools.project.changes import changed_lines

LINES = st.lists(st.sampled_from(["a", "b", "c", "d = 1", ""]), max_size=30)


def test_a_changed_line_is_named() -> None:
    assert changed_lines("a\nb\nc\n", "a\nB\nc\n") == [(1, 1)]


def test_lines_that_were_added_are_named() -> None:
    assert changed_lines("a\nd\n", "a\nb\nc\nd\n") == [(1, 2)]


def test_the_neighbours_of_lines_that_are_gone_are_named() -> None:
    assert changed_lines("a\nb\nc\nd\n", "a\nd\n") == [(0, 1)]


def test_equal_texts_and_other_line_ends_are_no_change() -> None:
    assert changed_lines("a\nb\n", "a\r\nb  \r\n") == []


def test_an_empty_text_has_one_line() -> None:
    assert changed_lines("a\n", "") == [(0, 0)]
    assert changed_lines("", "a\nb") == [(0, 1)]


def test_a_form_feed_ends_no_line() -> None:
    assert changed_lines("a\x0cb\nc\n", "a\x0cb\nC\n") == [(1, 1)]


@given(LINES, LINES)
def test_what_is_not_named_was_there_before_in_this_order(old: list[str], new: list[str]) -> None:
    named = {n for first, last in changed_lines("\n".join(old), "\n".join(new)) for n in range(first, last + 1)}
    rest = iter(old or [""])
    texts = "\n".join(new).split("\n")
    assert all(line in rest for n, line in enumerate(texts) if n not in named)


def test_a_large_difference_is_named_as_a_whole() -> None:
    old = "\n".join(f"x{n}" for n in range(5_000))
    new = "\n".join(f"y{n}" for n in range(5_000))
    assert changed_lines(f"head\n{old}\ntail", f"head\n{new}\ntail") == [(1, 5_000)]
