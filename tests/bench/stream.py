"""`stream`: what reading a model stream costs in CPU, beside a raw line loop and beside the SDK's typed path."""

import asyncio
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from functools import partial

import anyio
import httpx2
import openai

from kimi_lsp.model import (
    NO_RETRY,
    ChatRequest,
    Endpoint,
    Finish,
    KimiClient,
    Message,
    Reasoning,
    Role,
    Thinking,
    profile_for,
)
from mcp_tools.redaction import Redacted
from tests.bench.figure import Figure, at_most, percentile, reported

_MODEL = "kimi-k2.6"
_LATENCY_GOAL_MS = 5.0
_SERVER = "import sys; from tests.bench.stream import serve; serve(int(sys.argv[1]))"


def run(quick: bool) -> Iterator[Figure]:
    """CPU of a long reasoning stream (ours, raw lines, lines and JSON, typed), and latency to the event."""
    count, rounds = (2_000, 2) if quick else (20_000, 7)
    with _server(count) as port:
        base_url, merged_url = f"http://127.0.0.1:{port}/chunks/v1", f"http://127.0.0.1:{port}/merged/v1"
        ways: dict[str, Callable[[], Awaitable[int]]] = {
            "ours": partial(_read_ours, base_url),
            "raw": partial(_read_raw, base_url, _ignore),
            "json": partial(_read_raw, base_url, json.loads),
            "typed": partial(_read_typed, base_url),
            "ours, merged": partial(_read_ours, merged_url),
            "json, merged": partial(_read_raw, merged_url, json.loads),
        }
        spent = anyio.run(_measure, ways, count, rounds)
        yield at_most(
            f"stream: CPU of {count:,} reasoning chunks",
            spent["ours"],
            "s",
            2.0,
            peer=spent["raw"],
            peer_name="httpx2 lines",
        )
        name = f"stream: CPU of {count:,} chunks"
        yield reported(f"{name} beside lines + json.loads", spent["ours"], "s", peer=spent["json"], peer_name="loop")
        yield reported(f"{name} by the typed SDK", spent["typed"], "s", peer=spent["raw"], peer_name="httpx2 lines")
        merged, name = spent["ours, merged"], f"{name} merged by a proxy, beside lines + json.loads"
        yield reported(name, merged, "s", peer=spent["json, merged"], peer_name="loop")
        delays = anyio.run(latencies, f"http://127.0.0.1:{port}/latency/v1", 2 if quick else 6)
        yield at_most(
            "stream: last byte of a finding to its event, p95", percentile(delays, 0.95), "ms", _LATENCY_GOAL_MS
        )


def reasoning_events(count: int) -> Iterator[bytes]:
    """The events of a Moonshot stream that reasons in so many chunks, then answers."""
    words = [
        "Let",
        " me",
        " check",
        " the",
        ' "quoted"',
        " path",
        "\n",
        " für",
        " 数据",
        " query",
        "\\d+",
        " line",
        " 42",
        ".",
    ]
    head = {"id": "chatcmpl-67500eb0c51af667d5968f74", "object": "chat.completion.chunk", "created": 1_763_000_000}
    head |= {"model": _MODEL, "system_fingerprint": "fpv0_c26222aa"}

    def event(delta: dict[str, str], finish: str | None = None, **more: object) -> bytes:
        chunk = {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish, **more}]}
        return f"data: {json.dumps(chunk, separators=(',', ':'))}\n\n".encode()

    yield event({"role": "assistant", "content": ""})
    for number in range(count):
        yield event({"reasoning_content": words[number % len(words)]})
    yield event({"content": '{"findings":[]}'})
    usage = {"prompt_tokens": 19, "completion_tokens": count, "total_tokens": 19 + count, "cached_tokens": 10}
    yield event({}, "stop", usage=usage)
    yield b"data: [DONE]\n\n"


def chunked_stream(count: int) -> bytes:
    """The same as the body of an HTTP/1.1 response: each event its own chunk, as servers that stream send it."""
    return b"".join(_http_chunk(event) for event in reasoning_events(count)) + b"0\r\n\r\n"


