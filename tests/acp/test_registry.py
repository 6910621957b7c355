"""The entry for the ACP registry is one it would take, and what it starts passes the registry's handshake."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import cast

import jsonschema
import pytest

import kimi_lsp
from kimi_lsp.acp.capabilities import AGENT_NAME
from tests.acp.clients.agents import schema_file
from tests.acp.clients.driving import CONFINED
from tests.acp.frames import FrameCheck
from tests.acp.registry_rules import CAPABILITIES, ENTRY, auth_types, icon_problems, version_problems
from tests.acp.schema import load
from tests.fakes.json_value import Json, JsonObject, get, items

FOLDER = Path(__file__).parents[2] / "editors" / "acp-registry"
TIMEOUT_S = 60.0  # the registry's own


@pytest.fixture
def entry() -> JsonObject:
    """The entry."""
    return cast("JsonObject", json.loads((FOLDER / "agent.json").read_text("utf-8")))


@pytest.fixture
def icon() -> str:
    """The icon's text."""
    return (FOLDER / "icon.svg").read_text("utf-8")


def test_the_entry_has_the_form_of_one(entry: JsonObject) -> None:
    jsonschema.Draft202012Validator.check_schema(ENTRY)
    jsonschema.validate(entry, ENTRY, cls=jsonschema.Draft202012Validator)


def test_the_entry_is_of_this_agent_and_this_version(entry: JsonObject) -> None:
    assert entry["id"] == AGENT_NAME
    assert list(version_problems(entry, kimi_lsp.__version__)) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", "Kimi Auditor"),
        ("version", "1.0"),
        ("version", "1.0.0-rc1"),
        ("description", ""),
        ("repository", "git@host.example:a/b"),
        ("homepage", "https://project.example"),
        ("distribution", {}),
        ("distribution", {"pipx": {"package": "kimi-lsp@0.1.0"}}),
        ("distribution", {"uvx": {"package": "kimi-lsp@latest"}}),
        ("distribution", {"uvx": {"package": "kimi-lsp"}}),
        ("distribution", {"uvx": {"package": "kimi-lsp@0.1.0", "args": "acp"}}),
        ("distribution", {"binary": {"linux-arm": {"archive": "https://a.example/1/x.zip", "cmd": "x"}}}),
        ("distribution", {"binary": {"linux-x86_64": {"archive": "https://a.example/latest/x.zip", "cmd": "x"}}}),
        ("distribution", {"binary": {"darwin-aarch64": {"archive": "https://a.example/1/x.dmg", "cmd": "x"}}}),
    ],
)
def test_an_entry_that_the_registry_would_refuse_is_refused_here(entry: JsonObject, name: str, value: Json) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**entry, name: value}, ENTRY, cls=jsonschema.Draft202012Validator)


def test_a_version_that_was_forgotten_is_found(entry: JsonObject) -> None:
    assert len(list(version_problems(entry, "999.0.0"))) == 2


def test_the_icon_is_one(icon: str) -> None:
    assert list(icon_problems(icon)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('height="16"', 'height="24"'),
        ('viewBox="0 0 16 16"', 'viewBox="0 0 24 24"'),
        ("currentColor", "#1a1a1a"),
        ("currentColor", "none"),
        ("<path ", '<path style="fill:red" '),
        ("</svg>", "<script/></svg>"),
        ("</svg>", "<!-- made by hand --></svg>"),
        ("</svg>", ""),
    ],
)
def test_an_icon_that_the_registry_would_refuse_is_refused_here(icon: str, old: str, new: str) -> None:
    assert old in icon
    assert list(icon_problems(icon.replace(old, new))) != []


def test_what_the_entry_starts_passes_the_handshake_with_nothing_configured(entry: JsonObject, tmp_path: Path) -> None:
    package = str(get(entry, "distribution", "uvx", "package")).partition("@")[0]
    arguments = [str(word) for word in items(get(entry, "distribution", "uvx", "args"))]
    program = Path(sys.executable).with_name(package)  # what `uvx` runs for a package without another command
    assert re.search(rf'(?m)^{package} = "', (FOLDER.parents[1] / "pyproject.toml").read_text("utf-8"))
    home = tmp_path / "home"
    home.mkdir()
    params: JsonObject = {
        "protocolVersion": 1,
        "clientInfo": {"name": "ACP Registry Validator", "version": "1.0.0"},
        "clientCapabilities": CAPABILITIES,
    }
    question = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})

    done = subprocess.run(
        [program, *arguments],
        cwd=tmp_path,
        env={"PATH": os.defpath, "HOME": str(home), "TERM": "dumb"},
        input=question + "\n",
        timeout=TIMEOUT_S,
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert all(line.startswith(CONFINED) for line in done.stderr.splitlines()), done.stderr
    (line,) = done.stdout.splitlines()
    check = FrameCheck(load(schema_file()))
    check.client(question)
    answer = check.agent(line)
    methods = items(get(answer, "result", "authMethods"))
    assert "agent" in auth_types(methods)
    assert set(auth_types(methods)) <= {"agent", "terminal"}
    assert get(answer, "result", "agentInfo", "version") == entry["version"]
    state = home / ".local" / "state" / "kimi-lsp"
    assert all(path.is_relative_to(state) or state.is_relative_to(path) for path in home.rglob("*"))
