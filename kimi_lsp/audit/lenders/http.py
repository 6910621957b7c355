"""A lender over streamable HTTP: one origin, its own headers, bounded bodies, verified TLS. Imports the SDK."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager

import anyio.to_thread
import httpx2
from mcp.client._transport import TransportStreams  # the only name the SDK has for what its transports yield
from mcp.client.streamable_http import streamable_http_client

from kimi_lsp.audit.lenders.watch import MAX_BYTES, Watch
from kimi_lsp.config.settings import is_loopback
from kimi_lsp.model.transport import tls_context

_CONNECTIONS = 8


class _RefusedError(httpx2.StreamError):
    """Something that is not done for a lender; the watch knows what."""


class _Metered(httpx2.AsyncByteStream):
    """A body that is counted while it is read."""

    def __init__(self, body: httpx2.AsyncByteStream, watch: Watch) -> None:
        self._body, self._watch = body, watch

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._body:
            if not self._watch.take(len(chunk), chunk.count(b"\ndata:")):
                raise _RefusedError(self._watch.fault)
            yield chunk

    async def aclose(self) -> None:
        await self._body.aclose()


@asynccontextmanager
async def http_transport(
    url: str, headers: Mapping[str, str], timeout_s: float, watch: Watch, *, trust_env: bool
) -> AsyncGenerator[TransportStreams]:
    """Speak with a URL.

    Nothing is sent to another origin, whatever a redirect says; a redirect within it is followed. The proxies of the
    environment are asked only where it is trusted, and never for this machine.
    """
    origin = _origin(httpx2.URL(url))
    proxied = trust_env and not is_loopback(url)
    tls = await anyio.to_thread.run_sync(tls_context, trust_env)

    async def before(request: httpx2.Request) -> None:
        if _origin(request.url) != origin:
            watch.blame("sends its callers elsewhere")
            raise _RefusedError(watch.fault)
        request.headers["accept-encoding"] = "identity"  # a small body could unpack to a large one
        for name, value in headers.items():
            request.headers[name] = value

    async def after(response: httpx2.Response) -> None:
        is_refusal = response.status_code >= 300 and response.status_code != 405  # 405: it offers no stream of its own
        watch.status = response.status_code if is_refusal else None
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            watch.blame("packs its answers, which it was asked not to")
            raise _RefusedError(watch.fault)
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Metered(response.stream, watch)

    async with (
        httpx2.AsyncClient(
            verify=tls,
            trust_env=proxied,
            follow_redirects=False,
            timeout=httpx2.Timeout(timeout_s),
            limits=httpx2.Limits(max_connections=_CONNECTIONS),
            headers={"user-agent": "kimi-lsp"},
            event_hooks={"request": [before], "response": [after]},
        ) as client,
        streamable_http_client(url, http_client=client, max_sse_event_size=MAX_BYTES) as streams,
    ):
        yield streams


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
