"""Several reviews reason at once: one is heard at a time, and nobody's words become markup."""

from hypothesis import given
from hypothesis import strategies as st

from kimi_lsp.acp.floor import Floor, Piece


class Clock:
    """Time that is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def heard(pieces: list[Piece]) -> dict[str, str]:
    told: dict[str, str] = {}
    for piece in pieces:
        told[piece.message] = told.get(piece.message, "") + piece.text
    return told


def test_the_first_is_heard_live_and_the_next_whole_when_it_is_done() -> None:
    clock = Clock()
    floor = Floor(clock)
    assert list(floor.feed("a.py", "One.\n")) == [Piece("think-1", "**`a.py`**\n\nOne.\n")]
    assert list(floor.feed("b.py", "Other.\n")) == []
    clock.now = 1
    assert list(floor.feed("a.py", "Two.\n")) == [Piece("think-1", "Two.\n")]
    assert list(floor.feed("b.py", "More.\n")) == []
    assert list(floor.done("a.py")) == [Piece("think-2", "**`b.py`**\n\nOther.\nMore.\n")]
    assert list(floor.done("b.py")) == []


def test_one_that_is_done_while_it_waits_is_heard_whole() -> None:
    floor = Floor(Clock())
    list(floor.feed("a.py", "One.\n"))
    list(floor.feed("b.py", "Two, without an end"))
    assert list(floor.done("b.py")) == []
    assert heard(list(floor.done("a.py"))) == {"think-2": "**`b.py`**\n\nTwo, without an end"}


def test_at_most_twenty_pieces_a_second_go_out_and_nothing_is_lost() -> None:
    clock = Clock()
    floor, sent = Floor(clock), list[Piece]()
    for number in range(1_000):
        clock.now = number / 1_000
        sent += floor.feed("a.py", f"line {number}\n")
    assert len(sent) <= 21
    sent += floor.done("a.py")
    assert heard(sent)["think-1"] == "**`a.py`**\n\n" + "".join(f"line {number}\n" for number in range(1_000))


def test_what_waits_is_bounded_and_says_what_is_missing() -> None:
    floor = Floor(Clock())
    list(floor.feed("a.py", "x\n"))
    for number in range(200):
        for _ in range(20):
            list(floor.feed(f"b{number}.py", "y" * 1_000 + "\n"))
    held = sum(len(speaker.text) for speaker in floor.waiting)
    assert held <= 64 * 8_001
    told = heard(list(floor.flush()))
    assert "more characters; the trail has all of them" in told["think-2"]


def test_what_was_not_kept_is_said_where_it_is_missing_and_under_its_unit() -> None:
    floor = Floor(Clock())
    list(floor.feed("a.py", "x\n"))
    for number in range(63):
        list(floor.feed(f"b{number}.py", "z\n"))
    list(floor.feed("late.py", "y" * 100))
    list(floor.feed("b0.py", "y" * 9_000 + "\n"))
    told = heard(list(floor.done("a.py")))
    assert told["think-2"].startswith("**`b0.py`**\n\nz\n")
    assert told["think-2"].endswith("y\n… 1,003 more characters; the trail has all of them\n")
    assert heard(list(floor.flush()))["think-65"] == (
        "**`late.py`**\n\n\n… 100 more characters; the trail has all of them\n"
    )


@given(st.lists(st.tuples(st.sampled_from("abc"), st.text("xy \n#", max_size=12), st.booleans()), max_size=60))
def test_whatever_the_order_all_that_was_said_is_heard_once(said: list[tuple[str, str, bool]]) -> None:
    clock = Clock()
    floor, sent = Floor(clock), list[Piece]()
    for unit, text, is_end in said:
        clock.now += 0.03
        sent += floor.feed(unit, text)
        if is_end:
            sent += floor.done(unit)
    sent += floor.flush()
    assert list(floor.waiting) == []
    letters = "".join(sorted("".join(text for _, text, _ in said).replace("\n", "").replace(" ", "")))
    shown = "".join(text.partition("**\n\n")[2] if "**`" in text else text for text in (piece.text for piece in sent))
    assert "".join(sorted(char for char in shown if char in "xy#")) == letters
