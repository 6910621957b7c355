"""One model call while it runs: an iterable of events over an open response, and how it ended."""

import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass

import anyio

from kimi_lsp.errors import StreamError
from kimi_lsp.model.assembler import Assembler
from kimi_lsp.model.events import Completion, Event
from kimi_lsp.model.lines import LineSplitter
from kimi_lsp.model.scrub import scrub
from kimi_lsp.model.transport import broken_stream_errors

_DRAIN_S = 0.1


@dataclass(frozen=True, slots=True)
class Sent:
    """What left: for the trail. `body_sha256` is of the exact bytes; ids are the endpoint's, from its headers."""

    body_sha256: str
    sent_bytes: int
    attempts: int
    request_id: str | None
    trace_id: str | None


class Exchange:
    """Iterate over it once for the events of a stream; `completion` says at any time how it stands.

    A stream that breaks raises nothing: the iteration ends, and the completion says that it is cut and why.
    """

    def __init__(
        self,
        first: bytes,
        chunks: AsyncGenerator[bytes, None],
        assembler: Assembler,
        splitter: LineSplitter,
        sent: Sent,
        *,
        max_bytes: int,
        total_s: float,
        clock: Callable[[], float],
    ) -> None:
        """Take over an open body whose first chunk has arrived."""
        self.sent = sent
        self._first = first
        self._chunks = chunks
        self._assembler = assembler
        self._splitter = splitter
        self._max_bytes = max_bytes
        self._ends_at = clock() + total_s if math.isfinite(total_s) else math.inf
        self._clock = clock
        self._events = self._read()

    def __aiter__(self) -> AsyncIterator[Event]:
        """The events, as they come."""
        return self._events

    @property
    def completion(self) -> Completion:
        """How the stream ended, or how it stands: one that is left early is cut, its usage estimated."""
        return self._assembler.close()

    async def _read(self) -> AsyncGenerator[Event]:
        assembler = self._assembler
        try:
            async with aclosing(self._lines()) as batches:
                async for lines in batches:
                    for line in lines:
                        for event in assembler.feed(line):
                            yield event
                    if assembler.is_done:
                        return
        except StreamError as error:
            assembler.fail(error)
        except broken_stream_errors() as error:
            assembler.fail(_broken(error))
        for event in assembler.flush():
            yield event

    async def _lines(self) -> AsyncGenerator[list[str]]:
        """The lines of each chunk, within the bounds."""
        size, chunk = 0, self._first
        while chunk:
            size += len(chunk)
            yield self._splitter.feed(chunk)
            if size > self._max_bytes:
                raise StreamError(f"The stream exceeds {self._max_bytes:,} bytes.")
            if self._clock() > self._ends_at:
                raise StreamError("The stream takes longer than a call may.")
            chunk = await anext(self._chunks, b"")
        yield self._splitter.flush()

    async def aclose(self) -> None:
        """Stop reading; after a proper end, take the last bytes so that the connection can be used again."""
        await self._events.aclose()
        if self._assembler.is_done and self.completion.error is None:
            with anyio.move_on_after(_DRAIN_S):
                try:
                    async for chunk in self._chunks:
                        if len(chunk) > 1024:
                            break
                except broken_stream_errors():
                    pass


def _broken(error: Exception) -> StreamError:
    name = type(error).__name__
    if "Timeout" in name:
        return StreamError("The stream stalled: nothing came for longer than the read timeout.", kind=name)
    return StreamError(scrub(f"The stream broke off ({name}: {error}).".replace(": )", ")")), kind=name)
