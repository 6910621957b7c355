"""A small project, and an environment for an editor and its server to work on it: fresh, private, without network."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.editors.processes import Family
from tests.fakes.kimi import KEY, FakeKimi

SERVER = (sys.executable, "-m", "kimi_lsp", "lsp")
SECRET = "AK" + "IA" + "Q4J7XKPL2WZMN5RD"
SOURCE = f'''\
"""Small."""

TOKEN = "{SECRET}"


def run(name: str) -> object:
\tlabel = "🎉é"; return eval("obj." + name)


def read(root: str, name: str) -> str:
    path = root + "/" + name
    return open(path).read()
'''


@dataclass(frozen=True, slots=True)
class Workshop:
    """What an editor is started with. `file` lies in the project `root`."""

    root: Path
    file: Path
    config: Path  # where its user's settings lie
    environment: dict[str, str]
    family: Family

    @property
    def log(self) -> Path:
        """What the server wrote to standard error."""
        return self.root.with_name("server.log")

    def command(self, server: Sequence[str]) -> list[str]:
        """How to start a server, with its standard error in the log and not in an editor's."""
        return ["/bin/sh", "-c", 'log=$1; shift; exec "$@" 2>>"$log"', "sh", str(self.log), *server]


def make(folder: Path, kimi: FakeKimi | None = None) -> Workshop:
    """Write the project and make the environment; with an endpoint, models can be asked."""
    root, home = folder / "project", folder / "home"
    for one in (root, home):
        one.mkdir()
    file = root / "app.py"
    file.write_text(SOURCE, "utf-8")
    (root / "kimi.toml").touch()
    family = Family()
    environment = {
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PATH": os.defpath,
        "KIMI_LSP_STATE_DIR": str(home / "state"),
        **{f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CACHE", "CONFIG", "DATA", "STATE")},
        **family.environment,
    }
    if kimi is not None:
        environment |= {"KIMI_LSP_BASE_URL": kimi.base_url, "MOONSHOT_API_KEY": KEY}
    made = Workshop(root, file, home / "config", environment, family)
    made.log.touch()
    return made
