"""FakeKimi: a model endpoint on loopback that checks requests as Moonshot does, follows scripts and fails on demand.

    with FakeKimi() as kimi:
        kimi.enqueue(Script(reasoning="Let me look.", content="{}"))
        ...                                                     # any client, in any thread or process, at kimi.base_url
        assert kimi.requests[0].status == 200

It runs in a thread of its own, so synchronous tests, asynchronous tests and other processes can use it. It judges
nothing.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from types import TracebackType
from typing import Self

import anyio.to_thread

from tests.fakes.app import App, Reply, Scripts
from tests.fakes.dialects import PROFILES
from tests.fakes.faults import Account
from tests.fakes.limits import Limiter, Limits
from tests.fakes.models import HOSTED, Model, self_hosted
from tests.fakes.plan import Send
from tests.fakes.record import Journal, Recorded, leaks
from tests.fakes.script import Script
from tests.fakes.tokens import PrefixCache
from tests.fakes.wire import Host

KEY = "fake-kimi-key"
UNLIMITED = Limits()
START_S = 10.0


class FakeKimi:
    """One endpoint. Starts on `with` or `start()`.

    profile: a name of `PROFILES`. models: ids to list instead of the profile's own (hosted ids keep their rules).
    key None: no key is asked for. limits: none unless given (`TIERS` has Moonshot's). allowed_headers: a request with
    any other header is refused (see `HONEST_HEADERS`). clock: monotonic seconds, for the limiter and the prefix cache.
    patience_s: how long a stall or a shut gate lasts at most.
    """

    def __init__(
        self,
        profile: str = "moonshot-k2.6",
        *,
        key: str | None = KEY,
        models: Sequence[str | Model] | None = None,
        limits: Limits = UNLIMITED,
        balance_usd: Decimal = Decimal("49.58"),
        allowed_headers: frozenset[str] | None = None,
        max_body_bytes: int = 64 << 20,
        clock: Callable[[], float] = time.monotonic,
        patience_s: float = 30.0,
    ) -> None:
        self.profile = PROFILES[profile]
        self.key = key
        self.account = Account()
        self._journal = Journal()
        self._scripts = Scripts()
        listed = [_model(one) for one in models] if models is not None else list(self.profile.models)
        self._app = App(
            profile=self.profile,
            models={model.id: model for model in listed},
            key=key,
            scripts=self._scripts,
            limiter=Limiter(limits, clock, self.account),
            cache=PrefixCache(clock),
            account=self.account,
            balance_usd=balance_usd,
            max_body_bytes=max_body_bytes,
            allowed_headers=allowed_headers,
            elsewhere=lambda: self.elsewhere_url,
        )
        self._host = Host(self._app.reply, self._journal, patience_s=patience_s)
        self._elsewhere = Host(_elsewhere_reply, Journal(), patience_s=patience_s)
        self._sockets: list[socket.socket] = []
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    def start(self) -> None:
        """Listen on two free ports of 127.0.0.1 and serve them."""
        self._sockets = [socket.create_server(("127.0.0.1", 0), backlog=512) for _ in range(2)]
        for one in self._sockets:  # asyncio does so only for sockets that name their protocol; connections inherit it
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        is_up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(is_up)), name="FakeKimi", daemon=True)
        self._thread.start()
        if not is_up.wait(START_S):
            raise TimeoutError("the fake server did not start")

    def stop(self) -> None:
        """Close every connection and both ports; no thread stays. Calling it again does nothing."""
        if self._thread is None or self._loop is None or self._stop is None:
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(START_S)
        if self._thread.is_alive():
            raise TimeoutError("the fake server did not stop")
        self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if error is None:
            self.assert_sound()

    @property
    def base_url(self) -> str:
        """What a client is given: http://127.0.0.1:PORT/v1."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def port(self) -> int:
        """The port."""
        return self._ports[0]

    @property
    def elsewhere_url(self) -> str:
        """The origin of the second listener, which the redirect fault points to. It would answer anything."""
        return f"http://127.0.0.1:{self._ports[1]}"

    @property
    def elsewhere(self) -> list[Recorded]:
        """What reached the second listener. A sound client leaves it empty."""
        return self._elsewhere.journal.requests

    @property
    def elsewhere_connections(self) -> int:
        """Connections made to the second listener, with or without a request."""
        return self._elsewhere.accepted

    @property
    def connections(self) -> int:
        """Connections made so far."""
        return self._host.accepted

    @property
    def requests(self) -> list[Recorded]:
        """Every request whose body arrived whole, oldest first."""
        return self._journal.requests

    @property
    def chats(self) -> list[Recorded]:
        """The chat completion requests among them."""
        return [request for request in self.requests if request.path == "/v1/chat/completions"]

    @property
    def running(self) -> int:
        """Chat completions that are being answered now."""
        return self._app.limiter.running

    @property
    def balance_usd(self) -> Decimal:
        """The account's balance. At zero or below, every chat completion is a quota error."""
        return self._app.balance_usd

    @balance_usd.setter
    def balance_usd(self, value: Decimal) -> None:
        self._app.balance_usd = value

    def enqueue(self, *scripts: Script) -> None:
        """Answers for the next requests that pass all checks, first in, first out."""
        self._scripts.add(scripts)

    def respond(self, responder: Callable[[Recorded], Script]) -> None:
        """A function that answers when the queue is empty. It runs in the server's thread and must not wait."""
        self._scripts.responder = responder

    @property
    def unused_scripts(self) -> int:
        """Scripts in the queue that no request has asked for."""
        return len(self._scripts)

    def wait_for(self, predicate: "Callable[[FakeKimi], bool]", timeout_s: float = 5.0) -> None:
        """Block this thread until a predicate holds; it is looked at again whenever something arrives, leaves or ends.

        AssertionError after `timeout_s`. In a test whose client runs on the same event loop, await `until` instead.
        """
        self._journal.wait_for(lambda: predicate(self), timeout_s)

    async def until(self, predicate: "Callable[[FakeKimi], bool]", timeout_s: float = 5.0) -> None:
        """The same for asynchronous tests: the event loop goes on."""
        await anyio.to_thread.run_sync(self.wait_for, predicate, timeout_s)

    def assert_no_secret(self, values: Iterable[str]) -> None:
        """No value is in any byte received, here or at the second listener, in any common encoding.

        AssertionError also when nothing was received: then nothing was checked.
        """
        seen = [*self.requests, *self.elsewhere]
        assert seen, "no request arrived: nothing was checked"
        found = leaks(seen, values)
        assert not found, "\n".join(found)

    def assert_sound(self) -> None:
        """Nothing went wrong in the fake itself: no crashed responder, no gate that stayed shut, no broken HTTP."""
        failures = self._host.failures + self._elsewhere.failures
        assert not failures, "\n".join(failures)

    @property
    def _ports(self) -> list[int]:
        if not self._sockets:
            raise RuntimeError("the fake server has not been started")
        return self._numbers

    async def _serve(self, is_up: threading.Event) -> None:
        loop = asyncio.get_running_loop()
        self._loop, self._stop = loop, asyncio.Event()
        self._numbers = [one.getsockname()[1] for one in self._sockets]
        servers = [
            await loop.create_server(host.connect, sock=one)
            for host, one in zip((self._host, self._elsewhere), self._sockets, strict=True)
        ]
        is_up.set()
        await self._stop.wait()
        for server in servers:
            server.close()
        for host in (self._host, self._elsewhere):
            await host.close()
        await asyncio.sleep(0)  # the transports' last callbacks


def unused_port() -> int:
    """A port of 127.0.0.1 where nobody listens, for a connection that is refused."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def _model(one: str | Model) -> Model:
    if isinstance(one, Model):
        return one
    return HOSTED.get(one) or self_hosted(one)


def _elsewhere_reply(request: Recorded) -> Reply:
    """What the second listener says: a plausible answer, so that a client that follows a redirect does not notice."""
    body = b'{"id":"elsewhere","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant",'
    body += b'"content":"elsewhere"},"finish_reason":"stop"}]}'
    return Reply(200, (("content-type", "application/json"),), (Send(body),), len(body))
