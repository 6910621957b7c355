"""What one value may be: each function takes what was written and returns what it means, or says what was expected."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, TypeVar, cast
from urllib.parse import urlsplit

from pydantic import PlainValidator

from kimi_lsp.config.secret import Secret
from kimi_lsp.config.settings import Consent, Depth, FailOn, RuleLevel, Rules, Thinking
from mcp_tools.finding import Lane, Level

_E = TypeVar("_E", bound=Enum)
_MAX_USD = 1_000_000
_MAX_TOKENS = 10**12
_MAX_ITEMS = 1_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")  # and what reorders text
_KEY = re.compile(r"[\x21-\x7e]{1,4096}")
_NAME = re.compile(r"[\x21-\x7e]{1,200}")
_RULE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]{0,4096}")
_FIXED_HEADERS = frozenset(
    "host content-length content-type transfer-encoding connection accept-encoding upgrade te trailer".split()
)
_BOOLEANS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


class Text(str):
    """A value from where only text can be written (a variable, a flag): it is read as the setting's own type."""

    __slots__ = ()


class ExpectedError(ValueError):
    """A value is not what its setting takes.

    `at` is the place inside the value (its keys, from the outside in), `said` tells what was there where the whole
    value would say too much or too little, `near` is the word that was likely meant.
    """

    def __init__(self, what: str, *, at: str | tuple[str, ...] = (), said: str = "", near: str = "") -> None:
        super().__init__(what)
        self.what, self.said, self.near = what, said, near
        self.at = (at,) if isinstance(at, str) else at


