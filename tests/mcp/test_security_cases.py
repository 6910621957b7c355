"""The security cases of the issue, by number, on every face of the real server."""

import asyncio
import os
import re
from collections.abc import AsyncGenerator
from pathlib import Path

import jsonschema
import pytest
import pytest_asyncio

from tests.fakes.json_value import Json, JsonObject, compact, get
from tests.mcp.faces import FACES, Face, serving, values_of
from tests.mcp.hostile import Hostile, hostile_project
from tests.mcp.wire_client import Era, call

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
EVERY_CALL: tuple[tuple[str, JsonObject], ...] = (
    ("codebase_health", {}),
    ("list_files", {"limit": 200}),
    ("read_file", {"path": "src/app.py"}),
    ("read_file", {"path": "config.py"}),
    ("read_file", {"path": "hidden.txt"}),
    ("read_file", {"path": "surrogate.txt"}),
    ("search_text", {"query": "find me here", "limit": 200, "context": 2}),
    ("security_surface", {"limit": 200}),
    ("audit_file", {"path": "config.py"}),
    ("explain_rule", {"rule": "hard-coded-secret"}),
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Hostile:
    return hostile_project(tmp_path_factory.mktemp("hostile"))


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=FACES)
async def face(
    request: pytest.FixtureRequest, hostile: Hostile, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Face]:
    name: str = request.param
    async with serving(name, tmp_path_factory.mktemp("face"), [hostile.root], "--timeout", "30") as running:
        yield running


def assert_clean(message: Json, hostile: Hostile) -> None:
    for text in values_of(message):
        assert not UNSEEN.search(text), ascii(text)
        for secret in (*hostile.secrets, str(hostile.root), str(hostile.root.parent), str(Path.home())):
            assert secret not in text, ascii(text)


OUTSIDE = (
    "../../etc/passwd", "/etc/passwd", "C:\\Windows\\win.ini", "\\\\srv\\share", "C:x", "../proj-secret/x", "a\0b", "",
    ".", "~", "~root/x", "file:///etc/passwd", "..%2f..%2fetc", "src/../../proj-secret/x", "src/..",
    "./../proj-secret/x", "CON", "README.md::$DATA", "src\\..\\..\\proj-secret\\x",
)  # fmt: skip


async def test_case_1_2_5_8_44_nothing_outside_the_root_is_read(face: Face, hostile: Hostile) -> None:
    for path in OUTSIDE:
        for tool in ("read_file", "audit_file"):
            said = await face.call(tool, {"path": path})
            assert said.is_error, (path, said.text)
            assert_clean(said.message, hostile)
    paths: list[Json] = [path for path in OUTSIDE if path not in ("", ".", "src/..")]
    for tool in ("list_files", "search_text", "security_surface", "codebase_health"):
        arguments: JsonObject = {"paths": paths, **({"query": "lies"} if tool == "search_text" else {})}
        said = await face.call(tool, arguments)
        assert not said.is_error
        assert "outside-project" in said.text
        assert_clean(said.message, hostile)


@pytest.mark.parametrize(
    "path", ["passwd", "etc/passwd", "etc/hosts", "secret_link", "up/proj-secret/x", "loop", "inner/app.py"]
)
async def test_case_3_4_no_link_is_followed_not_even_inside(face: Face, hostile: Hostile, path: str) -> None:
    said = await face.call("read_file", {"path": path})
    assert said.is_error
    assert_clean(said.message, hostile)


async def test_case_3_a_listing_says_that_links_were_not_followed(face: Face) -> None:
    said = await face.call("list_files", {"limit": 200})
    assert "link-not-followed" in said.text
    assert "etc/" not in said.text


@pytest.mark.parametrize("path", ["pipe", "sock", "zero"])
async def test_case_7_pipes_sockets_and_devices_are_refused_at_once(face: Face, path: str) -> None:
    assert (await face.call("read_file", {"path": path}, deadline_s=10)).is_error


