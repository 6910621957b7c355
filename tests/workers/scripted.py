"""A worker whose service does what a test says. Run as a script by `mcp_tools.workers.Pool`."""

import ctypes
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from mcp_tools.catalog.values import Answer, Json, JsonObject, Setup
from mcp_tools.workers.child import main


class Scripted:
    """Each public method is a tool."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.calls = 0
        if setup.key == "broken":
            raise RuntimeError("secret-of-the-start")

    def call(self, name: str, arguments: JsonObject) -> Answer:
        self.calls += 1
        tool: Callable[[JsonObject], Json] = getattr(self, name)
        return Answer(name, {"is": tool(arguments), "calls": self.calls, "pid": os.getpid()})

    def echo(self, arguments: JsonObject) -> Json:
        return arguments

    def root(self, _: JsonObject) -> Json:
        return self.setup.roots[0].path

    def hold(self, arguments: JsonObject) -> Json:
        """Wait until the test has opened a FIFO and closed it again: it knows then that the call runs."""
        return Path(str(arguments["fifo"])).read_text()

    def spin(self, arguments: JsonObject) -> Json:
        """Hold the interpreter in C, for ages."""
        if "fifo" in arguments:
            self.hold(arguments)
        return re.match(r"(a+)+$", "a" * 64 + "b") is None

    def allocate(self, arguments: JsonObject) -> Json:
        mebibytes = arguments["mebibytes"]
        assert isinstance(mebibytes, int)
        return len(bytearray(mebibytes << 20))

    def keep(self, arguments: JsonObject) -> Json:
        mebibytes = arguments["mebibytes"]
        assert isinstance(mebibytes, int)
        self.kept = b"x" * (mebibytes << 20)
        return len(self.kept)

    def leave(self, _: JsonObject) -> Json:
        os._exit(0)

    def exit(self, _: JsonObject) -> Json:
        sys.exit("secret-of-the-exit")

    def segfault(self, _: JsonObject) -> Json:
        os.kill(os.getpid(), signal.SIGSEGV)
        return None

    def crash(self, _: JsonObject) -> Json:
        return ctypes.string_at(0).decode()

    def fail(self, _: JsonObject) -> Json:
        raise ValueError("secret-of-the-call")

    def dive(self, _: JsonObject) -> Json:
        return self.dive({})

    def deep(self, _: JsonObject) -> Json:
        value: Json = None
        for _depth in range(100_000):
            value = [value]
        return value

    def huge(self, arguments: JsonObject) -> Json:
        size = arguments["bytes"]
        assert isinstance(size, int)
        return "x" * size

    def speak(self, _: JsonObject) -> Json:
        print("a stray print", flush=True)
        os.write(1, b"\x00\x00\x00\x02stray bytes")
        subprocess.run([sys.executable, "-c", "print('a child that prints')"], check=True, timeout=30)
        return sys.stdin.read()

    def forge(self, _: JsonObject) -> Json:
        """Write to every descriptor, as code that has broken out of the tools would."""
        for number in range(3, 64):
            try:
                os.write(number, b"\xff" * 64)
            except OSError:
                continue
        time.sleep(60)
        return None

    def flood(self, _: JsonObject) -> Json:
        for _round in range(64):
            os.write(2, b"x" * 65_536)
        return None

    def world(self, _: JsonObject) -> Json:
        """What this process can see of the one that started it."""
        folder = Path("/proc/self/fd")
        links = [str(entry.readlink()) for entry in folder.iterdir() if entry.is_symlink()] if folder.exists() else []
        seen: JsonObject = {
            "environment": {**os.environ},
            "path": [*sys.path],
            "core": [*resource.getrlimit(resource.RLIMIT_CORE)],
            "cwd": str(Path.cwd()),
            "modules": [*sys.modules],
            "json": str(json.__file__),
            "files": [link for link in links if not link.startswith(("pipe:", "/dev/null", "/proc/"))],
        }
        return seen

    def program(self, arguments: JsonObject) -> Json:
        """Start a program that outlives the call, in this process's group or in its own."""
        child = subprocess.Popen(
            [sys.executable, "-S", "-c", "import time; time.sleep(600)"],
            start_new_session=arguments["alone"] is True,
        )
        return child.pid

    def write(self, arguments: JsonObject) -> Json:
        try:
            Path(str(arguments["path"])).write_text("x")
        except OSError as error:
            return type(error).__name__
        return "written"

    def dial(self, arguments: JsonObject) -> Json:
        port = arguments["port"]
        assert isinstance(port, int)
        try:
            socket.create_connection(("127.0.0.1", port), timeout=10).close()
        except OSError as error:
            return type(error).__name__
        return "connected"

    def signal(self, arguments: JsonObject) -> Json:
        pid = arguments["pid"]
        assert isinstance(pid, int)
        try:
            os.kill(pid, 0)
        except OSError as error:
            return type(error).__name__
        return "sent"


if __name__ == "__main__":
    main(Scripted)
