"""Build the agent and run it: the heavy half that loads once `initialize` is answered."""

import logging
import os
import sys
from collections.abc import Callable, Mapping

import anyio

from kimi_lsp.acp.agent import Agent
from kimi_lsp.acp.client import client_of
from kimi_lsp.acp.connection import Connection
from kimi_lsp.acp.start import Handshake
from kimi_lsp.faces.confine import confine
from kimi_lsp.faces.signals import stopping

_SWITCH_S = 0.001  # a worker thread lets the loop have its turn after a millisecond


def run(handshake: Handshake, end_process: Callable[[int], object]) -> int:
    """Serve one client, to the end; the exit code."""
    sys.setswitchinterval(_SWITCH_S)
    logging.getLogger().addHandler(logging.NullHandler())
    logging.lastResort = None  # nothing of a library's log goes to standard error: it could quote a file
    told = confine(os.environ)  # while there is one thread: another would keep its rights
    return anyio.run(_main, handshake, end_process, told)


async def _main(handshake: Handshake, end_process: Callable[[int], object], told: str) -> int:
    connection = build(handshake, os.environ, end_process)
    connection.log.write(told)
    with stopping(connection.stop):
        return await connection.serve()


def build(
    handshake: Handshake, environ: Mapping[str, str], end_process: Callable[[int], object] | None = None
) -> Connection:
    """An agent for the client that shook hands. Nothing is shared between two of them."""
    connection = Connection(handshake, end_process)
    Agent(connection, client_of(handshake.params), environ).route()
    return connection
