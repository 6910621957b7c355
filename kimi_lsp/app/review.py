"""`kimi_review`: a model review of some paths as one more MCP tool. Budgeted, recorded, off by default."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import anyio
from anyio import to_thread
from pydantic import Field

from kimi_lsp.app.session import Session, open_session
from kimi_lsp.audit import Finished, Outgoing
from kimi_lsp.config import Depth, Settings
from kimi_lsp.errors import KimiError
from mcp_tools.browse import choose
from mcp_tools.catalog.documents import FindingItem, NoticeItem
from mcp_tools.catalog.documents import PageDocument as Page
from mcp_tools.catalog.findings import at_least, finding_id, findings_answer
from mcp_tools.catalog.handle import Signer
from mcp_tools.catalog.page import Room
from mcp_tools.catalog.params import MAX_PATHS, MinSeverity, Params, PathText
from mcp_tools.catalog.schema import input_schema_of, output_schema_of
from mcp_tools.catalog.tool import ArgumentError, parsed
from mcp_tools.catalog.values import Answer, JsonObject, Setup
from mcp_tools.catalog.view import Memo, View

_MAX_FILES = 50
_MAX_ENTRIES = 100
_MAX_CHARS = 40_000


class ReviewParams(Params):
    """Arguments of `kimi_review`."""

    paths: Annotated[list[PathText], Field(min_length=1, max_length=MAX_PATHS)] = Field(
        description="Relative files, folders or globs; at most 50 files."
    )
    min_severity: MinSeverity = Field(default="note", description="Leave out what is less grave.")
    max_cost_usd: float | None = Field(
        default=None, gt=0, le=100, allow_inf_nan=False, description="US dollars at the most; can only lower the limit."
    )


class ReviewPage(Page):
    """What a review found and cost. `trail` names the run in the trail: `kimi-lsp trail show`."""

    counts: dict[str, int]
    by_rule: dict[str, int]
    files_read: int
    suppressed: int
    complete: bool
    findings: list[FindingItem]
    notices: list[NoticeItem]
    model: str
    trail: str
    records: dict[str, str]  # finding id -> the trail record with the reasoning
    cost_usd: float
    prompt_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    calls: int


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
            f"Have {self._model} review files for security weaknesses. Sends their text, secrets redacted, to the "
            "endpoint that the user configured, and costs money within the user's budget. Returns anchored findings, "
            "tokens, cost and the trail record that holds the reasoning. Use it on what the other tools flagged, not "
            "on whole projects. It changes no file of the project."
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
            async with self._alone:
                session = await to_thread.run_sync(open_session, [self._root], self._environ)
                try:
                    return await self._review(session, params)
                finally:
                    await to_thread.run_sync(session.close)
        except (ArgumentError, KimiError) as error:
            said = error.line if isinstance(error, KimiError) else str(error)
            return Answer(f"{self.name}: {said}", {}, is_error=True)

    async def _review(self, session: Session, params: ReviewParams) -> Answer:
        if session.settings.depth is Depth.LOCAL:
            return self._refused("the project's own configuration allows no model")
        if not await to_thread.run_sync(_is_agreed, session):
            host = session.settings.endpoint_host
            return self._refused(
                f"nobody has agreed that this project goes to {host}; the user runs `kimi-lsp audit` or sets consent"
            )
        view = View(session.project, Setup(()), Signer(b""), Memo())
        meant = await to_thread.run_sync(choose, view.project, params.paths)
        if not meant.paths:
            return self._refused("no listed file matches")
        if len(meant.paths) > _MAX_FILES:
            return self._refused(f"{len(meant.paths):,} files match, the limit is {_MAX_FILES}; name fewer")
        finished = await _audit(session, meant.paths, params.max_cost_usd)
        return self._said(finished, params, view, session.settings)

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
        data: JsonObject = {
            **{key: value for key, value in page.data.items() if key not in ("next_cursor", "report")},
            "model": settings.model,
            "trail": finished.run_id,
            "records": {**records},
            "cost_usd": float(spent.cost_usd),
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "reasoning_tokens": usage.reasoning_tokens,
            "calls": spent.calls,
        }
        first, *rest = page.text.split("\n")
        cost = (
            f"{settings.model}: {spent.calls} calls, {usage.prompt_tokens:,} tokens in, "
            f"{usage.completion_tokens:,} out, ${spent.cost_usd:.4f}; trail {finished.run_id}"
        )
        return Answer("\n".join([first.partition("; next_cursor=")[0], cost, *rest]), data)


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
