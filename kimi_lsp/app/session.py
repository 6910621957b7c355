"""One use of the auditor: the project, the settings that hold for it, and what an Auditor is made of."""

import os
import threading
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from kimi_lsp.app.rules import all_rules
from kimi_lsp.app.target import Target, locate, outside_of, project_files
from kimi_lsp.audit.lanes import LANES
from kimi_lsp.config import PROJECT_FILES, Depth, Options, Resolved, Settings, load, user_file
from kimi_lsp.errors import StoreError, UsageError
from mcp_tools.finding import Lane
from mcp_tools.project import DiskProject, Limits
from mcp_tools.redaction import Redactor

if TYPE_CHECKING:  # the auditor, the model and the store load when they are first used: a server starts without them
    from kimi_lsp.audit import Auditor, AuditRequest, ConsentAsker, Door
    from kimi_lsp.audit.toolloop import Toolbox
    from kimi_lsp.model import KimiClient, Profile
    from kimi_lsp.store import Record, Store


@dataclass(slots=True)
class Session:
    """A project and its settings. The store opens when it is first needed and is closed with the session."""

    target: Target
    resolved: Resolved
    project: DiskProject
    _store: "Store | None" = field(default=None, init=False)
    _opening: threading.Lock = field(default_factory=threading.Lock, init=False)

    @property
    def settings(self) -> Settings:
        """What holds."""
        return self.resolved.settings

    @property
    def key(self) -> str:
        """What consent, verdicts and cache are kept under: the project's root."""
        return str(self.project.root)

    def store(self) -> "Store":
        """The store in the user's state directory. Raises StoreError."""
        from kimi_lsp.store import Store  # noqa: PLC0415 - see above

        with self._opening:
            if self._store is None:
                self._store = Store.open(self.settings.state_dir)
            return self._store

    def trail_head(self) -> str | None:
        """The newest record's place and hash, where the store was opened: an outside witness of the trail."""
        if self._store is None:
            return None
        try:
            return str(self._store.trail.head())
        except StoreError:
            return None

    def close(self) -> None:
        """Close what was opened."""
        if self._store is not None:
            self._store.close()

    def auditor(self, depth: Depth | None = None, run_usd: Decimal | None = None) -> "Auditor":
        """An Auditor on this session's settings, or on another depth than theirs. `run_usd` can lower its budget."""
        from kimi_lsp.audit import Auditor, Parts  # noqa: PLC0415 - see above
        from kimi_lsp.store import install_key  # noqa: PLC0415 - see above

        is_local = (depth or self.settings.depth) is Depth.LOCAL
        has_tools = self.settings.tools and not is_local
        return Auditor(
            Parts(
                settings=self.settings if run_usd is None else self.with_budget(run_usd),
                store=self.store,
                door=None if is_local else self.door,
                key=lambda purpose: install_key(self.settings.state_dir, purpose),
                toolbox=self._toolbox if has_tools else None,
            )
        )

    def with_budget(self, run_usd: Decimal) -> Settings:
        """The settings with a lower ceiling for one run; a higher one changes nothing."""
        budget = self.settings.budget
        return replace(self.settings, budget=replace(budget, run_usd=min(budget.run_usd, run_usd)))

    def _toolbox(self, _: "AuditRequest") -> "AbstractAsyncContextManager[Toolbox]":
        from kimi_lsp.app.tools import review_tools  # noqa: PLC0415 - most audits give the model no tools

        return review_tools(self.project.root, self.settings)

    def request(self, paths: Sequence[str], consent: "ConsentAsker | None") -> "AuditRequest":
        """An audit of these paths of the project, all of its listing when empty."""
        from kimi_lsp.audit import AuditRequest  # noqa: PLC0415 - see above

        return AuditRequest(
            project=self.project,
            project_key=self.key,
            paths=tuple(paths),
            depth=self.settings.depth,
            lanes=self.lanes,
            consent=consent,
        )

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """The lanes that are wanted and exist."""
        return tuple(lane for lane in self.settings.lanes if lane in LANES)

    @property
    def profile(self) -> "Profile":
        """The model's capabilities at this endpoint."""
        from kimi_lsp.model import profile_for  # noqa: PLC0415 - see above

        settings = self.settings
        overrides = dict(settings.profile)
        if settings.dialect is not None:
            overrides["dialect"] = settings.dialect
        return profile_for(settings.model, settings.base_url, overrides)

    @asynccontextmanager
    async def door(self, redactor: Redactor) -> AsyncGenerator["Door"]:
        """The way to the model, guarded by this redactor. Raises AuthError when a key is needed and missing."""
        async with client(self.settings, self.profile, redactor.scan) as door:
            yield door


