"""Check what an audit stands on: configuration, state directory, programs, key, endpoint, model, balance."""

import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum

from anyio import to_thread

from kimi_lsp.app.session import Session, client
from kimi_lsp.errors import KimiError, StoreError
from kimi_lsp.model import KimiClient
from mcp_tools.project.git import find_program
from mcp_tools.project.syntax import PARSED, grammar
from mcp_tools.security_surface.ruff import find_ruff

_DEADLINE_S = 10.0


class State(StrEnum):
    """How a check went. Only `FAIL` stops an audit at the configured depth."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what was looked at, what it showed, what to do."""

    name: str
    state: State
    message: str
    hint: str = ""


async def examine(session: Session) -> AsyncIterator[Check]:
    """Every check in turn; each stands for itself, so that one that fails hides none behind it."""
    for look in (_configuration, _state_directory, _ruff, _git, _grammars):
        yield await to_thread.run_sync(look, session)
    async for check in _endpoint(session):
        yield check


def _configuration(session: Session) -> Check:
    settings, origins = session.settings, session.resolved.origins
    text = (
        f"depth {settings.depth} ({origins['depth']}), model {settings.model} ({origins['model']}), "
        f"endpoint {settings.base_url} ({origins['base_url']})"
    )
    if session.resolved.notices:
        return Check("configuration", State.WARN, text, " ".join(session.resolved.notices))
    return Check("configuration", State.OK, text)


def _state_directory(session: Session) -> Check:
    folder = session.settings.state_dir
    try:
        session.store().trail.head()
    except StoreError as error:
        return Check("state directory", State.FAIL, error.message, error.hint)
    return Check("state directory", State.OK, f"{folder}, {shutil.disk_usage(folder).free >> 20:,} MiB free")


def _ruff(session: Session) -> Check:
    found = find_ruff(session.project)
    version = _version(found) if found else None
    if version is None:
        return Check("ruff", State.WARN, "not found: its S rules are left out", "pip install ruff")
    return Check("ruff", State.OK, f"{version} ({found})")


def _git(session: Session) -> Check:
    found = find_program("git", session.project.root)
    version = _version(found) if found else None
    if version is None:
        return Check("git", State.WARN, "not found: --changed-since cannot work", "Install git.")
    return Check("git", State.OK, f"{version} ({found})")


def _version(program: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - an absolute path that was found outside the project
            [program, "--version"], capture_output=True, check=True, timeout=_DEADLINE_S, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace").strip()


def _grammars(session: Session) -> Check:
    del session
    broken: list[str] = []
    for language in sorted(PARSED):
        try:
            grammar(language)
        except (ImportError, AttributeError, ValueError, OSError):
            broken.append(language)
    if broken:
        return Check("grammars", State.FAIL, f"cannot be loaded: {', '.join(broken)}", "Install kimi-lsp again.")
    return Check("grammars", State.OK, ", ".join(sorted(PARSED)))


async def _endpoint(session: Session) -> AsyncIterator[Check]:
    settings = session.settings
    if settings.api_key is None and not settings.is_loopback:
        hint = "Set MOONSHOT_API_KEY, or point KIMI_LSP_BASE_URL at a server of your own."
        yield Check("key", State.WARN, "none: only depth local works", hint)
        return
    yield Check("key", State.OK, f"from {session.resolved.origins['api_key']}" if settings.api_key else "none needed")
    try:
        async with client(settings, session.profile, _nothing_to_guard) as door:
            try:
                models = [model.id for model in await door.models()]
            except KimiError as error:
                yield Check("endpoint", State.FAIL, error.message, error.hint)
                return
            yield _model_check(settings.model, settings.endpoint_host, models)
            if (balance := await _balance(door)) is not None:
                yield balance
    except KimiError as error:
        yield Check("endpoint", State.FAIL, error.message, error.hint)


def _nothing_to_guard(_body: bytes) -> list[str]:
    return []  # these requests have no body: nothing of a project is sent


def _model_check(model: str, host: str, models: list[str]) -> Check:
    if model in models:
        return Check("endpoint", State.OK, f"{host} answers and has {model}")
    listed = ", ".join(sorted(models)[:12]) or "none"
    return Check("endpoint", State.FAIL, f"{host} has no model {model}", f"It lists: {listed}. Choose with --model.")


async def _balance(door: KimiClient) -> Check | None:
    """What is left on the account, where the endpoint knows such a thing."""
    try:
        balance = await door.balance()
    except KimiError as error:
        return Check("balance", State.WARN, error.message, error.hint)
    if balance is None:
        return None
    text = f"{balance.available:.2f} {balance.currency}"
    if balance.available <= 0:
        return Check("balance", State.FAIL, text, "Top the account up: nothing is answered without a balance.")
    return Check("balance", State.OK, text)
