"""Sessions come, go and come back: in memory, with all of the agent's own code."""

import json
from pathlib import Path

import pytest

from tests.acp.inmemory import Client, RefusedByAgentError, agent, kind, option
from tests.fakes.json_value import get, items


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "app.py").write_text("x = 1\n", "utf-8")
    return root


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"KIMI_LSP_STATE_DIR": str(tmp_path / "state")}


async def test_the_answer_comes_before_all_that_is_told_of_a_session(root: Path, environ: dict[str, str]) -> None:
    async with agent(environ) as client:
        session = await client.new(root)
        first = next(n for n, frame in enumerate(client.frames) if get(frame, "result", "sessionId") == session)
        assert first == 0
        assert [kind(one) for one in client.updates(session)] == ["available_commands_update", "usage_update"]
        assert get(client.updates(session)[1], "size") == 262_144
        assert get(client.updates(session)[1], "cost") == {"amount": 0.0, "currency": "USD"}


async def test_sessions_are_listed_by_their_exact_folder_the_newest_first(
    root: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    async with agent(environ) as client:
        opened = [await client.new(folder) for folder in (root, other, root)]
        found = await client.ask("session/list")
        assert [get(one, "sessionId") for one in items(found["sessions"])] == opened[::-1]
        assert found["nextCursor"] is None
        found = await client.ask("session/list", cwd=str(root))
        assert [get(one, "sessionId") for one in items(found["sessions"])] == [opened[2], opened[0]]
        assert items((await client.ask("session/list", cwd=f"{root}/"))["sessions"]) == []
        with pytest.raises(RefusedByAgentError) as caught:
            await client.ask("session/list", cursor="what is this")
        assert caught.value.code == -32602


async def test_a_session_outlives_its_process_with_what_was_chosen(root: Path, environ: dict[str, str]) -> None:
    async with agent(environ) as client:
        session = await client.new(root)
        result = await client.ask("session/set_config_option", sessionId=session, configId="scope", value="changes")
        assert option(result, "scope") == "changes"
    async with agent(environ) as client:
        with pytest.raises(RefusedByAgentError) as caught:
            await client.prompt(session, "/budget")
        assert caught.value.code == -32002, "it is not open here"
        opened = await client.ask("session/resume", sessionId=session, cwd=str(root))
        assert option(opened, "scope") == "changes"
        loaded = await client.ask("session/load", sessionId=session, cwd=str(root), mcpServers=[])
        assert option(loaded, "scope") == "changes"


async def test_a_session_is_opened_in_its_own_folder_only(root: Path, environ: dict[str, str], tmp_path: Path) -> None:
    async with agent(environ) as client:
        session = await client.new(root)
        for folder, code in ((tmp_path, -32602), (Path("relative"), -32602), (root / "none", -32602)):
            with pytest.raises(RefusedByAgentError) as caught:
                await client.ask("session/load", sessionId=session, cwd=str(folder), mcpServers=[])
            assert caught.value.code == code
        with pytest.raises(RefusedByAgentError) as caught:
            await client.ask("session/load", sessionId="no-such", cwd=str(root), mcpServers=[])
        assert (caught.value.code, "no-such" in caught.value.message) == (-32002, False)


async def test_a_session_is_listed_with_the_folders_it_was_opened_with_last(
    root: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    more = tmp_path / "more"
    more.mkdir()
    async with agent(environ) as client:
        session = await client.new(root)
        for folders in ([str(more)], []):
            await client.ask("session/resume", sessionId=session, cwd=str(root), additionalDirectories=folders)
            [one] = items((await client.ask("session/list"))["sessions"])
            assert get(one, "additionalDirectories") == (folders or None)


async def test_a_deleted_session_is_gone_and_deleting_it_again_is_fine(root: Path, environ: dict[str, str]) -> None:
    async with agent(environ) as client:
        session = await client.new(root)
        for _ in range(2):
            assert await client.ask("session/delete", sessionId=session) == {}
        assert await client.ask("session/delete", sessionId="never was") == {}
        assert items((await client.ask("session/list"))["sessions"]) == []
        for method in ("session/resume", "session/load"):
            with pytest.raises(RefusedByAgentError) as caught:
                await client.ask(method, sessionId=session, cwd=str(root), mcpServers=[])
            assert caught.value.code == -32002


async def test_a_closed_session_can_be_opened_again(root: Path, environ: dict[str, str]) -> None:
    async with agent(environ) as client:
        session = await client.new(root)
        assert await client.ask("session/close", sessionId=session) == {}
        with pytest.raises(RefusedByAgentError) as caught:
            await client.ask("session/close", sessionId=session)
        assert caught.value.code == -32002
        await client.ask("session/resume", sessionId=session, cwd=str(root))
        assert await client.ask("session/close", sessionId=session) == {}


async def test_modes_and_depth_are_one_thing_by_two_names(root: Path, environ: dict[str, str]) -> None:
    async with agent({**environ, "KIMI_LSP_API_KEY": "k" * 8}) as client:
        session = await client.new(root)
        await client.ask("session/set_mode", sessionId=session, modeId="local")
        await client.until(lambda: kind(client.updates(session)[-1]) == "config_option_update")
        assert option(client.updates(session)[-1], "depth") == "local"
        await client.ask("session/set_config_option", sessionId=session, configId="depth", value="screen")
        await client.until(lambda: kind(client.updates(session)[-1]) == "current_mode_update")
        assert get(client.updates(session)[-1], "currentModeId") == "screen"
        with pytest.raises(RefusedByAgentError) as caught:
            await client.ask("session/set_mode", sessionId=session, modeId="evil-mode")
        assert (caught.value.code, "evil" in caught.value.message) == (-32602, False)


async def test_who_signs_out_gets_no_model_until_they_sign_in(root: Path, environ: dict[str, str]) -> None:
    async with agent({**environ, "KIMI_LSP_API_KEY": "k" * 8}) as client:
        opened = await client.ask("session/new", cwd=str(root), mcpServers=[])
        assert option(opened, "depth") == "screen"
        assert await client.ask("logout") == {}
        assert option(await client.ask("session/new", cwd=str(root), mcpServers=[]), "depth") == "local"
        with pytest.raises(RefusedByAgentError) as caught:
            await client.ask("authenticate", methodId="doctor")
        assert caught.value.code == -32602
        assert await client.ask("authenticate", methodId="configured") == {}
        assert option(await client.ask("session/new", cwd=str(root), mcpServers=[]), "depth") == "screen"


async def test_meta_changes_nothing(root: Path, environ: dict[str, str], tmp_path: Path) -> None:
    async with agent(environ) as client:
        evil = {"cwd": "/etc", "session_id": "evil", "sessionId": "evil", "additional_directories": ["/etc"]}
        session = await client.new(root, _meta=evil)
        assert session != "evil"
        [one] = items((await client.ask("session/list", _meta=evil))["sessions"])
        assert (get(one, "cwd"), get(one, "additionalDirectories")) == (str(root), None)


async def test_without_a_place_to_keep_them_sessions_still_work(root: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", "utf-8")
    async with agent({"KIMI_LSP_STATE_DIR": str(blocked / "state")}) as client:
        session = await client.new(root)
        assert await client.ask("session/close", sessionId=session) == {}
        with pytest.raises(RefusedByAgentError) as caught:
            await client.ask("session/list")
        assert caught.value.code == -32603


async def test_a_broken_configuration_is_said_in_one_line(root: Path, environ: dict[str, str]) -> None:
    (root / "kimi.toml").write_text("depth = 7\n", "utf-8")
    async with agent(environ) as client:
        with pytest.raises(RefusedByAgentError) as caught:
            await client.ask("session/new", cwd=str(root), mcpServers=[])
        assert "kimi.toml:1: depth" in caught.value.message
        (root / "kimi.toml").unlink()
        assert await client.new(root)


async def test_unknown_things_are_refused_and_the_conversation_goes_on(root: Path, environ: dict[str, str]) -> None:
    async with agent(environ) as client:
        refused: list[tuple[str, dict[str, object], int]] = [
            ("no/such", {}, -32601),
            ("_mine/thing", {}, -32601),
            ("fs/write_text_file", {}, -32601),
            ("session/new", {"cwd": str(root)}, -32602),
            ("session/new", {"cwd": str(root), "mcpServers": [{}]}, -32602),
            ("session/new", {"cwd": 7, "mcpServers": []}, -32602),
            ("session/prompt", {"sessionId": "evil", "prompt": []}, -32002),
            ("session/set_mode", {"sessionId": "evil", "modeId": "x"}, -32002),
        ]
        for method, params, code in refused:
            with pytest.raises(RefusedByAgentError) as caught:
                await client.ask(method, **params)
            assert caught.value.code == code, method
        client.notify("session/cancel", sessionId="evil")
        client.notify("_mine/thing")
        assert await client.new(root)
        assert "evil" not in json.dumps(client.frames)


async def test_two_agents_share_what_is_kept(root: Path, environ: dict[str, str]) -> None:
    async with agent(environ) as one, agent(environ) as other:
        sessions = {await client.new(root) for client in (one, other)}

        async def listed(client: Client) -> set[str]:
            return {str(get(each, "sessionId")) for each in items((await client.ask("session/list"))["sessions"])}

        assert await listed(one) == await listed(other) == sessions
