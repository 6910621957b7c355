"""Edits as values, and the difference of two texts."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from kimi_lsp.lsp.marks import follow
from kimi_lsp.lsp.splice import Splice, apply, splices_between

TEXT = st.one_of(
    st.text("ab \r\n", max_size=24),
    st.lists(st.sampled_from(["x\n", "  y = 1\n", "y = 1\n", "\n", "z()\r\n", "}\r", "\u2028w\x0c\n", "t"])).map(
        "".join
    ),
)


def told(old: str, new: str) -> list[str]:
    """The splices as `at: old -> new`."""
    return [f"{splice.start}: {splice.old!r} -> {splice.text!r}" for splice in splices_between(old, new)]


@given(TEXT, TEXT)
def test_the_difference_leads_from_one_text_to_the_other(old: str, new: str) -> None:
    splices = splices_between(old, new)
    assert apply(old, splices) == new
    assert all(old[splice.start : splice.stop] == splice.old != splice.text for splice in splices)
    assert all(later.stop < earlier.start for earlier, later in pairwise(splices))
    assert (not splices) == (old == new)


@given(TEXT, TEXT)
def test_the_inverse_leads_back(old: str, new: str) -> None:
    back = [splice.inverse for splice in reversed(splices_between(old, new))]
    assert apply(new, back) == old


@given(TEXT, st.data())
def test_what_follows_a_difference_reads_the_same_at_both_ends(old: str, data: st.DataObject) -> None:
    new = data.draw(TEXT)
    start = data.draw(st.integers(0, len(old)))
    stop = data.draw(st.integers(start, len(old)))
    place = follow(start, stop, splices_between(old, new))
    assert place is None or new[slice(*place)] == old[start:stop]


def test_a_changed_word_is_one_small_splice() -> None:
    assert told("a = 1\nb = 22\nc = 3\n", "a = 1\nb = 2x2\nc = 3\n") == snapshot(["11: '' -> 'x'"])


def test_a_formatter_that_changes_white_space_touches_nothing_else() -> None:
    assert told("def f(a,b):\n  return  a\nz\n", "def f(a, b):\n    return a\n\n\nz\n") == snapshot(
        ["23: '\\n' -> '\\n\\n\\n'", "20: '  ' -> ' '", "12: '  ' -> '    '", "8: '' -> ' '"]
    )


def test_a_statement_that_is_wrapped_over_lines_keeps_its_words() -> None:
    old, new = "x = f(first, second)\n", "x = f(\n    first,\n    second\n)\n"
    place = follow(old.index("second"), old.index("second") + 6, splices_between(old, new))
    assert place is not None
    assert new[slice(*place)] == "second"


def test_an_indented_block_keeps_its_lines() -> None:
    body = "".join(f"call_{number}(x)\n" for number in range(30))
    new = "if ready:\n" + "".join(f"    {line}\n" for line in body.splitlines())
    at = body.index("call_17")
    place = follow(at, at + 10, splices_between(body, new))
    assert place is not None
    assert new[slice(*place)] == "call_17(x)"


def test_where_equal_lines_may_pair_in_two_ways_none_of_them_counts_as_the_same() -> None:
    assert told("a\nx\nx\nb\n", "a\nx\nb\n") == snapshot(["2: 'x\\nx\\n' -> 'x\\n'"])
    assert told("aab", "aaab") == snapshot(["0: 'aa' -> 'aaa'"])


def test_edits_at_both_ends_of_a_file_leave_its_middle_alone() -> None:
    middle = "".join(f"line {number}\n" for number in range(500))
    assert told(f"a\n{middle}z\n", f"b\n{middle}y\n") == snapshot(["4392: 'z' -> 'y'", "0: 'a' -> 'b'"])


def test_a_moved_function_is_taken_out_and_put_in() -> None:
    one, two = "def one():\n    return 1\n", "def two():\n    return 2\n"
    assert len(splices_between(f"{one}\n{two}", f"{two}\n{one}")) <= 4


def test_texts_made_to_be_hard_are_told_apart_too() -> None:
    hard = [
        ("a\nb\n" * 14_000, "b\na\n" * 14_000),
        ("".join(f"{n}\n" for n in range(28_000)), "".join(f"{n}\n" for n in reversed(range(28_000)))),
        ("a" * 400_000, "a" * 399_999),
        ("x\n" * 100_000, "y\n" * 100_000),
    ]
    for old, new in hard:
        assert apply(old, splices_between(old, new)) == new


def test_a_splice_knows_its_end_and_its_growth() -> None:
    splice = Splice(3, "abc", "x")
    assert (splice.stop, splice.growth, splice.moved(2)) == (6, -2, Splice(5, "abc", "x"))
