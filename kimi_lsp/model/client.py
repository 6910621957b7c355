"""The model client: a ChatRequest out, a stream of events in. Redirects, stray headers and leaks cannot pass.

```python
async with KimiClient(Endpoint(...), guard=guard) as client, client.stream(request) as exchange:
    async for event in exchange:
        ...
    settle(exchange.completion.usage)
```
"""

import functools
import hashlib
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from types import TracebackType
from typing import TYPE_CHECKING, Self

import anyio

from kimi_lsp.errors import EndpointError, KimiError, ModelError, UnknownModelError
from kimi_lsp.model import loose
from kimi_lsp.model.assembler import Assembler
from kimi_lsp.model.classify import classify, describe, request_id
from kimi_lsp.model.endpoint import Endpoint
from kimi_lsp.model.exchange import Exchange, Sent
from kimi_lsp.model.hosts import is_within
from kimi_lsp.model.lines import MAX_LINE_BYTES, LineSplitter
from kimi_lsp.model.profiles import Dialect
from kimi_lsp.model.request import ChatRequest
from kimi_lsp.model.retry import RetryPolicy
from kimi_lsp.model.scrub import scrub
from kimi_lsp.model.tokens import estimate_prompt
from kimi_lsp.model.transport import (
    Guard,
    Timeouts,
    Transport,
    broken_stream_errors,
    lower,
    read_capped,
)
from kimi_lsp.model.wire import chat_body, encode

if TYPE_CHECKING:
    import httpx2

_MAX_LIST_BYTES = 4 * 1024 * 1024
_LIST_S = 10.0
_HINT_S = 3.0
_CLOSE_S = 2.0
_STREAM_TYPES = ("text/event-stream", "text/plain", "application/octet-stream", "application/x-ndjson", "")


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a stream is cut, in bytes."""

    max_stream_bytes: int = 16 * 1024 * 1024
    max_line_bytes: int = MAX_LINE_BYTES


@dataclass(frozen=True, slots=True)
class Ticker:
    """Time and chance, so that tests can hold both: seconds that only grow, a wait, a number from 0 to below 1."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    jitter: Callable[[], float] = random.random


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model that an endpoint offers. None where it does not say."""

    id: str
    owned_by: str = ""
    context_window: int | None = None
    is_reasoning: bool | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account of the open platform holds. Nothing is answered at an available 0 or less."""

    available: Decimal
    voucher: Decimal
    cash: Decimal
    currency: str


