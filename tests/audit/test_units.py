from hypothesis import given
from hypothesis import strategies as st

from kimi_lsp.audit.units import Unit, units_of
from mcp_tools.finding import Notice
from mcp_tools.project import Source

LINES = st.lists(
    st.sampled_from(
        ["", "x = 1", "def f():", "    return 1", "class C:", "    def m(self):", "        pass", "# é😀", '"""']
    ),
    max_size=60,
)


def cut(text: str, max_chars: int, language: str = "python") -> list[Unit]:
    return [unit for unit in units_of(Source("a.py", text, language), max_chars) if isinstance(unit, Unit)]


@given(LINES, st.sampled_from(["\n", "\r\n", "\r"]), st.integers(min_value=20, max_value=400))
def test_units_hold_every_line_with_text_once_and_in_order(lines: list[str], end: str, max_chars: int) -> None:
    text = end.join(lines)
    source = Source("a.py", text, "python")
    held = [number for unit in cut(text, max_chars) for number in range(unit.first_line, unit.last_line + 1)]
    assert held == sorted(set(held))
    missing = set(range(source.line_count)) - set(held)
    assert all(not source.line(number).strip() for number in missing)


@given(LINES, st.integers(min_value=20, max_value=400))
def test_a_unit_is_never_larger_than_the_cap_unless_it_is_one_line(lines: list[str], max_chars: int) -> None:
    for unit in cut("\n".join(lines), max_chars):
        assert len(unit.text) <= max_chars or unit.first_line == unit.last_line


def test_a_file_under_the_cap_is_one_whole_unit() -> None:
    [unit] = cut("x = 1\ny = 2\n", 100)
    assert unit.is_whole
    assert unit.label == "a.py"
    assert unit.text == "x = 1\ny = 2\n"


def test_a_large_file_is_cut_between_functions_and_each_slice_knows_the_rest() -> None:
    text = "".join(f"def f{n}(a):\n    b = a + {n}\n    return b\n\n\n" for n in range(20))
    units = cut(text, 300)
    assert len(units) > 1
    assert all(unit.source.line(unit.first_line).startswith("def ") for unit in units)
    assert any("def f19(a):" in line for line in units[0].outline)
    assert not any("def f0(a):" in line for line in units[0].outline)


def test_a_class_that_is_too_large_is_cut_between_its_methods() -> None:
    text = "class C:\n" + "".join(f"    def m{n}(self):\n        return {n} * {n}\n\n" for n in range(30))
    units = cut(text, 400)
    assert len(units) > 2
    assert all(unit.source.line(unit.first_line).lstrip().startswith(("def ", "class ")) for unit in units)


def test_a_file_without_a_grammar_is_cut_at_line_ends() -> None:
    text = "\n".join(f"line {n}" for n in range(100))
    units = cut(text, 200, "shell")
    assert len(units) > 3
    assert "\n".join(unit.text for unit in units) == text


def test_a_blank_file_has_no_unit() -> None:
    assert list(units_of(Source("a.py", " \n\n\t\n", "python"), 100)) == []


def test_a_generated_file_is_a_notice() -> None:
    [notice] = units_of(Source("a.js", "x" * 6000, "javascript"), 100_000)
    assert isinstance(notice, Notice)
    assert notice.code == "generated-file"


TWELVE = (
    "\n".join(f"def f{n}():\n" + "\n".join(f"    x{line} = {line}" for line in range(19)) for n in range(12)) + "\n"
)


def focused(text: str, *focus: tuple[int, int], max_chars: int = 60_000) -> list[tuple[int, int]]:
    units = units_of(Source("a.py", text, "python"), max_chars, focus)
    return [(unit.first_line, unit.last_line) for unit in units if isinstance(unit, Unit)]


def test_a_focus_is_reviewed_with_its_symbol_and_what_lies_beside_it() -> None:
    assert focused(TWELVE, (85, 85)) == [(60, 99)]
    [unit] = [unit for unit in units_of(Source("a.py", TWELVE, "python"), 60_000, [(85, 85)]) if isinstance(unit, Unit)]
    assert unit.outline[0] == "1-20| def f0():"


def test_focuses_that_touch_are_one_unit_and_far_ones_are_two() -> None:
    assert focused(TWELVE, (45, 45), (70, 71)) == [(20, 79)]
    assert focused(TWELVE, (5, 5), (230, 230)) == [(0, 39), (200, 240)]


def test_no_focus_at_all_is_nothing_to_review() -> None:
    assert focused(TWELVE) == []


@given(LINES, st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80)), max_size=4), st.integers(20, 400))
def test_units_of_a_focus_hold_every_focused_line_with_text(
    lines: list[str], pairs: list[tuple[int, int]], max_chars: int
) -> None:
    source = Source("a.py", "\n".join(lines), "python")
    focus = [(min(pair), max(pair)) for pair in pairs]
    held = [n for first, last in focused(source.text, *focus, max_chars=max_chars) for n in range(first, last + 1)]
    assert held == sorted(set(held))
    wanted = {n for first, last in focus for n in range(first, last + 1) if n < source.line_count}
    assert all(not source.line(number).strip() for number in wanted - set(held))
