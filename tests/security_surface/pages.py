"""Read the examples of the rule pages: fenced blocks whose lines say `reported` or `ok`."""

import random
import re
import string
from dataclasses import dataclass

from markdown_it import MarkdownIt

from mcp_tools.project import Source, language_of
from mcp_tools.rules import page

_NAMES = {
    "python": "app.py",
    "javascript": "app.js",
    "typescript": "app.ts",
    "tsx": "app.tsx",
    "go": "app.go",
    "java": "App.java",
    "rust": "app.rs",
    "yaml": "deploy.yaml",
    "ini": "deploy.ini",
    "dotenv": ".env",
    "json": "config.json",
}
_MARK = re.compile(r"(?:#|//)\s*(reported|ok)\s*$")
_HOLE = re.compile(r"\{\{(\w+):(\w+)\}\}")
_ALPHABETS = {
    "upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
    "alnum": string.ascii_letters + string.digits,
    "base64": string.ascii_letters + string.digits + "+/",
    "strong": string.ascii_letters + string.digits + "-_.",
}


@dataclass(frozen=True, slots=True)
class Example:
    """One block: its text with every hole filled, and what is expected of its marked lines (0-based)."""

    rule_id: str
    source: Source
    reported: frozenset[int]
    fine: frozenset[int]
    uses_ruff: bool

    @property
    def name(self) -> str:
        """Which block it is, for the test's id."""
        return f"{self.rule_id}-{self.source.language}{'-ruff' if self.uses_ruff else ''}"


def examples(rule_id: str) -> list[Example]:
    """The examples of a rule's page, in order."""
    fences = [token for token in MarkdownIt().parse(page(rule_id) or "") if token.type == "fence"]
    return [_example(rule_id, token.info.split(), token.content, number) for number, token in enumerate(fences)]


def _example(rule_id: str, info: list[str], text: str, number: int) -> Example:
    words = random.Random(f"{rule_id} {number}")
    text = _HOLE.sub(lambda hole: _filled(hole[1], hole[2], words), text)
    marks = [_MARK.search(line) for line in text.split("\n")]
    kept = "\n".join(
        line[: mark.start()].rstrip() if mark else line for line, mark in zip(text.split("\n"), marks, strict=True)
    )
    path = next((word.removeprefix("path=") for word in info if word.startswith("path=")), _NAMES[info[0]])
    return Example(
        rule_id,
        Source(path, kept, language_of(path)),
        frozenset(line for line, mark in enumerate(marks) if mark and mark[1] == "reported"),
        frozenset(line for line, mark in enumerate(marks) if mark and mark[1] == "ok"),
        "ruff" in info,
    )


def _filled(alphabet: str, what: str, words: random.Random) -> str:
    if alphabet == "word":
        return what
    while True:  # as real tokens have: letters of both kinds where there are both, and a digit
        text = "".join(words.choices(_ALPHABETS[alphabet], k=int(what)))
        if any(map(str.isdigit, text)) and any(map(str.isalpha, text)) and text[0].isalpha() and text[-1].isalnum():
            return text
