"""Small projects on disk, and the catalog on them, for tests."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from mcp_tools.catalog import Answer, Catalog, Json, JsonObject, RootSetup, Setup

KEY = "00" * 32
FINDING = "eval(name)\n"
"""A line of Python with one finding."""


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write these files below a folder, and give the folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def catalog(*roots: Path, max_answer_chars: int = 40_000, rules_off: tuple[str, ...] = ()) -> Catalog:
    """The tools on these folders, with a key that makes every answer the same."""
    setup = Setup(
        tuple(RootSetup(str(root)) for root in roots), max_answer_chars=max_answer_chars, rules_off=rules_off, key=KEY
    )
    return Catalog(setup)


def pages(tools: Catalog, name: str, arguments: JsonObject) -> Iterator[Answer]:
    """All pages of a call. Never endless: each has to have an entry."""
    cursor: Json = None
    while True:
        answer = tools.call(name, {**arguments, "cursor": cursor})
        assert not answer.is_error, answer.text
        yield answer
        cursor = answer.data.get("next_cursor")
        if cursor is None:
            return
        assert answer.data["returned"], answer.text


def listed(answer: Answer, key: str) -> list[JsonObject]:
    """The entries of a page."""
    entries = answer.data[key]
    assert isinstance(entries, list)
    return [entry for entry in entries if isinstance(entry, dict)]


def number(answer: Answer, key: str) -> int:
    """A number in an answer's data."""
    value = answer.data[key]
    assert isinstance(value, int)
    return value


def chars(answer: Answer) -> int:
    """What an answer takes up: text and data together."""
    return len(answer.text) + len(json.dumps(answer.data, ensure_ascii=False))
