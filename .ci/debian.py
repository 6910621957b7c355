"""Programs of another Debian suite, unpacked into a private folder. No system change, no root, no maintainer scripts.

Only the standard library and `apt-get`/`dpkg-deb` are needed. The mirror is the one that this machine's apt sources
name. A failure that stays one ends the program with a message.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

SOURCES = Path("/etc/apt")
TRIES, STEP_TIMEOUT_S = 4, 600.0


def unpack(suite: str, packages: Sequence[str], base: Path) -> Path:
    """Download packages with all they need into an empty folder; returns the folder that holds their files."""
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is needed")
    get = _apt(suite, base)
    run(*get, "update", cwd=base)
    run(*get, "-y", "--download-only", "install", *packages, cwd=base)
    root = base / "root"
    for archive in sorted(base.glob("cache/archives/*.deb")):
        subprocess.run(("dpkg-deb", "--extract", archive, root), check=True, timeout=STEP_TIMEOUT_S)
    return root


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
                stdin=subprocess.DEVNULL,
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
    sys.exit(f"{' '.join(command)}\n{output}")


def mirror() -> str:
    """The main Debian archive this machine installs from."""
    for fields in _stanzas():
        uri = fields["uris"].split()[0].rstrip("/")
        if uri.endswith("/debian"):
            return uri
    sys.exit("no apt source of this machine is a Debian archive")


def libraries(root: Path) -> list[Path]:
    """The folders of shared libraries of an unpacked suite; older suites have two."""
    return [folder for place in ("lib", "usr/lib") for folder in sorted(root.glob(f"{place}/*-linux-gnu"))]


def loader(root: Path) -> Path:
    """The dynamic loader of an unpacked suite: the file itself, since the links to it lead to the machine's own."""
    return next(path for folder in libraries(root) for path in sorted(folder.glob("ld-linux*")))


def _stanzas() -> Iterator[dict[str, str]]:
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


def _apt(suite: str, base: Path) -> Sequence[str]:
    """An apt-get whose lists, cache and idea of what is installed (nothing) lie in a folder of their own."""
    for folder in ("lists/partial", "cache/archives/partial"):
        (base / folder).mkdir(parents=True)
    (base / "status").touch()
    (base / "sources.list").write_text(f"deb {mirror()} {suite} main\n", "utf-8")
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