def finding_stream(now_ns: Callable[[], int]) -> Iterator[bytes]:
    """HTTP chunks of an answer; each ends a finding's JSON and says when it was sent, on the monotonic clock."""
    for number in range(50):
        finding = json.dumps({"rule": "sql-injection", "line": number, "sent_ns": now_ns()}) + "\n"
        delta = {"content": finding}
        chunk = {"id": "x", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        yield _http_chunk(f"data: {json.dumps(chunk)}\n\n".encode())
    yield _http_chunk(b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
    yield b"0\r\n\r\n"


def merged_stream(count: int) -> bytes:
    """The same after a proxy that fills its buffer first: 16 KiB a chunk."""
    return b"".join(map(_http_chunk, _slices(b"".join(reasoning_events(count))))) + b"0\r\n\r\n"


async def latencies(base_url: str, rounds: int) -> list[float]:
    """Milliseconds from the write that ended each finding's JSON to the Answer event that holds it."""
    found: list[float] = []
    async with _client(base_url) as client:
        for _ in range(rounds):
            async with client.stream(_request()) as exchange:
                async for event in exchange:
                    here = time.monotonic_ns()
                    sent = re.search(r'"sent_ns": (\d+)', getattr(event, "text", ""))
                    if sent:
                        found.append((here - int(sent[1])) / 1e6)
            assert exchange.completion.finish is Finish.STOP
    return found


def serve(count: int) -> None:
    """Serve `/chunks`, `/merged` and `/latency` on loopback until killed; the first line printed is the port."""
    streams = {b"chunks": chunked_stream(count), b"merged": merged_stream(count)}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = re.search(rb"content-length: (\d+)", head)
        await reader.readexactly(int(length[1]) if length else 0)
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream\r\n")
        writer.write(b"transfer-encoding: chunked\r\n\r\n")
        with suppress(ConnectionError):
            name = head.split(b"/", 2)[1]
            for piece in finding_stream(time.monotonic_ns) if name == b"latency" else _slices(streams[name]):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.004 if name == b"latency" else 0)
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()
        await server.serve_forever()

    asyncio.run(main())


def _slices(whole: bytes) -> Iterator[bytes]:
    return (whole[start : start + 16_384] for start in range(0, len(whole), 16_384))


def _http_chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _request() -> ChatRequest:
    return ChatRequest((Message(Role.USER, Redacted("Audit this.")),), max_tokens=1024, thinking=Thinking.AUTO)


def _client(base_url: str) -> KimiClient:
    return KimiClient(Endpoint(base_url, _MODEL, profile_for(_MODEL, base_url)), guard=lambda body: (), retry=NO_RETRY)


async def _read_ours(base_url: str) -> int:
    async with _client(base_url) as client, client.stream(_request()) as exchange:
        return sum([1 async for event in exchange if isinstance(event, Reasoning)])


async def _read_raw(base_url: str, take: Callable[[str], object]) -> int:
    count = 0
    async with (
        httpx2.AsyncClient(trust_env=False) as client,
        client.stream("POST", f"{base_url}/chat/completions", json={}) as response,
    ):
        async for line in response.aiter_lines():
            if line.startswith("data: {"):
                count += 1
                take(line[6:])
    return count - 3  # the role, the answer, the end


async def _read_typed(base_url: str) -> int:
    count = 0
    async with (
        openai.DefaultAsyncHttpx2Client(trust_env=False) as http_client,
        openai.AsyncOpenAI(api_key="none", base_url=base_url, http_client=http_client) as client,
        await client.chat.completions.create(
            model=_MODEL, messages=[{"role": "user", "content": "Audit this."}], stream=True
        ) as stream,
    ):
        async for chunk in stream:
            if getattr(chunk.choices[0].delta, "reasoning_content", None):
                count += 1
    return count


def _ignore(line: str) -> None:
    """A line loop does nothing with its lines."""


async def _measure(ways: dict[str, Callable[[], Awaitable[int]]], count: int, rounds: int) -> dict[str, float]:
    """Median CPU seconds of this process for each way, taken in turns after a warm-up."""
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, read in ways.items():
            began = time.process_time()
            read_count = await read()
            took = time.process_time() - began
            if read_count != count:
                raise AssertionError(f"{name} read {read_count} of {count} chunks")
            if number:
                spent[name].append(took)
    return {name: statistics.median(values) for name, values in spent.items()}


@contextmanager
def _server(count: int) -> Generator[int]:
    """A server in a process of its own, so that its CPU is not counted; gives its port."""
    process = subprocess.Popen([sys.executable, "-c", _SERVER, str(count)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
