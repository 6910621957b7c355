"""Events of a run as a stream, read inside a block: leaving the block early cancels the run, sockets included."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TypeVar

import anyio
from anyio.abc import ObjectSendStream

T = TypeVar("T")
_AHEAD = 256  # events; who reads them and does not keep up holds the run back


@asynccontextmanager
async def streamed(
    run: Callable[[ObjectSendStream[T]], Coroutine[object, object, None]],
) -> AsyncGenerator[AsyncIterator[T]]:
    """Run something beside the block, which reads what it sends. `run` closes its stream when it has ended.

    What the block raises is raised as it is, not wrapped in a group.
    """
    send, receive = anyio.create_memory_object_stream[T](_AHEAD)
    raised: Exception | None = None
    async with anyio.create_task_group() as group:
        group.start_soon(run, send)
        try:
            async with receive:
                yield receive
        except Exception as error:  # noqa: BLE001 - the block's own: raised below
            raised = error
        group.cancel_scope.cancel()
    if raised is not None:
        raise raised
