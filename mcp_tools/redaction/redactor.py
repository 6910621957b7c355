"""Redactor: swaps the secrets of texts for placeholders, puts them back, and checks what is about to leave."""

import hashlib
import hmac
import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import NewType, cast

from mcp_tools.redaction import literals
from mcp_tools.redaction.deny import is_denied
from mcp_tools.redaction.escapes import unescaped
from mcp_tools.redaction.find import find_secrets
from mcp_tools.redaction.lazy import Lazy
from mcp_tools.redaction.looks import is_address, is_dotted_name, is_mixed, is_random
from mcp_tools.redaction.memory import Memory, is_memorable
from mcp_tools.redaction.pem import KIND, runs
from mcp_tools.redaction.placeholder import MARK, blanked, placeholder, put_back
from mcp_tools.redaction.secret import Secret

Redacted = NewType("Redacted", str)
"""Text that has been through `Redactor.redact`: the only text a model client accepts."""

_FOREIGN = "text"  # the kind of what only looks like one of our placeholders
_TAG = 8  # hexadecimal digits of a tag, more where two values would share one
_LINE = Lazy(r"[^\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")
_SHORT = Lazy(r"[^\s\"\\]{4,4096}")
_WORD = Lazy(r"[^\s\"'`=:,;<>(){}\[\]]{8,4096}")
_SETTING = Lazy(
    r"^[ \t]*(?:export[ \t]+)?[\w.-]{1,100}[ \t]*[=:][ \t]*[\"']?([^\r\n]{6,4096}?)[\"']?[ \t]*$", re.MULTILINE
)