async def test_case_9_encoded_paths_of_resources_stay_inside(face: Face, hostile: Hostile) -> None:
    for rest in (
        "..%2f..%2fetc%2fpasswd",
        "..%252f..%252fetc",
        "%2Fetc%2Fpasswd",
        "/etc/passwd",
        "passwd",
        "%2e%2e/x",
        "",
    ):
        message = await face.ask("resources/read", {"uri": f"project:///{rest}"})
        assert get(message, "error", "code") == -32602, message
        assert isinstance(get(message, "error", "data", "uri"), str)
        assert_clean(get(message, "error"), hostile)


async def test_case_10_a_name_that_is_not_utf_8_is_told_and_can_be_read_as_told(face: Face, hostile: Hostile) -> None:
    said = await face.call("search_text", {"query": "find me here", "limit": 200})
    assert r"bad\xff.py" in said.text
    again = await face.call("read_file", {"path": r"bad\xff.py"})
    assert not again.is_error
    assert "eval(input())" in again.text
    assert_clean(again.message, hostile)
    assert await face.is_alive()


@pytest.mark.parametrize("path", ["surrogate.txt", "nul.bin", "utf16.txt", "latin1.txt"])
async def test_case_11_text_in_any_encoding_is_told_cleanly_or_refused(face: Face, hostile: Hostile, path: str) -> None:
    said = await face.call("read_file", {"path": path})
    assert said.is_error == (path == "nul.bin")
    assert_clean(said.message, hostile)
    assert await face.is_alive()


async def test_case_12_13_no_answer_holds_what_hides_or_forges_a_line(face: Face, hostile: Hostile) -> None:
    for tool, arguments in EVERY_CALL:
        said = await face.call(tool, arguments)
        assert_clean(said.message, hostile)
        assert not any(line.startswith("12 findings") for line in said.text.splitlines())
    hidden = await face.call("read_file", {"path": "hidden.txt"})
    assert r"\u{202e}evil\u{200b}\u{e0041} \x1b[2J\x07" in hidden.text


async def test_case_14_15_quoted_text_cannot_leave_its_quotes(face: Face) -> None:
    said = await face.call("read_file", {"path": "inject.py"})
    lines = said.text.splitlines()
    (opening,) = [number for number, line in enumerate(lines) if line.startswith("<<<untrusted text ")]
    (closing,) = [number for number, line in enumerate(lines) if line.endswith(" end of untrusted text>>>")]
    nonce = lines[opening].split()[-1]
    assert lines[closing] == f"{nonce} end of untrusted text>>>"
    assert said.text.count(nonce) == 2
    assert "</mcp-result-extras>" not in said.text
    assert next(n for n, line in enumerate(lines) if "IGNORE PREVIOUS" in line) in range(opening, closing)


async def test_case_14_what_clients_are_told_to_do_holds_nothing_of_the_project(face: Face) -> None:
    told = compact([await face.ask(m) for m in ("tools/list", "prompts/list", "resources/templates/list")])
    assert "IGNORE" not in told
    assert "app.py" not in told


@pytest.mark.parametrize("path", ["sparse.bin", "line.txt", "backtrack.txt"])
async def test_case_16_large_files_are_bounded(face: Face, path: str) -> None:
    said = await face.call("read_file", {"path": path}, deadline_s=15)
    assert len(said.whole) < 60_000
    assert max(map(len, said.text.splitlines())) < 2_000


async def test_case_17_deep_folders_are_walked_to_a_limit_that_is_told(face: Face) -> None:
    said = await face.call("list_files", {"paths": ["deep"], "limit": 200})
    assert "too-deep" in said.text or "end.py" in said.text, said.text


async def test_case_18_a_pattern_cannot_backtrack_for_ever(face: Face) -> None:
    said = await face.call("search_text", {"query": "(a+)+$", "regex": True, "paths": ["backtrack.txt"]}, deadline_s=15)
    assert not said.is_error
    for query in ("(", r"(a)\1", "(?=a)", "a{1000}{1000}", "[" * 900):
        bad = await face.call("search_text", {"query": query, "regex": True})
        assert bad.is_error, bad.text
    assert await face.is_alive()