def shown(value: object) -> str:
    """A value as an error message quotes it: short, printable, on one line."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return repr(str(value) if len(value) <= 60 else value[:57] + "...")
        case Mapping():
            return "a table"
        case list() | tuple():
            return "a list"
        case _:
            return str(value)[:60]


def nearest(word: str, known: Sequence[str]) -> str:
    """The known word that was likely meant, else ''."""
    return next(iter(get_close_matches(word, known, n=1, cutoff=0.6)), "")


def _number(value: object) -> object:
    """Text as the number it spells; anything else as it is."""
    if isinstance(value, Text) and re.fullmatch(r"\s*[+-]?(\d[\d_]*)?\.?\d*\s*", value, re.ASCII):
        try:
            return int(value) if "." not in value else Decimal(value)
        except (ArithmeticError, ValueError):
            return value
    return value


def _usd(value: object) -> Decimal:
    what = f"an amount in US dollars from 0 to {_MAX_USD:,}, with at most 9 decimal places"
    number = _number(value)
    if isinstance(number, bool) or not isinstance(number, int | Decimal):
        raise ExpectedError(what)
    amount = Decimal(number)
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -9 or not 0 <= amount <= _MAX_USD:
        raise ExpectedError(what)
    return amount


def _whole(low: int, high: int) -> Callable[[object], int]:
    def check(value: object) -> int:
        number = _number(value)
        if isinstance(number, bool) or not isinstance(number, int) or not low <= number <= high:
            raise ExpectedError(f"a whole number from {low:,} to {high:,}")
        return number

    return check


def seconds(value: object) -> float:
    """A time in seconds."""
    number = _number(value)
    if isinstance(number, bool) or not isinstance(number, int | Decimal) or not Decimal("0.1") <= number <= 86_400:
        raise ExpectedError("a number of seconds from 0.1 to 86,400")
    return float(number)


def boolean(value: object) -> bool:
    """A switch; in a variable `1`, `yes` and `on` turn it on as well."""
    if isinstance(value, Text):
        value = _BOOLEANS.get(value.strip().lower(), value)
    if not isinstance(value, bool):
        raise ExpectedError("true or false")
    return value


def _one_of(kind: type[_E]) -> Callable[[object], _E]:
    words = [str(member.value) for member in kind]

    def check(value: object) -> _E:
        word = value.strip() if isinstance(value, Text) else value
        if isinstance(word, str) and word in words:
            return kind(word)
        near = nearest(word, words) if isinstance(word, str) else ""
        raise ExpectedError(f"one of {', '.join(words)}", near=near)

    return check


def text_list(value: object, what: str, separator: str = ",") -> list[str]:
    """A list of texts; in a variable they are separated."""
    if isinstance(value, Text):
        value = [item.strip() for item in value.split(separator) if item.strip()]
    if not isinstance(value, list | tuple):
        raise ExpectedError(what)
    items = cast("Sequence[object]", value)
    if len(items) > _MAX_ITEMS:
        raise ExpectedError(f"at most {_MAX_ITEMS:,} entries", said=f"{len(items):,}")
    texts: list[str] = []
    for item in items:
        if not isinstance(item, str):
            raise ExpectedError(what, said=shown(item))
        texts.append(item)
    return texts


def _lanes(value: object) -> tuple[Lane, ...]:
    words = [str(lane) for lane in Lane]
    what = f"a list of lanes ({', '.join(words)})"
    texts = text_list(value, what)
    for text in texts:
        if text not in words:
            raise ExpectedError(what, said=shown(text), near=nearest(text, words))
    if not texts:
        raise ExpectedError("at least one lane")
    return tuple(lane for lane in Lane if lane.value in texts)


def _patterns(value: object) -> tuple[str, ...]:
    what = "a list of gitignore-style patterns"
    texts = text_list(value, what)
    for text in texts:
        if not text.strip() or len(text) > 500 or _CONTROL.search(text):
            raise ExpectedError("a pattern of 1 to 500 printable characters", said=shown(text))
    return tuple(texts)


def _project_patterns(value: object) -> tuple[str, ...]:
    texts = _patterns(value)
    for text in texts:
        if text.lstrip().startswith("!"):
            raise ExpectedError("patterns without '!': a project can deny paths, not give them back", said=shown(text))
    return texts


def _sentences(value: object) -> tuple[str, ...]:
    texts = [text.strip() for text in text_list(value, "a list of sentences", "\n")]
    for text in texts:
        if not text or len(text) > 500 or _CONTROL.search(text):
            raise ExpectedError("a sentence of 1 to 500 characters on one line", said=shown(text))
    if len(texts) > 100:
        raise ExpectedError("at most 100 sentences", said=f"{len(texts):,}")
    return tuple(texts)


def _project_paths(value: object) -> tuple[str, ...]:
    texts = text_list(value, "a list of paths in the project")
    for text in texts:
        parts = text.split("/")
        if not text or "\\" in text or _CONTROL.search(text) or any(part in ("", ".", "..") for part in parts):
            raise ExpectedError("a path inside the project, such as docs/style.md", said=shown(text))
    if len(texts) > 20:
        raise ExpectedError("at most 20 files", said=f"{len(texts):,}")
    return tuple(texts)


def _folder(value: object) -> Path:
    what = "an absolute path, or one that begins with ~/"
    if not isinstance(value, str) or not value or "\0" in value:
        raise ExpectedError(what, said=shown(value))
    path = Path.home() / value[2:] if value.startswith("~/") else Path(value)
    if not path.is_absolute():
        raise ExpectedError(what, said=shown(value))
    return Path(os.path.normpath(path))


def _consent(value: object) -> Consent:
    what = '"always", or a list of absolute paths'
    if isinstance(value, str) and value.strip() == "always":
        return Consent(always=True)
    return Consent(roots=tuple(map(_folder, text_list(value, what, os.pathsep))))


def url(value: object, example: str = "https://api.moonshot.ai/v1") -> str:
    """An http or https URL that holds no secret, without the slashes at its end."""
    what = f"an http(s) URL without user, query or fragment, such as {example}"
    if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e]{1,2000}", value := value.strip()):
        raise ExpectedError(what)
    try:
        parts = urlsplit(value)
        port_is_valid = parts.port != 0
    except ValueError:
        raise ExpectedError(what) from None
    if "@" in value:
        raise ExpectedError(what, said="a URL with an '@'")  # what stands before it may be a password
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_valid or "?" in value or "#" in value:
        raise ExpectedError(what)
    return value.rstrip("/")


def _name(value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value := value.strip()):
        raise ExpectedError("a name of 1 to 200 printable ASCII characters without spaces")
    return value


def _secret(value: object) -> Secret:
    if not isinstance(value, str) or not _KEY.fullmatch(value := value.strip()):
        raise ExpectedError("a key of printable ASCII characters without spaces", said="something else")
    return Secret(value)


def table(value: object, what: str) -> Mapping[str, object]:
    """A table as it was written."""
    if not isinstance(value, Mapping):
        raise ExpectedError(what, said="something else")
    return cast("Mapping[str, object]", value)


def headers(value: object) -> Mapping[str, Secret]:
    """Request headers by name; their values are secrets."""
    found: dict[str, Secret] = {}
    for name, text in table(value, "a table of header names and values").items():
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _FIXED_HEADERS:
            raise ExpectedError("a header name that kimi-lsp does not set itself", said=shown(name))
        if not isinstance(text, str) or not _HEADER_VALUE.fullmatch(text):
            raise ExpectedError("a text of printable ASCII characters", at=name, said="something else")
        found[name] = Secret(text)
    return MappingProxyType(found)


def _profile(value: object) -> Mapping[str, object]:
    return MappingProxyType(dict(table(value, "a table of model profile fields")))


def _rule_levels(value: object) -> Mapping[str, RuleLevel]:
    words = ["off", *(str(level) for level in Level)]
    if isinstance(value, Text):
        value = {
            item.partition("=")[0].strip(): item.partition("=")[2].strip()
            for item in text_list(value, "rule=level, separated by commas")
        }
    levels: dict[str, RuleLevel] = {}
    for rule_id, word in table(value, "a table of rule ids and levels").items():
        if not _RULE_ID.fullmatch(rule_id):
            raise ExpectedError("a rule id", said=shown(rule_id))
        if not isinstance(word, str) or word not in words:
            near = nearest(word, words) if isinstance(word, str) else ""
            raise ExpectedError(f"one of {', '.join(words)}", at=rule_id, said=shown(word), near=near)
        levels[rule_id] = "off" if word == "off" else Level(word)
    return MappingProxyType(levels)


def _rules(value: object) -> Rules:
    return Rules(yours=_rule_levels(value))


Usd = Annotated[Decimal, PlainValidator(_usd)]
Tokens = Annotated[int, PlainValidator(_whole(0, _MAX_TOKENS))]
Seconds = Annotated[float, PlainValidator(seconds)]
Concurrency = Annotated[int, PlainValidator(_whole(1, 256))]
FileBytes = Annotated[int, PlainValidator(_whole(1, 100_000_000))]
FileCount = Annotated[int, PlainValidator(_whole(1, 10_000_000))]
UnitChars = Annotated[int, PlainValidator(_whole(2_000, 2_000_000))]
Switch = Annotated[bool, PlainValidator(boolean)]
DepthWord = Annotated[Depth, PlainValidator(_one_of(Depth))]
ThinkingWord = Annotated[Thinking, PlainValidator(_one_of(Thinking))]
FailOnWord = Annotated[FailOn, PlainValidator(_one_of(FailOn))]
Lanes = Annotated[tuple[Lane, ...], PlainValidator(_lanes)]
Patterns = Annotated[tuple[str, ...], PlainValidator(_patterns)]
ProjectPatterns = Annotated[tuple[str, ...], PlainValidator(_project_patterns)]
Sentences = Annotated[tuple[str, ...], PlainValidator(_sentences)]
ProjectPaths = Annotated[tuple[str, ...], PlainValidator(_project_paths)]
Folder = Annotated[Path, PlainValidator(_folder)]
ConsentList = Annotated[Consent, PlainValidator(_consent)]
Url = Annotated[str, PlainValidator(url)]
Name = Annotated[str, PlainValidator(_name)]
Key = Annotated[Secret, PlainValidator(_secret)]
Headers = Annotated[Mapping[str, Secret], PlainValidator(headers)]
Profile = Annotated[Mapping[str, object], PlainValidator(_profile)]
RuleTable = Annotated[Rules, PlainValidator(_rules)]
RuleLevels = Annotated[Mapping[str, RuleLevel], PlainValidator(_rule_levels)]
