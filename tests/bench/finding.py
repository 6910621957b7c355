"""From the last byte of a finding's JSON leaving the fake server to the auditor's event: parsed, anchored, merged."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from kimi_lsp.app.session import client
from kimi_lsp.audit import Auditor, AuditRequest, Door, Found, Parts
from kimi_lsp.config import Depth, Secret, Settings
from kimi_lsp.model import profile_for
from kimi_lsp.store import Store
from mcp_tools.finding import Lane
from mcp_tools.project import MemoryProject
from mcp_tools.redaction import Redactor
from tests.bench.figure import Figure, at_most, percentile
from tests.fakes.kimi import KEY, FakeKimi
from tests.fakes.script import Script

_FINDINGS = 60
_LINES = 1_000
_DELAY_S = 0.004


def run(quick: bool) -> Iterator[Figure]:
    """The server is a process of its own; both read the system's monotonic clock."""
    delays_ms: list[float] = []
    for _ in range(1 if quick else 5):
        command = [sys.executable, "-m", "tests.bench.finding"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            try:
                arrived = anyio.run(_audit, server.stdout.readline().strip())
                server.stdin.write("done\n")
                server.stdin.flush()
                sent = {int(line): at for line, at in json.loads(server.stdout.readline()).items()}
            finally:
                server.kill()
        delays_ms.extend((arrived[line] - sent[line]) * 1000 for line in sorted(arrived))
        assert len(arrived) == _FINDINGS
    name = "finding: last byte sent to its audit event"
    yield at_most(f"{name}, p50", percentile(delays_ms, 0.50), "ms", 5)
    yield at_most(f"{name}, p95", percentile(delays_ms, 0.95), "ms", 5)


def _text() -> str:
    return "".join(f"value_{number} = compute_{number}(argument, {number})\n" for number in range(_LINES))


def _finding(number: int) -> str:
    line = number * 16
    return json.dumps(
        {
            "rule": "weak-cryptography",
            "line": line + 1,
            "quote": f"value_{line} = compute_{line}(argument, {line})",
            "message": f"Number {number}: the value that is computed here can be guessed.",
            "confidence": "high",
        }
    )


async def _audit(base_url: str) -> dict[int, float]:
    """Audit one file; when each finding's event arrived, by its line."""
    arrived: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as folder, Store.open(folder) as store:
        settings = Settings(Path(folder), base_url=base_url, api_key=Secret(KEY), lanes=(Lane.SECURITY,))

        @asynccontextmanager
        async def door(redactor: Redactor) -> AsyncGenerator[Door]:
            profile = profile_for(settings.model, settings.base_url)
            async with client(settings, profile, redactor.scan) as opened:
                await opened.warm()
                yield opened

        auditor = Auditor(Parts(settings, store=lambda: store, door=door, key=lambda purpose: b"k" * 32))
        request = AuditRequest(MemoryProject({"a.py": _text()}), "bench", depth=Depth.SCREEN)
        async with auditor.audit(request) as events:
            async for event in events:
                if isinstance(event, Found) and event.finding.location.region is not None:
                    arrived[event.finding.location.region.start_line] = time.monotonic()
    return arrived


def _serve() -> None:
    """Print the address, answer one audit, print when each finding's last byte was sent."""
    findings = [_finding(number) for number in range(_FINDINGS)]
    content = '{"findings": [' + ", ".join(findings) + "]}"
    with FakeKimi() as fake:
        fake.respond(lambda request: Script(content=content, chunk_chars=24, delay_s=_DELAY_S / 4))
        sys.stdout.write(fake.base_url + "\n")
        sys.stdout.flush()
        sys.stdin.readline()
        [request] = fake.chats
        sent: dict[int, float] = {}
        for number, finding in enumerate(findings):
            sent[number * 16] = request.answer_sent_at(finding)
        sys.stdout.write(json.dumps(sent) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
