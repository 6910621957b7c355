"""Lenders over stdio: the SDK's own server, and one that does everything a lender should not."""

import json
import os
import socket
from pathlib import Path

import anyio
import pytest

from kimi_lsp.config import McpServer
from tests.audit.lenders.places import hostile, kind, lent, told

_LEFT_OUT = "lender-tool-left-out: MCP server"
_CANARY = "can" + "ary-77e0"


async def test_only_tools_that_declare_to_read_are_offered_and_can_be_called(tmp_path: Path) -> None:
    async with lent(tmp_path, docs=kind()) as tools:
        assert [spec.name for spec in tools.specs] == [
            "docs__echo",
            "docs__surroundings",
            "docs__parts",
            "docs__fails",
            "docs__refuses",
            "docs__asks_back_f882a7",
        ]
        assert tools.specs[0].description == "Says what it was told."
        assert tools.specs[0].parameters == {"type": "object", "properties": {"text": {"type": "string"}}}
        assert told(tools) == [
            f"{_LEFT_OUT} 'docs' does not lend unmarked, writes, destroys: not declared to only read."
        ]
        for name in ("docs__writes", "docs__destroys", "docs__unmarked", "writes", ""):
            assert await tools.call(name, "{}") == "There is no tool of this name."


async def test_a_program_gets_its_own_variables_and_no_key_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MOONSHOT_API_KEY", "KIMI_LSP_API_KEY", "AWS_SECRET_ACCESS_KEY", "PYTHONPATH", "LD_PRELOAD_X"):
        monkeypatch.setenv(name, _CANARY)
    async with lent(tmp_path, docs=kind(LENDER_OWN="mine")) as tools:
        found = json.loads(await tools.call("docs__surroundings", ""))
    inherited = {"HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "TMPDIR", "TZ", "USER", "PATH"}
    assert set(found["names"]) <= inherited | {"LENDER_OWN", "PWD", "SHLVL", "_"}
    assert (found["own"], Path(found["cwd"]).name) == ("mine", tmp_path.name)


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        ("{", "The arguments are not valid JSON."),
        ("[]", "The arguments are not a JSON object."),
        ('{"x": NaN}', "The arguments are not valid JSON."),
        ('{"x": "\\ud800"}', "The arguments are not valid JSON."),
        ("[" * 100_000, "The arguments have more than 64,000 characters."),
        ('{"x":' + "[" * 50_000, "The arguments are not valid JSON."),
        ('{"x": ' + "9" * 5_000 + "}", "The arguments are not valid JSON."),
    ],
)
async def test_a_bad_call_is_a_sentence_and_reaches_no_lender(tmp_path: Path, arguments: str, answer: str) -> None:
    async with lent(tmp_path, evil=hostile("plain")) as tools:
        assert await tools.call("evil__read", arguments) == answer
        assert await tools.call("evil__read", "{}") == "call 1"


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        ("exit", "ended by itself"),
        ("silent", "did not answer within 0.5 s of its start"),
    ],
)
async def test_a_lender_that_does_not_start_is_a_notice_and_the_others_go_on(
    tmp_path: Path, mode: str, why: str
) -> None:
    async with lent(tmp_path, evil=hostile(mode, timeout_s=0.5), good=hostile("banner")) as tools:
        assert told(tools) == [f"lender-unavailable: MCP server 'evil' {why}."]
        assert await tools.call("good__read", "{}") == "call 1"


async def test_a_program_that_is_not_there_is_a_notice(tmp_path: Path) -> None:
    not_one = tmp_path / "text"
    not_one.write_text("no program")
    servers = {
        "nowhere": McpServer(command=("no-such-program-anywhere",)),
        "text": McpServer(command=(str(not_one),)),
        "off": McpServer(command=("no-such-program-anywhere",), enabled=False),
    }
    async with lent(tmp_path, **servers) as tools:
        assert tools.specs == ()
        assert told(tools) == [
            f"lender-unavailable: MCP server {name!r} cannot be started: there is no such program on PATH."
            for name in ("nowhere", "text")
        ]


async def test_a_relative_entry_of_path_is_not_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "docs-server"
    program.write_text("#!/bin/sh\ntouch was-here\n")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f".{os.pathsep}{os.pathsep}{os.environ['PATH']}")
    async with lent(tmp_path, docs=McpServer(command=("docs-server",))) as tools:
        assert "no such program on PATH" in told(tools)[0]
    assert not (tmp_path / "was-here").exists()


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        ("die", "ended by itself"),
        ("flood", "sent far more than it was asked for"),
        ("line", "sent far more than it was asked for"),
        ("babble", "answered what is no MCP"),
        ("wrong", "did not keep to MCP in its answer"),
    ],
)
async def test_a_lender_that_breaks_off_in_a_call_is_not_called_again(tmp_path: Path, mode: str, why: str) -> None:
    async with lent(tmp_path, evil=hostile(mode), good=hostile("plain")) as tools:
        sorry = f"This tool is not available: its server {why}."
        assert await tools.call("evil__read", "{}") == sorry
        assert await tools.call("evil__read", "{}") == sorry
        assert await tools.call("good__read", "{}") == "call 1"
        assert told(tools) == [f"lender-unavailable: MCP server 'evil' {why}."]


async def test_a_lender_that_never_answers_is_asked_twice(tmp_path: Path) -> None:
    async with lent(tmp_path, evil=hostile("mute", timeout_s=1.0)) as tools:
        assert [spec.name for spec in tools.specs] == ["evil__read"]
        assert await tools.call("evil__read", "{}") == "The tool gave no answer within 1 s."
        sorry = "This tool is not available: its server did not answer 2 calls in a row."
        assert await tools.call("evil__read", "{}") == sorry
        assert await tools.call("evil__read", "{}") == sorry
        assert len(tools.notices) == 1


