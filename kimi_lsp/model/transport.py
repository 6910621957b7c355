"""The door to the SDK: `openai.AsyncOpenAI` with its unsafe defaults closed. Nothing else imports `openai` or `httpx2`.

What the SDK would do by itself and what is done here instead: it follows redirects and posts the prompt again
elsewhere (refused); it adds headers about this machine and from OPENAI_* variables (the headers are written anew,
from a closed list); it retries exhausted quotas (no retry at all, `retry` decides); it reads error bodies whole
(64 KiB).
"""

import functools
import importlib
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import anyio
import anyio.to_thread
from anyio import to_thread

from kimi_lsp.errors import EndpointError, LeakError
from kimi_lsp.model.classify import classify
from kimi_lsp.model.endpoint import KEYLESS, Endpoint
from kimi_lsp.model.retry import retry_after_s
from kimi_lsp.model.scrub import scrub

if TYPE_CHECKING:
    import ssl

    import httpx2
    import openai

Guard = Callable[[bytes], Sequence[str]]
"""Names what is wrong with the exact bytes of a request; nothing wrong, nothing named. Its words hold no secret."""

_MAX_ERROR_BYTES = 64 * 1024
_ERROR_BODY_S = 5.0
_CLOSE_S = 2.0
_MAX_CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `read_gap_s` bounds each silence, before the first byte as well; `total_s` a whole stream."""

    connect_s: float = 5.0
    write_s: float = 30.0
    read_gap_s: float = 90.0
    total_s: float = 1800.0


@dataclass(slots=True)
class Transport:
    """Sends requests to one endpoint and hands the open response back. Connects on first use; close it at the end."""

    endpoint: Endpoint
    guard: Guard
    timeouts: Timeouts
    _sdk: "openai.AsyncOpenAI | None" = field(default=None, init=False)
    _lock: anyio.Lock = field(default_factory=anyio.Lock, init=False)

    async def warm(self) -> None:
        """Load the SDK, half a second of imports, in a worker thread."""
        async with self._lock:
            if self._sdk is None:
                await anyio.to_thread.run_sync(load_sdk)
                # Reading the system's certificates takes 20 ms: once a process, and not on the loop.
                tls = await anyio.to_thread.run_sync(tls_context, self.endpoint.trust_env)
                self._sdk = self._connect(tls)

    async def post(self, path: str, content: bytes) -> "httpx2.Response":
        """Post JSON. The response is open and unread, its status 200.

        Raises:
            LeakError: the guard found something; not a byte was sent.
            ModelError: the endpoint refused (see `classify`), or did not answer (`EndpointError`).
        """
        return await self._send("post", path, content)

    async def get(self, path: str) -> "httpx2.Response":
        """Get a path; raises as `post` does."""
        return await self._send("get", path, None)

    async def aclose(self) -> None:
        """Close every connection. It may be used again."""
        sdk, self._sdk = self._sdk, None
        if sdk is not None:
            with anyio.move_on_after(_CLOSE_S, shield=True):
                await sdk.close()

    async def _send(self, verb: str, path: str, content: bytes | None) -> "httpx2.Response":
        await self.warm()
        assert self._sdk is not None
        import httpx2  # noqa: PLC0415  (late: see load_sdk)
        import openai  # noqa: PLC0415  (late: see load_sdk)

        try:
            if verb == "post":
                answer: object = await self._sdk.post(
                    path, cast_to=httpx2.Response, content=content, stream=True, stream_cls=openai.AsyncStream[object]
                )
            else:
                answer = await self._sdk.get(
                    path, cast_to=httpx2.Response, stream=True, stream_cls=openai.AsyncStream[object]
                )
        except openai.APITimeoutError as error:
            raise self._silence(error.__cause__ or error) from error
        except openai.APIConnectionError as error:
            raise self._no_answer(error.__cause__ or error) from error
        except (openai.OpenAIError, httpx2.InvalidURL, OSError) as error:
            raise self._no_answer(error) from error
        return cast("httpx2.Response", answer)  # what `cast_to` asked for; the overloads promise a stream

    def _silence(self, cause: BaseException) -> EndpointError:
        waited = self.timeouts.connect_s if "Connect" in type(cause).__name__ else self.timeouts.read_gap_s
        return EndpointError(f"No answer from {self.endpoint.netloc} within {waited:g} s ({type(cause).__name__}).")

    def _no_answer(self, cause: BaseException) -> EndpointError:
        said = scrub(f"{type(cause).__name__}: {cause}".rstrip(": "), self.endpoint.key)
        hint = ""
        if "CERTIFICATE_VERIFY_FAILED" in said:
            hint = "If a proxy of yours re-signs TLS, let the client trust the environment (SSL_CERT_FILE)."
        return EndpointError(f"No connection to {self.endpoint.netloc} ({said}).", hint=hint)

    def _connect(self, tls: "ssl.SSLContext") -> "openai.AsyncOpenAI":
        import httpx2  # noqa: PLC0415  (late: see load_sdk)
        import openai  # noqa: PLC0415  (late: see load_sdk)

        times = self.timeouts
        http_client = openai.DefaultAsyncHttpx2Client(
            verify=tls,
            follow_redirects=False,
            trust_env=self.endpoint.trust_env,
            timeout=httpx2.Timeout(
                connect=times.connect_s, read=times.read_gap_s, write=times.write_s, pool=times.read_gap_s
            ),
            limits=httpx2.Limits(max_connections=_MAX_CONNECTIONS),
            event_hooks={"request": [self._before], "response": [self._after]},
        )
        key = self.endpoint.key or KEYLESS
        return openai.AsyncOpenAI(
            api_key=key,
            base_url=self.endpoint.base_url,
            max_retries=0,
            http_client=http_client,
            timeout=http_client.timeout,
        )

    async def _before(self, request: "httpx2.Request") -> None:
        """The last look at a request: what may leave, and with which headers."""
        body = request.content
        leaks = list(dict.fromkeys(await to_thread.run_sync(self.guard, body))) if body else []
        if leaks:
            raise LeakError(
                f"The request was not sent: its body still holds {', '.join(leaks[:5])}.",
                hint="Please report this: redaction should have caught it.",
            )
        request.headers = self._headers(request)

    def _headers(self, request: "httpx2.Request") -> "httpx2.Headers":
        """The headers of a request, written anew: nothing the SDK or the environment added survives."""
        import httpx2  # noqa: PLC0415  (late: see load_sdk)

        headers = {
            "host": request.url.netloc.decode("ascii"),
            "accept": "text/event-stream" if request.method == "POST" else "application/json",
            "accept-encoding": "identity",  # compression would hold pieces of the stream back
            "connection": "keep-alive",
            "user-agent": self.endpoint.user_agent,
            "authorization": f"Bearer {self.endpoint.key or KEYLESS}",
        }
        if request.method == "POST":
            headers["content-type"] = "application/json"
            headers["content-length"] = str(len(request.content))
        extra = {name.lower(): value for name, value in self.endpoint.extra_headers.items()}
        return httpx2.Headers({**headers, **extra})

    async def _after(self, response: "httpx2.Response") -> None:
        """Turn every answer but a success into its error, having read at most 64 KiB of it."""
        if 200 <= response.status_code < 300:
            return
        body = await read_capped(response, _MAX_ERROR_BYTES, _ERROR_BODY_S)
        headers = lower(response.headers)
        raise classify(response.status_code, headers, body, self.endpoint, retry_after_s=retry_after_s(headers))


def lower(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers by their lower-case names."""
    return {name.lower(): value for name, value in headers.items()}


