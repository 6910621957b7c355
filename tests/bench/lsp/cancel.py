"""From what stops an audit to the end of its connection at the endpoint. No peer does this: the goal is absolute."""

import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

from tests.bench.figure import Figure, at_most, percentile, reported
from tests.bench.lsp.endpoint import Endpoint, model
from tests.bench.lsp.generated import text
from tests.bench.lsp.servers import ours
from tests.fakes.json_value import Json, get
from tests.lsp.raw import RawClient, edit

_GOAL_MS = 100


async def cancels(endpoint: Endpoint, root: Path, rounds: int) -> AsyncGenerator[Figure]:
    """Each way to stop an audit in turn, while the model reasons; the connection's end is the fake's own time.

    An edit stops only what nobody asked for by hand: the audit that a save began.
    """
    took: dict[str, list[float]] = defaultdict(list)
    path, uri = root / "cancelled.py", (root / "cancelled.py").as_uri()
    path.write_text(text())
    await endpoint.answer_endlessly(0.01)
    async with ours(0, trigger="onSave").session(root, model(endpoint)) as client:
        for number in range(rounds):
            for way, stop in _WAYS.items():
                requests, since = await endpoint.requests(), client.mark
                client.open(uri, text(number))
                await client.published(uri, since=since)
                audit = _begin(client, uri, by_hand=stop is not _edit)
                await endpoint.streaming(1, since=requests)
                began = time.perf_counter()
                await stop(client, uri, audit, since)
                ended = await endpoint.closed(since=requests)
                took[way] += [(at - began) * 1000 for at in ended]
                if audit:
                    answer = await client.wait_for(lambda one, audit=audit: one.is_response_to(audit), since=since)
                    assert answer.get("result", "state") == "cancelled" or answer.error_code == -32800, answer.body
                if uri in client.versions:
                    client.close(uri)
    name = "lsp: cancel to the end of the connection"
    for way, times in took.items():
        yield reported(f"{name}, {way}, p50", percentile(times, 0.50), "ms")
        yield at_most(f"{name}, {way}, p99", percentile(times, 0.99), "ms", _GOAL_MS)


def _begin(client: RawClient, uri: str, *, by_hand: bool) -> int:
    """Have the document audited; the request's id, or 0 when there is none."""
    if by_hand:
        params: Json = {"command": "kimi.auditFile", "arguments": [{"uri": uri}]}
        return client.request("workspace/executeCommand", params)
    client.save(uri)
    return 0


async def _command(client: RawClient, uri: str, audit: int, since: int) -> None:
    client.request("workspace/executeCommand", {"command": "kimi.cancel", "arguments": [{"uri": uri}]})


async def _request(client: RawClient, uri: str, audit: int, since: int) -> None:
    client.cancel(audit)


async def _progress(client: RawClient, uri: str, audit: int, since: int) -> None:
    created = await client.notification("window/workDoneProgress/create", since=since)
    client.notify("window/workDoneProgress/cancel", {"token": get(created.params, "token")})


async def _close(client: RawClient, uri: str, audit: int, since: int) -> None:
    client.close(uri)


async def _edit(client: RawClient, uri: str, audit: int, since: int) -> None:
    client.change(uri, edit((0, 0), (0, 0), "#"))


_WAYS: dict[str, Callable[[RawClient, str, int, int], Awaitable[None]]] = {
    "kimi.cancel": _command,
    "$/cancelRequest": _request,
    "workDoneProgress/cancel": _progress,
    "didClose": _close,
    "didChange": _edit,
}
