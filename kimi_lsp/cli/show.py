"""What a person sees while an audit runs: findings on standard output, progress on standard error."""

import os
import sys
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.text import Text

from kimi_lsp import __version__
from kimi_lsp.app.session import Session
from kimi_lsp.audit import (
    AskPlanned,
    AuditEvent,
    FactsProgress,
    Finished,
    Found,
    Noticed,
    Outgoing,
    Planned,
    Spent,
    UnitDone,
    UnitStatus,
)
from mcp_tools.finding import Finding, Level, Report
from mcp_tools.output import Context, ToolInfo, finding_text, printable, summary_text
from mcp_tools.project import Source

_URI = "https://github.com/kimi-lsp/kimi-lsp"
_COLOURS = {Level.ERROR: "\x1b[1;31m", Level.WARNING: "\x1b[1;33m", Level.NOTE: "\x1b[1;36m"}


class Show(AbstractContextManager["Show"]):
    """Prints events. With a terminal on standard error there is a live line; without one, a plain line a stage."""

    def __init__(self, session: Session, *, is_text: bool, is_sarif: bool = False) -> None:
        self._session = session
        self._is_sarif = is_sarif
        self.is_text = is_text
        self.files_read = 0
        self._spent = Spent()
        self._total = 0
        self._task: TaskID | None = None
        self._console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        self._has_colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._progress: Progress | None = None
        if self._console.is_terminal:
            self._progress = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=24),
                MofNCompleteColumn(),
                TextColumn("{task.fields[cost]}", markup=False),
                console=self._console,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )

    def __enter__(self) -> Self:
        """Start the live line."""
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the live line away."""
        if self._progress is not None:
            self._progress.stop()

    def event(self, event: AuditEvent) -> None:
        """Show one event."""
        match event:
            case Planned():
                self._stage("facts", event.files)
            case FactsProgress():
                self.files_read = event.done
                self._advance(event.done)
            case AskPlanned():
                cached = f", {event.cached} answered from the cache" if event.cached else ""
                self._stage(f"{event.outgoing.model}{cached}", event.units)
            case Found():
                self._finding(event.finding)
            case UnitDone():
                self._spent = event.spent
                self._unit(event)
            case Noticed() if event.notice.incomplete:
                self.note(event.notice.message)
            case _:
                pass

    def _stage(self, name: str, total: int) -> None:
        self._total, self._done = total, 0
        if self._progress is None:
            unit = "file" if name == "facts" else "unit"
            self._line(f"{name}: {total} {unit}{'' if total == 1 else 's'}")
        elif self._task is None:
            self._task = self._progress.add_task(name, total=total, cost="")
        else:
            self._progress.reset(self._task, total=total, description=name)

    def _advance(self, done: int) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=done, cost=_cost(self._spent))

    def _unit(self, event: UnitDone) -> None:
        self._done += 1
        self._advance(self._done)
        if self._progress is None:
            status = "" if event.status is UnitStatus.REVIEWED else f" ({event.status})"
            self._line(f"{self._done}/{self._total} {printable(event.unit)}{status} {_cost(event.spent)}")

    def _finding(self, finding: Finding) -> None:
        if not self.is_text or finding.suppressed is not None:
            return
        text = finding_text(finding, self._source(finding.location.path))
        if self._has_colours:
            mark = f" {finding.severity}["
            text = text.replace(mark, f" {_COLOURS[finding.severity]}{finding.severity}\x1b[0m[", 1)
        self._print(text)

    def _print(self, text: str) -> None:
        """A text on standard output at once. Raises BrokenPipeError when its reader is gone."""
        shares_line = self._progress is not None and self._progress.live.is_started and sys.stdout.isatty()
        if self._progress is not None and shares_line:
            self._progress.stop()  # takes the live line away; it comes back below what is printed
        sys.stdout.buffer.write((text.rstrip("\n") + "\n").encode("utf-8", "backslashreplace"))
        sys.stdout.flush()
        if self._progress is not None and shares_line:
            self._progress.start()

    def note(self, text: str) -> None:
        """A line for the person who runs it."""
        self._line(f"note: {printable(text)}")

    def _line(self, text: str) -> None:
        self._console.print(Text(text))

    def ask_consent(self, outgoing: Outgoing) -> bool:
        """Say what would leave and ask for a yes. Blocks; anything but y or yes is a no."""
        if self._progress is not None:
            self._progress.stop()
        self._line(
            f"{outgoing.files} files ({outgoing.bytes:,} bytes, secrets taken out) of {printable(outgoing.project)} "
            f"would go to {outgoing.endpoint} in {outgoing.requests} requests to {outgoing.model}, "
            f"at the most ${outgoing.max_cost_usd:.2f}, within your budget."
        )
        if outgoing.tools:
            self._line(
                f"The model may read other files of it too, and call: {', '.join(map(printable, outgoing.tools))}."
            )
        sys.stderr.write("Send them, now and in later audits of this project? [y/N] ")
        sys.stderr.flush()
        agreed = sys.stdin.readline().strip().lower() in {"y", "yes"}
        if self._progress is not None:
            self._progress.start()
        return agreed

    def context(self, finished: Finished | None, trail_head: str | None) -> Context:
        """What a report says of the run."""
        settings = self._session.settings
        facts = [("depth", settings.depth.value)]
        spent = finished.spent if finished else self._spent
        if finished and finished.units:
            units = ", ".join(f"{count} {status}" for status, count in sorted(finished.units.items()) if count)
            facts.append(("model", f"{settings.model} at {settings.endpoint_host}"))
            facts.append(("units", units))
        if spent.calls:
            estimated = " (partly estimated)" if spent.usage.is_estimated else ""
            facts.append(("tokens", f"{spent.usage.total_tokens:,} ({spent.usage.cached_tokens:,} cached){estimated}"))
            facts.append(("cost", f"${spent.cost_usd:.4f} of ${settings.budget.run_usd}"))
        if spent.calls and trail_head:
            facts.append(("trail", trail_head))
        return Context(
            tool=ToolInfo("kimi-lsp", __version__, _URI),
            sources=self._source,
            help_base=f"{_URI}/blob/main/docs/",
            category=f"kimi-lsp/{settings.depth}",  # GitHub keeps the alerts of facts and of a model apart
            facts=tuple(facts),
            with_suppressed=not self._is_sarif,  # GitHub opens an alert for each, whatever the mark says
        )

    def summary(self, report: Report, context: Context) -> None:
        """The last lines of a text report: the findings stand above already."""
        self._print(summary_text(report, context))

    def _source(self, path: str) -> Source | None:
        source = self._session.project.read(path)
        return source if isinstance(source, Source) else None


def _cost(spent: Spent) -> str:
    return f"{spent.usage.total_tokens:,} tokens, ${spent.cost_usd:.4f}" if spent.calls else ""
