"""Strings from outside made fit to be shown: printable, short, without credentials. Pure."""

import re
from typing import Final

from mcp_tools.dependency_scan.values import without_credentials

MAX_SUMMARY: Final = 200
_MAX_URL: Final = 500
_MAX_READ: Final = 2_000  # of a long description, only its first lines matter
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}")
_URL: Final = re.compile(r"https?://[!-~]+")
_NOT_TITLES: Final = re.compile(
    r"(?:#+\s*)?(?:summary|impact|description|overview|details|vulnerability)\W*", re.IGNORECASE
)


def is_id(text: str) -> bool:
    """Say whether a text can be the id of an advisory."""
    return _ID.fullmatch(text) is not None


def scrubbed(text: str) -> str:
    """One printable line: controls, escapes, marks of direction and other unseen characters become spaces."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def title(summary: str, details: str) -> str:
    """The summary, else the first line of the details that says something; at most 200 characters."""
    line = scrubbed(summary[:_MAX_READ])
    if not line:
        paragraphs = re.split(r"\n\s*\n", details[:_MAX_READ])
        line = next((scrubbed(part) for part in paragraphs if part.strip() and not _NOT_TITLES.fullmatch(part)), "")
        line = line.lstrip("# ")
    return line if len(line) <= MAX_SUMMARY else line[: MAX_SUMMARY - 1].rstrip() + "…"


def web_address(url: str) -> str | None:
    """An http or https address in printable ASCII without credentials; None for all else."""
    return without_credentials(url) if len(url) <= _MAX_URL and _URL.fullmatch(url) else None


def shown(text: str, limit: int = 80) -> str:
    """A foreign text inside a message: printable and short."""
    line = scrubbed(text[: limit * 4])
    return line if len(line) <= limit else line[: limit - 1] + "…"
