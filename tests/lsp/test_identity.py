"""Findings that are reported again: the same ones are recognised, others are not taken for them."""

import random
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kimi_lsp.lsp.identity import Known, known, match, similarity
from mcp_tools.finding import Finding, Lane, Level, Location, Origin, Region, Rule
from mcp_tools.project import Source
from tests.lsp.mutations import Corpus

RULE = Rule("eval", "eval", Level.WARNING, Lane.SECURITY)
OTHER = Rule("exec", "exec", Level.WARNING, Lane.SECURITY)
SAYS = "Text from outside reaches eval here."
MODEL, TOOL = Origin("audit", "kimi-k2.6"), Origin("security_surface")
TEXT = "import os\n\n\ndef load(text):\n    one = eval(text)\n    other = 1\n    return eval(text)\n"


def found(
    text: str, line: int, *, says: str = SAYS, rule: Rule = RULE, origin: Origin = MODEL, part: str = "eval(text)"
) -> Known:
    """A finding on a part of a line."""
    source = Source("a.py", text)
    start = source.line(line).index(part)
    region = Region(line, start, line, start + len(part))
    stamp = source.fingerprint(rule.id, region)
    return known(Finding(rule, says, Location("a.py", region), fingerprint=stamp, origin=origin), source)


def test_a_finding_is_the_same_after_lines_were_added_above() -> None:
    old = [found(TEXT, 4), found(TEXT, 6)]
    below = "# new\n" * 3 + TEXT
    assert match(old, [found(below, 9), found(below, 7)]) == [(0, 1), (1, 0)]


def test_repeated_lines_keep_their_own_when_the_first_of_them_is_gone() -> None:
    text = "".join(f"step_{number}()\neval(text)\n\n" for number in range(4))
    old = [found(text, line) for line in (1, 4, 7, 10)]
    shorter = text.replace("step_0()\neval(text)\n\n", "")
    assert match(old, [found(shorter, line) for line in (1, 4, 7)]) == [(1, 0), (2, 1), (3, 2)]


def test_a_line_that_moved_with_its_neighbours_is_recognised() -> None:
    block = "    one = eval(text)\n    other = 1\n"
    moved = TEXT.replace(block, "") + "\n\ndef more(text):\n" + block + "    return 1\n"
    assert match([found(TEXT, 4)], [found(moved, 8)]) == [(0, 0)]


def test_reformatting_and_rewording_change_no_identity() -> None:
    new = TEXT.replace("    one = eval(text)", "\tone=eval( text )")
    again = found(new, 4, says="Here, text from the outside reaches eval.", part="eval( text )")
    assert match([found(TEXT, 4)], [again]) == [(0, 0)]


def test_a_renamed_variable_is_no_new_finding() -> None:
    new = TEXT.replace("text", "source")
    assert match([found(TEXT, 4)], [found(new, 4, part="eval(source)")]) == [(0, 0)]


def test_a_tools_finding_and_a_models_never_pair() -> None:
    assert match([found(TEXT, 4, origin=TOOL)], [found(TEXT, 4)]) == []
    assert match([found(TEXT, 4)], [found(TEXT, 4, origin=Origin("audit", "kimi-k3"))]) == [(0, 0)]


def test_another_rule_pairs_only_at_the_same_place_in_like_words() -> None:
    assert match([found(TEXT, 4)], [found(TEXT, 4, rule=OTHER)]) == [(0, 0)]
    assert match([found(TEXT, 4)], [found(TEXT, 4, rule=OTHER, says="Something else is wrong.")]) == []
    assert match([found(TEXT, 4)], [found(TEXT, 6, rule=OTHER)]) == []


def test_a_new_finding_far_from_a_fixed_one_is_new() -> None:
    old = found("eval(text)\nsafe()\nmore()\n" + "\n" * 30, 0)
    text = "checked()\nsafe()\nmore()\n" + "\n" * 30 + "value = other + eval(data)\n"
    assert match([old], [found(text, 33, part="eval(data)")]) == []


def test_two_findings_on_one_place_are_told_apart_by_their_words() -> None:
    says = "The name is too short.", "Text from outside is run."
    old = [found(TEXT, 4, says=each) for each in says]
    new = [found(TEXT, 4, says=each) for each in ("Text from the outside is run.", "The name is much too short.")]
    assert match(old, new) == [(0, 1), (1, 0)]


def test_a_finding_about_the_whole_file_is_recognised() -> None:
    def whole(text: str) -> Known:
        return known(Finding(RULE, SAYS, Location("a.py"), fingerprint="f"), Source("a.py", text))

    assert match([whole("a")], [whole("b")]) == [(0, 0)]


def test_a_region_past_the_end_of_the_text_is_no_error() -> None:
    region = Region(90, 3, 95, 0)
    assert known(Finding(RULE, SAYS, Location("a.py", region)), Source("a.py", "x")).line == 0


def test_hundreds_of_findings_that_say_the_same_pair_in_order() -> None:
    many = [replace(found(TEXT, 4), line=line, before="b", after="a") for line in range(300)]
    assert match(many, many) == [(index, index) for index in range(300)]


@given(st.integers(0, 10_000))
def test_pairs_are_one_to_one_and_a_report_is_itself(seed: int) -> None:
    case = Corpus(TEXT * 12, random.Random(seed)).case(findings=8, edits=4)
    pairs = match(case.old, case.new)
    assert len({old for old, _ in pairs}) == len({new for _, new in pairs}) == len(pairs)
    assert match(case.old, case.old) == [(index, index) for index in range(len(case.old))]
    assert all(case.old[old].is_model == case.new[new].is_model for old, new in pairs)


def score(texts: Sequence[str], seeds: range) -> tuple[int, int, int]:
    """How many findings there were again, how many were recognised, how many taken for another one."""
    total = same = wrong = 0
    for seed in seeds:
        case = Corpus(texts[seed % len(texts)], random.Random(seed)).case()
        pairs = dict(match(case.old, case.new))
        total += len(case.truth)
        same += sum(pairs.get(old) == new for old, new in case.truth.items())
        wrong += sum(case.truth.get(old) != new for old, new in pairs.items())
    return total, same, wrong


def test_findings_of_a_file_that_was_worked_on_keep_their_identity() -> None:
    lines = [f"    value_{n} = call_{n % 7}(item[{n % 5}], name_{n % 11})\n" for n in range(150)]
    total, same, wrong = score(["".join(lines), TEXT * 25], range(20))
    assert total > 400
    assert same >= 0.97 * total
    assert wrong <= 0.05 * total  # all lines are alike: a new finding beside a fixed one may be taken for it


def test_words_in_any_order_are_alike_and_others_are_not() -> None:
    assert similarity("a b", "b, a!") == similarity("", "") == 1.0
    assert similarity("a b", "c d") == similarity("", "a") == 0.0
