"""Claude Code connects to the server, over standard input and output and over HTTP, as `claude mcp list` says."""

from tests.mcp.clients.agents import CLAUDE, start
from tests.mcp.clients.world import TOKEN, Done, World, words

_QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_TELEMETRY": "1",
}


def test_it_is_connected_over_standard_input_and_output(world: World) -> None:
    _run(world, "mcp", "add", "audit", "--scope", "local", "--", *world.server)

    assert "✔ Connected" in _line(_run(world, "mcp", "list"))


def test_it_is_connected_over_http_with_the_token(world: World) -> None:
    with world.serving() as server:
        header = f"Authorization: Bearer {TOKEN}"
        _run(world, "mcp", "add", "audit", server.url, "--scope", "local", "--transport", "http", "--header", header)

        assert "✔ Connected" in _line(_run(world, "mcp", "list"))


def test_it_is_not_connected_with_another_token(world: World) -> None:
    with world.serving() as server:
        header = f"Authorization: Bearer {TOKEN}x"
        _run(world, "mcp", "add", "audit", server.url, "--scope", "local", "--transport", "http", "--header", header)

        assert "Connected" not in _line(_run(world, "mcp", "list"))


def _run(world: World, *arguments: str) -> Done:
    done = world.run(start(CLAUDE), *arguments, env=_QUIET, cwd=world.root)
    assert done.code == 0, words(done)
    return done


def _line(done: Done) -> str:
    """What the list says of the server."""
    (line,) = [line for line in done.out.splitlines() if line.startswith("audit:")]
    return line
