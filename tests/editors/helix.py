"""A Helix that a test types into; it has no scripts, so its screen is read."""

import json
from collections.abc import Callable, Mapping, Sequence

from tests.editors.programs import Program
from tests.editors.terminal import Terminal
from tests.editors.workshop import SERVER, Workshop

CONFIG = """\
[editor]
end-of-line-diagnostics = "hint"
"""


def _languages(server: Sequence[str], settings: Mapping[str, object]) -> str:
    """The user's setting of the server. JSON's strings and numbers are TOML's as well."""
    config = "".join(f"config.kimi.{key} = {json.dumps(value)}\n" for key, value in settings.items())
    return f"""\
[language-server.kimi]
command = {json.dumps(server[0])}
args = {json.dumps(server[1:])}
{config}
[[language]]
name = "python"
language-servers = ["kimi"]
roots = ["kimi.toml"]
"""


class Helix:
    """A running Helix with the workshop's file open."""

    def __init__(
        self,
        program: Program,
        workshop: Workshop,
        server: Sequence[str] = SERVER,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        folder = workshop.config / "helix"
        folder.mkdir(parents=True)
        (folder / "languages.toml").write_text(_languages(workshop.command(server), settings or {}), "utf-8")
        (folder / "config.toml").write_text(CONFIG, "utf-8")
        command = [str(program.path), str(workshop.file)]
        self.terminal = Terminal(command, workshop.root, workshop.environment)

    def type(self, keys: str, holds: Callable[[str], bool]) -> str:
        """Press keys, and wait until the screen is as wanted. An Escape goes alone, or it would be an Alt key."""
        self.terminal.type(keys)
        return self.terminal.until(holds)

    def close(self) -> None:
        """Let go of an editor that has ended."""
        self.terminal.close()
