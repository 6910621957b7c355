"""A raw LSP client over a child process: exact bytes out, every message in with the time it came. It judges nothing.

    async with RawClient.start() as client:
        await client.initialize(root=folder)
        client.open(uri, text)
        await client.published(uri, lambda diagnostics: len(diagnostics) == 1)

It knows JSON-RPC and no language server library, so that no defect is shared with what it measures. Linux only.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.fakes.json_value import Json, JsonObject, get, items, parse
from tests.lsp.raw_child import BOUND_S, Child
from tests.lsp.raw_wire import CAPABILITIES, Frames, Message, ResponseError, edit, frame, span

__all__ = [
    "BOUND_S",
    "CAPABILITIES",
    "SERVER",
    "Answer",
    "Message",
    "NoAnswer",
    "RawClient",
    "ResponseError",
    "edit",
    "frame",
    "span",
]

SERVER: Final = (sys.executable, "-m", "kimi_lsp", "lsp")

Answer = Callable[[Json], Json]  # a server request's params to its result; raises NoAnswer to stay silent


class NoAnswer(Exception):  # noqa: N818 - it is no error: the client keeps its peace
    """Raised by an Answer: the server's request is not answered now (see `RawClient.answer`)."""


@dataclass(slots=True, eq=False)
class _Waiter:
    predicate: Callable[[Message], bool]
    future: asyncio.Future[Message]


