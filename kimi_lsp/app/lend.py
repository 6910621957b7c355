"""The project tools as other agents get them: the projects, and the configuration that holds for them."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from kimi_lsp.app.rules import all_rules
from kimi_lsp.app.session import Session, open_session
from mcp_tools.catalog.values import RootSetup, Setup


def open_roots(folders: Sequence[Path], environ: Mapping[str, str]) -> tuple[Session, ...]:
    """A session for each folder, with the settings of the project that it lies in.

    Raises:
        UsageError, ConfigError: as `open_session` says.
    """
    return tuple(open_session([folder], environ) for folder in folders)


def tools_setup(folders: Sequence[Path], sessions: Sequence[Session]) -> Setup:
    """What the tools have to know to serve these folders: the strictest of what any of the sessions says.

    Args:
        folders: resolved.
        sessions: one for each folder.
    """
    roots = tuple(
        RootSetup(str(folder), _excluded(folder, session)) for folder, session in zip(folders, sessions, strict=True)
    )
    limits = [session.settings.limits for session in sessions]
    off: set[str] = set()
    levels: dict[str, str] = {}
    for rule in all_rules():
        held = [session.settings.rules.level_of(rule) for session in sessions]
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
    )


def private_state(session: Session) -> Path:
    """The user's state directory, made if need be. Raises StoreError."""
    from kimi_lsp.store.files import private_folder  # noqa: PLC0415 - only who writes needs it

    private_folder(session.settings.state_dir)
    return session.settings.state_dir


def _excluded(folder: Path, session: Session) -> tuple[str, ...]:
    """The patterns of what is not read, as they are said in this folder.

    A pattern that is anchored at the project's root is said anew for a folder below it, and is kept as it was too:
    that can only leave out more.
    """
    patterns = session.settings.exclude
    root = session.project.root
    if folder == root or not folder.is_relative_to(root):
        return patterns
    below = PurePosixPath(folder.relative_to(root).as_posix())
    moved: list[str] = []
    for pattern in patterns:
        body = pattern.lstrip("/")
        if body.startswith(f"{below}/"):
            moved.append(body.removeprefix(str(below)))
        elif str(below).startswith(body.rstrip("/*") + "/") or str(below) == body.rstrip("/*"):
            moved.append("*")  # the folder itself is left out
    return (*patterns, *moved)
