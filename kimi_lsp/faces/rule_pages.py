"""A rule's page as an editor uses it: where it can be opened, and the two paragraphs that fit into a hover.

There is no public site to link to, so links lead to the page that is installed: they work offline.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from kimi_lsp.faces.uris import uri_of
from mcp_tools import rules

_VERIFY = ("Not reported",)
_FIX = ("How to fix it", "What to do")
_HEADING = re.compile(r"^## +(.+?) *$", re.MULTILINE)
_BLOCK = re.compile(r"```|[-*] |\d+\. |[|#<>]")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Advice:
    """First paragraphs of a rule's page, each one line of Markdown without links; empty where it has none."""

    verify: str = ""  # what is no finding of this rule
    fix: str = ""


@lru_cache(maxsize=512)
def page_uri(rule_id: str) -> str | None:
    """Where an editor opens a rule's page."""
    path = rules.page_path(rule_id)
    return None if path is None else uri_of(path)


@lru_cache(maxsize=512)
def advice(rule_id: str) -> Advice:
    """What a rule's page says on checking and on mending, in short."""
    page = rules.page(rule_id)
    return Advice() if page is None else read_advice(page)


def read_advice(page: str) -> Advice:
    """The advice of a page."""
    _, *parts = _HEADING.split(page)
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    return Advice(_first(sections, _VERIFY), _first(sections, _FIX))


def _first(sections: dict[str, str], names: tuple[str, ...]) -> str:
    """The first paragraph of the first of these sections, unless it starts with code, a list or a table."""
    body = next((sections[name] for name in names if name in sections), "")
    paragraph = body.strip().partition("\n\n")[0].strip()
    return "" if _BLOCK.match(paragraph) else _LINK.sub(r"\1", " ".join(paragraph.split()))
