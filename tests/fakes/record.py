"""What reached a fake server and what it sent back: Recorded requests in a Journal that any thread may watch."""

import base64
import json
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.fakes.json_value import Json, get, items, parse, strings

HONEST_HEADERS = frozenset(
    "accept accept-encoding authorization connection content-length content-type host user-agent".split()
)  # what a client needs to send, and nothing that describes the machine it runs on
FAR = 1 << 62


@dataclass(frozen=True, slots=True)
class Sent:
    """One write. `at`: monotonic seconds when the socket took it. `answer`, `reasoning`: the text it completed."""

    at: float
    size: int
    answer: str = ""
    reasoning: str = ""


@dataclass(slots=True, eq=False)
class Recorded:
    """One request and its answer, filled while it happens. Times are `time.monotonic()` seconds.

    `raw` is every byte received for the request, `body` the decoded body. `closed_by_client_at` is set when the client
    went away before the answer was complete, `finished_at` when the answer was.
    """

    number: int
    connection: int
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    raw: bytes
    arrived_at: float
    status: int | None = None
    problem: str | None = None  # the message of the error answer
    sent: list[Sent] = field(default_factory=list[Sent])
    events_sent: int = 0  # events of the stream, as the gate counts them; a non-stream body is one
    finished_at: float | None = None
    closed_by_client_at: float | None = None

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def json(self) -> Json:
        """The body as JSON. Raises ValueError when it is none."""
        return parse(self.body)

    @property
    def prompt(self) -> str:
        """The text of all messages, one after the other."""
        texts: list[str] = []
        for message in items(get(self.json, "messages")):
            content = get(message, "content")
            parts = [content] if isinstance(content, str) else [get(part, "text") for part in items(content)]
            texts.extend(part for part in parts if isinstance(part, str))
        return "\n".join(texts)

    @property
    def header_names(self) -> frozenset[str]:
        """The names of the headers, in lower case."""
        return frozenset(name for name, _ in self.headers)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen: answered, or the client is gone."""
        return self.finished_at is not None or self.closed_by_client_at is not None

    @property
    def sent_bytes(self) -> int:
        """Bytes the socket has taken, heads and chunk frames included."""
        return sum(write.size for write in self.sent)

    @property
    def first_byte_at(self) -> float | None:
        """When the head of the answer had left."""
        return self.sent[0].at if self.sent else None

    @property
    def last_byte_at(self) -> float | None:
        """When the latest write had left."""
        return self.sent[-1].at if self.sent else None

    def header(self, name: str) -> str | None:
        """The first header of that name, whatever its case."""
        return next((value for key, value in self.headers if key == name.lower()), None)

    def answer_sent_at(self, text: str) -> float:
        """When the last byte of a text's first occurrence in the answer's content had left. LookupError: not yet."""
        start = "".join(write.answer for write in self.sent).find(text)
        left = start + len(text) if start >= 0 else FAR
        for write in self.sent:
            left -= len(write.answer)
            if left <= 0:
                return write.at
        raise LookupError(f"{text!r} has not been sent")

    def __str__(self) -> str:
        state = "gone" if self.closed_by_client_at else "answered" if self.finished_at else "open"
        return f"#{self.number} {self.method} {self.path} -> {self.status} {self.problem or ''} ({state})"


class Journal:
    """All requests of a server, in order of arrival. Thread-safe; `changed` wakes whoever waits."""

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())
        self._requests: list[Recorded] = []

    @property
    def requests(self) -> list[Recorded]:
        """A copy of the list; its entries go on changing."""
        with self.changed:
            return list(self._requests)

    def add(self, request: Recorded) -> None:
        """Remember a request whose body is complete."""
        with self.changed:
            self._requests.append(request)
            self.changed.notify_all()

    def notify(self) -> None:
        """Something of a request has changed."""
        with self.changed:
            self.changed.notify_all()

    def wait_for(self, predicate: Callable[[], bool], timeout_s: float) -> None:
        """Block until a predicate holds, looking again at each change. AssertionError when the time is over."""
        deadline = time.monotonic() + timeout_s
        with self.changed:
            while not predicate():
                left_s = deadline - time.monotonic()
                if left_s <= 0 or not self.changed.wait(left_s):
                    if predicate():
                        return
                    seen = "; ".join(map(str, self._requests)) or "no request"
                    raise AssertionError(f"did not happen within {timeout_s:g} s; seen: {seen}")


def leaks(requests: Iterable[Recorded], values: Iterable[str]) -> list[str]:
    """Where any of the values is found in any byte received: as is, JSON-escaped, unescaped, URL-encoded or base64."""
    wanted = list(values)
    if any(len(value) < 4 for value in wanted) or not wanted:
        raise ValueError("name at least one value, each of four characters or more")
    found: list[str] = []
    for request in requests:
        views = _views(request)
        for value in wanted:
            forms = _forms(value)
            found += [
                f"{value!r} as {form} in the {view} of {request}"
                for view, text in views.items()
                for form, needle in forms.items()
                if needle in text
            ]
    return found


def _views(request: Recorded) -> dict[str, str]:
    """The request's bytes as the texts someone could read out of them."""
    raw, body = (data.decode("utf-8", "surrogateescape") for data in (request.raw, request.body))
    views = {"bytes": raw, "body": body, "URL-decoded bytes": urllib.parse.unquote_plus(raw)}
    try:
        texts = list(strings(request.json))
    except ValueError:
        return views
    views["JSON strings"] = "\n".join(texts)
    views["JSON strings, spaces removed"] = "".join("".join(texts).split())
    return views


def _forms(value: str) -> dict[str, str]:
    """The spellings of a value to look for. Base64: the part that is the same at each of the three alignments."""
    forms = {"is": value, "JSON": json.dumps(value)[1:-1], "JSON in JSON": json.dumps(json.dumps(value)[1:-1])[1:-1]}
    data = value.encode()
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + data)
        stable = whole[-(-shift * 8 // 6) : (shift + len(data)) * 8 // 6].decode()
        if len(stable) >= 4:
            forms[f"base64 (shift {shift})"] = stable
            forms[f"URL-safe base64 (shift {shift})"] = stable.translate(str.maketrans("+/", "-_"))
    forms["hex"] = data.hex()
    return forms
