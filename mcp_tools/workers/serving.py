"""Calls in, answers out, one after another: the loop of a worker. It knows frames and a service, no process."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from mcp_tools.catalog.values import Answer, JsonObject, Setup, setup_of
from mcp_tools.workers.confine import alarm
from mcp_tools.workers.frames import Frame, FrameError, Frames, Kind, answer_payload, call_of, frame_bytes, json_object

_NO_MEMORY: Final = frame_bytes(Kind.NO_MEMORY)  # made while there is some
_CHUNK_BYTES: Final = 65_536
_PAGE_BYTES: Final = 4096
_STATM: Final = Path("/proc/self/statm")


class Service(Protocol):
    """What a worker offers; `mcp_tools.catalog.Catalog` is one."""

    def call(self, name: str, arguments: JsonObject) -> Answer:
        """Do it; blocking."""
        ...


def serve(
    source: BinaryIO, target: BinaryIO, factory: Callable[[Setup], Service], *, heavy_bytes: int | None = None
) -> None:
    """Answer until the source ends, a frame is none, nobody reads the answers, or memory has run out.

    Args:
        source: where frames come from, unbuffered.
        target: where frames go, unbuffered.
        factory: makes the service of the set-up, which is the first frame.
        heavy_bytes: with more resident memory than this after a call, the worker asks to be replaced.
    """
    frames = Frames()
    service: Service | None = None
    try:
        while chunk := source.read(_CHUNK_BYTES):
            for frame in frames.feed(chunk):
                if service is None:
                    service, said = _open(factory, frame)
                else:
                    said = _answered(service, frame, heavy_bytes)
                _write(target, said)
                if service is None or said is _NO_MEMORY:
                    return
    except (FrameError, OSError):
        return


def _open(factory: Callable[[Setup], Service], frame: Frame) -> tuple[Service | None, bytes]:
    if frame.kind is not Kind.SETUP:
        raise FrameError("a set-up comes first")
    try:
        return factory(setup_of(json_object(frame.payload))), frame_bytes(Kind.READY)
    except Exception as error:  # noqa: BLE001 - the pool is told that this worker cannot serve, whatever the reason
        return None, _failed(error)


def _answered(service: Service, frame: Frame, heavy_bytes: int | None) -> bytes:
    if frame.kind is not Kind.CALL:
        raise FrameError("no call")
    call = call_of(frame.payload)
    alarm(call.deadline_s)
    try:
        payload = answer_payload(service.call(call.name, call.arguments))
        is_last = heavy_bytes is not None and _resident_bytes() > heavy_bytes
        return frame_bytes(Kind.LAST_ANSWER if is_last else Kind.ANSWER, payload)
    except MemoryError:
        return _NO_MEMORY
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a tool's exception ends its call and nothing else
        return _failed(error)
    finally:
        alarm(None)


def _failed(error: BaseException) -> bytes:
    return frame_bytes(Kind.FAILED, type(error).__name__.encode("ascii", "replace")[:60])


def _resident_bytes() -> int:
    try:
        return int(_STATM.read_bytes().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError, ValueError):
        return 0


def _write(target: BinaryIO, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[target.write(rest) :]
