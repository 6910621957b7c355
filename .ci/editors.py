"""Unpack real editors of three Debian suites into private folders and print how to start each. No system change.

    python3 .ci/editors.py [FOLDER]

It prints a line `NAME-VERSION=PATH` for each editor; PATH is a script `FOLDER/SUITE/bin/NAME-VERSION` that starts it
with the loader and libraries it was built with. Those are given to the editor alone: what it starts in turn runs with
the machine's own. A suite that is complete already is left alone. KIMI_TEST_EDITORS names another default folder.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import debian

DEFAULT = Path(os.environ.get("KIMI_TEST_EDITORS") or Path.home() / ".cache" / "kimi-lsp-ci" / "editors").absolute()
PATTERN = re.compile(r"\{(.*?)\}")
VERSION = re.compile(r"\d+(?:\.\d+)+")
START_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Editor:
    """A program of an unpacked suite. Patterns are relative to the folder it was unpacked into and name one path each.

    flags: words of the command line with patterns in braces. environment: variables with the patterns of their search
    path.
    """

    name: str
    program: str
    flags: Sequence[str] = ()
    environment: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])


NEOVIM_ALONE = Editor("neovim", "usr/bin/nvim", environment={"VIMRUNTIME": ["usr/share/nvim/runtime"]})
NEOVIM = replace(NEOVIM_ALONE, flags=("--cmd", "let &runtimepath .= ',{usr/lib/nvim}'"))  # its parsers, since 0.9
HELIX = Editor("helix", "usr/lib/hx/hx", environment={"HELIX_RUNTIME": ["usr/lib/hx/runtime"]})
EMACS = Editor(
    "emacs",
    "usr/bin/emacs-nox",
    flags=("--dump-file", "{usr/libexec/emacs/*/*/emacs*.pdmp}"),
    environment={
        "EMACSDATA": ["usr/share/emacs/[0-9]*/etc"],
        "EMACSDOC": ["usr/share/emacs/[0-9]*/etc"],
        "EMACSLOADPATH": ["usr/share/emacs/[0-9]*/lisp"],
        "EMACSPATH": ["usr/libexec/emacs/[0-9]*/*"],
    },
)
EMACS_AND_EGLOT = replace(  # the editor has eglot of its own since 29
    EMACS,
    environment={
        **EMACS.environment,
        "EMACSLOADPATH": [
            *(f"usr/share/emacs/site-lisp/elpa-src/{name}-*" for name in ("eglot", "project", "xref")),
            *EMACS.environment["EMACSLOADPATH"],
        ],
    },
)


@dataclass(frozen=True, slots=True)
class Suite:
    """A Debian suite and what is taken from it."""

    name: str
    packages: Sequence[str]
    editors: Sequence[Editor]


SUITES = (
    Suite("bookworm", ("neovim", "emacs-nox", "elpa-eglot"), (NEOVIM_ALONE, EMACS_AND_EGLOT)),
    Suite("trixie", ("emacs-nox", "hx"), (EMACS, HELIX)),
    Suite("sid", ("neovim", "hx"), (NEOVIM, HELIX)),
)


def script(root: Path, editor: Editor) -> str:
    """The text of the script that starts an editor; it finds the unpacked files from its own place."""

    def here(path: Path) -> str:
        return f"$root/{path.relative_to(root)}"

    def quoted(*paths: Path) -> str:
        return '"' + ":".join(map(here, paths)) + '"'

    flags = [f'"{PATTERN.sub(lambda found: here(_one(root, found[1])), word)}"' for word in editor.flags]
    loader = [quoted(debian.loader(root)), "--library-path", quoted(*debian.libraries(root))]
    lines = [
        "#!/bin/sh",
        'root=$(CDPATH= cd -- "$(dirname -- "$0")/../root" && pwd -P) || exit 1',
        *(
            f"export {name}={quoted(*(_one(root, pattern) for pattern in patterns))}"
            for name, patterns in editor.environment.items()
        ),
        " ".join(["exec", *loader, quoted(root / editor.program), *flags, '"$@"']),
    ]
    return "\n".join(lines) + "\n"


def unpack(suite: Suite, folder: Path) -> None:
    """Download a suite's editors, write their scripts, start each once, and move all to its folder in one step."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{suite.name}-", dir=folder.parent) as name:
        base = Path(name)
        new = base / "new"
        (new / "bin").mkdir(parents=True)
        root = debian.unpack(suite.name, suite.packages, base).rename(new / "root")
        for editor in suite.editors:
            made = new / "bin" / editor.name
            made.write_text(script(root, editor), "utf-8")
            made.chmod(0o755)
            made.rename(made.with_name(f"{editor.name}-{version(made, base)}"))
        if folder.exists() and not scripts(suite, folder):
            sys.exit(f"editors: {folder} exists and is something else; remove it or name another folder")
        if not folder.exists():  # another run may have been faster
            new.rename(folder)


def version(made: Path, home: Path) -> str:
    """What an editor says its version is. It must start for that."""
    environment = {"HOME": str(home), "PATH": os.environ.get("PATH", os.defpath)}
    done = subprocess.run(
        [made, "--version"],
        env=environment,
        timeout=START_TIMEOUT_S,
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    found = VERSION.search(done.stdout)
    if done.returncode != 0 or found is None:
        sys.exit(f"editors: {shlex.quote(str(made))} does not start\n{done.stdout}{done.stderr}")
    return found[0]


def scripts(suite: Suite, folder: Path) -> Sequence[Path]:
    """The start scripts of a suite's editors, in order; none when one is missing."""
    found = [sorted(folder.glob(f"bin/{editor.name}-*")) for editor in suite.editors]
    return [paths[0] for paths in found] if all(found) else []


def _one(root: Path, pattern: str) -> Path:
    match sorted(root.glob(pattern)):
        case [path]:
            return path
        case paths:
            sys.exit(f"editors: {len(paths)} paths match {pattern}")


def main() -> int:
    """Make what is not there yet, and print every editor."""
    if len(sys.argv) > 2:
        sys.exit("usage: python3 .ci/editors.py [FOLDER]")
    base = Path(sys.argv[1]).absolute() if len(sys.argv) == 2 else DEFAULT
    for suite in SUITES:
        folder = base / suite.name
        if not scripts(suite, folder):
            unpack(suite, folder)
        for editor, path in zip(suite.editors, scripts(suite, folder), strict=True):
            text = script(folder / "root", editor)
            if path.read_text("utf-8") != text:  # an older version of this program wrote it
                path.write_text(text, "utf-8")
            print(f"{path.name}={path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