class Redactor:
    """One for each run. Thread-safe.

    A value always gets the same placeholder, so that a reader can tell that two places hold the same secret. Text that
    looks like a placeholder but is not one of ours is itself replaced, so that `restore` gives every text back exactly.
    """

    def __init__(self, key: bytes) -> None:
        """Take the key of the tags: without it nobody can tell a value from its tag."""
        self._key = key
        self._lock = threading.RLock()
        self._memory = Memory()
        self._tags: dict[str, str] = {}  # value -> tag
        self._values: dict[str, str] = {}  # tag -> value
        self._kinds: dict[str, str] = {}  # value -> the kind it was first seen as
        self._counted: dict[str, set[str]] = {}  # kind -> values replaced

    @property
    def counts(self) -> Mapping[str, int]:
        """How many distinct values were replaced, by kind."""
        with self._lock:
            return {kind: len(values) for kind, values in sorted(self._counted.items())}

    def learn(self, text: str, path: str = "") -> None:
        """Remember the secrets of a text, to replace them wherever they occur from now on.

        Of a file that is denied (`.env`, a key) every value that could be a secret is remembered. Learn all files of a
        run before redacting the first: what was already redacted is not visited again.
        """
        found = [(piece, secret.kind) for secret in find_secrets(text, path) for piece in _pieces(secret)]
        values = [(text[start:stop], kind) for (start, stop), kind in found]
        if is_denied(path):
            values += ((value, "denied-file") for value in _loose_values(text))
        with self._lock:
            for value, kind in values:
                self._remember(value, kind)

    def redact(self, text: str, path: str = "") -> Redacted:
        """Replace every secret: those found in the text and those learned. The lines stay as many as they were."""
        while True:
            found = find_secrets(text, path)
            with self._lock:
                text, is_changed = self._replace(text, found)
            if not is_changed:
                return Redacted(text)

    def restore(self, text: str) -> str:
        """Put the values back in place of our placeholders, also of those whose brackets a model escaped or lost."""
        with self._lock:
            return put_back(text, self._values.get)

    def scan(self, body: bytes) -> list[str]:
        """The kinds of secrets in a serialised request body; empty means it may leave.

        Looks at every string of the JSON, keys too, and at the raw bytes for the learned values in any form. A body
        that is not JSON is looked at as text.
        """
        raw = body.decode("utf-8", "replace")
        kinds: set[str] = set()
        try:
            content: object = json.loads(raw, object_pairs_hook=_Pairs)
        except (ValueError, RecursionError):
            content = raw
        for member in set(_members(content)):
            kinds.update(
                secret.kind for secret in find_secrets(member) if secret.kind != literals.KIND
            )  # quotes are ours
        for string in set(_strings(content)):
            kinds.update(secret.kind for secret in find_secrets(string))
            with self._lock:
                kinds.update(kind for _, _, kind in self._known(string))
        with self._lock:
            kinds.update(self._in_raw(raw))
        return sorted(kinds)

    def _remember(self, value: str, kind: str) -> None:
        if is_memorable(value) and not MARK.search(value):
            self._kinds.setdefault(value, kind)
            self._memory.add(value, self._kinds[value])

    def _known(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Where learned values stand, also behind escapes, outside placeholders."""
        text = blanked(text)
        yield from self._memory.find(text)
        if plain := unescaped(text):
            for start, stop, kind in self._memory.find(plain.text):
                yield *plain.span(start, stop), kind

    def _replace(self, text: str, found: list[Secret]) -> tuple[str, bool]:
        spans: list[tuple[int, int, str]] = []
        for secret in found:
            if secret.kind == KIND:
                self._counted.setdefault(KIND, set()).add(secret.value)  # one key, however many lines
            for start, stop in _pieces(secret):
                spans.append((start, stop, secret.kind))
                self._remember(text[start:stop], secret.kind)
        spans += self._known(text)
        spans += ((*match.span(), _FOREIGN) for match in MARK.finditer(text) if match[2] not in self._values)
        parts: list[str] = []
        at = 0
        for start, stop, kind in _joined(spans):
            parts += text[at:start], self._placeholder(text[start:stop], kind)
            at = stop
        return "".join([*parts, text[at:]]), bool(spans)

    def _placeholder(self, value: str, kind: str) -> str:
        kind = self._kinds.setdefault(value, kind)
        if kind != KIND:
            self._counted.setdefault(kind, set()).add(value)
        tag = self._tags.get(value)
        if tag is None:
            digest = hmac.new(self._key, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
            size = _TAG
            while size < len(digest) and digest[:size] in self._values:
                size += 4
            tag = self._tags[value] = digest[:size]
            self._values[tag] = value
        return placeholder(kind, tag)

    def _in_raw(self, raw: str) -> Iterator[str]:
        raw = blanked(raw)
        for start, stop, kind in self._memory.find(raw):
            if "\\" not in raw[start:stop] and not _is_within_escape(raw, start):
                yield kind


class _Pairs(list[tuple[str, object]]):
    """The members of a JSON object, repeated keys included."""


def _strings(value: object) -> Iterator[str]:
    """Every string of decoded JSON, keys too."""
    for item in _items(value):
        if isinstance(item, str):
            yield item
        elif isinstance(item, _Pairs):
            yield from (key for key, _ in item)


def _members(value: object) -> Iterator[str]:
    """Every member of decoded JSON that is a short string, written as `"key": "value"`, so that its key can tell."""
    for item in _items(value):
        if isinstance(item, _Pairs):
            for key, member in item:
                if isinstance(member, str) and _SHORT.fullmatch(member):
                    yield f'"{key}": "{member}"'


def _items(value: object) -> Iterator[object]:
    pending = [value]
    while pending:
        item = pending.pop()
        yield item
        if isinstance(item, _Pairs):
            pending += (member for _, member in item)
        elif isinstance(item, list):
            pending += cast("list[object]", item)


def _is_within_escape(raw: str, at: int) -> bool:
    r"""Say whether a place in JSON lies inside an escape sequence, such as after the backslash of `\n`."""
    before = raw[max(at - 64, 0) : at]
    head = re.sub(r"u[0-9a-fA-F]{0,3}\Z", "", before) if not before.endswith("\\") else before
    slashes = len(head) - len(head.rstrip("\\"))
    return slashes % 2 == 1


def _pieces(secret: Secret) -> Iterator[tuple[int, int]]:
    """The spans of a secret that become placeholders: one a line, so that lines stay."""
    if secret.kind == KIND:
        for start, stop in runs(secret.value, is_value=True):
            yield secret.start + start, secret.start + stop
        return
    for line in _LINE.finditer(secret.value):
        content = line[0].strip(" \t")
        if content:
            start = secret.start + line.start() + line[0].index(content)
            yield start, start + len(content)


def _joined(spans: Iterable[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Spans in order, overlapping ones joined under the kind of the first."""
    joined: list[tuple[int, int, str]] = []
    for start, stop, kind in sorted(spans, key=lambda span: (span[0], -span[1])):
        if joined and start < joined[-1][1]:
            first = joined[-1]
            joined[-1] = (first[0], max(stop, first[1]), first[2])
        else:
            joined.append((start, stop, kind))
    return joined


def _loose_values(text: str) -> Iterator[str]:
    """What could be secret in a file made for secrets: settings' values and single words, long and random enough."""
    candidates = {match[1] for match in _SETTING.finditer(text)} | {match[0] for match in _WORD.finditer(text)}
    for value in candidates:
        is_name = is_address(value) or is_dotted_name(value) or " " in value
        if is_random(value, 8) or (len(value) >= 6 and is_mixed(value) and not is_name):
            yield value
