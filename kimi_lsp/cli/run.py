"""Run one audit in a terminal: signals, consent, the report and its exit code."""

import os
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio import to_thread

from kimi_lsp.app.session import Session, open_session
from kimi_lsp.audit import Finished, Found, Noticed, Outgoing, Spent
from kimi_lsp.cli.exits import Exit
from kimi_lsp.cli.show import Show
from kimi_lsp.config import Depth, FailOn, flag_options
from kimi_lsp.errors import ConsentError, UsageError
from mcp_tools.finding import Finding, Notice, Report, sort_key
from mcp_tools.output import Format, render
from mcp_tools.project.git import GitError, changed_since


@dataclass(frozen=True, slots=True)
class Job:
    """What the command line asked for."""

    paths: Sequence[Path]
    flags: Mapping[str, str | bool | Sequence[str] | None]
    format: str
    output: Path | None
    changed_since: str | None


def run(job: Job) -> int:
    """Carry it out. Raises KimiError for what the user has to mend before anything runs."""
    if job.format not in set(Format):
        raise UsageError(f"--format {job.format}: unknown format", hint=f"Known: {', '.join(Format)}.")
    if job.output is not None and not job.output.parent.is_dir():
        raise UsageError(f"--output {job.output}: no such folder")
    session = open_session(job.paths, os.environ, flag_options(job.flags))
    try:
        paths = None if job.changed_since is None else _changed(session, job.changed_since)
        _check_consent(session)
        return anyio.run(_Audit(session, Format(job.format), job.output, paths).run)
    finally:
        session.close()


def _changed(session: Session, revision: str) -> Sequence[str]:
    try:
        return changed_since(session.project, revision)
    except GitError as error:
        raise UsageError(f"--changed-since {revision}: {error}") from None


def _check_consent(session: Session) -> None:
    """Where nobody can be asked, say before the audit what is missing, not after it."""
    settings = session.settings
    if settings.depth is Depth.LOCAL or settings.is_loopback or sys.stdin.isatty():
        return
    if settings.consent.covers(session.project.root):
        return
    if not session.store().consents.has(session.key, settings.endpoint_host):
        raise ConsentError(
            f"nobody has agreed that {session.project.name} goes to {settings.endpoint_host}, and there is no terminal",
            hint="Pass --yes, or set `consent` in your own configuration.",
        )


class _Audit:
    """One run: what was found so far survives whatever ends it."""

    def __init__(self, session: Session, fmt: Format, output: Path | None, paths: Sequence[str] | None) -> None:
        self._session = session
        self._format = fmt
        self._output = output
        self._paths = paths
        self._findings: list[Finding] = []
        self._notices: list[Notice] = []
        self._finished: Finished | None = None
        self._is_unread = False
        self._show = Show(session, is_text=fmt is Format.TEXT and output is None, is_sarif=fmt is Format.SARIF)

    async def run(self) -> int:
        """Audit until the end or a signal; then the report."""
        for text in self._session.resolved.notices:
            self._show.note(text)
        if self._paths is not None and not self._paths:
            self._show.note("no listed file differs from that revision")
            self._finished = Finished(Report(), "", Spent())
            return self._report()
        async with anyio.create_task_group() as group:
            group.start_soon(self._watch_signals, group.cancel_scope)
            with self._show:
                self._is_unread = not await self._audit()
            group.cancel_scope.cancel()
        if self._is_unread:
            raise BrokenPipeError
        return self._report()

    async def _watch_signals(self, scope: anyio.CancelScope) -> None:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for _ in signals:
                signal.signal(signal.SIGINT, signal.SIG_DFL)  # a second Ctrl-C ends it at once
                scope.cancel()
                return

    async def _audit(self) -> bool:
        """Show the events. False when whoever read standard output went away."""
        request = self._session.request(self._paths or (), self._ask_consent)
        async with self._session.auditor().audit(request) as events:
            async for event in events:
                match event:
                    case Found():
                        self._findings.append(event.finding)
                    case Noticed():
                        self._notices.append(event.notice)
                    case Finished():
                        self._finished = event
                    case _:
                        pass
                try:
                    self._show.event(event)
                except BrokenPipeError:
                    return False
        return True

    async def _ask_consent(self, outgoing: Outgoing) -> bool:
        return await to_thread.run_sync(self._show.ask_consent, outgoing, abandon_on_cancel=True)

    def _report(self) -> int:
        finished = self._finished
        if finished is None:
            notice = Notice(
                "interrupted", "the audit was interrupted: this is what was found until then", incomplete=True
            )
            report = Report(
                tuple(sorted(self._findings, key=sort_key)), (*self._notices, notice), self._show.files_read
            )
        else:
            report = finished.report
        context = self._show.context(finished, self._session.trail_head())
        if self._show.is_text:
            self._show.summary(report, context)
        else:
            text = render(report, self._format, context)
            self._write(text if text.endswith("\n") else text + "\n")
        return _exit_code(report, self._session.settings.fail_on)

    def _write(self, text: str) -> None:
        """Write the report whole or not at all."""
        data = text.encode("utf-8", "backslashreplace")
        if self._output is None:
            sys.stdout.buffer.write(data)
            sys.stdout.flush()
            return
        try:
            handle, name = tempfile.mkstemp(dir=self._output.parent, prefix=f".{self._output.name}.")
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(name).replace(self._output)
        except OSError as error:
            raise UsageError(f"--output {self._output}: {(error.strerror or 'cannot be written').lower()}") from None


def _exit_code(report: Report, fail_on: FailOn) -> int:
    if not report.is_complete:
        return Exit.INCOMPLETE
    counted = (finding for finding in report.findings if finding.suppressed is None)
    return Exit.FINDINGS if any(fail_on.is_reached(finding.severity) for finding in counted) else Exit.CLEAN
