"""The agent's methods: sessions come and go, options are chosen, turns begin. What a turn does is `turn`'s."""

import secrets
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import NoReturn, cast

import anyio
from anyio import to_thread
from msgspec import Struct

from kimi_lsp.acp import protocol as p
from kimi_lsp.acp.buffers import Buffers
from kimi_lsp.acp.capabilities import LOCAL_METHOD
from kimi_lsp.acp.client import Client
from kimi_lsp.acp.client_servers import read_servers
from kimi_lsp.acp.commands import available, read_prompt
from kimi_lsp.acp.connection import Connection
from kimi_lsp.acp.homes import Homes
from kimi_lsp.acp.keeper import Keeper
from kimi_lsp.acp.options import DEPTH, Menu, kept
from kimi_lsp.acp.permission import Permissions
from kimi_lsp.acp.replay import exchanges, last_report, spent_usd, turns, updates
from kimi_lsp.acp.roots import resolved_roots
from kimi_lsp.acp.scribe import Scribe, cleaned, usage_update
from kimi_lsp.acp.session import Session
from kimi_lsp.acp.turn import Desk, Turn
from kimi_lsp.errors import KimiError, UsageError
from kimi_lsp.faces.conversation import Reply, Route, Stoppable
from kimi_lsp.faces.jsonrpc import INVALID_PARAMS, INVALID_REQUEST, RefusedError
from kimi_lsp.store import History, JsonValue

NOT_FOUND = -32002
_ID_BYTES = 12
_PAGE = 50
_HEAVY = ("kimi_lsp.audit.auditor", "kimi_lsp.audit.lanes", "kimi_lsp.store.database", "kimi_lsp.model.client")
_FAREWELL_S = 0.25
_CLOSE_S = 10.0


class Way:
    """The way of one session's updates to the client."""

    def __init__(self, connection: Connection, session_id: str) -> None:
        self._connection = connection
        self._session_id = session_id

    def send(self, update: p.Update) -> None:
        """Send an update."""
        self._connection.notify("session/update", p.SessionUpdate(self._session_id, update))

    async def ready(self) -> None:
        """Wait while the client takes less than it is sent."""
        await self._connection.ready()


