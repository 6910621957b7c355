"""`workspace/executeCommand`: audits, decisions, explanations. Every command may come without arguments."""

import os
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from anyio import to_thread

from kimi_lsp.errors import KimiError
from kimi_lsp.faces.reasons import Reasons
from kimi_lsp.faces.rule_pages import page_uri
from kimi_lsp.faces.uris import uri_of
from kimi_lsp.lsp.audits import Order
from kimi_lsp.lsp.commands import (
    CommandName,
    FileArgument,
    FindingArgument,
    RuleArgument,
    SelectionArgument,
    read_argument,
)
from kimi_lsp.lsp.connection import INVALID_PARAMS, REQUEST_FAILED, RequestError
from kimi_lsp.lsp.convert import Shown, to_region
from kimi_lsp.lsp.documents import Document
from kimi_lsp.lsp.explain import as_markdown, reasoning_document
from kimi_lsp.lsp.landing import Snapshot
from kimi_lsp.lsp.orders import changes_order, file_order, selection_order, snapshots, sorted_out
from kimi_lsp.lsp.parts import Parts
from kimi_lsp.lsp.protocol import (
    AuditResult,
    ExecuteCommandParams,
    MessageParams,
    MessageType,
    ShowDocumentParams,
    ShowDocumentResult,
)
from kimi_lsp.lsp.workspace import Home
from kimi_lsp.store.values import Decision
from mcp_tools import rules
from mcp_tools.project.git import GitError

_NO_DOCUMENT = "no document is open"
_DEFAULT_REASON = "dismissed in the editor"
_SHOW_DEADLINE_S = 20.0


