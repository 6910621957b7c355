"""Marks against a text whose characters have identities, and the rules one by one."""

import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kimi_lsp.lsp import marks as marks_module
from kimi_lsp.lsp.marks import Marks, Moved, Place, follow
from kimi_lsp.lsp.mirror import Change, Mirror
from kimi_lsp.lsp.splice import Splice, apply, splices_between
from tests.lsp.traced import Memory, Traced, Verdict
from tests.lsp.typist import Typist

TEXT = "alpha\nbeta(1)\ngamma\n"
BETA = TEXT.index("beta(1)"), TEXT.index("beta(1)") + 7


class Page:
    """A text with one mark on `beta(1)`."""

    def __init__(self) -> None:
        self.text, self.marks = TEXT, Marks()
        self.marks.add("beta", *BETA, TEXT[slice(*BETA)])

    def splice(self, old: str, new: str, *, after: str = "") -> Moved:
        """Replace the first `old` behind the first `after`."""
        at = self.text.index(old, self.text.index(after) + len(after))
        splice = Splice(at, old, new)
        self.text = apply(self.text, [splice])
        return self.marks.apply([splice])

    @property
    def marked(self) -> str | None:
        """The text under the mark, None when it is changed."""
        place = self.marks.place("beta")
        assert place is not None
        return None if place.is_changed else self.text[place.start : place.stop]


def test_an_edit_before_moves_a_mark_and_one_behind_does_not() -> None:
    page = Page()
    assert page.splice("alpha", "al") == Moved(moved=("beta",))
    assert page.splice("gamma", "g") == Moved()
    assert page.marked == "beta(1)"


def test_text_added_at_the_start_moves_a_mark_and_at_the_end_is_left_out() -> None:
    page = Page()
    page.splice("", "x = ", after="alpha\n")
    page.splice("", ";", after="beta(1)")
    assert page.text == "alpha\nx = beta(1);\ngamma\n"
    assert page.marked == "beta(1)"


def test_an_edit_inside_makes_a_mark_changed_and_undoing_it_brings_it_back() -> None:
    page = Page()
    assert page.splice("(1", "(12") == Moved(changed=("beta",))
    assert page.marks.place("beta") == Place(BETA[0], BETA[1] + 1, is_changed=True)
    assert page.splice("(12", "(1") == Moved(restored=("beta",))
    assert page.marked == "beta(1)"


def test_a_changed_mark_does_not_take_in_what_is_typed_beside_it() -> None:
    page = Page()
    page.splice("(1", "(12")
    page.splice("", " + delta", after="beta(12)")
    page.splice("", "y = ", after="alpha\n")
    assert page.marks.place("beta") == Place(BETA[0] + 4, BETA[1] + 5, is_changed=True)
    page.splice("(12", "(1")
    assert page.marked == "beta(1)"


def test_a_mark_whose_end_was_erased_comes_back_when_it_is_typed_again() -> None:
    page = Page()
    page.splice("(1)", "")
    for before, character in pairwise("a(1)"):
        page.splice("", character, after=f"bet{before}" if before == "a" else before)
    assert page.text == TEXT
    assert page.marked == "beta(1)"


def test_undoing_the_deletion_of_a_block_brings_all_its_marks_back_and_those_changed_before_stay_so() -> None:
    text = "".join(f"call_{number}()\n" for number in range(20))
    marks = Marks()
    for number in range(20):
        at = text.index(f"call_{number}(")
        marks.add(number, at, at + 6, text[at : at + 6])
    marks.apply([Splice(text.index("call_7"), "c", "C")])
    block = text[: text.index("call_11")].replace("call_7", "Call_7")
    assert set(marks.apply([Splice(0, block, "")]).changed) == {*range(11)} - {7}
    assert set(marks.apply([Splice(0, "", block)]).restored) == {*range(11)} - {7}
    assert marks.apply([Splice(text.index("call_7"), "C", "c")]).restored == (7,)
    assert [key for key, place in marks.items() if text[place.start : place.stop] != f"call_{key}()"[:6]] == []


def test_a_mark_comes_back_on_a_block_that_is_put_back_with_more_around_it() -> None:
    page = Page()
    page.splice("beta(1)\n", "")
    page.splice("", "\n# again\nbeta(1)\n", after="alpha\n")
    assert page.marked == "beta(1)"


