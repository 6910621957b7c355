"""TOML text or loose values into checked options; every error is one line that says where, which key and why."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Protocol, TypeVar, cast

from pydantic import ValidationError

from kimi_lsp.config.options import Options, ProjectOptions, Table, keys
from kimi_lsp.config.values import ExpectedError, nearest, shown
from kimi_lsp.errors import ConfigError

MAX_CHARS = 500_000
_MAX_DOTS = 25_000_000  # the sum of squares over the lines: tomllib's memory for dotted keys, which never span lines
_AT_LINE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")
_PART = r"""(?:[\w-]++|"[^"]*+"|'[^']*+')"""
_KEY = rf"({_PART}(?>(?:\s*+\.\s*+{_PART})*))"
_HEADER = re.compile(rf"\s*+\[\[?\s*+{_KEY}\s*+\]")
_ASSIGNMENT = re.compile(rf"\s*+{_KEY}\s*+=")

_T = TypeVar("_T", bound=Table)
Key = tuple[str, ...]


class Where(Protocol):
    """Names the place where a value was written, for a message."""

    def __call__(self, key: Key) -> str:
        """Such as `kimi.toml:3: budget.run_usd`, or the name of a variable. An empty key is the document's own."""
        ...


def user_options(text: str, path: str) -> Options:
    """The options of the user's own file. Raises ConfigError."""
    return check(Options, parse(text, path), _places(text, path))


def project_options(text: str, path: str) -> ProjectOptions:
    """The options of a project's `kimi.toml`, or of `[tool.kimi]` where the path's last part is `pyproject.toml`.

    Raises:
        ConfigError: no TOML, an unknown key, a wrong value, or a key that only the user may set.
    """
    if path.rpartition("/")[2] != "pyproject.toml":
        return check(ProjectOptions, parse(text, path), _places(text, path))
    if "kimi" not in text:
        return ProjectOptions()
    tool = parse(text, path).get("tool")
    empty: Mapping[str, object] = {}
    table = cast("Mapping[str, object]", tool).get("kimi", empty) if isinstance(tool, dict) else empty
    return check(ProjectOptions, table, _places(text, path, ("tool", "kimi")))


def parse(text: str, path: str) -> Mapping[str, object]:
    """TOML text as plain values, its decimals exact. Raises ConfigError, whatever the text."""
    if len(text) > MAX_CHARS:
        raise ConfigError(f"{path}: {len(text):,} characters, the limit is {MAX_CHARS:,}.")
    if sum(line.count(".") ** 2 for line in text.split("\n")) > _MAX_DOTS:
        raise ConfigError(f"{path}: not usable: keys of too many parts.")
    try:
        return tomllib.loads(text.removeprefix("\ufeff"), parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _AT_LINE.search(message)
        line = place[1] if place and place[1] else str(text.rstrip().count("\n") + 1)
        reason = _AT_LINE.sub("", message)
        raise ConfigError(f"{path}:{line}: not TOML: {reason[:1].lower()}{reason[1:]}.") from None
    except (ValueError, ArithmeticError):
        raise ConfigError(f"{path}: not usable: a number of too many digits.") from None
    except RecursionError:
        raise ConfigError(f"{path}: not usable: nested too deeply.") from None


def check(model: type[_T], values: object, where: Where) -> _T:
    """Values as options. Raises ConfigError for the first thing that is wrong, and says how many more there are."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        key = tuple(str(part) for part in problems[0]["loc"])
        more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
        if problems[0]["type"] == "extra_forbidden":
            raise _unwanted(model, key, where, more) from None
        cause = problems[0].get("ctx", {}).get("error")
        if not isinstance(cause, ExpectedError):
            cause = ExpectedError("a table")
        key = (*key, *cause.at)
        got = cause.said or shown(problems[0]["input"])
        hint = f"Did you mean {cause.near!r}?" if cause.near else ""
        raise ConfigError(f"{where(key)}: expected {cause.what}, got {got}{more}.", hint=hint) from None


def _unwanted(model: type[Table], key: Key, where: Where, more: str) -> ConfigError:
    """The error for a key that the model does not have."""
    name, (*above, last) = ".".join(key), key
    known = [known for known, _ in keys(model)]
    users = [known for known, _ in keys(Options)] if model is ProjectOptions else []
    if any(known == name or known.startswith(name + ".") for known in users):
        text = f"{where(key)}: only your own configuration may set this{more}."
        return ConfigError(text, hint="A project's file can only tighten.")
    leaves = {known.rpartition(".")[2]: known for known in reversed(known)}
    beside = {_below(known, above).partition(".")[0] for known in known} - {""}
    close = nearest(last, sorted(beside))
    meant = ".".join((*above, close)) if close else leaves.get(nearest(last, sorted(leaves)), "")
    hint = f"Did you mean {meant!r}?" if meant else f"Known here: {', '.join(sorted(beside))}."
    return ConfigError(f"{where(key)}: unknown key{more}.", hint=hint)


def _below(known: str, above: list[str]) -> str:
    """What follows a table's own name in a dotted key, '' for a key of another table."""
    prefix = "".join(part + "." for part in above)
    return known.removeprefix(prefix) if known.startswith(prefix) else ""


def _places(text: str, path: str, below: Key = ()) -> Where:
    """Places in a TOML text: the path, the line if it can be told, and the key."""

    def where(key: Key) -> str:
        full = (*below, *key)
        line = next((f":{number}" for number, found in _written_keys(text) if found == full), "")
        name = ".".join(part if part.isascii() and part.isprintable() else shown(part) for part in full)
        return f"{path}{line}: {name[:200]}" if name else f"{path}{line}"

    return where


def _written_keys(text: str) -> Iterator[tuple[int, Key]]:
    """Every table and key whose name begins a line, with the line's number from 1. A guess: it knows no strings."""
    table: Key = ()
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if header := _HEADER.match(line):
            table = _parts(header[1])
            yield from ((number, table[:stop]) for stop in range(1, len(table) + 1))
        elif assignment := _ASSIGNMENT.match(line):
            parts = _parts(assignment[1])
            yield from ((number, (*table, *parts[:stop])) for stop in range(1, len(parts) + 1))


def _parts(key: str) -> Key:
    return tuple(part.strip("\"'") for part in re.findall(_PART, key))
