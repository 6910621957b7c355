"""The page of each rule: what it is, why it matters, how to fix it. Found in a wheel and in a checkout alike."""

import re
from functools import cache, lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

_RULE_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@cache
def _folder() -> Traversable | None:
    """`mcp_tools/rule_pages` of a wheel, else `docs/rules` of a checkout."""
    for folder in (resources.files("mcp_tools") / "rule_pages", Path(__file__).parents[1] / "docs" / "rules"):
        if folder.is_dir():
            return folder
    return None


def page_path(rule_id: str) -> Path | None:
    """The file of a rule's page, for whoever opens it; None when there is none, or none on a disk."""
    folder = _folder()
    if not isinstance(folder, Path) or not _RULE_ID.fullmatch(rule_id):
        return None
    file = folder.resolve() / f"{rule_id}.md"
    return file if file.is_file() else None


@lru_cache(maxsize=128)
def page(rule_id: str) -> str | None:
    """A rule's page in Markdown; None when there is none."""
    folder = _folder()
    if folder is None or not _RULE_ID.fullmatch(rule_id):
        return None
    file = folder / f"{rule_id}.md"
    return file.read_text(encoding="utf-8") if file.is_file() else None


def list_pages() -> tuple[str, ...]:
    """The ids of the rules that have a page, sorted."""
    folder = _folder()
    names = () if folder is None else (file.name for file in folder.iterdir())
    stems = (name.removesuffix(".md") for name in names if name.endswith(".md"))
    return tuple(sorted(stem for stem in stems if _RULE_ID.fullmatch(stem)))
