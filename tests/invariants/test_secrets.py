"""Plant secrets wherever a repository can hold them, audit it with a model, and search every byte that arrived."""

import random
import string

import pytest

from tests.cli.conftest import cli
from tests.cli.harness import Cli, answer, finding, rules, unit_text
from tests.fakes.kimi import FakeKimi
from tests.fakes.record import HONEST_HEADERS, Recorded
from tests.fakes.script import Script

__all__ = ["cli"]

_RANDOM = random.Random(20261124)


def letters(count: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(_RANDOM.choice(alphabet) for _ in range(count))


AWS = "AK" + "IA" + letters(16, string.ascii_uppercase + "234567")
AWS_SECRET = letters(40)
GITHUB = "gh" + "p_" + letters(36)
SLACK = "xo" + "xb-" + letters(12, string.digits) + "-" + letters(12, string.digits) + "-" + letters(24)
STRIPE = "sk" + "_live_" + letters(24)
GOOGLE = "AI" + "za" + letters(35)
MOONSHOT = "sk" + "-" + letters(48)
JWT = "ey" + "J" + letters(33) + ".ey" + "J" + letters(60) + "." + letters(43)
PASSWORD = "Tr0ub4dor&" + letters(8)
DATABASE = letters(18)
BASIC = letters(14)
ENV_ONLY = letters(32)
PEM_BODY = [letters(64) for _ in range(6)]
PEM = "-----BEGIN RSA PRIV" + "ATE KEY-----\n" + "\n".join(PEM_BODY) + "\n-----END RSA PRIV" + "ATE KEY-----"
CANARIES = [
    AWS, AWS_SECRET, GITHUB, SLACK, STRIPE, GOOGLE, MOONSHOT, JWT, PASSWORD, DATABASE, BASIC, ENV_ONLY, *PEM_BODY,
]  # fmt: skip

TREE = {
    ".env": f"SERVICE_TOKEN={ENV_ONLY}\n",
    ".gitignore": ".env\n",
    "id_rsa": PEM + "\n",
    "settings.py": f'''\
import os

AWS_ACCESS_KEY_ID = "{AWS}"
aws_secret_access_key = "{AWS_SECRET}"
PASSWORD = os.environ.get("PASSWORD") or "{PASSWORD}"
DATABASE_URL = "postgresql://admin:{DATABASE}@db.internal:5432/app"
STRIPE = {{"api_key": "{STRIPE}", "mode": "live"}}


def connect(name):
    """Log in.

    The old password was {PASSWORD}; the token {GITHUB} still works.
    """
    # curl -u admin:{BASIC} https://internal.example/
    # token for the staging service: {ENV_ONLY}
    return open("/data/" + name).read()
''',
    "keys.go": f"package keys\n\nconst pem = `{PEM}`\n\nfunc Key() string {{ return pem }}\n",
    "client.ts": f'export const headers = {{ Authorization: "Bearer {JWT}" }};\nconst slack = "{SLACK}";\n',
    "config.yaml": f"google:\n  apiKey: {GOOGLE}\nmoonshot:\n  key: {MOONSHOT}\n",
    f"dumps/{GITHUB}.py": "def f(a):\n    return a\n",
    "names.py": f"def test_{AWS}():\n    return 1\n\n\nclass Uses:\n    {GITHUB} = 1\n",
    "deploy.sh": f"#!/bin/sh\nexport SERVICE_TOKEN={ENV_ONLY}\ncurl -H 'X-Api-Key: {STRIPE}' https://x.example\n",
}


def test_no_planted_secret_reaches_the_endpoint_the_report_or_the_store(cli: Cli, kimi: FakeKimi) -> None:
    cli.write(TREE)
    echoed = [f"The value {value} stands here." for value in CANARIES]
    kimi.respond(
        lambda request: answer(
            finding("path-traversal", 17, '    return open("/data/" + name).read()'),
            reasoning="I remember " + " ".join(echoed),  # a model that guesses a secret must not put it into the trail
        )
    )
    said = cli.screen(kimi, "--format", "json")
    assert len(kimi.chats) >= 7, "nearly every file must have been sent, or nothing is proven"
    kimi.assert_no_secret(CANARIES)
    trail = cli("trail", "export").out
    calls = [line.split()[3] for line in cli("trail", "list").out.splitlines() if "model-call" in line]
    shown = "".join(cli("trail", "show", call).out for call in calls)
    for value in CANARIES:
        assert value not in trail
        assert value not in shown
        # A path is the user's own to see, on their own terminal.
        assert value not in (said.err + said.out).replace(f"dumps/{GITHUB}.py", "")
    assert "path-traversal" in rules(said)


def test_a_quote_that_holds_a_placeholder_is_found_again(cli: Cli, kimi: FakeKimi) -> None:
    cli.write({"settings.py": TREE["settings.py"]})
    (cli.root / "app.py").unlink()
    quoted: list[str] = []

    def respond(request: Recorded) -> Script:
        text = unit_text(request)
        line = next(line for line in text.splitlines() if "DATABASE_URL" in line)
        quoted.append(line.partition("| ")[2])
        return answer(
            finding("sensitive-data-exposure", 6, quoted[0], "Whoever reads the log sees how to reach the database.")
        )

    kimi.respond(respond)
    said = cli.screen(kimi, "--format", "json")
    assert "SECRET:" in quoted[0]
    [found] = [item for item in said.json["findings"] if item["ruleId"] == "sensitive-data-exposure"]
    assert found["location"]["region"]["startLine"] == 6
    assert DATABASE not in said.out


def test_headers_that_reach_the_endpoint_are_the_honest_ones(
    cli: Cli, kimi: FakeKimi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-canary")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-canary")
    kimi.respond(lambda request: answer())
    cli.screen(kimi)
    for request in kimi.requests:
        assert request.header_names <= HONEST_HEADERS
    kimi.assert_no_secret(["org-canary", "project-canary"])
