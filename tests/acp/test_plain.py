"""Words of others where a client may read Markdown: readable, and never markup. Read with a CommonMark parser."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_lsp.acp.plain import named, plain, plain_line
from mcp_tools.output import printable
from tests.faces.markdown import links, structure, words
from tests.faces.test_markup import ATTACKS

_NEVER = ("heading", "html", "image", "link", "hr", "blockquote", "table", "fence", "code_block")
_PIECES = (
    "[x]",
    "(command:y)",
    "!",
    "<b>",
    "\u2028",
    "\x0b",
    "\x85",
    "\r",
    "\n",
    " ",
    "- ",
    "1. ",
    "#",
    " x",
    "=",
    "--|--",
    "|",
)
_hostile = (
    st.sampled_from(ATTACKS) | st.text(max_size=80) | st.lists(st.sampled_from(_PIECES), max_size=12).map("".join)
)


def _acts(text: str) -> list[str]:
    return links(text) + [element for element in structure(text) if element.startswith(_NEVER)]


def test_reasoning_stays_readable_and_becomes_no_markup() -> None:
    text = "# Head\n- item\n  1. nested\n> quote\n====\n---\n[x](http://a.example) <b>\n    code\nplain `x`\n"
    assert plain(text) == (
        "\\# Head\n- item\n  1. nested\n\\> quote\n\\====\n\\---\n"
        "[x\\](http:&#8203;//a.example) \\<b>\n   code\nplain `x`\n"
    )


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\x85"])
def test_a_sign_that_only_some_take_for_the_end_of_a_line_joins_no_link(sign: str) -> None:
    assert plain(f"[x]{sign}(command:y)") == "[x] (command:y)"
    assert plain(f"!{sign}[x]{sign}(//a.example/p.png)") == "! [x] (//a.example/p.png)"
    assert plain(f"two{sign}words") == "two words"


@pytest.mark.parametrize("line", ["- # H", "1. # H", "- - > q", "+ ---", "2) ===", "- | a |", "--|--", ":-:|-"])
def test_the_sign_of_a_list_opens_no_other_block(line: str) -> None:
    assert _acts(plain_line(line)) == []
    assert _acts(f"a | b\n{plain_line(line)}\n") == []
    assert words(plain_line(line)).strip() in line


@given(_hostile)
def test_no_reasoning_becomes_a_link_or_a_block(text: str) -> None:
    assert _acts(plain(text)) == []


@given(_hostile)
def test_one_line_stays_one_line_in_a_list_of_ours(text: str) -> None:
    line = plain_line(text)
    assert "\n" not in line
    assert _acts(f"- {line}") == []


@given(st.lists(st.text("ab \n#-[]", max_size=10), max_size=6))
def test_pieces_of_whole_lines_come_to_the_same_as_all_at_once(parts: list[str]) -> None:
    lines = [f"{part}\n" for part in parts]
    assert "".join(map(plain, lines)) == plain("".join(lines))


@given(_hostile)
def test_a_name_in_a_title_shows_itself(name: str) -> None:
    shown = named(printable(name))
    assert _acts(f"Read {shown}") == []
    if name.isprintable() and name.strip() and "`" not in name:
        assert " ".join(words(f"Read {shown}").split()) == f"Read {' '.join(name.split())}"


@pytest.mark.parametrize("name", ["src/a.py", "src/a_b.py:10-90", "ü/x-1.py", "a (b).py"])
def test_an_ordinary_name_needs_no_signs(name: str) -> None:
    assert named(name) == name
