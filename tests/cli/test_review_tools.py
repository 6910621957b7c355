"""`tools = true`: what the model may read during an audit, with the real workers and the fake Kimi."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.audit.lenders import places
from tests.cli.harness import TRAVERSAL, Cli, Said, answer, notice_codes, rules
from tests.fakes.json_value import get, items, strings
from tests.fakes.kimi import FakeKimi
from tests.fakes.record import Recorded
from tests.fakes.script import Script, ToolCall

AWS_KEY = "AK" + "IA" + "M3N6B9V2C5X8Z1L4"
PASSWORD = "battery-" + "6Jt2WcKs83Yd"
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")

Ask = Callable[..., tuple[Said, Sequence[str]]]


@pytest.fixture
def ask(cli: Cli, kimi: FakeKimi, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Screen with tools; the model makes these calls at its first unit, and answers. What it was told comes back."""
    monkeypatch.setenv("KIMI_LSP_TOOLS", "true")

    def screen(*calls: ToolCall, arguments: Sequence[str] = ()) -> tuple[Said, Sequence[str]]:
        pending = [Script(reasoning="Let me look.", tool_calls=calls), answer(TRAVERSAL, reasoning="Seen.")]
        kimi.respond(lambda request: pending.pop(0) if pending else answer())
        said = cli.screen(kimi, "--format", "json", *arguments)
        return said, [told for chat in kimi.chats for told in results(chat)]

    return screen


def results(chat: Recorded) -> list[str]:
    """What tools said in a request."""
    return [str(get(one, "content")) for one in items(get(chat.json, "messages")) if get(one, "role") == "tool"]


def use(name: str, **arguments: object) -> ToolCall:
    return ToolCall(name, json.dumps(arguments))


def offered(chat: Recorded) -> list[str]:
    return [str(get(tool, "function", "name")) for tool in items(get(chat.json, "tools"))]


def test_the_model_gets_real_answers_from_the_projects_tools(cli: Cli, kimi: FakeKimi, ask: Ask) -> None:
    cli.write({"web.txt": "one\nroot comes from request.args\n"})
    said, told = ask(
        use("read_file", path="web.txt", start_line=2),
        use("search_text", query="request.args"),
        use("security_surface"),
        use("read_file", path="../outside.py"),
        use("write_file", path="web.txt"),
        use("list_files", limit="all"),
    )
    assert "path-traversal" in rules(said), said.err
    assert notice_codes(said) == set()
    read, searched, scanned, outside, unknown, wrong = told
    assert "root comes from request.args" in read
    assert "web.txt:2" in searched
    assert "shell-injection" in scanned
    assert "no relative path inside the project" in outside
    assert "no tool write_file" in unknown
    assert "limit" in wrong
    assert {"read_file", "search_text", "security_surface", "explain_rule"} <= set(offered(kimi.chats[0]))
    assert "kimi_review" not in offered(kimi.chats[0])
    shown = cli("trail", "list").out
    assert shown.count("model-call") == 2
    assert "called tools" in shown
    assert cli("trail", "verify").code == 0


def test_without_the_setting_no_request_knows_of_tools(cli: Cli, kimi: FakeKimi) -> None:
    kimi.respond(lambda request: answer())
    cli.screen(kimi)
    assert len(kimi.chats) == 1
    assert get(kimi.chats[0].json, "tools") is None
    assert get(kimi.chats[0].json, "tool_choice") is None
    texts = " ".join(strings(kimi.chats[0].json))
    assert "search_text" not in texts


@pytest.mark.parametrize("owner", ["user", "project"])
def test_what_is_denied_or_excluded_is_not_there_for_the_model(
    cli: Cli, kimi: FakeKimi, ask: Ask, monkeypatch: pytest.MonkeyPatch, owner: str
) -> None:
    hidden = "the-number-is-4711"
    cli.write({f"{name}/list.txt": f"{hidden} of {name}\n" for name in ("customers", "vendor", "open")})
    cli.write(
        {"customers/code.py": f"# {hidden} of customers\nimport subprocess\nsubprocess.run('ls ' + x, shell=True)\n"}
    )
    if owner == "user":
        monkeypatch.setenv("KIMI_LSP_DENY", "customers/")
        monkeypatch.setenv("KIMI_LSP_EXCLUDE", "vendor/")
    else:
        cli.write({"kimi.toml": 'deny = ["customers/"]\nexclude = ["vendor/"]\n'})
    said, told = ask(
        use("list_files", limit=200),
        use("search_text", query="the-number"),
        use("read_file", path="customers/list.txt"),
        use("read_file", path="vendor/list.txt"),
        use("audit_file", path="customers/code.py"),
        use("security_surface", limit=200),
    )
    assert said.code == 1, said.err
    listed, searched, denied, excluded, audited, scanned = told
    assert "open/list.txt" in listed
    assert "open/list.txt" in searched
    assert "app.py" in scanned
    for text in told:
        assert f"{hidden} of customers" not in text
        assert f"{hidden} of vendor" not in text
    for text in (listed, searched, scanned):
        assert "customers/" not in text
        assert "vendor/" not in text
    for text in (denied, excluded, audited):
        assert "excluded" in text
    everything = "".join(chat.body.decode() for chat in kimi.chats)
    assert "of customers" not in everything


