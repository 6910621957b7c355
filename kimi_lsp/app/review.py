"""`kimi_review`: a model review of some paths as one more MCP tool. Budgeted, recorded, off by default."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import anyio
from anyio import to_thread
from pydantic import Field

from kimi_lsp.app.lend import tools_setup
from kimi_lsp.app.session import Session, open_session
from kimi_lsp.audit import Finished, Outgoing
from kimi_lsp.config import Depth, Settings
from kimi_lsp.errors import KimiError
from mcp_tools.browse import choose
from mcp_tools.catalog.documents import Document, FindingItem, NoticeItem
from mcp_tools.catalog.findings import at_least, finding_id, findings_answer
from mcp_tools.catalog.handle import Signer
from mcp_tools.catalog.page import Room
from mcp_tools.catalog.params import MAX_PATHS, MinSeverity, Params, PathText
from mcp_tools.catalog.schema import input_schema_of, output_schema_of
from mcp_tools.catalog.tool import ArgumentError, parsed
from mcp_tools.catalog.values import Answer, JsonObject
from mcp_tools.catalog.view import Memo, RootError, View, open_project
from mcp_tools.finding import Finding, Location, Notice, Report
from mcp_tools.output import printable
from mcp_tools.output.summary import count_of
from mcp_tools.project import Project, Source

_MAX_FILES = 50
_MAX_ENTRIES = 100
_MAX_CHARS = 40_000
_SAID = 5  # notices in a refusal


class ReviewParams(Params):
    """Arguments of `kimi_review`."""

    paths: Annotated[list[PathText], Field(min_length=1, max_length=MAX_PATHS)] = Field(
        description="Relative files, folders, globs; 50 files at most."
    )
    min_severity: MinSeverity = "note"
    max_cost_usd: float | None = Field(
        default=None, gt=0, le=100, allow_inf_nan=False, description="Can only lower the user's limit."
    )


class Usage(Document):
    """What a review cost."""

    model: str
    calls: int
    cost_usd: float
    prompt_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    estimated: bool


class ReviewPage(Document):
    """What a review found and cost. The counts are of all findings, not of those that had room."""

    total: int
    returned: int
    truncated: bool
    counts: dict[str, int]  # by level
    files_read: int
    suppressed: int
    complete: bool
    findings: list[FindingItem]
    notices: list[NoticeItem]
    trail: str  # the run, as `kimi-lsp trail list --run` takes it
    records: dict[str, str]  # finding id -> the trail record with the reasoning, as `kimi-lsp trail show` takes it
    usage: Usage


class ReviewTool:
    """Asks the configured model about one project, as it and its settings are at each call. One review at a time."""

    name = "kimi_review"
    title = "Review by Kimi"
    is_open_world = True

    def __init__(self, root: Path, environ: Mapping[str, str], model: str) -> None:
        self._root, self._environ, self._model = root, environ, model
        self._alone = anyio.Lock()

    @property
    def description(self) -> str:
        """What it does; the same for as long as the server runs."""
        return (
            f"Have {self._model} review files for security weaknesses: their text goes, secrets redacted, to the "
            "user's endpoint, and that costs money within the user's budget. Returns anchored findings, usage and "
            "trail records. For what other tools flagged, not for whole projects."
        )

    @property
    def input_schema(self) -> JsonObject:
        """The schema of its arguments."""
        return input_schema_of(ReviewParams)

    @property
    def output_schema(self) -> JsonObject:
        """The schema of its data."""
        return output_schema_of(ReviewPage)

    async def call(self, arguments: JsonObject) -> Answer:
        """Review. What stands in the way is an answer that says so."""
        try:
            params = parsed(ReviewParams, arguments)
            self._alone.acquire_nowait()  # who waits would keep the other tools from being called
        except ArgumentError as error:
            return self._refused(str(error))
        except anyio.WouldBlock:
            return self._refused("a review is under way; call again when it has ended")
        try:
            return await self._alone_with(params)
        except KimiError as error:
            return self._refused(error.line)
        except RootError as error:
            return self._refused(str(error))
        finally:
            self._alone.release()

    async def _alone_with(self, params: ReviewParams) -> Answer:
        session = await to_thread.run_sync(open_session, [self._root], self._environ)
        try:
            return await self._review(session, params)
        finally:
            with anyio.CancelScope(shield=True):  # also when it was cancelled: the store is closed
                await to_thread.run_sync(session.close)

    async def _review(self, session: Session, params: ReviewParams) -> Answer:
        if session.settings.depth is Depth.LOCAL:
            return self._refused("the project's own configuration allows no model")
        if not await to_thread.run_sync(_is_agreed, session):
            host = session.settings.endpoint_host
            return self._refused(
                f"nobody has agreed that this project goes to {host}; the user runs `kimi-lsp audit` or sets consent"
            )
        setup = tools_setup([self._root], [session], for_models=True)
        project = await to_thread.run_sync(open_project, setup)
        meant = await to_thread.run_sync(choose, project, params.paths)
        if not meant.paths:
            why = "; ".join(dict.fromkeys(f"{each.code}: {each.message}" for each in meant.notices[:_SAID]))
            return self._refused(f"no listed file matches{': ' if why else ''}{why}")
        if len(meant.paths) > _MAX_FILES:
            return self._refused(f"{len(meant.paths):,} files match, the limit is {_MAX_FILES}; name fewer")
        place = _Place(project, self._root.relative_to(session.project.root).as_posix())
        finished = await _audit(session, [place.outer(path) for path in meant.paths], params.max_cost_usd)
        report = await to_thread.run_sync(place.told, finished.report, meant.notices)
        view = View(setup, Signer(b""), Memo(), project)
        return self._said(replace(finished, report=report), params, view, session.settings)

    def _refused(self, why: str) -> Answer:
        return Answer(f"{self.name}: {why}", {}, is_error=True)

    def _said(self, finished: Finished, params: ReviewParams, view: View, settings: Settings) -> Answer:
        report, spent = at_least(finished.report, params.min_severity), finished.spent
        page = findings_answer(self.name, finished.run_id, report, view, None, Room(_MAX_CHARS, _MAX_ENTRIES))
        listed = {str(item["id"]) for item in _findings(page.data)}
        records = {
            finding_id(finding): finding.origin.trail_id
            for finding in report.findings
            if finding.origin.trail_id is not None and finding_id(finding) in listed
        }
        usage = spent.usage
        cost: JsonObject = {
            "model": printable(settings.model),
            "calls": spent.calls,
            "cost_usd": float(spent.cost_usd),
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "reasoning_tokens": usage.reasoning_tokens,
            "estimated": usage.is_estimated,
        }
        found = {key: value for key, value in page.data.items() if key in ReviewPage.model_fields}
        data: JsonObject = {**found, "trail": finished.run_id, "records": {**records}, "usage": cost}
        first, *rest = page.text.split("\n")
        if rest and page.data["total"]:
            rest[-1] = "get_finding(id) tells a finding of the tools whole; explain_rule(rule) says what a rule means."
        told = (
            f"{printable(settings.model)}: {count_of(spent.calls, 'call')}, "
            f"{usage.prompt_tokens:,} tokens in, {usage.completion_tokens:,} out "
            f"({usage.reasoning_tokens:,} of them reasoning){' (estimated)' if usage.is_estimated else ''}, "
            f"${spent.cost_usd:.4f}; trail {finished.run_id}"
        )
        reasons = [f"{name}: its reasoning is in trail record {record}" for name, record in records.items()]
        return Answer("\n".join([first.partition("; next_cursor=")[0], told, *rest, *reasons]), data)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the served folder lies in the project that is audited: paths are told as they are in the folder."""

    project: Project  # the folder
    below: str  # its path in the audited one; `.` for the same

    def outer(self, path: str) -> str:
        """A path of the folder as the audited project says it."""
        return path if self.below == "." else f"{self.below}/{path}"

    def told(self, report: Report, notices: Sequence[Notice]) -> Report:
        """The report as the folder says it, with what was noticed before."""
        if self.below != ".":
            moved = tuple(replace(each, path=self._inner(each.path)) for each in report.notices)
            report = replace(report, findings=tuple(map(self._moved, report.findings)), notices=moved)
        return replace(report, notices=tuple(dict.fromkeys((*report.notices, *notices))))

    def _moved(self, finding: Finding) -> Finding:
        """The finding as the other tools name it: the fingerprint holds the path."""
        place = self._location(finding.location)
        source = self.project.read(place.path)
        name = source.fingerprint(finding.rule.id, place.region) if isinstance(source, Source) else finding.fingerprint
        related = tuple(replace(each, location=self._location(each.location)) for each in finding.related)
        return replace(finding, location=place, fingerprint=name, related=related)

    def _location(self, location: Location) -> Location:
        return replace(location, path=self._inner(location.path) or location.path)

    def _inner(self, path: str | None) -> str | None:
        return path and path.removeprefix(f"{self.below}/")


def review_tool(root: Path, environ: Mapping[str, str], settings: Settings) -> ReviewTool | None:
    """The tool, where the user has switched it on and a model can be asked."""
    can_ask = settings.api_key is not None or settings.is_loopback
    is_wanted = settings.mcp_review and settings.depth is not Depth.LOCAL
    return ReviewTool(root, environ, settings.model) if is_wanted and can_ask else None


def _is_agreed(session: Session) -> bool:
    settings = session.settings
    if settings.is_loopback or settings.consent.covers(session.project.root):
        return True
    return session.store().consents.has(session.key, settings.endpoint_host)


async def _audit(session: Session, paths: Sequence[str], max_cost_usd: float | None) -> Finished:
    run_usd = None if max_cost_usd is None else Decimal(str(max_cost_usd))
    finished: Finished | None = None
    async with session.auditor(run_usd=run_usd).audit(session.request(paths, _never)) as events:
        async for event in events:
            if isinstance(event, Finished):
                finished = event
    assert finished is not None  # the stream ends with it
    return finished


async def _never(_: Outgoing) -> bool:
    """Nobody can be asked here: what was not agreed before is not sent."""
    return False


def _findings(data: JsonObject) -> list[JsonObject]:
    found = data.get("findings")
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