def test_other_text_in_the_place_of_a_mark_is_not_taken_for_it() -> None:
    page = Page()
    page.splice("beta(1)\n", "")
    page.splice("", "alphabeta(1)\n", after="alpha\n")
    assert page.marked is None


def test_a_mark_on_a_line_that_moved_elsewhere_is_withdrawn() -> None:
    page = Page()
    page.splice("beta(1)\n", "")
    page.splice("", "beta(1)\n", after="gamma\n")
    assert page.marked is None


def test_lines_deleted_one_by_one_and_undone_one_by_one_come_back_each() -> None:
    text = "one()\ntwo()\nthree()\n"
    marks = Marks()
    for word in ("one", "two", "three"):
        marks.add(word, text.index(word), text.index(word) + len(word), word)
    gone = [Splice(0, "one()\n", ""), Splice(0, "two()\n", ""), Splice(0, "three()\n", "")]
    marks.apply(gone)
    marks.apply([splice.inverse for splice in reversed(gone)])
    assert {key: text[place.start : place.stop] for key, place in marks.items() if not place.is_changed} == {
        "one": "one",
        "two": "two",
        "three": "three",
    }


def test_what_a_batch_undoes_itself_did_not_happen() -> None:
    page = Page()
    splice = Splice(BETA[0] + 1, "et", "")
    assert not page.marks.apply([splice, splice.inverse])


def test_many_splices_at_once_do_what_they_do_one_by_one() -> None:
    chooser = random.Random(7)
    old = "".join(f"value_{number} = call({number}, other)\n" for number in range(120))
    new = "".join(
        chooser.choice((line, line, f"    {line}", line.replace("call", "do"), "")) for line in old.splitlines(True)
    )
    splices = splices_between(old, new)
    assert len(splices) > 30
    one, other = Marks(), Marks()
    for number in range(120):
        start = old.index(f"call({number},")
        for marks in (one, other):
            marks.add(number, start, start + 6, old[start : start + 6])
            marks.add(-number - 1, start - 4, start + 2, old[start - 4 : start + 2])
    for marks in (one, other):
        marks.apply([Splice(0, "value", "VALUE"), Splice(len(old) - 4, "er", "ER")])
        marks.apply([Splice(0, "VALUE", "value"), Splice(len(old) - 4, "ER", "er")])
    together = one.apply(splices)
    for splice in splices:
        other.apply([splice])
    assert dict(one.items()) == dict(other.items())
    assert set(together.changed) == {key for key, place in other.items() if place.is_changed}


def test_a_mark_is_set_anew_and_discarded_in_every_state() -> None:
    page = Page()
    page.splice("beta", "BETA")
    page.marks.add("beta", 0, 5, "alpha")
    assert page.marked == "alpha"
    page.splice("alpha\n", "")
    page.marks.add("more", 0, 4, "BETA")
    page.marks.discard("beta")
    page.marks.discard("beta")
    assert list(page.marks.items()) == [("more", Place(0, 4))]
    assert "beta" not in page.marks
    page.marks.clear()
    assert (len(page.marks), page.marks.place("more")) == (0, None)
    assert not page.marks.apply([Splice(0, "BETA", "")])


def test_a_text_that_does_not_fit_its_place_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot stand"):
        Marks().add("a", 0, 3, "ab")


def test_more_replaced_text_than_is_kept_leaves_marks_changed_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks_module, "_MAX_KEPT_CHARS", 10)
    page = Page()
    assert page.splice("alpha\nbeta(1)\ngamma", "") == Moved(changed=("beta",))
    page.splice("", "alpha\nbeta(1)\ngamma")
    assert page.marked is None
    page.splice("", "above\n")
    assert page.marks.place("beta") == Place(25, 25, is_changed=True)


def test_a_late_place_follows_what_happened_and_is_none_when_it_was_touched() -> None:
    assert follow(5, 8, [Splice(0, "", "ab"), Splice(10, "x", "")]) == (7, 10)
    assert follow(5, 8, [Splice(5, "", "a"), Splice(9, "", "b")]) == (6, 9)
    assert follow(5, 8, [Splice(6, "", "a")]) is None
    assert follow(5, 8, [Splice(7, "xy", "")]) is None
    assert follow(5, 5, [Splice(4, "xy", "")]) is None


