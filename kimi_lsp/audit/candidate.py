"""What a model reported, read tolerantly from an object of its answer: a Candidate, or Malformed and why. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kimi_lsp.audit.lenient import Value, normal

_MAX_LINE = 10_000_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A finding as the model wrote it; nothing in it has been checked. Texts it did not give are empty.

    `line` is the 1-based line it names, `last_line` the end where it names a range. `confidence` and `level` are its
    words in lower case (a number for the confidence has become high, medium or low). `raw` is the object's text.
    `is_salvaged`: the object was broken or cut, and its fields were taken from what is left.
    """

    rule: str
    message: str
    quote: str
    line: int | None = None
    symbol: str = ""
    confidence: str = ""
    level: str | None = None
    why: str = ""
    fix: str = ""
    raw: str = ""
    last_line: int | None = None
    is_salvaged: bool = False


@dataclass(frozen=True, slots=True)
class Malformed:
    """A piece of an answer that was meant to be a finding and is none, and why, as a phrase for the trail."""

    reason: str
    raw: str = ""


# The names that models give each field, normalised, the best one first.
_ALIASES: Mapping[str, str] = {
    "rule": "rule ruleid rulename rulekey checkid check category kind type id",
    "message": "message msg title summary headline issue problem finding description details text",
    "quote": "quote quotedcode quotedtext quotedline existingcode codesnippet snippet code excerpt sourcecode evidence",
    "line": "line lineno linenumber lineat startline linestart startlineno startlinenumber lines linerange range "
    "location span",
    "last": "endline lineend endlineno endlinenumber lastline",
    "symbol": "symbol function functionname method methodname class scope",
    "confidence": "confidence confidencelevel certainty confidencescore",
    "level": "level severity priority",
    "why": "why reasoning reason rationale explanation analysis impact description details",
    "fix": "fix suggestion suggestedfix recommendation remediation proposedfix suggestedcode howtofix",
}
_KEYS: Mapping[str, tuple[str, ...]] = {name: tuple(aliases.split()) for name, aliases in _ALIASES.items()}
# Which field a normalised key gives; where it may give two, the first one it was listed for.
FIELDS: Mapping[str, str] = {key: name for name, keys in reversed(_KEYS.items()) for key in keys}
_INNER = ("text", "code", "quote", "snippet", "value", "message")
_CORE = ("rule", "message", "quote", "line")


def read(
    value: Mapping[str, Value], raw: str, *, is_listed: bool, is_salvaged: bool = False
) -> Candidate | Malformed | None:
    """Read one object.

    Args:
        value: the object.
        raw: its text, for the trail.
        is_listed: it stood in a list of findings, so that it was meant to be one.
        is_salvaged: it was put together from a broken object.

    Returns:
        None for an object that is something else, such as one in the prose round the answer.
    """
    fields: dict[str, Value] = {}
    for key, entry in value.items():
        fields[normal(key)] = entry
    place = fields.get("location")
    if isinstance(place, dict):
        fields = {**{normal(key): entry for key, entry in place.items()}, **fields}
    if sum(any(key in fields for key in _KEYS[name]) for name in _CORE) < (1 if is_listed else 2):
        return Malformed("it has none of a finding's fields", raw) if is_listed else None
    message_key, message = _first(fields, _KEYS["message"])
    _, why = _first(fields, [key for key in _KEYS["why"] if key != message_key])
    if not message and not why:
        return Malformed("it has no message", raw)
    line, last = _lines(fields[key] for key in _KEYS["line"] if key in fields)
    end, _ = _lines(fields[key] for key in _KEYS["last"] if key in fields)
    return Candidate(
        rule=_first(fields, _KEYS["rule"])[1].strip(),
        message=(message or why).strip(),
        quote=_first(fields, _KEYS["quote"])[1],
        line=line,
        symbol=_first(fields, _KEYS["symbol"])[1].strip(),
        confidence=_confidence(next((fields[key] for key in _KEYS["confidence"] if key in fields), None)),
        level=_first(fields, _KEYS["level"])[1].strip().lower() or None,
        why=why.strip(),
        fix=_first(fields, _KEYS["fix"])[1].strip(),
        raw=raw,
        last_line=end or last,
        is_salvaged=is_salvaged,
    )


def _first(fields: Mapping[str, Value], keys: Iterable[str]) -> tuple[str, str]:
    """The first of some keys that holds a text, and the text."""
    for key in keys:
        if text := _text(fields.get(key)):
            return key, text
    return "", ""


def _text(value: Value) -> str:
    if isinstance(value, list):
        return "\n".join(filter(None, map(_text, value)))
    if isinstance(value, dict):
        inner = {normal(key): entry for key, entry in value.items() if isinstance(entry, str)}
        return next(
            (inner[key] for key in ("text", "code", "quote", "snippet", "value", "message") if key in inner), ""
        )
    if isinstance(value, bool) or value is None:
        return ""
    return _sound(str(value))


def _sound(text: str) -> str:
    """The text with surrogate pairs joined, and without what no UTF-8 file can hold: lone surrogates, NUL."""
    if not text.isascii():
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", "\ufffd")


_RANGE = re.compile(r"(?<![\d.])(\d{1,8})(?!\d)(?:\s*(?:-|\u2013|to|\.\.|:|,|and|L)+\s*L?(\d{1,8})(?!\d))?")
_PLACE = re.compile(r".*\.\w{1,6}:(?=\d)|.*(?:#L|\bline )", re.DOTALL)


def _lines(values: Iterable[Value]) -> tuple[int | None, int | None]:
    """The first and last 1-based line that one of some values names."""
    for value in values:
        first, last = _range(value)
        if first is not None:
            return first, last
    return None, None


def _range(value: Value) -> tuple[int | None, int | None]:
    match value:
        case bool() | None:
            return None, None
        case int() | float():
            number = int(value) if 0 < value <= _MAX_LINE else None
            return number, number
        case str():
            found = _RANGE.search(_PLACE.sub("", value[:200], count=1))
            if found is None:
                return None, None
            first, _ = _range(int(found[1]))
            last, _ = _range(int(found[2] or found[1]))
            return first, last if first and last and last >= first else first
        case list():
            return _lines(value[:1])[0], _lines(value[-1:])[1]
        case dict():
            inner = {normal(key): entry for key, entry in value.items()}
            first, last = _lines(inner[key] for key in ("start", "from", "first", *_KEYS["line"]) if key in inner)
            end, _ = _lines(inner[key] for key in ("end", "to", "last", *_KEYS["last"]) if key in inner)
            return first, end or last


def _confidence(value: Value) -> str:
    text = _text(value).strip().lower()
    number = re.fullmatch(r"(\d{1,3}(?:\.\d+)?)\s*%?", text)
    if number is None:
        return text
    share = float(number[1])
    share /= 100 if share > 10 or text.endswith("%") else 10 if share > 1 else 1
    return "high" if share >= 0.8 else "medium" if share >= 0.5 else "low"