class RawClient(Child):
    """One server process. `messages` is everything it said, in order; `stderr` what it wrote there.

    settings: what `workspace/configuration` answers, by section (`{"kimi": {"debounceMs": 0}}`); a request for
    `kimi.debounceMs` finds it as well. action: the title of what `window/showMessageRequest` is answered with.
    answers: a function for each server request's method; the usual ones are there from the start.
    """

    def __init__(self, *, settings: Mapping[str, Json] | None = None) -> None:
        super().__init__()
        self.settings: dict[str, Json] = dict(settings or {})
        self.action: str | None = None
        self.answers: dict[str, Answer] = {
            "workspace/configuration": self._configuration,
            "window/showMessageRequest": self._chosen,
            "window/showDocument": lambda params: {"success": True},
            "workspace/applyEdit": lambda params: {"applied": False},
            **dict.fromkeys(_ANSWERED_WITH_NULL, lambda params: None),
        }
        self.messages: list[Message] = []
        self.versions: dict[str, int] = {}
        self._frames = Frames()
        self._failed: AssertionError | None = None
        self._waiters: list[_Waiter] = []
        self._next_id = 0

    @classmethod
    @asynccontextmanager
    async def start(
        cls,
        command: Sequence[str] = SERVER,
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        settings: Mapping[str, Json] | None = None,
        memory_bytes: int | None = None,
    ) -> "AsyncGenerator[RawClient]":
        """Start a server in a process group of its own; at the end the whole group is killed.

        env is added to this process's environment. memory_bytes is the most address space it may have (RLIMIT_AS).
        """
        client = cls(settings=settings)
        await client._spawn(command, env=env, cwd=cwd, memory_bytes=memory_bytes)
        try:
            yield client
        finally:
            await client.kill()

    # Out

    def send(self, body: Json) -> None:
        """Send a JSON value in a frame. `send_bytes` sends anything."""
        self.send_bytes(frame(body))

    def notify(self, method: str, params: Json = None) -> None:
        """Send a notification."""
        self.send(_message({"method": method}, params))

    def request(self, method: str, params: Json = None) -> int:
        """Send a request and give its id."""
        self._next_id += 1
        self.send(_message({"id": self._next_id, "method": method}, params))
        return self._next_id

    def cancel(self, request_id: int) -> None:
        """Cancel a request of ours."""
        self.notify("$/cancelRequest", {"id": request_id})

    async def response(self, request_id: Json, timeout_s: float = BOUND_S) -> Message:
        """The answer to a request, be it a result or an error."""
        return await self.wait_for(lambda message: message.is_response_to(request_id), timeout_s)

    async def call(self, method: str, params: Json = None, timeout_s: float = BOUND_S) -> Json:
        """Send a request and give its result. ResponseError when there is none."""
        since = self.mark
        request_id = self.request(method, params)
        message = await self.wait_for(lambda message: message.is_response_to(request_id), timeout_s, since=since)
        if "error" in message.body:
            raise ResponseError(method, message.body["error"])
        return message.body.get("result")

    async def execute(self, command: str, *arguments: Json, timeout_s: float = BOUND_S) -> Json:
        """Run a command of the server and give its result."""
        params: Json = {"command": command, "arguments": list(arguments)}
        return await self.call("workspace/executeCommand", params, timeout_s)

    def answer(self, request: Message, result: Json) -> None:
        """Answer a server request by hand (after NoAnswer)."""
        self.send({"jsonrpc": "2.0", "id": request.get("id"), "result": result})

    # In

    @property
    def mark(self) -> int:
        """The number that the next message will have: a `since`."""
        return len(self.messages)

    async def wait_for(
        self, predicate: Callable[[Message], bool], timeout_s: float = BOUND_S, *, since: int = 0
    ) -> Message:
        """The first message from number `since` on that satisfies a predicate; those that came already count.

        AssertionError when the time is over, when the server's output ends or when it says what is no frame.
        """
        for message in self.messages[since:]:
            if predicate(message):
                return message
        if self._failed is not None:
            raise AssertionError(f"{self._failed}; {self._seen}{self._last_words}")
        waiter = _Waiter(predicate, asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        try:
            return await asyncio.wait_for(waiter.future, timeout_s)
        except TimeoutError:
            raise AssertionError(f"did not come within {timeout_s:g} s; {self._seen}{self._last_words}") from None
        finally:
            self._waiters.remove(waiter)

    async def notification(self, method: str, timeout_s: float = BOUND_S, *, since: int = 0) -> Message:
        """The first notification or request of that method from number `since` on."""
        return await self.wait_for(lambda message: message.method == method, timeout_s, since=since)

    # A session

    async def initialize(
        self,
        *,
        root: str | Path | None = None,
        capabilities: JsonObject | None = None,
        encodings: Sequence[str] = (),
        options: Json = None,
        timeout_s: float = BOUND_S,
    ) -> JsonObject:
        """Greet the server: `initialize`, then `initialized`. Gives the result of `initialize`.

        root: an absolute path. Without capabilities: those of a client that can do what this one can. encodings:
        `general.positionEncodings`.
        """
        told: JsonObject = dict(CAPABILITIES if capabilities is None else capabilities)
        if encodings:
            general = told.get("general")
            told["general"] = {**(general if isinstance(general, dict) else {}), "positionEncodings": list(encodings)}
        params: JsonObject = {
            "processId": os.getpid(),
            "clientInfo": {"name": "raw"},
            "rootUri": None,
            "capabilities": told,
        }
        if root is not None:
            uri = Path(root).as_uri()
            params |= {"rootUri": uri, "workspaceFolders": [{"uri": uri, "name": Path(root).name}]}
        if options is not None:
            params["initializationOptions"] = options
        result = await self.call("initialize", params, timeout_s)
        self.notify("initialized", {})
        assert isinstance(result, dict)
        return result

    async def shutdown(self, timeout_s: float = BOUND_S) -> int:
        """Part from the server in good order and give its exit code."""
        await self.call("shutdown", timeout_s=timeout_s)
        self.notify("exit")
        return await self.exited(timeout_s)

    def open(self, uri: str, text: str, *, language: str = "python", version: int = 1) -> None:
        """Open a document."""
        self.versions[uri] = version
        document: Json = {"uri": uri, "languageId": language, "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})

    def change(self, uri: str, *changes: Json) -> int:
        """Change a document, by values of `edit` or `{"text": whole}`, and give its new version."""
        self.versions[uri] = version = self.versions.get(uri, 0) + 1
        document: Json = {"uri": uri, "version": version}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": list(changes)})
        return version

    def save(self, uri: str, text: str | None = None) -> None:
        """Say that a document was saved. Nothing is written."""
        params: JsonObject = {"textDocument": {"uri": uri}}
        if text is not None:
            params["text"] = text
        self.notify("textDocument/didSave", params)

    def close(self, uri: str) -> None:
        """Close a document."""
        self.versions.pop(uri, None)
        self.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    def publishes(self, uri: str, *, since: int = 0) -> list[Message]:
        """Every `publishDiagnostics` of a document, oldest first."""
        return [message for message in self.messages[since:] if message.is_publish_for(uri)]

    def diagnostics(self, uri: str) -> list[Json] | None:
        """The diagnostics that an editor shows now: those of the last publish; None when there was none."""
        latest = next((message for message in reversed(self.messages) if message.is_publish_for(uri)), None)
        return None if latest is None else latest.diagnostics

    async def published(
        self,
        uri: str,
        predicate: Callable[[list[Json]], bool] = lambda diagnostics: True,
        timeout_s: float = BOUND_S,
        *,
        since: int = 0,
        version: int | None = None,
    ) -> Message:
        """The first publish of a document from number `since` on whose diagnostics satisfy a predicate.

        version: it must be of that version.
        """
        return await self.wait_for(
            lambda message: (
                message.is_publish_for(uri)
                and (version is None or message.get("params", "version") == version)
                and predicate(message.diagnostics)
            ),
            timeout_s,
            since=since,
        )

    # The child's side

    def _said(self, at: float, data: bytes) -> None:
        try:
            bodies = [parse(body) for body in self._frames.feed(data)]
        except (AssertionError, ValueError, KeyError) as error:
            self._fail(AssertionError(f"the server said what is no message: {error!r}; {self._frames.rest[:200]!r}"))
            return
        for body in bodies:
            self._take(at, body)

    def _ended(self) -> None:
        self._fail(AssertionError("the server's output ended"))

    def _take(self, at: float, body: Json) -> None:
        if not isinstance(body, dict):
            self._fail(AssertionError(f"the server said what is no object: {body!r}"))
            return
        message = Message(len(self.messages), at, body)
        self.messages.append(message)
        if message.method is not None and "id" in body:
            self._reply(message.method, message)
        for waiter in list(self._waiters):
            if not waiter.future.done() and waiter.predicate(message):
                waiter.future.set_result(message)

    def _reply(self, method: str, message: Message) -> None:
        reply: JsonObject = {"jsonrpc": "2.0", "id": message.get("id")}
        if method not in self.answers:
            self.send({**reply, "error": {"code": -32601, "message": "the test client does not know this"}})
            return
        with contextlib.suppress(NoAnswer):
            self.send({**reply, "result": self.answers[method](message.params)})

    def _fail(self, error: AssertionError) -> None:
        if self._failed is None:
            self._failed = error
        for waiter in self._waiters:
            if not waiter.future.done():
                waiter.future.set_exception(AssertionError(f"{error}{self._last_words}"))

    def _configuration(self, params: Json) -> Json:
        return [self._setting(get(item, "section")) for item in items(get(params, "items"))]

    def _setting(self, section: Json) -> Json:
        if not isinstance(section, str) or not section:
            return dict(self.settings)
        return self.settings[section] if section in self.settings else get(dict(self.settings), *section.split("."))

    def _chosen(self, params: Json) -> Json:
        return next((one for one in items(get(params, "actions")) if get(one, "title") == self.action), None)

    @property
    def _seen(self) -> str:
        return "seen: " + (", ".join(message.method or "a response" for message in self.messages[-12:]) or "nothing")


_ANSWERED_WITH_NULL = (
    "client/registerCapability",
    "client/unregisterCapability",
    "window/workDoneProgress/create",
    "workspace/workspaceFolders",
    "workspace/codeLens/refresh",
    "workspace/diagnostic/refresh",
    "workspace/inlayHint/refresh",
)


def _message(head: JsonObject, params: Json) -> JsonObject:
    return {"jsonrpc": "2.0", **head, **({} if params is None else {"params": params})}
