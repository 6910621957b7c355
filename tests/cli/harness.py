"""Run a command line in this process and hold what it said; build trees and answers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kimi_lsp.cli.main import run
from tests.fakes.kimi import KEY, FakeKimi
from tests.fakes.record import Recorded
from tests.fakes.script import Script

APP = """\
import subprocess
import sqlite3


def list_folder(name):
    subprocess.run("ls " + name, shell=True)


def user(db, name):
    return db.execute("SELECT * FROM users WHERE name = '%s'" % name)


def read(root, name):
    path = root + "/" + name
    return open(path).read()
"""


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


class Cli:
    """A command line with a project and perhaps an endpoint."""

    def __init__(self, capfd: pytest.CaptureFixture[str], root: Path) -> None:
        self._capfd = capfd
        self.root = root

    def __call__(self, *arguments: str) -> Said:
        """Run one command line."""
        self._capfd.readouterr()
        code = run(arguments)
        said = self._capfd.readouterr()
        return Said(int(code), said.out, said.err)

    def audit(self, *arguments: str) -> Said:
        """Audit the project."""
        return self("audit", str(self.root), *arguments)

    def screen(self, kimi: FakeKimi, *arguments: str) -> Said:
        """Audit the project with a model."""
        return self.audit("--depth", "screen", "--base-url", kimi.base_url, *arguments)

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Put files into the project."""
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())


def finding(
    rule: str, line: int, quote: str, message: str = "Outside text chooses the file that is read."
) -> dict[str, Any]:
    """One finding as a model writes it."""
    return {
        "rule": rule,
        "line": line,
        "quote": quote,
        "message": message,
        "why": "The name comes from the caller and nothing checks it.",
        "confidence": "high",
        "fix": "Check that the path stays inside the root.",
    }


TRAVERSAL = finding("path-traversal", 14, '    path = root + "/" + name')


def answer(*findings: Mapping[str, Any], reasoning: str = "Let me look at the file.", **more: Any) -> Script:
    """A well-formed answer."""
    return Script(reasoning=reasoning, content=json.dumps({"findings": list(findings)}), **more)


def messages(request: Recorded) -> list[dict[str, Any]]:
    """The messages of a request."""
    body: Any = request.json
    return body["messages"]


def unit_text(request: Recorded) -> str:
    """The last message of a request: the unit."""
    return messages(request)[-1]["content"]


def unit_path(request: Recorded) -> str:
    """The path of the file that a request is about."""
    return unit_text(request).removeprefix("File: ").partition(" (")[0]


def rules(said: Said) -> Sequence[str]:
    """The rule ids of a JSON report, in order."""
    return [item["ruleId"] for item in said.json["findings"]]


def notice_codes(said: Said) -> set[str]:
    """The notice codes of a JSON report."""
    return {item["code"] for item in said.json["notices"]}


__all__ = [
    "APP",
    "KEY",
    "TRAVERSAL",
    "Cli",
    "Said",
    "answer",
    "finding",
    "messages",
    "notice_codes",
    "rules",
    "unit_path",
    "unit_text",
]
