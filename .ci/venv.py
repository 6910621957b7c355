"""Make the project's private environment once, then run a command in it. Needs Python >= 3.11 and the network.

    python3 .ci/venv.py COMMAND [ARGUMENT...]

It works where the system's Python is externally managed and where Debian ships `venv` without `ensurepip`. The
environment is made again only when `pyproject.toml`, the constraints or the interpreter changed. KIMI_LSP_VENV names
another folder than `.venv`.
"""

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = Path(os.environ.get("KIMI_LSP_VENV", ROOT / ".venv"))
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
CONSTRAINTS = ROOT / ".ci" / "constraints.txt"
TRIES = 3


def wanted() -> str:
    """Say what the environment must have been made from."""
    parts = [sys.version, str(ROOT), (ROOT / "pyproject.toml").read_text("utf-8"), CONSTRAINTS.read_text("utf-8")]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def run(*command: str) -> None:
    """Run a download, and again when it was dropped."""
    for attempt in range(1, TRIES + 1):
        if subprocess.run(command, check=False).returncode == 0:
            return
        if attempt < TRIES:
            print(f"set-up: failed, trying again ({attempt}/{TRIES - 1})", file=sys.stderr)
            time.sleep(2.0 * attempt)
    sys.exit(f"set-up failed: {' '.join(command)}")


def make() -> None:
    """Make the environment with pip inside, then install the project and its test tools."""
    if (
        not PYTHON.exists()
        or subprocess.run([PYTHON, "-m", "pip", "-q", "--version"], check=False, capture_output=True).returncode
    ):
        made = subprocess.run(
            [sys.executable, "-m", "venv", "--clear", str(VENV)], check=False, capture_output=True, text=True
        )
        if made.returncode:  # Debian's Python without python3-venv: borrow the system's pip
            subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(VENV)], check=True)
            run(sys.executable, "-m", "pip", "--python", str(PYTHON), "install", "-q", "-c", str(CONSTRAINTS), "pip")
    pip = (str(PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check", "-c", str(CONSTRAINTS))
    run(*pip, "--upgrade", "pip")
    run(*pip, "-e", str(ROOT), "--group", f"{ROOT / 'pyproject.toml'}:dev")


def main() -> int:
    """Make what is missing, then become the command."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this script must say it before anything else fails
        sys.exit(f"kimi-lsp needs Python 3.11 or newer; this is {sys.version.split()[0]}")
    if len(sys.argv) < 2:
        sys.exit("usage: python3 .ci/venv.py COMMAND [ARGUMENT...]")
    stamp = VENV / "made-from"
    if not stamp.exists() or stamp.read_text("utf-8") != wanted():
        print(f"set-up: installing into {VENV} (once)", file=sys.stderr)
        make()
        stamp.write_text(wanted(), "utf-8")
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}", "VIRTUAL_ENV": str(VENV)}
    command = [str(BIN / sys.argv[1]) if (BIN / sys.argv[1]).exists() else sys.argv[1], *sys.argv[2:]]
    if os.name == "nt":
        return subprocess.run(command, check=False, env=environment).returncode
    return os.execvpe(command[0], command, environment)


if __name__ == "__main__":
    sys.exit(main())