async def read_capped(response: "httpx2.Response", max_bytes: int, within_s: float) -> bytes:
    """The beginning of a body: as much as comes within a time, at most so many bytes. Transport errors end it."""
    parts: list[bytes] = []
    size = 0
    with anyio.move_on_after(within_s):
        async with aclosing(response.aiter_raw()) as chunks:
            try:
                async for chunk in chunks:
                    parts.append(chunk)
                    size += len(chunk)
                    if size >= max_bytes:
                        break
            except broken_stream_errors():
                pass
    return b"".join(parts)[:max_bytes]


def broken_stream_errors() -> tuple[type[Exception], ...]:
    """What a body that breaks off raises."""
    import ssl  # noqa: PLC0415  (late: see load_sdk)

    import httpx2  # noqa: PLC0415  (late: see load_sdk)

    return (httpx2.RequestError, httpx2.StreamError, ssl.SSLError, anyio.EndOfStream, OSError)


def tls_context(trust_env: bool) -> "ssl.SSLContext":
    """What is trusted when an endpoint is called: made once for the certificates that the environment names."""
    named = (os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")) if trust_env else None
    return _tls_context(named)


@functools.lru_cache(maxsize=4)
def _tls_context(named: tuple[str | None, str | None] | None) -> "ssl.SSLContext":
    import httpx2  # noqa: PLC0415  (late: see load_sdk)

    return httpx2.create_ssl_context(trust_env=named is not None)


def load_sdk() -> None:
    """Import the SDK. It obeys OPENAI_LOG while it is imported; here that has no effect."""
    root, sdk = logging.getLogger(), logging.getLogger("openai")
    level, mute = sdk.level, logging.NullHandler()
    if "OPENAI_LOG" in os.environ:
        root.addHandler(mute)  # a root logger that has a handler is not configured again
    try:
        importlib.import_module("openai")
    finally:
        if "OPENAI_LOG" in os.environ:
            root.removeHandler(mute)
            sdk.setLevel(level)
