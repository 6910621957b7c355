"""TOML text or loose values into checked options; every error is one line that says where, which key and why."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TypeVar, cast

from pydantic import ValidationError

from kimi_lsp.config.options import Options, ProjectOptions, Table, keys
from kimi_lsp.config.values import ExpectedError, nearest, shown
from kimi_lsp.errors import ConfigError

_T = TypeVar("_T", bound=Table)
MAX_CHARS = 500_000
_MAX_DOTS = 100  # tomllib takes memory by the square of a dotted key's length
_AT_LINE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")
_HEADER = re.compile(r"\s*\[\[?([^\[\]]*)\]\]?\s*(?:#.*)?")
_ASSIGNMENT = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*'|\s*\.\s*)+?)\s*=""", re.ASCII)


def user_options(text: str, path: str) -> Options:
    """The options of the user's own file. Raises ConfigError."""
    return check(Options, parse(text, path), _InText(path, text))


def project_options(text: str, path: str) -> ProjectOptions:
    """The options of a project's `kimi.toml`, or of `[tool.kimi]` where the path's last part is `pyproject.toml`.

    Raises:
        ConfigError: no TOML, an unknown key, a wrong value, or a key that only the user may set.
    """
    if path.rpartition("/")[2] != "pyproject.toml":
        return check(ProjectOptions, parse(text, path), _InText(path, text))
    if "kimi" not in text:
        return ProjectOptions()
    tool = parse(text, path).get("tool")
    table = cast("Mapping[str, object]", tool).get("kimi", {}) if isinstance(tool, dict) else {}
    where = _InText(path, text, ("tool", "kimi"))
    if not isinstance(table, dict):
        raise ConfigError(f"{where.place(())}: expected a table, got {shown(table)}.")
    return check(ProjectOptions, cast("Mapping[str, object]", table), where)


def parse(text: str, path: str) -> Mapping[str, object]:
    """TOML text as plain values, its decimals exact. Raises ConfigError, whatever the text."""
    if len(text) > MAX_CHARS:
        raise ConfigError(f"{path}: {len(text):,} characters, the limit is {MAX_CHARS:,}.")
    if any(chunk.count(".") > _MAX_DOTS for chunk in re.split(r"[=,{\n]", text)):
        raise ConfigError(f"{path}: a key of more than {_MAX_DOTS} parts.")
    try:
        return tomllib.loads(text.removeprefix("\ufeff"), parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _AT_LINE.search(message)
        line = place[1] if place and place[1] else str(text.count("\n") + 1)
        reason = _AT_LINE.sub("", message)
        raise ConfigError(f"{path}:{line}: not TOML: {reason[:1].lower()}{reason[1:]}.") from None
    except (ValueError, ArithmeticError):
        raise ConfigError(f"{path}: not usable: a number of too many digits.") from None
    except RecursionError:
        raise ConfigError(f"{path}: not usable: nested too deeply.") from None


class Where:
    """Names the place of a value in a message."""

    def place(self, key: Sequence[str]) -> str:
        """Where the value with this key was written, and the key itself unless the place is its other name."""
        return ".".join(key)


class _InText(Where):
    """Places in a TOML text: `path:line: key`."""

    def __init__(self, path: str, text: str, below: tuple[str, ...] = ()) -> None:
        self._path, self._text, self._below = path, text, below

    def place(self, key: Sequence[str]) -> str:
        """The path, the line where the key is written if it can be told, and the key."""
        full = (*self._below, *key)
        line = next((number for number, found in _written_keys(self._text) if found == full), None)
        name = ".".join(full)
        return f"{self._path}{'' if line is None else f':{line}'}{': ' if name else ''}{name}"


def _written_keys(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Every table header and key that stands on a line of its own, with the line's number from 1."""
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if len(line) > 1_000:
            continue
        if header := _HEADER.fullmatch(line.rstrip("\r")):
            table = _parts(header[1])
            yield number, table
        elif assignment := _ASSIGNMENT.match(line):
            parts = _parts(assignment[1])
            for stop in range(1, len(parts) + 1):
                yield number, (*table, *parts[:stop])


def _parts(key: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in key.split("."))


def check(model: type[_T], values: Mapping[str, object], where: Where) -> _T:
    """Values as options. Raises ConfigError for the first thing that is wrong, and says how many more there are."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        first = problems[0]
        key = tuple(str(part) for part in first["loc"])
        more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
        if first["type"] == "extra_forbidden":
            raise _unknown(model, key, where, more) from None
        cause = first.get("ctx", {}).get("error")
        what, got, near = "a table", cast("object", first["input"]), ""
        if isinstance(cause, ExpectedError):
            what, near = cause.what, cause.near
            got = got if cause.got is None else cause.got
            key = (*key, cause.at) if cause.at else key
        quoted = got if isinstance(cause, ExpectedError) and isinstance(cause.got, str) and cause.is_said else shown(got)
        raise ConfigError(
            f"{where.place(key)}: expected {what}, got {quoted}{more}.", hint=f"Did you mean {near!r}?" if near else ""
        ) from None


def _unknown(model: type[Table], key: tuple[str, ...], where: Where, more: str) -> ConfigError:
    """The error for a key that the model does not have."""
    name = ".".join(key)
    known = [known for known, _ in keys(model)]
    tables = {known.partition(".")[0] for known in known if "." in known}
    if model is ProjectOptions:
        users = {known for known, _ in keys(Options)}
        if name in users or any(known.startswith(name + ".") for known in users):
            text = f"{where.place(key)}: only your own configuration may set this{more}."
            return ConfigError(text, hint="A project's file can only tighten.")
    near = nearest(key[-1], [k.rpartition(".")[2] for k in known if k.rpartition(".")[0] == ".".join(key[:-1])])
    near = ".".join((*key[:-1], near)) if near else nearest(name, [*known, *tables])
    if not near:
        leaf = next((k for k in known if k.rpartition(".")[2] == key[-1]), "")
        near = leaf
    hint = f"Did you mean {near!r}?" if near else f"Known are {', '.join(known)}."
    return ConfigError(f"{where.place(key[:-1] + (shown(key[-1]),))}: unknown key{more}.", hint=hint)
