"""Values that their key gives away: `password = "…"`, `api_key: …`, `--token …`, `<secret>…</secret>`, `?token=…`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mcp_tools.redaction import keys, shapes
from mcp_tools.redaction.judge import (
    PROSE,
    Key,
    is_bare_secret,
    is_config_secret,
    is_prose_secret,
    is_quoted_secret,
    is_sure,
)
from mcp_tools.redaction.lazy import Lazy
from mcp_tools.redaction.looks import is_mixed, is_random, strangeness
from mcp_tools.redaction.secret import Secret

_LONGEST_INDENT = 200  # characters before the first key of a line
_LONGEST_EXPRESSION = 200  # characters in which a literal is looked for
_KEY_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789_.-"
_KEY_LEAD = 40  # characters before the word that can belong to the key
_BEFORE_KEYS = frozenset({"", "export", "set", "setenv", "env", "arg", "$env:"})
_WORD = Lazy(keys.WORD)


@dataclass(frozen=True, slots=True)
class Setting:
    """What a path says about its text: may a bare word be a value there; is all of it only for tests or for show."""

    takes_bare_words: bool = False
    is_sample: bool = False


def keyed_values(text: str, lowered: str, setting: Setting) -> Iterator[Secret]:
    """Every value whose key says that it is secret; `lowered` is the text in lower case, of the same length."""
    at = 0
    while match := shapes.KEY.search(lowered, at):
        at = match.end("word")
        window = lowered[max(match.start() - _KEY_LEAD, 0) : match.start()]
        lead = window[len(window.rstrip(_KEY_CHARACTERS)) :]
        family = keys.family_of(match["word"], lead, match["tail"])
        if family is None:
            continue
        operator = match["op"].strip()
        if operator[0:1] == ":" and operator[-1:] == "=":
            operator = "="
        is_quoted = '"' in match["close"] or "'" in match["close"]
        key = Key(family, f"{lead}{match['word']}{match['tail']}", match.start() - len(lead), operator, is_quoted)
        for secret in _values(text, match.end(), key, setting):
            yield secret
            at = max(at, secret.stop)


def flagged_values(text: str, lowered: str, setting: Setting) -> Iterator[Secret]:
    """Every value of a command-line option such as `--password x`."""
    for match in shapes.FLAG.finditer(lowered):
        family = keys.family_of(match["word"], match["lead"], match["tail"])
        argument = shapes.ARGUMENT.match(text, match.end())
        if family is None or argument is None or argument["bare"].startswith("-"):
            continue
        key, value = Key(family, match["word"], match.start(), ""), argument["bare"]
        is_word = match["op"] == "=" and family.is_chosen and len(value) >= 5 and value.islower()
        if is_bare_secret(key, value, in_code=False) or (is_word and is_config_secret(key, value)):
            start, stop = argument.span("bare")
            yield _secret(text, key, start, _end(shapes.ARGUMENT_END, text, stop), setting)


def paired_values(text: str, lowered: str, setting: Setting) -> Iterator[Secret]:
    """Every value whose key stands on the line before: `name: DB_PASSWORD`, then `value: …`."""
    if "value" not in lowered:
        return
    for match in shapes.PAIR.finditer(lowered):
        name = match["name"]
        for word in _WORD.finditer(name):
            family = keys.family_of(word[0], name[: word.start()], name[word.end() :])
            if family:
                start, stop = match.span("v")
                key = Key(family, name, match.start(), ":", is_quoted=True)
                if is_quoted_secret(key, text[start:stop]):
                    yield _secret(text, key, start, stop, setting)
                break


def _values(text: str, at: int, key: Key, setting: Setting) -> Iterator[Secret]:
    """What stands after a key and its operator, by the first shape that fits."""
    if key.operator.endswith((">", "<string>")) and key.operator != "=>":
        element = shapes.ELEMENT.match(text, at)
        if element and is_quoted_secret(key, element["bare"].strip()):
            yield _secret(text, key, *element.span("bare"), setting)
    elif quoted := shapes.QUOTED.match(text, at):
        if key.operator != "," or _is_argument(text, at, quoted, key):
            yield from _quoted_values(text, key, quoted.end(), quoted.span(quoted.lastgroup or "d"), setting)
    elif key.operator in PROSE:
        yield from _word(text, at, key, setting)
    elif key.binds and key.operator != ",":
        yield from _bare_values(text, at, key, setting)


def _word(text: str, at: int, key: Key, setting: Setting) -> Iterator[Secret]:
    """The next word of a sentence."""
    word = shapes.ARGUMENT.match(text, at)
    if word and is_prose_secret(word["bare"].rstrip(".,:!?")):
        start, stop = word.start("bare"), _end(shapes.ARGUMENT_END, text, word.end("bare"))
        yield _secret(text, key, start, start + len(text[start:stop].rstrip(".,:!?")), setting, is_bare=True)


def _bare_values(text: str, at: int, key: Key, setting: Setting) -> Iterator[Secret]:
    """The rest of a line of configuration, a word without quotes, or literals within an expression."""
    if setting.takes_bare_words and (rest := shapes.REST.match(text, at)) and _starts_line(text, key.start):
        start, value = rest.start("rest"), shapes.COMMENT.sub("", rest["rest"])
        if is_config_secret(key, value):
            yield _secret(text, key, start, _end(shapes.BARE_END, text, start + len(value)), setting)
            return
    bare = shapes.BARE.match(text, at)
    if bare and is_bare_secret(key, bare["bare"], in_code=not setting.takes_bare_words):
        start, stop = bare.span("bare")
        yield _secret(text, key, start, _end(shapes.BARE_END, text, stop), setting, is_bare=True)
    elif key.operator.endswith("="):
        yield from _later_literals(text, at, key)


def _later_literals(text: str, at: int, key: Key) -> Iterator[Secret]:
    """What looks secret among the literals of an expression: `password = decrypt("…")`, `x if y else "…"`."""
    end = at + _LONGEST_EXPRESSION
    while (quote := shapes.QUOTE_OR_END.search(text, at, end)) and (
        literal := shapes.LITERAL.match(text, quote.start())
    ):
        start, stop = literal.span(literal.lastgroup or "d")
        at = literal.end()
        value = text[start:stop]
        is_secret = is_random(value, 10) or (len(value) >= 8 and is_mixed(value) and strangeness(value) >= 0.2)
        if is_secret and is_quoted_secret(key, value):
            yield Secret(key.family.kind, start, stop, value, is_reportable=False, name=key.family.name)


def _end(pattern: Lazy, text: str, stop: int) -> int:
    """Where the run of characters ends in which a value was cut for its length."""
    run = pattern.match(text, stop)
    return run.end() if run else stop


def _is_argument(text: str, at: int, quoted: re.Match[str], key: Key) -> bool:
    """Say whether a literal after a comma is the argument after its key (`define("KEY", "…")`), not a next item."""
    opening = text[max(key.start - 8, 0) : key.start].rstrip("\\\"'brfuBRFU ")
    between = text[at : quoted.start(quoted.lastgroup or "d")]
    return opening.endswith(("(", "[")) and not ("\n" in between or "\r" in between)


def _quoted_values(text: str, key: Key, at: int, span: tuple[int, int], setting: Setting) -> Iterator[Secret]:
    """A quoted value and the literals joined to it on the same line, judged as one."""
    spans = [span]
    while (more := shapes.MORE.match(text, at)) and more[0].strip() and len(spans) < 50:
        spans.append(more.span(more.lastgroup or "d"))
        at = more.end()
    joined = "".join(text[start:stop] for start, stop in spans)
    if len(spans) > 1 and is_quoted_secret(key, joined):
        yield from (_secret(text, key, start, stop, setting) for start, stop in spans if stop > start)
    elif is_quoted_secret(key, text[span[0] : span[1]]):
        yield _secret(text, key, *span, setting)


def _starts_line(text: str, at: int) -> bool:
    """Say whether only indentation, `-`, `export` or `set` stands before a key on its line."""
    window = text[max(at - _LONGEST_INDENT, 0) : at]
    before = window[max(window.rfind("\n"), window.rfind("\r")) + 1 :]
    return len(before) < _LONGEST_INDENT and before.strip(" \t-\"'*").lower() in _BEFORE_KEYS


def _secret(text: str, key: Key, start: int, stop: int, setting: Setting, *, is_bare: bool = False) -> Secret:
    value = text[start:stop]
    is_known_bare = not is_bare or setting.takes_bare_words
    is_reportable = key.binds and is_known_bare and not setting.is_sample and is_sure(text, key, value)
    return Secret(key.family.kind, start, stop, value, is_reportable, key.family.name)