class KimiClient:
    """Asks one model at one endpoint. Safe for concurrent calls in one event loop; close it at the end."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        guard: Guard,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        limits: Limits | None = None,
        ticker: Ticker | None = None,
    ) -> None:
        """Set a client up; nothing is imported or connected yet.

        `guard` sees the exact bytes of every request and names what must not leave.
        """
        self.endpoint = endpoint
        self._timeouts = timeouts or Timeouts()
        self._retry = retry or RetryPolicy()
        self._limits = limits or Limits()
        self._ticker = ticker or Ticker()
        self._transport = Transport(endpoint, guard, self._timeouts)
        self._seen_field: str | None = None

    async def __aenter__(self) -> Self:
        """Nothing to do on entry: the connection is made by the first call."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def warm(self) -> None:
        """Load the SDK ahead of the first call, off the event loop."""
        await self._transport.warm()

    def body(self, request: ChatRequest) -> bytes:
        """The exact bytes that `stream` would send now."""
        return encode(chat_body(request, self.endpoint.profile, self.endpoint.model, echo_field=self._seen_field))

    @asynccontextmanager
    async def stream(self, request: ChatRequest) -> AsyncGenerator[Exchange]:
        """Ask, and hand the stream over once its first byte is here. Leaving the block closes the socket.

        Failures before the first byte are retried as the policy says; what breaks later ends the stream (see
        `Exchange`).

        Raises:
            LeakError: the guard found something in the body; nothing was sent.
            ModelError: the endpoint refused or did not answer.
        """
        body = self.body(request)
        profile, timeouts = self.endpoint.profile, self._timeouts
        assembler = Assembler(
            prompt_tokens=estimate_prompt(request),
            reasoning_fields=profile.reasoning_fields,
            may_tag_thinking=profile.may_tag_thinking,
            clean=functools.partial(scrub, key=self.endpoint.key),
        )
        opened, attempts = await self._open(body)
        try:
            exchange = Exchange(
                opened.first,
                opened.rest,
                assembler,
                LineSplitter(self._limits.max_line_bytes),
                _sent(body, attempts, lower(opened.response.headers)),
                max_bytes=self._limits.max_stream_bytes,
                total_s=timeouts.total_s,
                clock=self._ticker.clock,
            )
            try:
                yield exchange
            finally:
                field = exchange.completion.reasoning_field
                if field in ("reasoning_content", "reasoning"):
                    self._seen_field = field
                with anyio.move_on_after(_CLOSE_S, shield=True):
                    await exchange.aclose()
        finally:
            await opened.aclose()

    async def models(self) -> list[ModelInfo]:
        """The models this key may use, as the endpoint lists them.

        Raises:
            ModelError: the endpoint refused, did not answer within 10 s, or answered with something else.
        """
        payload = loose.as_object(await self._get("/models"))
        if payload is None or not isinstance(payload.get("data"), list):
            raise EndpointError(f"{self.endpoint.netloc} gives no list of models.", status=200)
        found = (loose.as_object(item) or {} for item in loose.as_list(payload["data"]))
        return [_model_info(item, model) for item in found if (model := loose.as_text(item.get("id")))]

    async def balance(self) -> Balance | None:
        """What is left on the account; None where the endpoint knows no such thing.

        Raises:
            ModelError: as `models`.
        """
        if self.endpoint.profile.dialect is not Dialect.MOONSHOT:
            return None
        try:
            payload = loose.as_object(await self._get("/users/me/balance")) or {}
        except ModelError as error:
            if error.status == 404:
                return None
            raise
        data = loose.as_object(payload.get("data")) or {}
        amounts = [_amount(data.get(name)) for name in ("available_balance", "voucher_balance", "cash_balance")]
        available, voucher, cash = amounts
        if available is None:
            return None
        currency = "CNY" if is_within(self.endpoint.host, "moonshot.cn") else "USD"
        return Balance(available, voucher or Decimal(0), cash or Decimal(0), currency)

    async def _get(self, path: str) -> object:
        try:
            with anyio.fail_after(_LIST_S):
                response = await self._transport.get(path)
                try:
                    body = await read_capped(response, _MAX_LIST_BYTES, _LIST_S)
                finally:
                    with anyio.move_on_after(_CLOSE_S, shield=True):
                        await response.aclose()
        except TimeoutError as error:
            raise EndpointError(f"No answer from {self.endpoint.netloc} within {_LIST_S:g} s.") from error
        return loose.parse(body)[1]

    async def _open(self, body: bytes) -> tuple["_Opened", int]:
        """Try until a first byte is here or the policy gives up."""
        began = self._ticker.clock()
        attempt = 1
        while True:
            try:
                with anyio.fail_after(self._timeouts.total_s):  # headers may trickle in for ever
                    return await self._attempt(body), attempt
            except TimeoutError as error:
                raise EndpointError(
                    f"No answer from {self.endpoint.netloc} within {self._timeouts.total_s:g} s."
                ) from error
            except ModelError as error:
                delay = self._retry.delay_s(
                    error, attempt=attempt, elapsed_s=self._ticker.clock() - began, jitter=self._ticker.jitter()
                )
                if delay is None:
                    if isinstance(error, UnknownModelError):
                        error.hint = await self._offer()
                    raise
            await self._ticker.sleep(delay)
            attempt += 1

    async def _attempt(self, body: bytes) -> "_Opened":
        response = await self._transport.post("/chat/completions", body)
        opened = _Opened(response, response.aiter_raw())
        try:
            await self._check(response)
            opened.first = await anext(opened.rest)
        except StopAsyncIteration as error:
            await opened.aclose()
            raise EndpointError(f"{self.endpoint.netloc} closed the connection without an answer.") from error
        except broken_stream_errors() as error:
            await opened.aclose()
            said = scrub(f"{type(error).__name__}: {error}".rstrip(": "), self.endpoint.key)
            raise EndpointError(f"{self.endpoint.netloc} broke off before its first byte ({said}).") from error
        except BaseException:
            await opened.aclose()
            raise
        return opened

    async def _check(self, response: "httpx2.Response") -> None:
        """Refuse a success that is no event stream: it would read as an answer with nothing in it."""
        headers = lower(response.headers)
        encoding = headers.get("content-encoding", "identity")
        if encoding != "identity":
            raise EndpointError(
                f"{self.endpoint.netloc} compressed the stream ({encoding}) though asked not to.", status=200
            )
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind in _STREAM_TYPES:
            return
        body = await read_capped(response, 64 * 1024, 5.0)
        payload = loose.as_object(loose.parse(body)[1]) or {}
        error = loose.as_object(payload.get("error")) or {}
        code = error.get("code")
        if isinstance(code, int) and 400 <= code < 600:  # some gateways refuse with 200
            raise classify(code, headers, body, self.endpoint)
        what, said = describe(body, kind, self.endpoint.key)
        if "choices" in payload:
            said = "a whole completion, not a stream"
        raise EndpointError(
            f"{self.endpoint.netloc} answered with {kind}, not an event stream: {said or 'nothing'}",
            hint="Check the base URL: it usually ends in /v1.",
            status=response.status_code,
            kind=what,
            request_id=request_id(headers),
        )

    async def _offer(self) -> str:
        """A hint that lists what there is instead of an unknown model; empty where nobody says."""
        found: list[ModelInfo] = []
        with anyio.move_on_after(_HINT_S):
            with suppress(KimiError):
                found = await self.models()
        names = ", ".join(scrub(info.id) for info in found[:12])
        return f"This key may use: {names}{', …' if len(found) > 12 else ''}." if names else ""


@dataclass(slots=True)
class _Opened:
    """A response whose body has begun."""

    response: "httpx2.Response"
    rest: AsyncGenerator[bytes, None]
    first: bytes = b""

    async def aclose(self) -> None:
        """Close body and socket, whatever the state of the task."""
        with anyio.move_on_after(_CLOSE_S, shield=True):
            await self.rest.aclose()
            await self.response.aclose()


def _sent(body: bytes, attempts: int, headers: Mapping[str, str]) -> Sent:
    return Sent(
        body_sha256=hashlib.sha256(body).hexdigest(),
        sent_bytes=len(body),
        attempts=attempts,
        request_id=request_id(headers),
        trace_id=headers.get("x-trace-id") or headers.get("msh-trace-id"),
    )


def _model_info(item: dict[str, object], model: str) -> ModelInfo:
    window = loose.as_count(item.get("context_length")) or loose.as_count(item.get("max_model_len"))
    reasons = item.get("supports_reasoning")
    return ModelInfo(
        id=model,
        owned_by=loose.as_text(item.get("owned_by")) or "",
        context_window=window,
        is_reasoning=reasons if isinstance(reasons, bool) else None,
    )


def _amount(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None
