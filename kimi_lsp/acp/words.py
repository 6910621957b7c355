"""The commands that only tell: health, explain, report, budget."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from anyio import to_thread

from kimi_lsp.acp.homes import Home
from kimi_lsp.acp.keeper import Keeper
from kimi_lsp.acp.panel import Card
from kimi_lsp.acp.scribe import Scribe
from kimi_lsp.acp.session import Session
from kimi_lsp.acp.telling import Account, Line, budget_text, explain_text, report_text
from kimi_lsp.app.lend import questioners_setup
from kimi_lsp.app.tools import project_tool
from kimi_lsp.errors import UsageError
from kimi_lsp.faces.markup import MARKDOWN
from kimi_lsp.faces.reasons import Reasons
from kimi_lsp.store import Period
from mcp_tools.catalog.findings import finding_id
from mcp_tools.finding import Finding

_MESSAGE = "answer"
_MIN_ID = 4
_HEALTH = "codebase_health"


class Words:
    """Tells what is known. Nothing here asks a model."""

    def __init__(self, keeper: Keeper, session: Session, scribe: Scribe, homes: Sequence[Home]) -> None:
        self._keeper = keeper
        self._session = session
        self._scribe = scribe
        self._homes = homes

    async def health(self) -> None:
        """What the project is made of, by the tool that other agents get too."""
        card = Card("health", "codebase_health", "search")
        self._scribe.card(card)
        sessions = [home.session for home in self._homes]
        try:
            setup = await to_thread.run_sync(questioners_setup, sessions)
            answer = await project_tool(setup, _HEALTH, {})
        except BaseException:
            self._scribe.card(card.now("failed", "Stopped."))
            raise
        text = MARKDOWN.block(answer.text)
        self._scribe.card(card.now("failed" if answer.is_error else "completed", text, raw_output=answer.data or None))
        self._scribe.say(f"{text}\n", _MESSAGE)

    async def explain(self, words: Sequence[str]) -> None:
        """Why a finding is there. Raises UsageError when none, or more than one, is meant."""
        root, finding = self._meant(words)
        home = next((one for one in self._homes if one.root == root), self._homes[0])
        because, trail_id = None, finding.origin.trail_id
        if trail_id is not None:
            because = await to_thread.run_sync(Reasons().look_up, home.session, trail_id)
        verdicts = await to_thread.run_sync(
            lambda: home.session.store().verdicts.get_many(home.session.key, [finding.fingerprint])
        )
        self._scribe.say(explain_text(root, finding, because, verdicts.get(finding.fingerprint)) + "\n", _MESSAGE)

    def report(self) -> None:
        """The last audit's findings. Raises UsageError when there was none."""
        if self._session.report is None:
            raise UsageError("there was no audit in this session.", hint="Say `/audit`.")
        self._scribe.say(report_text(*self._session.report) + "\n", _MESSAGE)

    async def budget(self) -> None:
        """What was spent and what may be. Raises StoreError."""
        account = await to_thread.run_sync(self._account)
        self._scribe.say(budget_text(account) + "\n", _MESSAGE)

    def _account(self) -> Account:
        home = self._homes[0]
        budget, ledger = home.session.settings.budget, self._keeper.store().ledger
        turn_usd = min(budget.run_usd, home.run_usd) if home.run_usd is not None else budget.run_usd
        rows: tuple[tuple[str, Period, Decimal, int | None], ...] = (
            ("today", "day", budget.daily_usd, budget.daily_tokens),
            ("this week", "week", budget.weekly_usd, budget.weekly_tokens),
        )
        lines = [Line("a turn", None, None, turn_usd, budget.run_tokens)]
        for name, since, usd, tokens in rows:
            spent = ledger.spending(since=since)
            lines.append(Line(name, spent.cost_usd, spent.tokens, usd, tokens))
        return Account(self._session.purse.cost_usd, tuple(lines))

    def _meant(self, words: Sequence[str]) -> tuple[Path, Finding]:
        if self._session.report is None:
            raise UsageError("there was no audit in this session.", hint="Say `/audit`.")
        root, report = self._session.report
        wanted = next(iter(words), "").strip("`*,. ").lower()
        if len(wanted) < _MIN_ID:
            raise UsageError("which finding?", hint="Its id stands before its message, such as `/explain 1a2b3c4d`.")
        found = [one for one in report.findings if finding_id(one).startswith(wanted) or one.fingerprint == wanted]
        if len(found) != 1:
            raise UsageError(f"{len(found) or 'no'} findings of the last audit have that id.", hint="Say `/report`.")
        return root, found[0]