async def test_case_19_globs_cannot_blow_up(face: Face) -> None:
    paths: list[Json] = ["**/" * 50 + "*", "*" * 900 + "x", "[" * 500]
    said = await face.call("list_files", {"paths": paths}, deadline_s=15)
    assert await face.is_alive(), said.text


async def test_case_20_an_unknown_argument_is_named(face: Face) -> None:
    said = await face.call("read_file", {"path": "README.md", "write": True})
    assert said.is_error
    assert "'write'" in said.text


@pytest.mark.parametrize("limit", [0, -1, 10**9, "abc", True, 1.5, None, [], 10**40])
async def test_case_21_a_limit_that_is_none_is_refused(face: Face, limit: Json) -> None:
    said = await face.call("list_files", {"limit": limit})
    assert said.is_error == (limit is not None)  # null is leaving it out


async def test_case_22_cursors_are_checked(face: Face) -> None:
    first = await face.call("list_files", {"limit": 2})
    cursor = first.data["next_cursor"]
    assert isinstance(cursor, str)
    second = await face.call("list_files", {"limit": 2, "cursor": cursor})
    assert not second.is_error
    assert second.data["files"] != first.data["files"]
    for forged in (
        cursor[:-1] + ("A" if cursor[-1] != "A" else "B"),
        "x",
        "A" * 40,
        cursor * 8,
        "é" * 30,
        "",
        "x" * 100_000,
    ):
        said = await face.call("list_files", {"limit": 2, "cursor": forged})
        assert said.is_error, forged
        assert len(said.text) < 200
    foreign = await face.call("search_text", {"query": "find", "cursor": cursor})
    assert foreign.is_error


@pytest.mark.parametrize("name", ["write_file", "read_file\nx", "n" * 10_000, "", "@file", "\u202e", "read_file "])
async def test_case_23_an_unknown_tool_is_a_protocol_error_that_repeats_little(face: Face, name: str) -> None:
    if face.http is not None and face.era is Era.MODERN and name != name.strip("\u202e\n ").replace("\n", ""):
        return  # the name has to stand in a header too, where it cannot
    message = await face.ask("tools/call", {"name": name, "arguments": {"path": "README.md"}})
    assert get(message, "error", "code") == -32602, message
    text = get(message, "error", "message")
    assert isinstance(text, str)
    assert len(text) < 120
    assert not UNSEEN.search(text)
    assert "\n" not in text


async def test_case_24_large_arguments_are_refused_and_not_repeated(face: Face) -> None:
    many: list[Json] = ["x"] * 10_000
    large: tuple[JsonObject, ...] = ({"path": "x" * 1_000_000}, {"paths": many}, {"y" * 300_000: 1})
    for arguments in large:
        said = await face.call("list_files", arguments)
        assert said.is_error
        assert len(said.text) < 2_000
    assert await face.is_alive()


@pytest.mark.parametrize("tool", ["read_file", "search_text", "audit_file"])
@pytest.mark.parametrize("path", [".env", "id_rsa", "server.pem", ".npmrc", ".git/config", ".git/HEAD"])
async def test_case_36_files_of_secrets_are_not_told(face: Face, hostile: Hostile, tool: str, path: str) -> None:
    arguments: JsonObject = {"query": "A", "paths": [path]} if tool == "search_text" else {"path": path}
    said = await face.call(tool, arguments)
    assert_clean(said.message, hostile)
    message = await face.ask("resources/read", {"uri": f"project:///{path}"})
    assert get(message, "error", "code") == -32602


async def test_case_37_a_secret_in_a_line_is_redacted_everywhere(face: Face, hostile: Hostile) -> None:
    said = await face.call("read_file", {"path": "config.py"})
    assert "[redacted:" in said.text
    assert_clean(said.message, hostile)
    found = await face.call("audit_file", {"path": "config.py"})
    assert found.data["total"] != 0
    assert_clean(found.message, hostile)
    findings = found.data["findings"]
    assert isinstance(findings, list)
    for item in findings:
        detail = await face.call("get_finding", {"id": get(item, "id"), "path": "config.py"})
        assert not detail.is_error
        assert_clean(detail.message, hostile)
    resource = await face.ask("resources/read", {"uri": "project:///config.py"})
    assert "[redacted:" in compact(resource)
    assert_clean(resource, hostile)


