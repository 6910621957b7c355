"""Ask git about a project's past, by object plumbing alone: no hook, filter, pager, text conversion or network runs."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mcp_tools.project.changes import changed_lines
from mcp_tools.project.decode import decode
from mcp_tools.project.disk import DiskProject
from mcp_tools.project.source import Source

_DEADLINE_S = 60.0
_SETTINGS = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.untrackedCache=false",
    "core.quotePath=false",
    "protocol.allow=never",
    "maintenance.auto=false",
    "gc.auto=0",
)


class GitError(Exception):
    """Git is absent, refuses the folder, or does not know the revision; the message is one line."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A work tree that git knows. `prefix` is where the project's root lies below the tree's top ('' or 'a/b/')."""

    root: Path
    program: str
    prefix: str

    @classmethod
    def at(cls, root: Path) -> "Repository":
        """The repository that a folder lies in. Raises GitError."""
        program = find_program("git", root)
        if program is None:
            raise GitError("git is not installed")
        prefix = _run(program, root, ["rev-parse", "--show-prefix"]).decode("utf-8", "surrogateescape").strip("\n")
        return cls(root, program, prefix)

    def commit(self, revision: str) -> str:
        """The commit id of a revision. Raises GitError when there is none."""
        asked = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
        try:
            return _run(self.program, self.root, asked).decode("ascii").strip()
        except GitError as error:
            raise GitError(f"git knows no commit {revision!r} here") from error

    def blobs(self, commit: str) -> Mapping[str, str]:
        """The blob ids of a commit's regular files below the root, by project-relative path."""
        listed = _run(self.program, self.root, ["ls-tree", "-r", "-z", "--full-tree", commit, "--", self.prefix or "."])
        blobs: dict[str, str] = {}
        for entry in listed.split(b"\0"):
            head, _, name = entry.partition(b"\t")
            mode, _, rest = head.partition(b" ")
            path = os.fsdecode(name)
            if mode in (b"100644", b"100755") and path.startswith(self.prefix):
                blobs[path.removeprefix(self.prefix)] = rest.split(b" ")[1].decode("ascii")
        return blobs

    def blob(self, blob_id: str) -> bytes:
        """The content of a blob. Raises GitError."""
        return _run(self.program, self.root, ["cat-file", "blob", blob_id])


def lines_changed_since(project: DiskProject, revision: str) -> dict[str, list[tuple[int, int]] | None]:
    """The lines, 0-based and both ends included, in which listed files differ from a commit; None for a new file.

    Files that cannot be read as text are left out.

    Raises:
        GitError: no git, no repository, or no such revision.
    """
    repository = Repository.at(project.root)
    blobs = repository.blobs(repository.commit(revision))
    changed: dict[str, list[tuple[int, int]] | None] = {}
    for path in project.listing().paths:
        known = blobs.get(path)
        if known is not None and known in _blob_ids(project.root / path, len(known)):
            continue
        source = project.read(path)
        if not isinstance(source, Source):
            continue
        before = None if known is None else decode(path, repository.blob(known))
        if isinstance(before, Source):
            changed[path] = changed_lines(before.text, source.text)
        elif before is None:
            changed[path] = None
    return changed


def text_at(root: Path, path: str, revision: str) -> str | None:
    """The text of a file at a commit; None when the commit, the repository or git lacks it, or it is no text."""
    try:
        repository = Repository.at(root)
        asked = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}:{repository.prefix}{path}"]
        blob = _run(repository.program, root, asked).decode("ascii").strip()
        source = decode(path, repository.blob(blob))
    except (GitError, ValueError):
        return None
    return source.text if isinstance(source, Source) else None


def changed_since(project: DiskProject, revision: str) -> tuple[str, ...]:
    """The listed files whose text on disk is not that of a commit, with files the commit lacks.

    Line ends count as equal where a check-out may have changed them (LF in the commit, CR LF on disk).

    Raises:
        GitError: no git, no repository, or no such revision.
    """
    repository = Repository.at(project.root)
    blobs = repository.blobs(repository.commit(revision))
    changed: list[str] = []
    for path in project.listing().paths:
        known = blobs.get(path)
        if known is None or known not in _blob_ids(project.root / path, len(known)):
            changed.append(path)
    return tuple(changed)


def _blob_ids(path: Path, digits: int) -> set[str]:
    """What git would call the content: as it is, and with LF for CR LF."""
    try:
        if path.is_symlink():
            return set()
        data = path.read_bytes()
    except OSError:
        return set()
    return {_blob_id(data, digits), _blob_id(data.replace(b"\r\n", b"\n"), digits)}


def _blob_id(data: bytes, digits: int) -> str:
    head = b"blob %d\0" % len(data)
    if digits == 64:
        return hashlib.sha256(head + data).hexdigest()
    return hashlib.sha1(head + data, usedforsecurity=False).hexdigest()


def find_program(name: str, project_root: Path) -> str | None:
    """A program on PATH, never one that lies inside the project or is named by a relative folder."""
    folders = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if Path(folder).is_absolute()]
    found = shutil.which(name, path=os.pathsep.join(folders))
    if found is None or Path(found).resolve().is_relative_to(project_root):
        return None
    return found


def _run(program: str, root: Path, arguments: Sequence[str]) -> bytes:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment = kept | {
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_PAGER": "cat",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "LC_ALL": "C.UTF-8",
    }
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    command = [program, "--no-pager", *settings, *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program with plumbing verbs; revisions follow --end-of-options
            command,
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_DEADLINE_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GitError(f"git did not answer: {type(error).__name__}") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise GitError(said[0].removeprefix("fatal: ") if said else f"git failed with code {done.returncode}")
    return done.stdout