def test_no_secret_reaches_the_model_through_a_tool(cli: Cli, kimi: FakeKimi, ask: Ask) -> None:
    cli.write({
        ".env": f"PASSWORD={PASSWORD}\n",
        "settings.txt": f'aws = "{AWS_KEY}"\nlogin with {PASSWORD}\n',
        "notes/plain.txt": f"the password is {PASSWORD} as ever\n",
    })  # fmt: skip
    _, told = ask(
        use("read_file", path="settings.txt"),
        use("read_file", path="notes/plain.txt"),
        use("read_file", path=".env"),
        use("search_text", query="password", context=3, case_sensitive=False),
        use("search_text", query=PASSWORD),
        use("search_text", query=AWS_KEY[:9]),
        use("audit_file", path="settings.txt"),
    )
    assert len(told) == 7
    assert AWS_KEY not in "".join(told)
    assert PASSWORD not in "".join(told)
    assert "aws = " in told[0]


def test_no_byte_of_a_secret_is_sent_when_the_model_did_not_name_it(cli: Cli, kimi: FakeKimi, ask: Ask) -> None:
    cli.write({".env": f"PASSWORD={PASSWORD}\n", "settings.txt": f'aws = "{AWS_KEY}"\nlogin with {PASSWORD}\n'})
    ask(
        use("read_file", path="settings.txt"),
        use("search_text", query="login", context=3),
        use("audit_file", path="settings.txt"),
    )
    assert len(kimi.chats) == 2
    kimi.assert_no_secret([AWS_KEY, PASSWORD])


def test_rules_that_the_user_switched_off_are_off_for_the_model(
    cli: Cli, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIMI_LSP_RULES", "shell-injection=off,sql-injection=note")
    _, [scanned] = ask(use("security_surface"))
    assert "shell-injection" not in scanned
    assert "note sql-injection" in scanned


def test_a_server_of_the_user_lends_its_tools(
    cli: Cli, kimi: FakeKimi, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = list(places.kind().command)
    config = tmp_path / "config.toml"
    config.write_text(
        f"[mcp_servers.docs]\ncommand = {json.dumps(command)}\n[mcp_servers.gone]\ncommand = ['not-here-0']\n"
    )
    monkeypatch.setenv("KIMI_LSP_CONFIG", str(config))
    said, told = ask(use("docs__echo", text="about paths"), use("docs__surroundings"), use("docs__writes", text="x"))
    names = offered(kimi.chats[0])
    assert "docs__echo" in names
    assert "docs__writes" not in names, "it does not say that it only reads"
    echo, surroundings, writes = told
    assert "about paths" in echo
    assert str(cli.root) not in surroundings
    assert "MOONSHOT_API_KEY" not in surroundings
    assert "no tool docs__writes" in writes
    assert "path-traversal" in rules(said)
    assert any("gone" in notice["message"] for notice in said.json["notices"])
    assert said.code == 1, "a lender that is gone is a notice and no more"


@pytest.mark.parametrize("text", ["tools = true\n", '[mcp_servers.docs]\ncommand = ["sh"]\n', "mcp_review = true\n"])
def test_a_project_can_switch_none_of_it_on(cli: Cli, kimi: FakeKimi, text: str) -> None:
    cli.write({"kimi.toml": text})
    said = cli.screen(kimi)
    assert said.code == 2
    assert "kimi.toml" in said.err
    assert kimi.connections == 0


def test_the_local_depth_opens_no_tools(
    cli: Cli, kimi: FakeKimi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mark = tmp_path / "started"
    config = tmp_path / "config.toml"
    config.write_text(f"tools = true\n[mcp_servers.docs]\ncommand = ['touch', {json.dumps(str(mark))}]\n")
    monkeypatch.setenv("KIMI_LSP_CONFIG", str(config))
    assert cli.audit().code == 1
    assert not mark.exists()


@linux
def test_no_process_is_left(cli: Cli, kimi: FakeKimi, ask: Ask) -> None:
    before = children(os.getpid())
    ask(use("list_files"), use("search_text", query="x"))
    assert len(kimi.chats) == 2
    assert children(os.getpid()) <= before


def children(pid: int) -> set[int]:
    return {
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    }


@linux
def test_whoever_is_asked_for_consent_is_told_of_the_tools(
    cli: Cli, kimi: FakeKimi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIMI_LSP_TOOLS", "true")
    monkeypatch.setenv("KIMI_LSP_ALLOW_HTTP", "true")
    kimi.respond(lambda request: answer())
    command = [sys.executable, "-m", "kimi_lsp", "audit", ".", "--depth", "screen"]
    command += ["--base-url", f"http://0.0.0.0:{kimi.port}/v1"]  # counts as another machine
    ours, theirs = os.openpty()
    try:
        os.write(ours, b"n\n")
        done = subprocess.run(
            command, cwd=cli.root, stdin=theirs, capture_output=True, text=True, timeout=60, check=False
        )
    finally:
        os.close(ours)
        os.close(theirs)
    [told] = [line for line in done.stderr.splitlines() if "may read other files" in line]
    assert "read_file" in told
    assert "search_text" in told
    assert done.returncode == 3
    assert "nobody agreed" in done.stderr
    assert kimi.chats == []