async def test_case_37_a_search_is_no_oracle_for_secrets(face: Face, hostile: Hostile) -> None:
    for secret in hostile.secrets[:2]:
        for query in (secret, secret[:12], secret[4:]):
            assert (await face.call("search_text", {"query": query})).data["total"] == 0
        pattern = "".join(f"[{char}]" for char in secret[:10])
        assert (await face.call("search_text", {"query": pattern, "regex": True})).data["total"] == 0


async def test_case_30_32_34_38_nothing_of_the_project_runs_or_changes(face: Face, hostile: Hostile) -> None:
    before = state_of(hostile.root)
    for tool, arguments in EVERY_CALL:
        await face.call(tool, arguments)
    assert state_of(hostile.root) == before
    assert not hostile.marker.exists()


def state_of(root: Path) -> dict[str, tuple[int, int, int]]:
    states: dict[str, tuple[int, int, int]] = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder, name)
            status = path.lstat()
            states[str(path)] = (status.st_mode, status.st_size, status.st_mtime_ns)
    return states


async def test_case_40_errors_hold_no_path_no_environment_and_no_exception(face: Face, hostile: Hostile) -> None:
    wrong: tuple[JsonObject, ...] = (
        {},
        {"path": 1},
        {"path": {}},
        {"path": "missing.py"},
        {"id": "0" * 12},
        {"rule": "x"},
        {"query": ""},
    )
    for tool in ("read_file", "audit_file", "get_finding", "explain_rule", "list_files", "search_text"):
        for arguments in wrong:
            said = await face.call(tool, arguments)
            assert_clean(said.message, hostile)
            for word in ("Traceback", "Error:", "pydantic", "input_value"):
                assert word not in said.text
    assert not [line for line in face.process.errors if str(hostile.root) in line or "Traceback" in line]


async def test_case_42_every_tool_says_that_it_only_reads(face: Face) -> None:
    tools = get(await face.ask("tools/list"), "result", "tools")
    assert isinstance(tools, list)
    for tool in tools:
        assert get(tool, "annotations") == {
            "readOnlyHint": True,
            "destructiveHint": False,
            "idempotentHint": True,
            "openWorldHint": False,
        }


async def test_case_43_every_answer_follows_its_schema(face: Face) -> None:
    tools = get(await face.ask("tools/list"), "result", "tools")
    assert isinstance(tools, list)
    schemas = {get(tool, "name"): get(tool, "outputSchema") for tool in tools}
    empty: tuple[tuple[str, JsonObject], ...] = (
        ("list_files", {"paths": ["no/such"]}),
        ("search_text", {"query": "nowhere to be found"}),
        ("search_text", {"query": "find me here", "show": "files"}),
        ("security_surface", {"paths": ["README.md"]}),
        ("codebase_health", {"paths": ["no/such"]}),
        ("list_files", {"limit": 1}),
        ("read_file", {"path": "README.md", "start_line": 100}),
    )
    for tool, arguments in (*EVERY_CALL, *empty):
        said = await face.call(tool, arguments)
        assert not said.is_error, (tool, said.text)
        schema = schemas[tool]
        assert isinstance(schema, dict)
        jsonschema.validate(said.data, schema, cls=jsonschema.Draft202012Validator)


async def test_case_25_calls_side_by_side_are_all_answered(face: Face) -> None:
    if face.http is None:
        ids = {f"p{number}" for number in range(100)}
        for each in sorted(ids):
            await face.process.send(call(face.era, each, "list_files", limit=1))
        while ids:
            ids.discard(str((await face.process.read())["id"]))
    else:
        answers = await asyncio.gather(*(face.call("list_files", {"limit": 1}) for _ in range(30)))
        assert all(not said.is_error or "retry after" in said.text for said in answers)
    assert await face.is_alive()