class Agent:
    """One agent for one client."""

    def __init__(self, connection: Connection, client: Client, environ: Mapping[str, str]) -> None:
        self._connection = connection
        self._client = client
        self._desk = Desk(connection, client, Keeper(environ), Homes(environ))
        self._sessions: dict[str, Session] = {}
        self._is_warm = False

    def route(self) -> None:
        """Take part in the conversation."""
        handlers: Mapping[str, tuple[type[Struct] | None, Callable[..., object]]] = {
            "authenticate": (p.Authenticate, self.authenticate),
            "logout": (None, self.log_out),
            "session/new": (p.NewSession, self.new),
            "session/load": (p.OpenSession, self.load),
            "session/resume": (p.OpenSession, self.resume),
            "session/list": (p.ListSessions, self.list),
            "session/delete": (p.OfSession, self.delete),
            "session/close": (p.OfSession, self.close),
            "session/set_mode": (p.SetMode, self.set_mode),
            "session/set_config_option": (p.SetConfigOption, self.set_option),
            "session/prompt": (p.Prompt, self.prompt),
            "session/cancel": (p.OfSession, self.cancel),
        }
        for method, (kind, handler) in handlers.items():
            self._connection.route(method, Route(kind, handler))
        self._connection.on_end = self.farewell

    # Who may ask a model

    def authenticate(self, asked: p.Authenticate) -> p.Empty:
        """Use what is configured (again)."""
        if asked.method_id != LOCAL_METHOD:
            raise RefusedError(INVALID_PARAMS, f"the only method is {LOCAL_METHOD}")
        self._desk.homes.is_signed_out = False
        return p.Empty()

    def log_out(self) -> p.Empty:
        """Ask no model until the client authenticates again. A key that is configured stays where it is."""
        self._desk.homes.is_signed_out = True
        return p.Empty()

    # Sessions

    async def new(self, asked: p.NewSession) -> Reply:
        """Open a session."""
        with _as_params():
            servers = read_servers(asked.mcp_servers)
            roots = await to_thread.run_sync(resolved_roots, asked.cwd, asked.additional_directories)
        session = self._session(secrets.token_hex(_ID_BYTES), asked.cwd, roots)
        session.servers = servers
        menu = await to_thread.run_sync(self._desk.homes.menu, session)
        await to_thread.run_sync(self._desk.keeper.redacted, "")  # reads its key, which a turn must not wait for
        try:
            more = [str(root) for root in session.roots[1:]]
            await to_thread.run_sync(self._desk.keeper.create, session.id, session.cwd, more, session.values)
        except KimiError:
            session.is_kept = False
        self._sessions[session.id] = session
        return Reply(p.Opened(menu.modes, menu.options, session.id), lambda: self._announce(session))

    async def load(self, asked: p.OpenSession) -> Reply:
        """Open a session of before and tell all of it again, before the answer."""
        session, history = await self._reopened(asked)
        way = Way(self._connection, session.id)
        for update in updates(history, self._client.line_base):
            way.send(update)
            await way.ready()
        self._tell(session, way)
        await self._tell_window(session, way)
        return await self._opened(session, lambda: None)

    async def resume(self, asked: p.OpenSession) -> Reply:
        """Open a session of before."""
        session, _ = await self._reopened(asked)
        return await self._opened(session, lambda: self._announce(session))

    async def list(self, asked: p.ListSessions) -> p.Sessions:
        """The sessions that are kept, the newest first."""
        store = await to_thread.run_sync(self._desk.keeper.store)
        with _as_params():
            found, cursor = await to_thread.run_sync(
                lambda: store.conversations.find(asked.cwd, after=asked.cursor, limit=_PAGE)
            )
        infos = (p.SessionInfo(one.id, one.cwd, one.roots, one.title or None, one.updated_at) for one in found)
        return p.Sessions(tuple(infos), cursor)

    async def delete(self, asked: p.OfSession) -> p.Empty:
        """Forget a session; one that is not there is forgotten already. The trail keeps its calls."""
        await self._closed(asked.session_id)
        store = await to_thread.run_sync(self._desk.keeper.store)
        await to_thread.run_sync(store.conversations.delete, asked.session_id)
        return p.Empty()

    async def close(self, asked: p.OfSession) -> p.Empty:
        """Stop what a session does and free what it holds; it can be opened again."""
        self._known(asked.session_id)
        await self._closed(asked.session_id)
        return p.Empty()

    # Options

    async def set_mode(self, asked: p.SetMode) -> Reply:
        """Choose a mode: a depth by another name."""
        session = self._known(asked.session_id)
        menu = await self._chosen(session, DEPTH, asked.mode_id)
        way = Way(self._connection, session.id)
        return Reply(p.Empty(), lambda: way.send(p.ConfigUpdate(menu.options)))

    async def set_option(self, asked: p.SetConfigOption) -> Reply:
        """Choose a value. It holds from the next turn on."""
        session = self._known(asked.session_id)
        value = asked.value if isinstance(asked.value, str) else str(asked.value).lower()
        menu = await self._chosen(session, asked.config_id, value)
        way = Way(self._connection, session.id)

        def mirror() -> None:
            if asked.config_id == DEPTH:
                way.send(p.ModeUpdate(menu.modes.current_mode_id))

        return Reply(p.ConfigOptions(menu.options), mirror)

    async def _chosen(self, session: Session, option: str, value: str) -> Menu:
        with _as_params():
            (await to_thread.run_sync(self._desk.homes.menu, session)).check(option, value)
        session.values[option] = value
        menu = await to_thread.run_sync(self._desk.homes.menu, session)
        if session.is_kept:
            store = await to_thread.run_sync(self._desk.keeper.store)
            await to_thread.run_sync(store.conversations.choose, session.id, dict(session.values))
        return menu

    # Turns

    def prompt(self, asked: p.Prompt) -> Stoppable:
        """Begin a turn. There is one at a time in a session."""
        session = self._known(asked.session_id)
        if session.turn is not None:
            raise RefusedError(INVALID_REQUEST, "a turn of this session is running")
        with _as_params():
            prompt = read_prompt(asked.prompt)
        session.turns += 1
        prefix = f"t{session.turns}-"
        way = Way(self._connection, session.id)
        redact = self._desk.keeper.redacted
        scribe = Scribe(way, self._client, session.purse, prefix, lambda text: self._title(session, text), redact)
        turn = session.turn = session.last_turn = Turn(self._desk, session, prompt, scribe, session.last_turn)
        return Stoppable(self._turn(session, turn, prefix), turn.stop)

    def cancel(self, asked: p.OfSession) -> None:
        """Stop a session's turn."""
        session = self._sessions.get(asked.session_id)
        if session is not None and session.turn is not None:
            session.turn.stop()

    async def _turn(self, session: Session, turn: Turn, prefix: str) -> Reply:
        try:
            result = await turn.run()
        except BaseException:
            turn.saved.set()
            raise
        finally:
            session.turn = None
        return Reply(result, lambda: self._connection.spawn(self._save, session, turn, prefix))

    async def _save(self, session: Session, turn: Turn, prefix: str) -> None:
        """Keep what a turn said, after the client has its answer."""
        try:
            if turn.before is not None:
                await turn.before.saved.wait()
                turn.before = None
            if session.is_kept:
                await to_thread.run_sync(self._append, session, turn, prefix)
        finally:
            turn.saved.set()

    def _append(self, session: Session, turn: Turn, prefix: str) -> None:
        keeper = self._desk.keeper
        user: JsonValue = {"kind": "user", "id": f"{prefix}user", "text": keeper.redacted(turn.asked.text)}
        cost: JsonValue = {"kind": "cost", "usd": str(session.purse.cost_usd)}
        entries = [cast("JsonValue", cleaned(entry, keeper.redacted)) for entry in turn.entries]
        conversations = keeper.store().conversations
        conversations.append(session.id, [user, *turn.scribe.entries(), *entries, cost])
        if session.title:
            conversations.rename(session.id, session.title)

    async def farewell(self) -> None:
        """Stop all turns and keep what they said, for as long as there is time."""
        turns = [session.last_turn for session in self._sessions.values() if session.last_turn is not None]
        for turn in turns:
            turn.stop()
        with anyio.move_on_after(_FAREWELL_S):
            for turn in turns:
                await turn.saved.wait()

    # Below

    def _session(self, session_id: str, cwd: str, roots: tuple[Path, ...]) -> Session:
        count = iter(range(1, 1_000_000_000))
        return Session(
            session_id,
            cwd,
            roots,
            Permissions(self._connection, session_id, lambda: f"permission-{next(count)}"),
            Buffers(self._connection, session_id, roots),
        )

    def _known(self, session_id: str) -> Session:
        session = self._sessions.get(session_id)
        if session is None:
            raise RefusedError(NOT_FOUND, "no such session is open")
        return session

    async def _reopened(self, asked: p.OpenSession) -> tuple[Session, History]:
        """A session that was kept, and what was said in it. One that is open already begins anew from what was kept."""
        with _as_params():
            servers = read_servers(asked.mcp_servers)
            roots = await to_thread.run_sync(resolved_roots, asked.cwd, asked.additional_directories)
        found = await to_thread.run_sync(self._desk.keeper.get, asked.session_id)
        if found is None:
            raise RefusedError(NOT_FOUND, "no such session")
        if found.cwd != asked.cwd:
            raise RefusedError(INVALID_PARAMS, "cwd is not that of the session")
        await self._closed(asked.session_id)
        if (more := tuple(str(root) for root in roots[1:])) != found.roots:
            store = await to_thread.run_sync(self._desk.keeper.store)
            await to_thread.run_sync(store.conversations.set_roots, asked.session_id, more)
        history = await to_thread.run_sync(self._desk.keeper.history, asked.session_id)
        session = self._session(asked.session_id, asked.cwd, roots)
        session.servers = servers
        session.values = dict(found.values)
        session.values = kept(session.values, await to_thread.run_sync(self._desk.homes.menu, session))
        session.title = found.title
        session.purse.cost_usd = spent_usd(history.entries)
        session.exchanges = exchanges(history.entries)
        session.report = last_report(history.entries)
        session.turns = turns(history.entries)
        return session, history

    async def _opened(self, session: Session, after: Callable[[], object]) -> Reply:
        menu = await to_thread.run_sync(self._desk.homes.menu, session)
        self._sessions[session.id] = session
        return Reply(p.Opened(menu.modes, menu.options), after)

    async def _closed(self, session_id: str) -> None:
        """Stop a session's turn, wait until it is kept, and let go of it."""
        session = self._sessions.pop(session_id, None)
        if session is not None and session.last_turn is not None:
            session.last_turn.stop()
            with anyio.move_on_after(_CLOSE_S):
                await session.last_turn.saved.wait()

    def _announce(self, session: Session) -> None:
        """What a client is told once it has a session."""
        way = Way(self._connection, session.id)
        self._tell(session, way)
        self._connection.spawn(self._tell_window_later, session, way)

    def _tell(self, session: Session, way: Way) -> None:
        """The commands and the title."""
        way.send(p.CommandsUpdate(available()))
        if session.title:
            way.send(p.InfoUpdate(session.title))

    async def _tell_window(self, session: Session, way: Way) -> None:
        """The model's window and what the session has cost."""
        size = await to_thread.run_sync(self._desk.homes.window, session)
        if session.turn is None:
            way.send(usage_update(0, size, session.purse.cost_usd))

    async def _tell_window_later(self, session: Session, way: Way) -> None:
        await self._tell_window(session, way)
        if not self._is_warm:
            self._is_warm = True
            await to_thread.run_sync(_warm)

    def _title(self, session: Session, text: str) -> None:
        session.title = self._desk.keeper.redacted(text)
        Way(self._connection, session.id).send(p.InfoUpdate(session.title))


class _as_params:  # noqa: N801 - reads as a function
    """What is wrong with what a client gave is the answer to its request."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Translate."""
        if isinstance(error, UsageError):
            _refuse(error)


def _refuse(error: UsageError) -> NoReturn:
    raise RefusedError(INVALID_PARAMS, error.line) from None


def _warm() -> None:
    """Load what the first turn needs, while nobody waits."""
    for name in _HEAVY:
        import_module(name)