def _bounded(settings: Settings, bounds: Sequence[str]) -> Settings:
    """Settings that leave out what lies outside. Lines that take something in again could undo that: they go."""
    if not bounds:
        return settings
    kept = (line for line in settings.exclude if not line.lstrip().startswith("!"))
    return replace(settings, exclude=(*bounds, *kept))


def client(settings: Settings, profile: "Profile", guard: Callable[[bytes], Sequence[str]]) -> "KimiClient":
    """A client for the configured endpoint. Raises AuthError when it needs a key and has none."""
    from kimi_lsp.model import Endpoint, KimiClient, Timeouts  # noqa: PLC0415 - see above

    limits = settings.limits
    endpoint = Endpoint(
        base_url=settings.base_url,
        model=settings.model,
        profile=profile,
        key=settings.api_key.reveal() if settings.api_key else None,
        extra_headers={name: value.reveal() for name, value in settings.headers.items()},
        trust_env=settings.trust_env and not settings.is_loopback,
        allows_cleartext=settings.allow_http,
    )
    timeouts = Timeouts(
        connect_s=limits.connect_timeout_s, read_gap_s=limits.read_timeout_s, total_s=limits.call_timeout_s
    )
    return KimiClient(endpoint, guard=guard, timeouts=timeouts)


def user_settings(environ: Mapping[str, str]) -> Settings:
    """The settings of the user alone, for commands that look at no project."""
    return load(environ=environ, user_file=user_file(environ), rules=all_rules()).settings


def open_store(settings: Settings) -> "Store":
    """The store in the user's state directory; a context manager. Raises StoreError."""
    from kimi_lsp.store import Store  # noqa: PLC0415 - see above

    return Store.open(settings.state_dir)


def find_record(store: "Store", name: str) -> "Record | None":
    """The trail's record of a call, as a finding names it (`RUN/CALL`), or the one with this hash."""
    run_id, slash, call = name.partition("/")
    if not slash:
        return store.trail.record(name)
    after = 0
    while records := store.trail.records(run_id, after_seq=after, limit=500):
        for record in records:
            if str(record.body.get("call")) == call:
                return record
        after = records[-1].seq
    return None


def open_session(
    paths: Sequence[Path],
    environ: Mapping[str, str] | None = None,
    flags: Options | None = None,
    *,
    within: Path | None = None,
) -> Session:
    """Find the project of these paths and resolve its settings.

    Args:
        paths: files and folders that exist; the working directory when there is none.
        environ: the environment's variables; those of this process when None.
        flags: what the command line says.
        within: a resolved folder. What of the project lies outside of it is neither listed nor read, by anybody who
            uses this session; its configuration still holds.

    Raises:
        UsageError: a path does not exist, or a lane that was asked for does not.
        ConfigError: see `kimi_lsp.config.load`.
    """
    environ = os.environ if environ is None else environ
    target = locate(paths)
    resolved = load(
        environ=environ,
        flags=flags,
        project_files=project_files(target.root, PROJECT_FILES),
        user_file=user_file(environ),
        rules=all_rules(),
    )
    if within is not None:
        resolved = replace(resolved, settings=_bounded(resolved.settings, outside_of(within, target.root)))
    settings = resolved.settings
    if flags is not None and flags.lanes and not any(lane in LANES for lane in settings.lanes):
        missing = ", ".join(settings.lanes)
        raise UsageError(f"lane {missing} is not available yet", hint=f"Available: {', '.join(LANES)}.")
    limits = Limits(max_file_bytes=settings.limits.max_file_bytes, max_files=settings.limits.max_files)
    try:
        project = DiskProject(target.root, target.scope, exclude=settings.exclude, limits=limits)
    except OSError as error:
        raise UsageError(f"{target.root}: {(error.strerror or 'cannot be listed').lower()}") from None
    return Session(target, resolved, project)
