"""The worker process: takes its pipes out of everybody's reach, gives up its rights, and serves.

Nothing of ours is imported at the top: nothing but frames may ever be written to the pipe.
"""

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from mcp_tools.catalog.values import Setup
    from mcp_tools.workers.serving import Service


def main(factory: "Callable[[Setup], Service] | None" = None) -> None:
    """Be a worker until the server closes the pipe; does not return.

    The arguments of the process: the server's process id; the limit of the address space in bytes, 0 for none.

    Args:
        factory: makes what answers the calls; the catalog when None.
    """
    source, target = _take_wire()
    parent, memory_bytes = int(sys.argv[1]), int(sys.argv[2]) or None
    from mcp_tools.workers.confine import confine, die_with, limit  # noqa: PLC0415 - only now is the wire safe

    die_with(parent)
    limit(memory_bytes)
    confine()
    from mcp_tools.workers.serving import serve  # noqa: PLC0415 - what it imports is imported under the limits

    serve(source, target, factory or _catalog, heavy_bytes=memory_bytes and memory_bytes // 4)
    os._exit(0)  # threads and programs that a call left behind do not hold it up


def _take_wire() -> tuple[BinaryIO, BinaryIO]:
    """Move the pipes away from 0 and 1, to where no print reaches them and no program that is started inherits them."""
    source, target = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - Windows alone has it

        msvcrt.setmode(source, os.O_BINARY)
        msvcrt.setmode(target, os.O_BINARY)
    return open(source, "rb", buffering=0), open(target, "wb", buffering=0)


def _catalog(setup: "Setup") -> "Service":
    from mcp_tools.catalog import Catalog  # noqa: PLC0415 - a test's worker does without

    return Catalog(setup)


if __name__ == "__main__":
    main()
