"""The projects of a session, opened for a turn with what was chosen laid over their settings."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from kimi_lsp.acp import options
from kimi_lsp.acp.client_servers import usable
from kimi_lsp.acp.session import Session
from kimi_lsp.app import session as app
from kimi_lsp.config import Depth
from kimi_lsp.model.profiles import KNOWN


@dataclass(frozen=True, slots=True)
class Home:
    """A project as one turn sees it. Close its session afterwards."""

    folder: Path  # of the session
    session: app.Session
    depth: Depth
    run_usd: Decimal | None

    @property
    def root(self) -> Path:
        """The project's root; what of it lies outside of the folder is not there."""
        return self.session.project.root


class Homes:
    """Opens projects. `is_signed_out` keeps all of them away from any model."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.is_signed_out = False

    def open(self, session: Session) -> tuple[Home, ...]:
        """A home for each folder of a session. Reads the disk. Raises KimiError, OSError."""
        homes: list[Home] = []
        try:
            for folder in session.roots:
                opened = app.open_session([folder], self._environ, options.flags(session.values), within=folder)
                if opened.settings.client_mcp_servers and session.servers:
                    opened.resolved = replace(opened.resolved, settings=_with_servers(opened.settings, session))
                depth = options.depth_of(opened.resolved, may_ask=not self.is_signed_out)
                homes.append(Home(folder, opened, depth, options.run_usd(session.values)))
        except BaseException:
            for home in homes:
                home.session.close()
            raise
        return tuple(homes)

    def menu(self, session: Session) -> options.Menu:
        """What can be chosen for a session, as its working folder has it. Reads the disk. Raises KimiError, OSError."""
        with_choice = app.open_session([session.folder], self._environ, options.flags(session.values))
        with_choice.close()
        resolved = with_choice.resolved
        plain = app.open_session([session.folder], self._environ)
        plain.close()
        own = plain.settings.model
        models = (own, *(KNOWN if own in KNOWN and not plain.settings.is_loopback else ()))
        return options.menu(resolved, session.values, models, may_ask=not self.is_signed_out)

    def window(self, session: Session) -> int:
        """The chosen model's window in tokens. Raises KimiError, OSError."""
        opened = app.open_session([session.folder], self._environ, options.flags(session.values))
        opened.close()
        return opened.profile.context_window


def _with_servers(settings: "app.Settings", session: Session) -> "app.Settings":
    servers = usable(session.servers, len(settings.mcp_servers))
    return replace(settings, mcp_servers={**servers, **settings.mcp_servers})
