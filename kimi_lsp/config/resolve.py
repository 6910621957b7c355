"""All sources into the settings that hold: defaults, user file, environment, flags; then the project's own file."""

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import platformdirs

from kimi_lsp.config.document import MAX_CHARS, project_options, user_options
from kimi_lsp.config.environment import CONFIG_VARIABLE, environment_options, unknown_variables
from kimi_lsp.config.options import Options, ProjectOptions, Table, keys
from kimi_lsp.config.settings import SAFETY_LANES, Budget, Limits, Settings, Style, is_loopback
from kimi_lsp.config.tighten import tighten
from kimi_lsp.config.values import nearest
from kimi_lsp.errors import ConfigError
from mcp_tools.finding import Rule

APP = "kimi-lsp"
DEFAULT = "default"
PROJECT_FILES = ("kimi.toml", "pyproject.toml")
"""The files at a project's root that may tighten. Whoever reads them fails the audit when one cannot be read."""

_D = TypeVar("_D", Settings, Budget, Limits, Style)


@dataclass(frozen=True, slots=True)
class Resolved:
    """The settings that hold, what the user should know of how they came about, and where each value was written."""

    settings: Settings
    notices: tuple[str, ...]
    origins: Mapping[str, str]  # by dotted key: `default`, a file, a variable, a flag; a project's file after a `+`


def default_state_dir() -> Path:
    """Where state lies when nobody says otherwise: the system's place for a user's state."""
    return platformdirs.user_state_path(APP, appauthor=False)


def user_file(environ: Mapping[str, str]) -> Path | None:
    """The user's configuration file: what `KIMI_LSP_CONFIG` names, else the system's usual place if one is there.

    Raises:
        ConfigError: the variable holds a relative path. It would mean another file in each project, a project's own.
    """
    if named := environ.get(CONFIG_VARIABLE, "").strip():
        path = Path.home() / named[2:] if named.startswith("~/") else Path(named)
        if not path.is_absolute():
            raise ConfigError(f"{CONFIG_VARIABLE}: expected an absolute path, or one that begins with ~/.")
        return path
    path = platformdirs.user_config_path(APP, appauthor=False) / "config.toml"
    return path if os.path.lexists(path) else None


def load(
    *,
    environ: Mapping[str, str],
    flags: Options | None = None,
    project_files: Mapping[str, str] | None = None,
    user_file: Path | None = None,
    rules: Iterable[Rule] | None = None,
) -> Resolved:
    """Resolve what was written into what holds.

    Args:
        environ: the environment's variables.
        flags: what the command line says (`flag_options`).
        project_files: text by path of the project's `kimi.toml` and `pyproject.toml`, those that exist.
        user_file: the user's own file (`user_file`), None for none.
        rules: every rule there is, to tell a rule's name from a slip; None to take any.

    Raises:
        ConfigError: one line: the place, the key, what was expected and what was there.
    """
    variables, names = environment_options(environ)
    path = "" if user_file is None else printable(str(user_file))
    written = Options() if user_file is None else user_options(read_user_file(user_file), path)
    flag_names = {key: about.flag or "command line" for key, about in keys(Options)}
    settings = Settings(default_state_dir())
    origins = {key: DEFAULT for key, _ in keys(Options)}
    for options, place in (
        (written, dict.fromkeys(origins, path)),
        (variables, names),
        (flags or Options(), flag_names),
    ):
        settings = _laid_over(settings, options)
        origins |= {key: place[key] for key in _written(options)}
    _check_endpoint(settings, origins)
    known = None if rules is None else {rule.id: rule for rule in rules}
    _check_rules(settings.rules.yours, known, origins["rules"])

    notices = list(unknown_variables(environ))
    if user_file is not None and _has_secrets(written) and _is_open(user_file):
        notices.append(f"{path} holds a key and other users of this machine can read it.")
    for name, text in sorted((project_files or {}).items()):
        theirs = project_options(text, printable(name))
        _check_rules(theirs.rules or {}, known, printable(name), is_project=True)
        settings, notes = _tightened(settings, theirs, name, origins)
        notices.extend(notes)
    return Resolved(settings, tuple(notices), MappingProxyType(origins))


def read_user_file(path: Path) -> str:
    """The text of the user's file. Raises ConfigError when it is missing, no regular file, too large or not UTF-8."""
    name = printable(str(path))
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ConfigError(f"{name}: expected a file, got a folder or a special file.")
        with path.open("rb") as file:
            data = file.read(4 * MAX_CHARS + 1)
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else "the system refused"
        raise ConfigError(f"{name}: cannot be read: {reason}.") from None
    except ValueError:
        raise ConfigError(f"{name}: not a path.") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{name}:{line}: not UTF-8.", hint="Save the file as UTF-8.") from None


def printable(path: str) -> str:
    """A path as a message shows it: bytes that are no text, and control characters, as escapes."""
    text = path.encode("utf-8", "backslashreplace").decode()
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _laid_over(settings: _D, options: Table) -> _D:
    """Settings with all that is written in options replaced. The two have the same fields (tested)."""
    changes: dict[str, object] = {}
    for name in options.model_fields_set:
        value: object = getattr(options, name)
        if isinstance(value, Table):
            changes[name] = _laid_over(getattr(settings, name), value)
        elif value is not None:
            changes[name] = value
    return replace(settings, **changes)


def _written(options: Table, prefix: str = "") -> Iterator[str]:
    """The dotted keys that are written in options."""
    for name in options.model_fields_set:
        value: object = getattr(options, name)
        if isinstance(value, Table):
            yield from _written(value, f"{prefix}{name}.")
        elif value is not None:
            yield prefix + name


def _tightened(
    settings: Settings, options: ProjectOptions, path: str, origins: dict[str, str]
) -> tuple[Settings, tuple[str, ...]]:
    """Apply a project's options, and note what they changed in the origins."""
    after, notes = tighten(settings, options, printable(path))
    for key in _written(options):
        table, _, name = key.rpartition(".")
        before_table, after_table = (getattr(one, table) if table else one for one in (settings, after))
        if key == "style.sentences" or getattr(before_table, name) != getattr(after_table, name):
            origins[key] += f" + {printable(path)}"
    return after, notes


def _check_endpoint(settings: Settings, origins: Mapping[str, str]) -> None:
    url = settings.base_url
    if url.startswith("http://") and not settings.allow_http and not is_loopback(url):
        raise ConfigError(
            f"{origins['base_url']}: base_url: {url} would send code and key unencrypted.",
            hint="Use https://, or set allow_http = true.",
        )


def _check_rules(
    levels: Mapping[str, object], known: Mapping[str, Rule] | None, path: str, *, is_project: bool = False
) -> None:
    if known is None:
        return
    for rule_id, level in levels.items():
        rule = known.get(rule_id)
        if rule is None:
            near = nearest(rule_id, sorted(known))
            raise ConfigError(
                f"{path}: rules: unknown rule {rule_id!r}.", hint=f"Did you mean {near!r}?" if near else ""
            )
        if is_project and level == "off" and rule.lane in SAFETY_LANES:
            raise ConfigError(
                f"{path}: rules.{rule_id}: only your own configuration may turn off a rule of the {rule.lane} lane."
            )


def _has_secrets(written: Options) -> bool:
    servers = (written.mcp_servers or {}).values()
    return written.api_key is not None or any(server.has_secrets for server in servers)


def _is_open(path: Path) -> bool:
    """Say whether others may read a file (never on Windows, where the mode does not say)."""
    return os.name == "posix" and bool(path.stat().st_mode & 0o077)
