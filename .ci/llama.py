"""Unpack llama.cpp's `llama-server` of Debian sid into a private folder and print where. No system change, no root.

    python3 .ci/llama.py [FOLDER]

A folder that is complete already is left alone. KIMI_TEST_LLAMA names another default folder.
"""

import os
import sys
import tempfile
from pathlib import Path

import debian

SUITE, PACKAGE = "sid", "llama.cpp"
DEFAULT = Path(os.environ.get("KIMI_TEST_LLAMA") or Path.home() / ".cache" / "kimi-lsp-ci" / "llama").absolute()


def unpack(folder: Path) -> None:
    """Download the package with all it needs and unpack it beside the folder, then move it there in one step."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="llama-", dir=folder.parent) as name:
        new = debian.unpack(SUITE, [PACKAGE], Path(name))
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