class FollowsIdentities(RuleBasedStateMachine):
    """Random edits on short texts of few kinds of lines: the hardest ones to tell apart."""

    def __init__(self) -> None:
        super().__init__()
        self.traced = Traced("a = 1\nf(a)\n\na = 1\nprint(a, 2)\nf(b)\n")
        self.marks = Marks()
        self.memories: dict[int, Memory] = {}

    def follow(self, splice: Splice | None) -> None:
        """Tell the marks, and compare what they say with where they are."""
        if splice is None:
            return
        before = dict(self.marks.items())
        said = self.marks.apply([splice])
        after = dict(self.marks.items())
        assert set(said.changed) == {key for key in after if after[key].is_changed > before[key].is_changed}
        assert set(said.restored) == {key for key in after if after[key].is_changed < before[key].is_changed}
        is_live = {key for key in after if not after[key].is_changed and not before[key].is_changed}
        assert set(said.moved) == {key for key in is_live if after[key] != before[key]}

    @rule(data=st.data(), key=st.integers(0, 5), length=st.integers(1, 14))
    def mark(self, data: st.DataObject, key: int, length: int) -> None:
        start = data.draw(st.integers(0, len(self.traced.text)))
        stop = min(start + length, len(self.traced.text))
        if start < stop:
            self.marks.add(key, start, stop, self.traced.text[start:stop])
            self.memories[key] = self.traced.remember(start, stop)

    @rule(data=st.data(), length=st.integers(0, 12), text=st.sampled_from(["", "a", "f(", "\n", "a = 1\n", "é😀", "x"]))
    def edit(self, data: st.DataObject, length: int, text: str) -> None:
        start = data.draw(st.integers(0, len(self.traced.text)))
        self.follow(self.traced.edit(start, min(start + length, len(self.traced.text)), text))

    @rule()
    def undo(self) -> None:
        self.follow(self.traced.undo())

    @rule()
    def redo(self) -> None:
        self.follow(self.traced.redo())

    @precondition(lambda self: self.memories)
    @rule(data=st.data())
    def discard(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.memories)))
        del self.memories[key]
        self.marks.discard(key)

    @invariant()
    def every_mark_is_on_its_characters_or_changed(self) -> None:
        for key, place in self.marks.items():
            assert isinstance(key, int)
            assert 0 <= place.start <= place.stop <= len(self.traced.text)
            verdict = self.traced.judge(self.memories[key], place.start, place.stop, is_changed=place.is_changed)
            assert verdict is not Verdict.WRONG


FollowsIdentities.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
test_marks_follow_identities = FollowsIdentities.TestCase


def test_marks_on_a_page_that_is_worked_on_are_right_or_withdrawn() -> None:
    verdicts: Counter[Verdict] = Counter()
    chooser = random.Random(5)
    lines = [f"    name_{n % 7} = call_{n % 11}(value[{n}], {n % 3})\n" if n % 5 else "\n" for n in range(100)]
    for seed in range(6):
        text = "".join(lines)
        traced, marks, mirror = Traced(text), Marks(), Mirror(text, 0)
        memories: dict[int, Memory] = {}
        for key in range(20):
            start = chooser.randrange(len(text) - 40)
            stop = start + chooser.randrange(1, 40)
            memories[key] = traced.remember(start, stop)
            marks.add(key, start, stop, text[start:stop])
        for _, splices in Typist(traced, random.Random(seed)).steps(40):
            for splice in splices:
                place = (*mirror.position(splice.start), *mirror.position(splice.stop))
                marks.apply(mirror.apply([Change(place, splice.text)], 0))
            assert mirror.text == traced.text
            for key, memory in memories.items():
                place = marks.place(key)
                assert place is not None
                verdicts[traced.judge(memory, place.start, place.stop, is_changed=place.is_changed)] += 1
    assert verdicts[Verdict.WRONG] == 0
    assert verdicts[Verdict.RIGHT] > 20 * verdicts[Verdict.MISSED]
