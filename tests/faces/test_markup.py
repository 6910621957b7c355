"""Text of others in Markdown and in plain text: it shows itself, whatever it is. Read with a CommonMark parser."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kimi_lsp.faces.markup import MARKDOWN, PLAIN, Tamed, clipped, first_lines, lines_of, one_line
from mcp_tools.output import printable
from tests.faces.markdown import fences, links, structure, words
from tests.output.samples import texts

ATTACKS = (
    "[click](https://evil.example)",
    "![pixel](https://evil.example/p.png)",
    "[run](command:workbench.action.terminal.new)",
    "<a href='command:x'>y</a> <img src=x onerror=y> <script>",
    "<https://evil.example> <mail@evil.example>",
    "https://evil.example www.evil.example mail@evil.example",
    "a\n\n# heading\n\n- item\n\n---\n\n> quote",
    "```\nend of fence\n```\n[x](y)",
    "`` ` `` `a` ``b`c`` ` [x](y) `",
    "`[x](y)",
    "\\`[x](y)\\` \\[x](y) \\\\[x](y)",
    "[x][ref]\n\n[ref]: https://evil.example",
    "[ref]: https://evil.example",
    "&#91;x&#93;&#40;y&#41; &lt;b&gt; &amp; &#x3c;",
    "*a* **b** _c_ __d__ ~~e~~ ~f~ a_b_c *",
    "| a | b |\n|---|---|\n| c | d |",
    "    indented",
    "\u202e[x](y)\u2066",
)
_lines = st.lists(st.sampled_from(ATTACKS) | texts, max_size=4).map("".join)


def _is_only_words(text: str) -> None:
    written = f"Said: {MARKDOWN.prose(text)}\n\nnext"
    assert structure(written) == structure("Said: x\n\nnext")
    assert links(written) == []


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_in_prose_is_words_and_nothing_else(attack: str) -> None:
    assert structure(attack) != structure("x") or links(attack) or words(attack) != attack, "it would do something"
    _is_only_words(attack)


@settings(max_examples=300)
@given(_lines)
def test_prose_is_words_and_nothing_else(text: str) -> None:
    _is_only_words(text)


def _bare(text: str) -> str:
    return "".join(text.replace("`", "").split())


@given(_lines)
@example("a \\")
@example("[^1] [[wiki]] - [ ] task")
@example("`x` and `` and `y`")
def test_a_reader_of_prose_sees_the_text(text: str) -> None:
    seen = words(f"Said: {MARKDOWN.prose(text)}")
    assert _bare(seen) == _bare(f"Said: {one_line(text)}")


def test_names_stay_readable_in_an_editor_that_shows_the_source() -> None:
    text = "user_id of `find_user(db, q)[0]` is in a[i] if x < y and a <= b & c, see #12 and @app.route $HOME (1 - 2)"
    assert MARKDOWN.prose(text) == text


@given(_lines)
@example("``")
@example(" ")
@example("")
def test_a_name_is_one_code_span(text: str) -> None:
    written = f"In {MARKDOWN.code(text)} it is."
    assert structure(written) == structure("In `x` it is.")
    assert links(written) == []
    assert one_line(text).strip() in words(written)


@given(_lines)
@example("```")
@example("`````python\nx")
@example("~~~")
def test_a_block_ends_where_it_should(text: str) -> None:
    written = f"Before:\n{MARKDOWN.block(text)}\n\nafter"
    assert structure(written) == structure("Before:\n```\nx\n```\n\nafter")
    assert fences(written) == [f"{lines_of(text)}\n"]


@given(_lines)
def test_a_link_leads_where_we_say(text: str) -> None:
    uri = "file:///a%20b/c%28d%29.md"
    assert links(f"Rule {MARKDOWN.link(text, uri)}: x") == [uri]
    assert links(f"Rule {MARKDOWN.link(text, None)}: x") == []


@given(_lines)
def test_plain_text_is_printable_and_keeps_to_its_line(text: str) -> None:
    for written in (PLAIN.prose(text), PLAIN.code(text), PLAIN.link(text, "file:///a"), PLAIN.strong("x")):
        assert printable(written) == written
    block = PLAIN.block(text)
    assert printable(block, keep="\n\t") == block
    assert all(line.startswith("    ") for line in block.split("\n"))


@given(texts | st.text(st.sampled_from("ab \t\x7f"), max_size=9))
def test_a_line_is_printable_with_its_white_space_folded(text: str) -> None:
    assert one_line(text) == printable(" ".join(text.split()))


def test_a_long_text_is_cut_and_says_so() -> None:
    assert clipped("abc", 3) == "abc"
    assert clipped("abcd", 3) == "ab…"
    assert first_lines("1\r\n2\r3\n4", 2, 100) == "1\n2\n… 2 more lines"
    assert first_lines("1\n2\n3", 2, 100) == "1\n2\n… 1 more line"
    assert first_lines("12345\n2", 2, 4) == "123…\n… 1 more line"
    assert first_lines("1\n2", 2, 100) == "1\n2"


@given(texts, st.integers(1, 9), st.integers(2, 40))
def test_a_beginning_is_never_longer_than_asked_for(text: str, max_lines: int, max_chars: int) -> None:
    lines = first_lines(text, max_lines, max_chars).split("\n")
    told = lines[:-1] if lines[-1].startswith("… ") and lines[-1].endswith(("line", "lines")) else lines
    assert len(told) <= max_lines
    assert len("\n".join(told)) <= max_chars


PREFIXES = (
    *("", "- ", "  ", "   ", "> ", "1. ", "    ", "\t", "`", "\n", "<div>\n"),
    *("```", "````", "~~~", "``` x", "~~~ `", "```\n", "~~~\n", "- ```\n", "  ```\n", "> ~~~\n"),
)
_blocks = st.lists(st.tuples(st.sampled_from(PREFIXES), st.sampled_from(ATTACKS) | texts), max_size=8).map(
    lambda rows: "\n".join(prefix + text for prefix, text in rows)
)


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_answer_has_no_way_to_anywhere(attack: str) -> None:
    assert links(Tamed().feed(attack)) == []


@settings(max_examples=1_000)
@given(_blocks)
def test_no_answer_has_a_way_to_anywhere(text: str) -> None:
    tamed = Tamed()
    assert links("".join(tamed.feed(line) for line in text.splitlines(keepends=True))) == []


def test_an_answer_stays_what_it_was() -> None:
    text = (
        "**Yes.** See `a[i](x)` and:\n\n- one\n  - two\n\n| a | b |\n|---|---|\n| 1 | `2` |\n\n"
        "```diff\n-<b>[x](http://a.example)\n+y\n```\n1 < 2\n"
    )
    shown = Tamed().feed(text)
    assert shown.replace("\u200b", "") == text
    assert fences(shown) == ["-<b>[x](http://a.example)\n+y\n"], "code can be copied as it is"
    assert structure(shown) == structure(text.replace("`a[i](x)`", "`a`"))
