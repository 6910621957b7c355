"""Look up the verdicts of a project without loading SQLAlchemy: an editor wants them before the first finding.

Read-only, and silent about all that can go wrong: whoever opens the store in earnest will hear of it.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from kimi_lsp.store.files import DATABASE_NAME
from kimi_lsp.store.values import Decision, Verdict


def peek_verdicts(state_dir: Path, project: str) -> dict[str, Verdict]:
    """The verdicts of a project by fingerprint; none when there is no store yet or it cannot be read."""
    file = state_dir / DATABASE_NAME
    if not file.is_file():
        return {}
    query = "SELECT fingerprint, decision, reason, who, given_at FROM kimi_verdicts WHERE project = ?"
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=1.0)) as connection:
            rows: list[tuple[str, str, str, str, str]] = connection.execute(query, (project,)).fetchall()
        return {row[0]: Verdict(row[0], Decision(row[1]), *row[2:]) for row in rows}
    except (sqlite3.Error, ValueError, OSError):
        return {}
