"""Unpack llama.cpp's `llama-server` of Debian sid into a private folder and print where. No system change, no root.

    python3 .ci/llama.py [FOLDER]

Only the standard library and `apt-get`/`dpkg-deb` are needed. The mirror is the one that this machine's apt sources
name. A folder that is complete already is left alone. KIMI_TEST_LLAMA names another default folder.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

SUITE, PACKAGE = "sid", "llama.cpp"
DEFAULT = Path(os.environ.get("KIMI_TEST_LLAMA") or Path.home() / ".cache" / "kimi-lsp-ci" / "llama").absolute()
SOURCES = Path("/etc/apt")
TRIES, STEP_TIMEOUT_S = 4, 600.0


def stanzas() -> Iterator[dict[str, str]]:
    """The apt sources of this machine, both file formats, as fields in lower case."""
    for file in sorted(SOURCES.glob("sources.list.d/*.sources")):
        for block in file.read_text("utf-8").split("\n\n"):
            lines = [line for line in block.splitlines() if ":" in line and not line.startswith(("#", " "))]
            fields = {key.strip().lower(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
            if fields.get("uris"):
                yield fields
    for file in (SOURCES / "sources.list", *sorted(SOURCES.glob("sources.list.d/*.list"))):
        for line in file.read_text("utf-8").splitlines() if file.exists() else ():
            words = [word for word in line.split("#")[0].split() if not word.startswith("[") and not word.endswith("]")]
            if len(words) > 2 and words[0] == "deb":
                yield {"uris": words[1]}


def mirror() -> str:
    """The main Debian archive this machine installs from."""
    for fields in stanzas():
        uri = fields["uris"].split()[0].rstrip("/")
        if uri.endswith("/debian"):
            return uri
    sys.exit("llama: no apt source of this machine is a Debian archive")


def run(*command: str, cwd: Path) -> None:
    """Run a download, again when it was dropped; its output is shown only if it fails for good."""
    output = ""
    for attempt in range(TRIES):
        time.sleep(3.0 * attempt)
        try:
            done = subprocess.run(
                command,
                cwd=cwd,
                check=False,
                timeout=STEP_TIMEOUT_S,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        except subprocess.TimeoutExpired:
            output = f"no end within {STEP_TIMEOUT_S:g} s"
            continue
        if done.returncode == 0:
            return
        output = done.stdout
    sys.exit(f"llama: {' '.join(command)}\n{output}")


def apt(base: Path) -> Sequence[str]:
    """An apt-get whose lists, cache and idea of what is installed (nothing) lie in a folder of their own."""
    for folder in ("lists/partial", "cache/archives/partial"):
        (base / folder).mkdir(parents=True)
    (base / "status").touch()
    (base / "sources.list").write_text(f"deb {mirror()} {SUITE} main\n", "utf-8")
    options = {
        "Dir::Etc::sourcelist": base / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "Dir::State::lists": base / "lists",
        "Dir::State::status": base / "status",
        "Dir::Cache": base / "cache",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "",
        "Acquire::Retries": "3",
        "Acquire::Languages": "none",
    }
    return ("apt-get", "-qq", *(word for key, value in options.items() for word in ("-o", f"{key}={value}")))


def unpack(folder: Path) -> None:
    """Download the package with all it needs and unpack it beside the folder, then move it there in one step."""
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            sys.exit(f"llama: {tool} is needed")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="llama-", dir=folder.parent) as name:
        base = Path(name)
        get = apt(base)
        run(*get, "update", cwd=base)
        run(*get, "-y", "--download-only", "install", PACKAGE, cwd=base)
        new = base / "root"
        for archive in sorted(base.glob("cache/archives/*.deb")):
            subprocess.run(("dpkg-deb", "--extract", archive, new), check=True, timeout=STEP_TIMEOUT_S)
        if not is_complete(new):
            sys.exit(f"llama: {PACKAGE} of {SUITE} holds no llama-server")
        if folder.exists() and not is_complete(folder):
            sys.exit(f"llama: {folder} exists and is something else; remove it or name another folder")
        if not folder.exists():  # another run may have been faster
            new.rename(folder)


def is_complete(folder: Path) -> bool:
    """Whether a folder holds the server."""
    return (folder / "usr" / "bin" / "llama-server").is_file()


def main() -> int:
    """Make the folder unless it is there, and print it."""
    if len(sys.argv) > 2:
        sys.exit("usage: python3 .ci/llama.py [FOLDER]")
    folder = Path(sys.argv[1]).absolute() if len(sys.argv) == 2 else DEFAULT
    if not is_complete(folder):
        unpack(folder)
    print(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
