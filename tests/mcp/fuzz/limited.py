"""The server under a limit of its address space, its workers too: `python limited.py BYTES ARGUMENT...`."""

import os
import resource
import sys

if __name__ == "__main__":
    limit = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    os.execv(sys.executable, [sys.executable, "-m", "mcp_tools", *sys.argv[2:]])
