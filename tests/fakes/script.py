"""What the fake is told to answer: a Script, and a Gate that lets a test send it step by step."""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tests.fakes.faults import Fault

UsagePlace = Literal["choice", "top", "both", "none"]


class Gate:
    """Holds an answer back: each event of the stream needs a permit. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._permits = 0
        self._is_open = False
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def release(self, events: int = 1) -> None:
        """Let that many more events pass."""
        with self._lock:
            self._permits += events
            self._wake()

    def open(self) -> None:
        """Let everything pass from now on."""
        with self._lock:
            self._is_open = True
            self._wake()

    async def passed(self) -> None:
        """Wait for a permit and use it up."""
        while True:
            with self._lock:
                if self._is_open:
                    return
                if self._permits:
                    self._permits -= 1
                    return
                event = asyncio.Event()
                self._waiting.append((asyncio.get_running_loop(), event))
            await event.wait()

    def _wake(self) -> None:
        for loop, event in self._waiting:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)
        self._waiting.clear()


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One tool call of the answer. `arguments` is the JSON text, whole; without `id` the profile makes one."""

    name: str
    arguments: str = "{}"
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """One answer. It is sent as written: the fake judges nothing and checks only the request.

    Left None, `finish_reason` follows from the tool calls, `usage_place` from the profile, and the token counts from
    the text (`cached_tokens` from the prompts seen before). `chunk_chars` cuts reasoning, content and tool arguments
    into events; `segment_bytes` cuts the bytes of the whole stream once more, wherever that falls.
    """

    content: str = ""
    reasoning: str = ""
    tool_calls: Sequence[ToolCall] = ()
    chunk_chars: int = 24
    delay_s: float = 0.0  # before every event but the first
    first_delay_s: float = 0.0  # before the response head
    gate: Gate | None = None
    fault: Fault | None = None
    finish_reason: str | None = None
    usage_place: UsagePlace | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    newline: Literal["\n", "\r\n", "\r"] = "\n"
    segment_bytes: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def ending(self) -> str:
        """The finish reason that will be sent."""
        return self.finish_reason or ("tool_calls" if self.tool_calls else "stop")
