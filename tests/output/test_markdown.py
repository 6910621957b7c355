"""Markdown: nothing that a project says breaks out of its place. Read with a CommonMark parser, not with patterns."""

import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from markdown_it import MarkdownIt
from markdown_it.token import Token

from mcp_tools.finding import Confidence, Finding, Level, Location, Notice, Region, Related, Report, Rule
from mcp_tools.output import Format, printable, render, safe_uri
from mcp_tools.output.markdown import literal
from tests.output.samples import DRIFT, HELP, RELAXED, SQL, context, names, texts

BREAK = "\u200b"
HOSTILE = (
    "`code` | cell | <b onclick=x>@octocat</b> [click](https://evil.example) ![i](//evil.example/i.png) #12 GH-7 "
    "www.evil.example https://evil.example mail@evil.example &lt; </details> <!-- ``` ~~~ **bold** __x__ ~~y~~ $x$"
)


def _parse(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)


def _flat(tokens: list[Token]) -> list[Token]:
    return [token for top in tokens for token in (top, *(top.children or []))]


def _shape(text: str) -> list[str]:
    """The structure alone: every token but text, and where links lead to."""
    plain = {"text", "text_special", "inline"}
    return [f"{token.type} {token.tag} {token.level}" for token in _flat(_parse(text)) if token.type not in plain]


def _links(text: str) -> set[str]:
    return {str(token.attrs["href"]) for token in _flat(_parse(text)) if token.type == "link_open"}


def _shown(text: str) -> str:
    """What a reader sees of inline Markdown."""
    return "".join(token.content for token in _flat(_parse(text)) if token.type in {"text", "text_special"})


def _report(text: str, path: str = "a.py") -> Report:
    place = Location(path, Region(0, 0, 1, 3))
    rule = Rule("doc-drift", text, Level.WARNING, DRIFT.lane)
    found = Finding(
        rule,
        text,
        place,
        Confidence.LOW,
        evidence=f"x{text}",
        related=(Related(text, place),),
        protected_area=text,
    )
    notices = (Notice("code", text, path), Notice("grave", text, incomplete=True))
    return Report((found,), notices, 1)


@RELAXED
@given(texts, names)
@example(HOSTILE, "a/b.py")
@example("x", "`a`|<i>.py")
@example("x", "](https://evil.example)")
def test_hostile_text_changes_neither_structure_nor_links(text: str, path: str) -> None:
    where = replace(context(), facts=((text, text),))
    told = render(_report(text, path), Format.MARKDOWN, where)
    tame = render(_report("tame"), Format.MARKDOWN, replace(context(), facts=(("tame", "tame"),)))
    assert _shape(told) == _shape(tame)
    assert _links(told) == {
        f"{HELP}/rules/doc-drift.md",
        *(_normalised(f"{safe_uri(path)}{part}") for part in ("", "#L1-L2")),
    }


def _normalised(uri: str) -> str:
    """The parser's own form of a URI, so that only real differences count."""
    (link,) = _links(f"[x]({uri})")
    return link


@RELAXED
@given(texts)
@example(HOSTILE)
def test_literal_text_shows_just_the_text(text: str) -> None:
    shown = _shown(f"- x {literal(text)} x").replace(BREAK, "")
    assert shown.split() == f"x {printable(' '.join(text.split(chr(10))).strip())} x".split()


@RELAXED
@given(texts)
@example(HOSTILE)
@example("a|b\\|c\\")
def test_literal_text_stays_in_its_table_cell(text: str) -> None:
    tokens = _parse(f"| a | b |\n| - | - |\n| x{literal(text)} | y |\n")
    cells = [tokens[at + 1] for at, token in enumerate(tokens) if token.type == "td_open"]
    assert [cell.content for cell in cells][1:] == ["y"]


@RELAXED
@given(texts)
@example(HOSTILE)
@example("@a@b ##1 gh-2 GH-3 HTTPS://x wWw.x")
def test_no_mention_reference_or_address_is_left_for_a_platform_to_link(text: str) -> None:
    shown = _shown(f"- {literal(text)}")
    assert not re.search(r"(?i)@\w|#\d|GH-\d|://|www\.\w", shown)


def test_the_details_element_is_the_only_html() -> None:
    told = render(_report(HOSTILE), Format.MARKDOWN, context())
    html = [token.content.strip() for token in _flat(_parse(told)) if token.type.startswith("html")]
    assert html == ["<details><summary>Not done: 2 notices</summary>", "</details>"]


@pytest.mark.parametrize("ticks", ["```", "````", "~~~", "```\n```", "x\n```\n# out\n"])
def test_a_fence_is_longer_than_any_in_the_evidence(ticks: str) -> None:
    found = Finding(DRIFT, "m", Location("a"), evidence=ticks)
    told = render(Report((found,), files_read=1), Format.MARKDOWN, context())
    (fence,) = [token for token in _flat(_parse(told)) if token.type == "fence"]
    assert fence.content == f"{ticks.strip(chr(10))}\n"


def test_long_evidence_is_cut_and_says_so() -> None:
    found = Finding(DRIFT, "m", Location("a"), evidence="\n".join(map(str, range(40))))
    told = render(Report((found,), files_read=1), Format.MARKDOWN, context())
    assert "    11\n" in told
    assert "… 28 more lines" in told


@pytest.mark.parametrize(
    ("region", "lines"),
    [
        (Region(11, 2, 13, 4), "L12-L14"),
        (Region(11, 2, 11, 4), "L12"),
        (Region(11, 0, 13, 0), "L12-L13"),
        (Region(11, 0, 11, 0), "L12"),
    ],
)
def test_a_link_names_the_lines_as_platforms_do(region: Region, lines: str) -> None:
    found = Finding(DRIFT, "m", Location("a b.py", region))
    told = render(Report((found,), files_read=1), Format.MARKDOWN, context())
    assert f"[{lines}](a%20b.py#{lines})" in told


def test_a_comment_stays_within_what_a_platform_takes_and_says_what_is_left_out() -> None:
    notes = tuple(Finding(DRIFT, f"{'n' * 900} {n}", Location(f"f{n}.py", Region(0, 0, 0, 1))) for n in range(200))
    grave = Finding(SQL, "the grave one", Location("z.py", Region(0, 0, 0, 1)))
    told = render(Report((*notes, grave), files_read=201), Format.MARKDOWN, context())
    assert len(told) < 65_536
    assert "the grave one" in told
    shown = told.count("**warning**")
    assert shown > 40
    assert f"{200 - shown} more findings not shown here" in told


def test_hostile_notices_and_facts_alone_cannot_fill_the_comment() -> None:
    notices = tuple(Notice(f"code-{n}", "m" * 5000, "p" * 5000) for n in range(100))
    told = render(Report((), notices, 1), Format.MARKDOWN, replace(context(), facts=(("cost", "9" * 9000),)))
    assert len(told) < 65_536
    assert "more kinds of notice" in told


def test_a_path_full_of_signs_to_escape_cannot_fill_the_comment_either() -> None:
    many = tuple(Finding(DRIFT, "@" * 3000, Location("@" * 3000 + str(n), Region(0, 0, 0, 1))) for n in range(9))
    told = render(Report(many, files_read=1), Format.MARKDOWN, context())
    assert len(told) < 65_536
    assert "more findings not shown here" in told


def test_a_message_is_cut_where_it_is_longer_than_a_comment() -> None:
    found = Finding(DRIFT, "m" * 70_000, Location("a"))
    told = render(Report((found,), files_read=1), Format.MARKDOWN, context())
    assert "more finding not shown" not in told
    assert len(told) < 5_000
