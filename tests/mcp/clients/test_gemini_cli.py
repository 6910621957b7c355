"""Gemini CLI connects to the server, as `gemini mcp list` says."""

import json

from tests.mcp.clients.agents import GEMINI, start
from tests.mcp.clients.world import World, command_json, words

_SETTINGS = {
    "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False},
    "privacy": {"usageStatisticsEnabled": False},
    "telemetry": {"enabled": False},
}


def test_it_is_connected(world: World) -> None:
    program, user, project = start(GEMINI), world.home / ".gemini", world.root / ".gemini"
    for folder in (user, project):
        folder.mkdir()
    (user / "settings.json").write_text(json.dumps(_SETTINGS), "utf-8")
    (user / "trustedFolders.json").write_text(json.dumps({str(world.root): "TRUST_FOLDER"}), "utf-8")
    servers = {"mcpServers": {"audit": command_json(world.command)}}
    (project / "settings.json").write_text(json.dumps(servers), "utf-8")

    done = world.run(program, "mcp", "list", cwd=world.root)

    assert done.code == 0, words(done)
    (line,) = [line for line in (done.out + done.err).splitlines() if "audit:" in line]
    assert line.endswith("Connected"), words(done)
    assert "Disconnected" not in line
