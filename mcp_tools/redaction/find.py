"""Find the secrets of a text: known formats, known places, telling keys, random literals, private keys."""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import PurePosixPath

from mcp_tools.project import language_of
from mcp_tools.redaction.access import known_places
from mcp_tools.redaction.escapes import unescaped
from mcp_tools.redaction.lazy import Lazy
from mcp_tools.redaction.literals import random_literals
from mcp_tools.redaction.looks import is_mixed, is_random
from mcp_tools.redaction.pem import KIND, private_keys
from mcp_tools.redaction.placeholder import BLANK, blanked
from mcp_tools.redaction.secret import Secret
from mcp_tools.redaction.structure import Setting, flagged_values, keyed_values, paired_values
from mcp_tools.redaction.tokens import known_tokens, shown_prefix

_BARE_WORD_LANGUAGES = frozenset("dotenv ini conf properties yaml toml terraform shell fish batch dockerfile".split())
_NOT_BLANK = Lazy(f"[^{BLANK}]+")
_SAMPLE_PATH = Lazy(
    r"(?:^|[/_.-])(?:tests?|testing|testdata|spec|specs|fixtures?|examples?|samples?|demos?|docs?|mocks?|stubs?|e2e|cypress|dummy|"
    r"tutorials?|templates?|locales?|i18n|snapshots?|cassettes?|benchmarks?)(?:[/_.-]|$)|\.(?:md|rst|adoc|ipynb|po|pot)$",
    re.IGNORECASE,
)


def find_secrets(text: str, path: str = "") -> list[Secret]:
    """Every secret of a text, recall first: sorted, non-overlapping, none within a placeholder.

    The path can only add: in configuration files a bare word after `password:` counts. It also decides, with the
    value itself, what is reportable: not what stands in tests, examples or documentation.
    """
    return _found(text, _setting(path), frozenset())


def find_secrets_within(text: str, path: str, start: int, stop: int, leads: frozenset[str]) -> list[Secret]:
    """The secrets of a part of a text, read by itself; `leads` are those of the whole (`access.leads_in`)."""
    return [each.shifted(start) for each in _found(text[start:stop], _setting(path), leads)]


def _found(text: str, setting: Setting, leads: frozenset[str]) -> list[Secret]:
    marked = blanked(text)
    found = list(_candidates(marked, setting, leads))
    if plain := unescaped(marked):
        again = _candidates(plain.text, setting, leads)
        found += (each.moved(marked, *plain.span(each.start, each.stop)) for each in again)
    return [each.moved(text, each.start, each.stop) for each in _apart(marked, found)]


def mask(value: str) -> str:
    """A value for messages: of a long token of a known format the part that names the format, else nothing of it."""
    return value[: min(shown_prefix(value), 4)] + "…" if len(value) >= 16 else "…"


def lower(text: str) -> str:
    """The text in lower case, of the same length: `İ` alone would grow."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else text.replace("İ", "i").lower()


@lru_cache(64)
def _setting(path: str) -> Setting:
    if not path:
        return Setting()
    name = PurePosixPath(path.replace("\\", "/")).name.lower()
    takes_bare_words = (
        language_of(path) in _BARE_WORD_LANGUAGES or name.startswith(".env") or name.endswith(("rc", ".cnf"))
    )
    return Setting(takes_bare_words, _SAMPLE_PATH.search(path) is not None)


def _candidates(text: str, setting: Setting, leads: frozenset[str]) -> Iterator[Secret]:
    """What each way of looking finds, the surest first."""
    lowered = lower(text)
    yield from private_keys(text)
    yield from known_tokens(text)
    yield from known_places(text, lowered, leads)
    yield from keyed_values(text, lowered, setting)
    yield from flagged_values(text, lowered, setting)
    yield from paired_values(text, lowered, setting)
    yield from random_literals(text)


def _apart(text: str, found: list[Secret]) -> list[Secret]:
    """Join what overlaps, so that no character of any candidate is lost, and keep clear of placeholders."""
    if not found:
        return []
    rank = {id(secret): number for number, secret in enumerate(found)}
    joined: list[Secret] = []
    for secret in sorted(found, key=lambda each: (each.start, -each.stop)):
        last = joined[-1] if joined else None
        if last is None or secret.start >= last.stop:
            joined.append(secret)
            continue
        first, second = sorted((last, secret), key=lambda each: rank.get(id(each), 0))
        whole = _union(text, first, second)
        rank[id(whole)] = rank.get(id(first), 0)
        joined[-1] = whole
    return [piece for secret in joined for piece in _clear(text, secret)]


def _union(text: str, surer: Secret, other: Secret) -> Secret:
    start, stop = min(surer.start, other.start), max(surer.stop, other.stop)
    kind, name = surer.kind, surer.name
    if kind == KIND and (start, stop) != (surer.start, surer.stop):
        kind, name = other.kind, other.name  # no longer a body of base64 alone
    return Secret(kind, start, stop, text[start:stop], surer.is_reportable or other.is_reportable, name)


def _clear(text: str, secret: Secret) -> Iterator[Secret]:
    """The secret without the placeholders it overlaps; of what remains only what is secret by itself."""
    if secret.kind == KIND:
        yield secret
        return
    if BLANK not in secret.value:
        yield secret
        return
    for part in _NOT_BLANK.finditer(secret.value):
        if len(part[0]) >= 6 and (is_mixed(part[0]) or is_random(part[0], 8)):
            yield secret.moved(text, secret.start + part.start(), secret.start + part.end())
