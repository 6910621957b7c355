"""What humans said of findings, by project: read once without opening the store, kept up to date by decisions here."""

from collections.abc import Mapping

from kimi_lsp.lsp.workspace import Home
from kimi_lsp.store.peek import peek_verdicts
from kimi_lsp.store.values import Decision, Verdict
from mcp_tools.finding import Finding


class Book:
    """The verdicts of the projects in use."""

    def __init__(self) -> None:
        self._verdicts: dict[str, Mapping[str, Verdict]] = {}

    def has(self, home: Home) -> bool:
        """Say whether a project's verdicts are known."""
        return home.key in self._verdicts

    @staticmethod
    def peek(home: Home) -> Mapping[str, Verdict]:
        """Read a project's verdicts; in a thread."""
        return {} if home.session is None else peek_verdicts(home.session.settings.state_dir, home.key)

    def load(self, home: Home, verdicts: Mapping[str, Verdict]) -> None:
        """Keep them."""
        self._verdicts[home.key] = verdicts

    def set(self, home: Home, verdict: Verdict) -> None:
        """Keep a new decision."""
        self._verdicts[home.key] = {**self._verdicts.get(home.key, {}), verdict.fingerprint: verdict}

    def of(self, home: Home | None, finding: Finding) -> Verdict | None:
        """The word on a finding."""
        return None if home is None else self._verdicts.get(home.key, {}).get(finding.fingerprint)

    def is_dismissed(self, home: Home | None, finding: Finding) -> bool:
        """Say whether a finding is not to be shown: a marker in the text or a human says so."""
        verdict = self.of(home, finding)
        if verdict is not None:
            return verdict.decision is Decision.DISMISSED
        return finding.suppressed is not None and not finding.suppressed.startswith("dismissed")
