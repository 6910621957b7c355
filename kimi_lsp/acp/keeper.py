"""Sessions on disk: every call is short, blocks, and runs in a thread of its caller."""

import secrets
import threading
from collections.abc import Mapping, Sequence

from kimi_lsp.app.session import open_store, user_settings
from kimi_lsp.errors import KimiError
from kimi_lsp.store import Conversation, History, Store, install_key
from mcp_tools.redaction import Redactor


class Keeper:
    """The store of conversations in the user's state directory. It opens when it is first needed."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._redactor: Redactor | None = None

    def store(self) -> Store:
        """The store. Raises KimiError."""
        with self._lock:
            if self._store is None:
                self._store = open_store(user_settings(self._environ))
            return self._store

    def redacted(self, text: str) -> str:
        """A text as it may be kept and shown: what looks like a secret is replaced."""
        with self._lock:
            if self._redactor is None:
                self._redactor = Redactor(self._key())
            redactor = self._redactor
        return redactor.redact(text)

    def _key(self) -> bytes:
        try:
            return install_key(user_settings(self._environ).state_dir, "conversations")
        except KimiError:
            return secrets.token_bytes(32)  # nothing is kept either

    def create(self, session_id: str, cwd: str, roots: Sequence[str], values: Mapping[str, str]) -> None:
        """Keep a new session. Raises KimiError."""
        self.store().conversations.create(session_id, cwd, tuple(roots), values)

    def get(self, session_id: str) -> Conversation | None:
        """A session that was kept and not deleted. Raises KimiError."""
        return self.store().conversations.get(session_id)

    def history(self, session_id: str) -> History:
        """What its turns left. Raises KimiError."""
        return self.store().conversations.entries(session_id)
