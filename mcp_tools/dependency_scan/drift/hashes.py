"""The hash that a lockfile keeps of its manifest, computed again: Pipfile.lock and poetry.lock.

What goes into each hash is how pipenv 2026 and poetry 2.3 (and, by its own account, poetry before it) compute theirs.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Final

from mcp_tools.dependency_scan.drift.pairs import Pair
from mcp_tools.dependency_scan.readers.toml_tree import parse_toml
from mcp_tools.dependency_scan.readers.tree import Node
from mcp_tools.dependency_scan.reporting import Sources, report
from mcp_tools.finding import Confidence, Finding, Level, Region
from mcp_tools.project import Source

Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]

_PIPENV_ONLY: Final = frozenset({"source", "packages", "dev-packages", "requires", "scripts", "pipfile", "pipenv"})
_POETRY_OLD: Final = ("dependencies", "source", "extras", "dev-dependencies")
_PROJECT: Final = ("requires-python", "dependencies", "optional-dependencies")


def check(pair: Pair, sources: Sources) -> Iterator[Finding]:
    """Report a manifest whose hash is not the one its lockfile keeps. Nothing where it cannot be computed."""
    kept, source = pair.lock.content_hash, sources.get(pair.manifest.path)
    if kept is None or source is None or pair.manifest.notices:
        return
    if pair.lock.format == "pipfile-lock":
        possible = _of_pipfile(source)
    elif pair.lock.format == "poetry-lock":
        possible = _of_poetry(source)
    else:
        return
    if possible and kept not in possible:
        message = f"{pair.lock.path} was made from another state of this file: the hash that it keeps differs."
        first = pair.manifest.dependencies[0].region if pair.manifest.dependencies else Region(0, 0, 0, 0)
        yield report(
            sources,
            "lockfile-drift",
            (pair.manifest.path, first),
            message,
            confidence=Confidence.MEDIUM,
            evidence=f"content hash {kept[:16]}…",
            level=Level.NOTE,
        )


def _of_pipfile(source: Source) -> set[str]:
    root = _plain(parse_toml(source).root)
    if not isinstance(root, dict) or "source" not in root:
        return set()  # pipenv then puts in the index of its own settings
    data: dict[str, Plain] = {
        "_meta": {"sources": root["source"], "requires": root.get("requires", {})},
        "default": root.get("packages", {}),
        "develop": root.get("dev-packages", {}),
    }
    data |= {key: value for key, value in root.items() if key not in _PIPENV_ONLY | {"default", "develop"}}
    return {_digest(json.dumps(data, sort_keys=True, separators=(",", ":")))}


def _of_poetry(source: Source) -> set[str]:
    """The hashes that one version of poetry or another gives: with and without groups, which came later."""
    root = _plain(parse_toml(source).root)
    if not isinstance(root, dict):
        return set()
    poetry, project = _table(_table(root, "tool"), "poetry"), _table(root, "project")
    own: dict[str, Plain] = {key: project[key] for key in _PROJECT if project.get(key) is not None}
    group = _table(root, "dependency-groups")
    found: set[str] = set()
    for with_groups in (True, False):
        for keys in ((*_POETRY_OLD, "group"), _POETRY_OLD):
            used = group if with_groups else {}
            is_old = not own and not used
            chosen: dict[str, Plain] = {
                key: poetry.get(key) for key in keys if poetry.get(key) is not None or (is_old and key in _POETRY_OLD)
            }
            content: dict[str, Plain] = {}
            if own:
                content["project"] = own
            if used:
                content["dependency-groups"] = used
            if content:
                content["tool"] = {"poetry": chosen}
            found.add(_digest(json.dumps(content or chosen, sort_keys=True)))
    return found


def _table(holder: Mapping[str, Plain], key: str) -> dict[str, Plain]:
    found = holder.get(key)
    return found if isinstance(found, dict) else {}


def _plain(node: Node) -> Plain:
    """A node without its places. The parser bounds how deep a tree is."""
    if isinstance(node.value, dict):
        return {key: _plain(below) for key, below in node.value.items()}
    if isinstance(node.value, list):
        return [_plain(below) for below in node.value]
    return node.value


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
