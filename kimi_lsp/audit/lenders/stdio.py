"""A lender over stdio: a program's lines in and out, every one of them bounded. Imports the SDK."""

import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.abc
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter
from pydantic import ValidationError

from kimi_lsp.audit.lenders import program
from kimi_lsp.audit.lenders.watch import MAX_BYTES, Watch
from kimi_lsp.errors import StreamError
from kimi_lsp.model import LineSplitter

_log = logging.getLogger(__name__)

_Incoming = SessionMessage | Exception
Streams = tuple[MemoryObjectReceiveStream[_Incoming], MemoryObjectSendStream[SessionMessage]]


@asynccontextmanager
async def stdio_transport(
    command: Sequence[str], environment: Mapping[str, str], cwd: Path, watch: Watch
) -> AsyncGenerator[Streams]:
    """Start a program (its path and arguments) and speak with it. It and its children are gone at the end.

    Raises:
        OSError: it cannot be started.
    """
    process = await program.started(command[0], command[1:], environment, cwd)
    try:
        to_session, incoming = anyio.create_memory_object_stream[_Incoming](0)
        outgoing, from_session = anyio.create_memory_object_stream[SessionMessage](0)
        async with to_session, incoming, outgoing, from_session, anyio.create_task_group() as tasks:
            tasks.start_soon(_read, process, to_session, watch)
            tasks.start_soon(_write, process, from_session, watch)
            try:
                yield incoming, outgoing
            finally:
                tasks.cancel_scope.cancel()
    finally:
        await program.ended(process, politely=not watch.fault)


async def _read(process: anyio.abc.Process, out: MemoryObjectSendStream[_Incoming], watch: Watch) -> None:
    """Hand on each line that is a message, until the program ends or sends too much. Other lines are counted."""
    assert process.stdout is not None
    splitter = LineSplitter(MAX_BYTES)
    async with out:
        try:
            async for chunk in process.stdout:
                if not watch.take(len(chunk), chunk.count(b"\n")):
                    return
                for line in splitter.feed(chunk):
                    message = _message(line)
                    if message is not None:
                        await out.send(message)
                    elif line.strip() and not watch.rubbish():
                        return
        except StreamError:
            watch.blame("sent a line without an end")
        except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
            _log.debug("the pipe of a lender broke")
        watch.blame("ended by itself")


async def _write(process: anyio.abc.Process, messages: MemoryObjectReceiveStream[SessionMessage], watch: Watch) -> None:
    assert process.stdin is not None
    try:
        async for item in messages:
            text = item.message.model_dump_json(by_alias=True, exclude_unset=True)
            await process.stdin.send(text.encode() + b"\n")
    except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
        watch.blame("ended by itself")


def _message(line: str) -> SessionMessage | None:
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
    except (ValidationError, ValueError):
        return None
