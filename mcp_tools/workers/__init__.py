"""Run catalog calls in worker processes that can be killed: no parser, regex, huge file or crash reaches the server.

The pool is loaded when it is first named: a worker imports this package too, and has no use for an event loop.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from mcp_tools.workers.errors import CallFailedError, DeadlineError, WorkerError, WorkerLostError

if TYPE_CHECKING:
    from mcp_tools.workers.pool import Pool

__all__ = ["CallFailedError", "DeadlineError", "Pool", "WorkerError", "WorkerLostError"]


def __getattr__(name: str) -> object:
    if name != "Pool":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module("mcp_tools.workers.pool").Pool
