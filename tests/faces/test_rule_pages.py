"""Rule pages in an editor: they open, and what a hover takes from them is a whole paragraph without links."""

import pytest

from kimi_lsp.faces.rule_pages import Advice, advice, page_uri, read_advice
from kimi_lsp.faces.uris import path_of
from mcp_tools import rules
from mcp_tools.rules import page_path


@pytest.mark.parametrize("rule", rules.list_pages())
def test_every_page_opens_and_says_how_to_mend(rule: str) -> None:
    path = path_of(page_uri(rule) or "")
    assert path == page_path(rule)
    assert path is not None
    assert path.read_text(encoding="utf-8") == rules.page(rule)
    told = advice(rule)
    assert told.fix.endswith((".", ")"))
    for paragraph in (told.verify, told.fix):
        assert "\n" not in paragraph
        assert "](" not in paragraph
        assert paragraph.count("`") % 2 == 0


def test_a_hover_takes_the_first_paragraph_of_a_section() -> None:
    told = advice("path-traversal")
    assert told.verify.startswith("Names that are checked against a list or a strict pattern; paths that only the")
    assert told.fix.startswith("Resolve the path and check that it lies below the folder")


def test_links_of_a_page_lead_nowhere_from_a_hover() -> None:
    page = "# x\n\n## What to do\nAs for [weak-hash](weak-hash.md),\nwith `a`.\n\nMore.\n\n## Not reported\n- a list\n"
    assert read_advice(page) == Advice(verify="", fix="As for weak-hash, with `a`.")
    assert read_advice("") == read_advice("## What to do") == Advice()


def test_a_section_that_starts_with_code_gives_nothing() -> None:
    assert advice("insecure-temp-file").verify == ""


@pytest.mark.parametrize("rule", ["no-such-rule", "", "../../README", "/etc/passwd", "SQL-Injection", "a\0b"])
def test_a_rule_without_a_page_has_no_link(rule: str) -> None:
    assert page_path(rule) is None
    assert page_uri(rule) is None
    assert advice(rule).fix == advice(rule).verify == ""
