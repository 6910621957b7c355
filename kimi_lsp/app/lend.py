"""The project tools as other agents get them: the projects, and the configuration that holds for them."""

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from kimi_lsp.app.rules import all_rules
from kimi_lsp.app.session import Session, open_session
from kimi_lsp.config import Settings
from mcp_tools.catalog.values import RootSetup, Setup
from mcp_tools.project.patterns import Patterns

_DEEP = "**"
_EVERYTHING = "*"


def open_roots(folders: Sequence[Path], environ: Mapping[str, str]) -> tuple[Session, ...]:
    """A session for each folder, with the settings of the project that it lies in.

    Raises:
        UsageError, ConfigError: as `open_session` says.
    """
    return tuple(open_session([folder], environ) for folder in folders)


def tools_setup(folders: Sequence[Path], sessions: Sequence[Session], *, for_models: bool = False) -> Setup:
    """What the tools have to know to serve these folders: the strictest of what any of the sessions says.

    Args:
        folders: resolved.
        sessions: one for each folder.
        for_models: leave out as well what may not go to a model (`deny`).
    """
    hidden = [_hidden(folder, session, for_models) for folder, session in zip(folders, sessions, strict=True)]
    roots = tuple(RootSetup(str(folder), patterns) for folder, patterns in zip(folders, hidden, strict=True))
    return _setup(roots, [session.settings for session in sessions])


def reviewers_setup(root: Path, settings: Settings) -> Setup:
    """What the tools have to know that a model calls while it reviews: nothing is there that may not go to it.

    Args:
        root: the project's root.
        settings: what holds for it.
    """
    return _setup((RootSetup(str(root), (*settings.exclude, *settings.deny)),), [settings])


def questioners_setup(sessions: Sequence[Session]) -> Setup:
    """The same for a model that answers questions about the projects of several sessions."""
    roots = tuple(RootSetup(str(one.project.root), (*one.settings.exclude, *one.settings.deny)) for one in sessions)
    return _setup(roots, [one.settings for one in sessions])


def _setup(roots: tuple[RootSetup, ...], settings: Sequence[Settings]) -> Setup:
    limits = [each.limits for each in settings]
    off: set[str] = set()
    levels: dict[str, str] = {}
    for rule in all_rules():
        held = [each.rules.level_of(rule) for each in settings]
        if all(level is None for level in held):
            off.add(rule.id)
            continue
        level = max((level for level in held if level is not None), key=lambda each: each.rank)
        if level is not rule.level:
            levels[rule.id] = level.value
    return Setup(
        roots=roots,
        max_file_bytes=min(limit.max_file_bytes for limit in limits),
        max_files=min(limit.max_files for limit in limits),
        rules_off=tuple(sorted(off)),
        levels=tuple(sorted(levels.items())),
        key=secrets.token_hex(32),  # one for all workers: a page may come from another than the page before
    )


def private_state(session: Session) -> Path:
    """The user's state directory, made if need be. Raises StoreError."""
    from kimi_lsp.store.files import private_folder  # noqa: PLC0415 - only who writes needs it

    private_folder(session.settings.state_dir)
    return session.settings.state_dir


def _hidden(folder: Path, session: Session, for_models: bool) -> tuple[str, ...]:
    settings, root = session.settings, session.project.root
    patterns = (*settings.exclude, *settings.deny) if for_models else settings.exclude
    return said_below(patterns, folder.relative_to(root).parts) if folder.is_relative_to(root) else patterns


def said_below(patterns: Sequence[str], parts: Sequence[str]) -> tuple[str, ...]:
    """Patterns of a folder, said anew in one below it.

    Args:
        patterns: gitignore patterns.
        parts: the names that lead from the one folder to the other; none for the same folder.

    Returns:
        patterns that leave out what these do: all of it where they leave out the folder itself, and more than they do
        for a line whose wildcards may take in a `/` in a way that cannot be followed from one folder to the next.
    """
    if not parts:
        return tuple(patterns)
    if Patterns(patterns).covers("/".join(parts), is_folder=True):
        return (_EVERYTHING,)
    return tuple(line for pattern in patterns for line in _said_below(pattern, parts))


def _said_below(pattern: str, parts: Sequence[str]) -> Sequence[str]:
    """What a line says of the files below: a line for each way in which its beginning leads there."""
    line = pattern.rstrip(" ")
    line += " " if line.endswith("\\") and len(line) < len(pattern) else ""
    mark, body = ("!", line[1:]) if line.startswith("!") else ("", line)
    if "/" not in body.removesuffix("/") or line.startswith("#"):
        return (pattern,)  # holds at any depth
    names = body.removesuffix("/").removeprefix("/").split("/")
    at = {0}
    for part in parts:
        if any(names[each] != _DEEP and _is_odd(names[each]) for each in _reached(names, at)):
            return () if mark else (_EVERYTHING,)
        at = {nxt for each in _reached(names, at) if (nxt := _after(names, each, part)) < len(names)}
    rests = ["/".join(names[each:]) for each in sorted(at)]
    if mark and any(_is_odd(name) for each in at for name in names[each:] if name != _DEEP):
        return ()
    return [f"{mark}/{rest}{'/' if body.endswith('/') else ''}" for rest in rests]


def _reached(names: Sequence[str], at: set[int]) -> set[int]:
    """The places in a line from which the next name of a path may go on: `**` may stand for no folder."""
    reached = set(at)
    for each in range(len(names) - 1):
        if each in reached and names[each] == _DEEP:
            reached.add(each + 1)
    return reached


def _after(names: Sequence[str], at: int, part: str) -> int:
    """The place behind a name of a path; past the end where it does not lead on."""
    if names[at] == _DEEP:
        return at
    return at + 1 if names[at] and Patterns([f"/{names[at]}"]).verdict(part, is_folder=True) else len(names)


def _is_odd(name: str) -> bool:
    """Say whether a piece between two `/` may be more than a name: of a class, of an escaped `/`, of `**` in a name."""
    return "**" in name or name.count("[") > 0 or name.endswith(("\\", " "))
