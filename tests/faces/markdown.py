"""What a Markdown reader makes of a text: its structure, its links, and what is seen. An oracle, not our escaping."""

import re

from markdown_it import MarkdownIt
from markdown_it.token import Token

_WORDS = {"text", "text_special", "inline", "softbreak"}
_LINKED = re.compile(
    r"(?:https?|ftp)://|\bwww\.|[\w.+-]@\w", re.IGNORECASE
)  # what GitHub and VS Code link by themselves


_READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_READER.validateLink = lambda url: True  # every address counts, also those that this reader would refuse


def _tokens(text: str) -> list[Token]:
    top = _READER.parse(text)
    return [token for block in top for token in (block, *(block.children or []))]


def structure(text: str) -> list[str]:
    """Every element but words and code spans, in order."""
    shown = (token for token in _tokens(text) if token.type not in _WORDS | {"code_inline"})
    return [f"{token.type} {token.tag} {token.level}" for token in shown]


def links(text: str) -> list[str]:
    """Where links, images and HTML lead, and what is linked without markup."""
    found: list[str] = []
    for token in _tokens(text):
        if token.type in {"link_open", "image"}:
            found.append(str(token.attrs.get("href", token.attrs.get("src"))))
        elif token.type.startswith("html"):
            found.append(token.content)
        elif token.type in {"text", "text_special"}:
            found += _LINKED.findall(token.content)
    return found


def words(text: str) -> str:
    """What a reader sees, without the signs that only break a link."""
    seen = (token.content for token in _tokens(text) if token.type in _WORDS - {"inline"} | {"code_inline", "fence"})
    return "".join(seen).replace("\u200b", "")


def fences(text: str) -> list[str]:
    """The contents of fenced code."""
    return [token.content for token in _tokens(text) if token.type == "fence"]