async def test_tools_that_change_after_they_were_offered_are_not_called_again(tmp_path: Path) -> None:
    async with lent(tmp_path, evil=hostile("pull")) as tools:
        assert await tools.call("evil__read", "{}") == "call 1"
        sorry = "This tool is not available: its server changed its tools after they were offered."
        assert await tools.call("evil__other", "{}") == sorry
        assert [spec.description for spec in tools.specs] == ["Harmless.", "A tool."]
        assert told(tools) == ["lender-unavailable: MCP server 'evil' changed its tools after they were offered."]


async def test_a_tool_that_is_added_later_changes_nothing(tmp_path: Path) -> None:
    async with lent(tmp_path, evil=hostile("grows")) as tools:
        assert [await tools.call("evil__read", "{}") for _ in range(2)] == ["call 1", "call 2"]
        assert await tools.call("evil__new", "{}") == "There is no tool of this name."


async def test_questions_back_are_refused(tmp_path: Path) -> None:
    async with lent(tmp_path, evil=hostile("asks")) as tools:
        codes = json.loads(await tools.call("evil__read", "{}"))
    assert len(codes) == 3
    assert all(code < 0 for code in codes)


async def test_what_is_hidden_in_a_description_or_an_answer_becomes_visible(tmp_path: Path) -> None:
    shown = "\\x1b[31mred\\x1b[0m \\u{202e}esrever\\u{202c} zero\\u{200b}width tag\\u{e0041}"
    async with lent(tmp_path, evil=hostile("bidi")) as tools:
        (spec,) = tools.specs
        assert spec.description.startswith(shown + "\nxxx")
        assert len(spec.description) == 600
        assert spec.parameters == {"type": "object", "title": shown}
        assert await tools.call("evil__pretty", "{}") == shown


async def test_a_large_answer_is_cut_and_says_so(tmp_path: Path) -> None:
    async with lent(tmp_path, evil=hostile("large")) as tools:
        answer = await tools.call("evil__read", "{}")
    assert 15_000 < len(answer) <= 16_000
    assert answer.startswith("line\nline\n")
    assert answer.endswith("[cut here: about 984,100 more characters]")


async def test_a_lenders_pattern_is_never_run_on_its_text(tmp_path: Path) -> None:
    async with lent(tmp_path, evil=hostile("regex")) as tools:
        assert await tools.call("evil__read", "{}") == json.dumps({"x": "a" * 40 + "!"})


async def test_a_deeply_nested_answer_is_text(tmp_path: Path) -> None:
    async with lent(tmp_path, evil=hostile("nested")) as tools:
        assert await tools.call("evil__read", "{}") == json.dumps({"x": json.loads("[" * 150 + "]" * 150)})


async def test_parameters_that_could_hurt_leave_their_tool_out(tmp_path: Path) -> None:
    async with lent(tmp_path, evil=hostile("bomb")) as tools:
        assert [spec.name for spec in tools.specs] == ["evil__fine"]
        start = f"{_LEFT_OUT} 'evil' does not lend"
        assert told(tools) == [
            f"{start} deep, large: its parameters take more than 8,000 bytes or 24 levels.",
            f"{start} doubling: its parameters grow too large when their references are followed.",
            f"{start} remote: its parameters refer to something outside their own definitions.",
            f"{start} hidden: its parameters have names that cannot be shown.",
        ]


async def test_at_most_64_tools_are_offered(tmp_path: Path) -> None:
    async with lent(tmp_path, a=hostile("many"), b=hostile("many")) as tools:
        assert len(tools.specs) == 64
        assert {spec.name.partition("__")[0] for spec in tools.specs} == {"a"}
        assert [one.code for one in tools.notices] == ["lender-tool-left-out"] * 3
        assert await tools.call("b__t0", "{}") == "There is no tool of this name."


async def test_names_are_what_moonshot_takes_and_one_each(tmp_path: Path) -> None:
    async with lent(tmp_path, evil=hostile("names")) as tools:
        names = [spec.name for spec in tools.specs]
        assert len(names) == len(set(names)) == 5
        assert names[1] == "evil__a_b_c"
        assert "a.b/c: its name is taken" in told(tools)[0]
        assert [await tools.call(name, "{}") for name in names] == [f"call {number}" for number in range(1, 6)]


@pytest.mark.parametrize("mode", ["spawns", "stubborn"])
async def test_a_program_and_its_children_are_gone_at_the_end(tmp_path: Path, mode: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        async with lent(tmp_path, evil=hostile(mode, LENDER_PORT=str(listener.getsockname()[1]))) as tools:
            assert await tools.call("evil__read", "{}") == "call 1"
            link, _ = await anyio.to_thread.run_sync(listener.accept)
            link.settimeout(20)
            assert await anyio.to_thread.run_sync(link.recv, 4) == b"here"
        with link:
            assert await anyio.to_thread.run_sync(link.recv, 1) == b"", "the child lives on"


async def test_a_cancelled_call_is_over_and_the_lender_still_there(tmp_path: Path) -> None:
    async with lent(tmp_path, evil=hostile("mute"), good=hostile("plain")) as tools:
        with anyio.move_on_after(0.05) as scope:
            await tools.call("evil__read", "{}")
        assert scope.cancelled_caught
        assert tools.notices == ()
        assert await tools.call("good__read", "{}") == "call 1"


async def test_an_error_of_the_caller_passes_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="mine"):
        async with lent(tmp_path, good=hostile("plain")):
            raise LookupError("mine")


async def test_without_servers_there_are_no_tools(tmp_path: Path) -> None:
    async with lent(tmp_path) as tools:
        assert (tools.specs, tools.notices) == ((), ())
