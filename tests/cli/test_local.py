import json
import os
import socket
import subprocess
from pathlib import Path

import pytest

from tests.cli.harness import APP, Cli, notice_codes, rules


def test_a_project_is_audited_without_a_model(cli: Cli) -> None:
    said = cli.audit()
    assert said.code == 1
    assert "app.py:6:" in said.out
    assert "shell-injection" in said.out
    assert "sql-injection" in said.out


def test_the_exit_code_follows_the_level_that_fails(cli: Cli) -> None:
    assert cli.audit("--fail-on", "never").code == 0
    cli.write({"app.py": "x = 1\n"})
    said = cli.audit()
    assert said.code == 0
    assert "No findings in what was read" in said.out


def test_an_empty_tree_is_not_called_clean(cli: Cli) -> None:
    (cli.root / "app.py").unlink()
    said = cli.audit()
    assert said.code == 0
    assert "Nothing was read" in said.out


def test_the_second_audit_says_the_same_from_memory(cli: Cli) -> None:
    first = cli.audit("--format", "json")
    second = cli.audit("--format", "json")
    assert first.json["findings"] == second.json["findings"]
    assert len(rules(second)) >= 2


@pytest.mark.parametrize("kind", ["text", "json", "sarif", "markdown", "rdjson", "gitlab"])
def test_every_format_names_the_finding(cli: Cli, kind: str) -> None:
    said = cli.audit("--format", kind)
    assert said.code == 1
    assert "shell-injection" in said.out
    if kind not in {"text", "markdown"}:
        json.loads(said.out)


def test_a_report_goes_to_a_file(cli: Cli, tmp_path: Path) -> None:
    target = tmp_path / "report.sarif"
    said = cli.audit("--format", "sarif", "--output", str(target))
    assert said.code == 1
    assert said.out == ""
    assert json.loads(target.read_text())["version"] == "2.1.0"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["audit", "/no/such/path"], "no such file or folder"),
        (["audit", "--format", "xml"], "unknown format"),
        (["audit", "--depth", "deep"], "depth"),
        (["audit", "--lane", "styl"], "style"),
        (["audit", "--budget-usd", "much"], "budget"),
        (["audit", "--output", "/no/such/folder/x"], "no such folder"),
        (["audit", "--changed-since", "HEAD"], "changed-since"),
        (["audit", "--nonsense"], "--nonsense"),
        (["nonsense"], "nonsense"),
    ],
)
def test_a_call_that_cannot_be_carried_out_is_one_line_and_exit_code_2(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, arguments: list[str], expected: str
) -> None:
    monkeypatch.chdir(cli.root)
    said = cli(*arguments)
    assert said.code == 2
    assert expected in said.err
    assert len(said.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("kimi.toml", "lannes = ['security']\n", "lanes"),
        ("kimi.toml", "model = 'other'\n", "only your own configuration"),
        ("kimi.toml", "[budget]\nrun_usd = 'x'\n", "run_usd"),
        ("kimi.toml", "= broken", "kimi.toml"),
    ],
)
def test_a_project_file_that_does_not_hold_is_one_line(cli: Cli, name: str, text: str, expected: str) -> None:
    cli.write({name: text})
    said = cli.audit()
    assert said.code == 2
    assert expected in said.err
    assert len(said.err.strip().splitlines()) == 1


def test_what_a_project_excludes_is_not_read(cli: Cli) -> None:
    cli.write({"kimi.toml": "exclude = ['app.py']\n"})
    assert rules(cli.audit("--format", "json")) == []


def test_odd_files_are_notices_and_the_rest_goes_on(cli: Cli) -> None:
    cli.write(
        {
            "binary.bin": b"\x7fELF\0\0\0",
            "nul.py": b"x = 1\0\n",
            "latin.py": b"# caf\xe9\nimport hashlib\nhashlib.md5(b'')\n",
            "bom.py": b"\xef\xbb\xbfeval(input())\r\n",
            "crlf.py": APP.replace("\n", "\r\n"),
            "long.js": "x" * 3_000_000,
            "wide.js": "var a = 1;" * 90_000,
        }
    )
    with (cli.root / "huge.py").open("wb") as file:
        file.truncate(1 << 30)
    (cli.root / "loop").symlink_to(cli.root)
    (cli.root / "dangling").symlink_to("nowhere")
    os.mkfifo(cli.root / "pipe.py")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(
            os.fsencode(cli.root)[:60].decode() + "/s" if len(str(cli.root)) < 60 else str(cli.root.parent / "s")
        )
        said = cli.audit("--format", "json")
    assert {"binary-file", "file-too-large", "link-not-followed", "special-file", "encoding-guessed"} <= notice_codes(
        said
    )
    paths = {item["location"]["path"] for item in said.json["findings"]}
    assert {"app.py", "crlf.py", "latin.py", "bom.py"} <= paths


def test_a_name_that_is_not_utf_8_survives(cli: Cli) -> None:
    name = os.fsencode(cli.root) + b"/caf\xe9.py"
    with open(name, "wb") as file:
        file.write(APP.encode())
    for kind in ("text", "json", "sarif", "markdown", "rdjson", "gitlab"):
        said = cli.audit("--format", kind)
        assert said.code == 1
        assert "caf" in said.out


def test_a_control_character_in_the_tree_never_reaches_the_terminal(cli: Cli) -> None:
    cli.write({"evil\x1b[2J.py": "import hashlib\nhashlib.md5(b'\x1b]0;owned\x07')\n"})
    said = cli.audit()
    assert "\x1b" not in said.out.replace("\x1b[1;", "").replace("\x1b[0m", "")
    assert "\x07" not in said.out


def test_only_changed_files_are_audited(cli: Cli) -> None:
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.invalid"]
    subprocess.run([*git, "init", "-q"], cwd=cli.root, check=True)
    subprocess.run([*git, "add", "-A"], cwd=cli.root, check=True)
    subprocess.run([*git, "commit", "-q", "-m", "x"], cwd=cli.root, check=True)
    assert rules(cli.audit("--changed-since", "HEAD", "--format", "json")) == []
    cli.write({"new.py": "import os\nos.system('ls ' + input())\n"})
    said = cli.audit("--changed-since", "HEAD", "--format", "json")
    assert {item["location"]["path"] for item in said.json["findings"]} == {"new.py"}


def test_a_single_file_is_audited_even_if_git_ignores_it(cli: Cli) -> None:
    cli.write({".gitignore": "*.py\n"})
    assert cli("audit", str(cli.root / "app.py")).code == 1


def test_a_folder_that_the_project_ignores_is_its_own_project(cli: Cli) -> None:
    subprocess.run(["git", "init", "-q"], cwd=cli.root, check=True)
    cli.write({".gitignore": "vendored/\n", "vendored/lib.py": APP})
    said = cli("audit", str(cli.root / "vendored"), "--format", "json")
    assert {item["location"]["path"] for item in said.json["findings"]} == {"lib.py"}


def test_a_state_directory_that_cannot_be_used_costs_the_memory_not_the_audit(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file")
    monkeypatch.setenv("KIMI_LSP_STATE_DIR", str(blocked / "state"))
    said = cli.audit("--format", "json")
    assert said.code == 1
    assert "store-unavailable" in notice_codes(said)


def test_rules_are_listed_and_shown(cli: Cli) -> None:
    listed = cli("rules", "list").out
    assert "shell-injection" in listed
    for line in listed.splitlines():
        assert cli("rules", "show", line.split()[0]).code == 0
    said = cli("rules", "show", "shell-injektion")
    assert said.code == 2
    assert "shell-injection" in said.err
