"""SIGTERM and SIGINT as a reason to stop, also while the loop is stuck in a handler."""

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stopping(stop: Callable[[int], object]) -> Generator[None]:
    """Call `stop(128 + number)` at a signal. In the main thread only.

    Plain handlers: those of an event loop are called by the loop, which may be what hangs.
    """

    def act(number: int, frame: FrameType | None) -> None:
        stop(128 + number)

    before = {number: signal.signal(number, act) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
