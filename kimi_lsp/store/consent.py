"""Who agreed that which project's text goes to which endpoint. Absent means no."""

from sqlalchemy import ColumnElement

from kimi_lsp.store.clock import Clock, stamp
from kimi_lsp.store.database import Database
from kimi_lsp.store.tables import consents
from kimi_lsp.store.values import Consent

_HEAD = "consents"


class Consents:
    """One consent for one project (its resolved root) at one endpoint (its host), compared letter by letter."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def has(self, project: str, endpoint: str) -> bool:
        """Whether consent is given and not withdrawn. Raises StoreError."""
        with self._database.read() as connection:
            return connection.execute(consents.select().where(*_is(project, endpoint))).first() is not None

    def give(self, project: str, endpoint: str) -> None:
        """Write the consent down; one that is given already keeps its date. Raises StoreError."""
        with self._database.write(_HEAD) as connection:
            if connection.execute(consents.select().where(*_is(project, endpoint))).first() is None:
                now = stamp(self._clock())
                connection.execute(consents.insert().values(project=project, endpoint=endpoint, given_at=now))

    def withdraw(self, project: str, endpoint: str) -> bool:
        """Take the consent back; False when there was none. Raises StoreError."""
        with self._database.write(_HEAD) as connection:
            return connection.execute(consents.delete().where(*_is(project, endpoint))).rowcount > 0

    def all(self) -> list[Consent]:
        """Every consent, by project and endpoint. Raises StoreError."""
        query = consents.select().order_by(consents.c.project, consents.c.endpoint)
        with self._database.read() as connection:
            return [
                Consent(row["project"], row["endpoint"], row["given_at"])
                for row in connection.execute(query).mappings()
            ]


def _is(project: str, endpoint: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return consents.c.project == project, consents.c.endpoint == endpoint