class Commands:
    """The commands by name."""

    def __init__(self, parts: Parts, reasons: Reasons, opened: Callable[[Document], Awaitable[Home | None]]) -> None:
        self._parts = parts
        self._reasons = reasons
        self._opened = opened  # waits until a document's project is known
        self._handlers: Mapping[str, Callable[[ExecuteCommandParams], object]] = {
            CommandName.AUDIT_FILE: self._audit_file,
            CommandName.AUDIT_SELECTION: self._audit_selection,
            CommandName.AUDIT_CHANGES: self._audit_changes,
            CommandName.AUDIT_WORKSPACE: self._audit_workspace,
            CommandName.CANCEL: self._cancel,
            CommandName.CONFIRM: lambda params: self._decide(params, Decision.CONFIRMED),
            CommandName.DISMISS: lambda params: self._decide(params, Decision.DISMISSED),
            CommandName.SHOW_REASONING: self._show_reasoning,
            CommandName.COPY_AS_MARKDOWN: self._copy,
            CommandName.OPEN_RULE_PAGE: self._open_page,
        }

    def execute(self, params: ExecuteCommandParams) -> object:
        """Run a command; what it returns is the answer, or comes to it."""
        handler = self._handlers.get(params.command)
        if handler is None:
            raise RequestError(INVALID_PARAMS, "unknown command")
        try:
            return handler(params)
        except msgspec.MsgspecError:
            raise RequestError(INVALID_PARAMS, f"{params.command}: the argument has another shape") from None

    # Audits

    def _audit_file(self, params: ExecuteCommandParams) -> Awaitable[AuditResult]:
        argument = read_argument(params.arguments, FileArgument)
        document = self._document(argument.uri)
        [snapshot] = snapshots(self._parts, document)
        return self._run_file(snapshot, params.work_done_token)

    async def _run_file(self, snapshot: Snapshot, token: int | str | None) -> AuditResult:
        home = await self._home(snapshot)
        return await self._run(file_order(home, snapshot), token)

    def _audit_selection(self, params: ExecuteCommandParams) -> Awaitable[AuditResult]:
        argument = read_argument(params.arguments, SelectionArgument)
        document = self._document(argument.uri)
        [snapshot] = snapshots(self._parts, document)
        if argument.range is None:
            return self._run_file(snapshot, params.work_done_token)
        region = to_region(argument.range, document.source(), self._parts.encoding)
        last = region.end_line - (1 if region.end_column == 0 and region.end_line > region.start_line else 0)
        return self._run_selection(snapshot, (region.start_line, last), params.work_done_token)

    async def _run_selection(self, snapshot: Snapshot, lines: tuple[int, int], token: int | str | None) -> AuditResult:
        home = await self._home(snapshot)
        return await self._run(selection_order(home, snapshot, lines), token)

    def _audit_changes(self, params: ExecuteCommandParams) -> Awaitable[AuditResult]:
        argument = read_argument(params.arguments, FileArgument)
        document = self._parts.document(argument.uri)
        return self._run_changes(snapshots(self._parts), document, params.work_done_token)

    async def _run_changes(
        self, taken: list[Snapshot], document: Document | None, token: int | str | None
    ) -> AuditResult:
        home = await self._home_for(document, taken)
        mine = sorted_out(taken, home)
        try:
            order = await changes_order(home, mine)
        except GitError as error:
            _release(mine)
            return AuditResult("failed", message=f"what changed cannot be told: {error}")
        except BaseException:
            _release(mine)
            raise
        if order is None:
            _release(mine)
            return AuditResult("finished", message="nothing differs from the last commit")
        return await self._run(order, token)

    def _audit_workspace(self, params: ExecuteCommandParams) -> Awaitable[AuditResult]:
        argument = read_argument(params.arguments, FileArgument)
        document = self._parts.document(argument.uri)
        return self._run_workspace(snapshots(self._parts), document, params.work_done_token)

    async def _run_workspace(
        self, taken: list[Snapshot], document: Document | None, token: int | str | None
    ) -> AuditResult:
        home = await self._home_for(document, taken)
        return await self._run(Order(f"Kimi: audit {home.root.name}", home, sorted_out(taken, home)), token)

    async def _run(self, order: Order, token: int | str | None) -> AuditResult:
        result = await self._parts.audits.run(order, token)
        self._parts.redraw()
        trouble = result.message if result.state == "failed" else next(iter(result.notices), None)
        if trouble and self._parts.settings.show_notices == "onError":
            self._parts.connection.notify("window/showMessage", MessageParams(MessageType.WARNING, f"Kimi: {trouble}"))
        return result

    def _document(self, uri: str | None) -> Document:
        document = self._parts.document(uri)
        if document is None:
            raise RequestError(REQUEST_FAILED, _NO_DOCUMENT if uri is None else "this document is not open")
        return document

    async def _home(self, snapshot: Snapshot) -> Home:
        """The project of a document that is a file; without one its snapshot is released."""
        try:
            home = await self._opened(snapshot.document)
        except BaseException:
            snapshot.release()
            raise
        if home is None or snapshot.document.path is None:
            snapshot.release()
            raise RequestError(REQUEST_FAILED, "only a file of a project can be audited: save it first")
        return home

    async def _home_for(self, document: Document | None, taken: list[Snapshot]) -> Home:
        try:
            home = None if document is None else await self._opened(document)
            if home is None:
                home = await to_thread.run_sync(self._parts.workspace.primary)
        except BaseException:
            _release(taken)
            raise
        if home is None:
            _release(taken)
            raise RequestError(REQUEST_FAILED, "no folder is open")
        return home

    def _cancel(self, params: ExecuteCommandParams) -> object:
        argument = read_argument(params.arguments, FileArgument)
        count = self._parts.jobs.cancel("cancelled by the user", uri=argument.uri)
        return {"cancelled": count}

    # Decisions

    def _decide(self, params: ExecuteCommandParams, decision: Decision) -> Awaitable[object]:
        argument = read_argument(params.arguments, FindingArgument)
        document, shown = self._finding(argument)
        return self._write(document, shown, decision, argument.reason)

    async def _write(self, document: Document, shown: Shown, decision: Decision, reason: str | None) -> object:
        home = await self._opened(document)
        if home is None or home.session is None:
            raise RequestError(REQUEST_FAILED, "a decision belongs to a project, and there is none")
        why = (reason or "").strip() or (_DEFAULT_REASON if decision is Decision.DISMISSED else "")
        finding, session = shown.finding, home.session
        who = os.environ.get("USER") or os.environ.get("USERNAME") or ""

        def write() -> None:
            store = session.store()
            verdict = store.verdicts.set(home.key, finding.fingerprint, decision, reason=why, who=who)
            store.trail.append(
                "verdict",
                {
                    "project": home.key,
                    "fingerprint": finding.fingerprint,
                    "rule": finding.rule.id,
                    "decision": verdict.decision.value,
                    "reason": verdict.reason,
                    "who": who,
                    "call": finding.origin.trail_id,
                },
            )
            self._parts.book.set(home, verdict)

        await to_thread.run_sync(write)
        self._parts.publisher.publish(document)
        self._parts.redraw()
        return {"fingerprint": finding.fingerprint, "decision": decision.value}

    # Explanations

    def _show_reasoning(self, params: ExecuteCommandParams) -> Awaitable[object]:
        document, shown = self._finding(read_argument(params.arguments, FindingArgument))
        return self._reasoning(document, shown)

    async def _reasoning(self, document: Document, shown: Shown) -> object:
        home, trail_id = await self._opened(document), shown.finding.origin.trail_id
        if home is None or home.session is None or trail_id is None:
            raise RequestError(REQUEST_FAILED, "a tool found this: there is no reasoning of a model")
        because = await to_thread.run_sync(self._reasons.look_up, home.session, trail_id)
        if because is None:
            raise RequestError(REQUEST_FAILED, "the trail has no record of this call any more")
        text = reasoning_document(shown, because)
        folder = home.session.settings.state_dir / "reasoning"

        def write() -> str:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = folder / f"{trail_id.replace('/', '-')}-{shown.finding.fingerprint[:8]}.md"
            file.unlink(missing_ok=True)
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as out:
                out.write(text)
            return uri_of(file)

        try:
            uri = await to_thread.run_sync(write)
        except OSError:
            return {"uri": None, "text": text, "shown": False}
        return {"uri": uri, "text": text, "shown": await self._show(uri)}

    def _copy(self, params: ExecuteCommandParams) -> object:
        _, shown = self._finding(read_argument(params.arguments, FindingArgument))
        return as_markdown(shown)

    def _open_page(self, params: ExecuteCommandParams) -> Awaitable[object]:
        argument = read_argument(params.arguments, RuleArgument)
        if argument.rule is None:
            raise RequestError(INVALID_PARAMS, "which rule?")
        text = rules.page(argument.rule)
        if text is None:
            raise RequestError(INVALID_PARAMS, "this rule has no page")
        return self._page(page_uri(argument.rule), text)

    async def _page(self, uri: str | None, text: str) -> object:
        return {"uri": uri, "text": text, "shown": uri is not None and await self._show(uri)}

    async def _show(self, uri: str) -> bool:
        """Open a document in the editor, where it can."""
        if not self._parts.caps.show_document:
            return False
        params = ShowDocumentParams(uri, take_focus=True)
        try:
            result = await self._parts.connection.request(
                "window/showDocument", params, ShowDocumentResult, timeout_s=_SHOW_DEADLINE_S
            )
        except (RequestError, TimeoutError, KimiError):
            return False
        return result.success

    def _finding(self, argument: FindingArgument) -> tuple[Document, Shown]:
        """The finding that is meant: the one that is named; without a name the only one there is."""
        document = self._document(argument.uri)
        shown = self._parts.publisher.shown(document)
        if argument.fingerprint is not None:
            shown = [one for one in shown if one.finding.fingerprint == argument.fingerprint]
        if not shown:
            raise RequestError(REQUEST_FAILED, "this finding is not there any more")
        if len(shown) > 1:
            raise RequestError(INVALID_PARAMS, "which finding? Name its fingerprint")
        return document, shown[0]


def _release(taken: list[Snapshot]) -> None:
    for snapshot in taken:
        snapshot.release()
