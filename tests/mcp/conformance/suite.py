"""Runs the conformance suites against a URL and reads what they found."""

import asyncio
import os
import re
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, TypeAdapter

TIMEOUT_S = 120.0
_STAMP = re.compile(r"^(?:server-)?(?P<scenario>.+?)-\d{4}-\d{2}-\d{2}T[\d-]+Z$")


class _Check(BaseModel):
    """One row of a suite's `checks.json`."""

    id: str
    status: str
    errorMessage: str | None = None  # noqa: N815 - as the file says it


_CHECKS: TypeAdapter[list[_Check]] = TypeAdapter(list[_Check])


@dataclass(frozen=True, slots=True)
class Check:
    """One check of one scenario. `status` is SUCCESS, FAILURE, WARNING, SKIPPED or INFO."""

    scenario: str
    id: str
    status: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run of a suite said. `code` 0: nothing failed that was not expected to."""

    code: int
    checks: Sequence[Check]
    words: str

    @property
    def scenarios(self) -> set[str]:
        """The scenarios that checked something."""
        return {check.scenario for check in self.checks}

    @property
    def failures(self) -> list[Check]:
        """What failed."""
        return [check for check in self.checks if check.status == "FAILURE"]

    @property
    def passed(self) -> int:
        """How many checks succeeded."""
        return sum(check.status == "SUCCESS" for check in self.checks)


async def run(program: str, url: str, folder: Path, *arguments: str) -> Outcome:
    """Run a suite to its end.

    Args:
        program: what starts it.
        url: of the server.
        folder: an empty one, for what the suite writes.
        arguments: further ones, such as `--scenario ping`.
    """
    process = await asyncio.create_subprocess_exec(
        program,
        *("server", "--url", url, "--output-dir", str(folder), *arguments),
        cwd=folder,
        env={"HOME": str(folder), "PATH": os.defpath, "NO_COLOR": "1"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(TIMEOUT_S):
            said, _ = await process.communicate()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    code = process.returncode
    assert code is not None
    return Outcome(code, _checks(folder), said.decode("utf-8", "replace"))


def _checks(folder: Path) -> list[Check]:
    found: list[Check] = []
    for path in sorted(folder.rglob("checks.json")):
        match = _STAMP.match(path.parent.name)
        assert match is not None, path
        rows = _CHECKS.validate_json(path.read_bytes())
        found.extend(Check(match["scenario"], row.id, row.status, row.errorMessage or "") for row in rows)
    return found
