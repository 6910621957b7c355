"""Run a lane's deterministic tool, and keep what it said of files that did not change. Runs in a thread."""

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from kimi_lsp.audit.lanes import LaneSpec
from kimi_lsp.audit.memo import decode_findings, encode_findings
from mcp_tools.finding import Finding, Notice
from mcp_tools.project import Project, Source

_log = logging.getLogger(__name__)
_BATCH = 200  # files between two signs of life


class Memory(Protocol):
    """What was found before, by key. The store has one; none is needed."""

    def get_many(self, keys: Iterable[str]) -> Mapping[str, str]:
        """The values that are known."""
        ...

    def put_many(self, values: Mapping[str, str], *, project: str) -> None:
        """Keep values."""
        ...


def facts(
    spec: LaneSpec,
    project: Project,
    project_key: str,
    paths: Sequence[str],
    memory: Memory | None,
    on_progress: Callable[[int, Sequence[str]], None],
) -> Iterator[Finding | Notice]:
    """What a lane's tool says of these files, those that did not change from memory.

    Files that cannot be read, or whose encoding had to be guessed, are Notices. `on_progress` is called between batches
    with the number of files done and the paths that were read; an exception it raises ends the work.
    """
    for start in range(0, len(paths), _BATCH):
        batch = paths[start : start + _BATCH]
        keys: dict[str, str] = {}
        for path in batch:
            source = project.read(path)
            if isinstance(source, Notice):
                yield source
                continue
            keys[path] = _key(spec, source)
            if source.is_guessed:
                yield Notice("encoding-guessed", "not UTF-8 and nothing declared: read as Latin-1", path)
        yield from _batch_facts(spec, project, project_key, keys, memory)
        on_progress(start + len(batch), tuple(keys))


def _batch_facts(
    spec: LaneSpec, project: Project, project_key: str, keys: Mapping[str, str], memory: Memory | None
) -> Iterator[Finding | Notice]:
    known: Mapping[str, str] = memory.get_many(keys.values()) if memory else {}
    fresh: list[str] = []
    for path, key in keys.items():
        remembered = decode_findings(known.get(key, ""))
        if remembered is None:
            fresh.append(path)
        else:
            yield from remembered
    if not fresh:
        return
    found: dict[str, list[Finding]] = {path: [] for path in fresh}
    is_whole, half_done = True, set[str]()
    for item in _unfailing(spec, project, fresh):
        if isinstance(item, Finding):
            found.setdefault(item.location.path, []).append(item)
        elif item.path is None:
            is_whole = False  # something that holds for all files was not done: ask again next time
        else:
            half_done.add(item.path)
        yield item
    if memory and is_whole:
        kept = {
            keys[path]: encode_findings(findings)
            for path, findings in found.items()
            if path in keys and path not in half_done
        }
        memory.put_many(kept, project=project_key)


def _unfailing(spec: LaneSpec, project: Project, paths: Sequence[str]) -> Iterator[Finding | Notice]:
    """What the tool says; if it breaks, what it said until then and a Notice that makes the audit incomplete."""
    try:
        yield from spec.tool(project, paths)
    except Exception as error:  # noqa: BLE001 - a tool that breaks on one tree must not take the others' facts with it
        _log.debug("%s broke", spec.tool_package, exc_info=True)
        text = f"the {spec.lane} tool broke ({type(error).__name__}): up to {len(paths)} files are not looked at"
        yield Notice("tool-failed", text, incomplete=True)


def _key(spec: LaneSpec, source: Source) -> str:
    parts = ("facts", spec.lane, spec.tool_version, source.path, source.sha256)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
