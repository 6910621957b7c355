"""How much a lender may send, and what it did wrong. Pure bookkeeping, shared by a lender and its transport."""

from collections.abc import Callable
from dataclasses import dataclass, field

MAX_BYTES = 8 * 1024 * 1024
MAX_MESSAGES = 5_000
MAX_RUBBISH = 100


@dataclass(slots=True)
class Watch:
    """Room for what one question may bring, renewed with each question; the first fault is the one that is told.

    `on_fault` is called once, when there is one: whoever waits for this lender need not wait any longer.
    """

    on_fault: Callable[[], None] = lambda: None
    fault: str = field(default="", init=False)  # the end of a sentence that begins with the lender's name
    status: int | None = field(default=None, init=False)  # of the last HTTP answer, if it was a refusal
    _bytes: int = field(default=MAX_BYTES, init=False)
    _messages: int = field(default=MAX_MESSAGES, init=False)
    _rubbish: int = field(default=MAX_RUBBISH, init=False)

    def renew(self) -> None:
        """A question goes out: its answer has room."""
        self._bytes, self._messages = MAX_BYTES, MAX_MESSAGES

    def take(self, size: int, messages: int) -> bool:
        """Count what came in. False when it is more than was asked for; that is a fault."""
        self._bytes -= size
        self._messages -= messages
        if self._bytes < 0 or self._messages < 0:
            self.blame("sent far more than it was asked for")
        return not self.fault

    def rubbish(self) -> bool:
        """Count a line that is no message. False when there were too many; that is a fault."""
        self._rubbish -= 1
        if self._rubbish < 0:
            self.blame("answered what is no MCP")
        return not self.fault

    def blame(self, fault: str) -> None:
        """Note why the lender cannot go on."""
        if not self.fault:
            self.fault = fault
            self.on_fault()
