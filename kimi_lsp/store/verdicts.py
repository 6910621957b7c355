"""The human's word on a finding, found again by its fingerprint."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, RowMapping

from kimi_lsp.errors import UsageError
from kimi_lsp.store.clock import Clock, stamp
from kimi_lsp.store.database import Database
from kimi_lsp.store.tables import verdicts
from kimi_lsp.store.values import Decision, Verdict

_HEAD = "verdicts"
_BATCH = 500


class Verdicts:
    """The last decision on each finding of each project. The history of decisions is the trail's to keep."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def set(self, project: str, fingerprint: str, decision: Decision, *, reason: str = "", who: str = "") -> Verdict:
        """Write a decision down in the place of an earlier one.

        Raises UsageError when a dismissal gives no reason; StoreError.
        """
        if decision is Decision.DISMISSED and not reason.strip():
            raise UsageError("A finding is dismissed with a reason.", hint="Say why it does not hold.")
        verdict = Verdict(fingerprint, decision, reason.strip(), who, stamp(self._clock()))
        with self._database.write(_HEAD) as connection:
            connection.execute(verdicts.delete().where(*_is(project, fingerprint)))
            connection.execute(
                verdicts.insert().values(
                    project=project,
                    fingerprint=fingerprint,
                    decision=verdict.decision,
                    reason=verdict.reason,
                    who=who,
                    given_at=verdict.given_at,
                )
            )
        return verdict

    def clear(self, project: str, fingerprint: str) -> bool:
        """Take a decision back; False when there was none. Raises StoreError."""
        with self._database.write(_HEAD) as connection:
            return connection.execute(verdicts.delete().where(*_is(project, fingerprint))).rowcount > 0

    def get_many(self, project: str, fingerprints: Iterable[str]) -> dict[str, Verdict]:
        """The verdicts that exist, by fingerprint. Raises StoreError."""
        every = list(dict.fromkeys(fingerprints))
        found: dict[str, Verdict] = {}
        for start in range(0, len(every), _BATCH):
            some = every[start : start + _BATCH]
            query = verdicts.select().where(verdicts.c.project == project, verdicts.c.fingerprint.in_(some))
            with self._database.read() as connection:
                found.update((row["fingerprint"], _verdict(row)) for row in connection.execute(query).mappings())
        return found

    def all(self, project: str) -> list[Verdict]:
        """A project's verdicts, the oldest first. Raises StoreError."""
        query = verdicts.select().where(verdicts.c.project == project)
        query = query.order_by(verdicts.c.given_at, verdicts.c.fingerprint)
        with self._database.read() as connection:
            return [_verdict(row) for row in connection.execute(query).mappings()]


def _is(project: str, fingerprint: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return verdicts.c.project == project, verdicts.c.fingerprint == fingerprint


def _verdict(row: RowMapping) -> Verdict:
    return Verdict(row["fingerprint"], Decision(row["decision"]), row["reason"], row["who"], row["given_at"])
