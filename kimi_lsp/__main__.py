"""Start of the `kimi-lsp` command. Answers `--version` before anything else is imported."""

import sys

from kimi_lsp import __version__


def main() -> int:
    """Run the command line and return its exit code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        sys.stdout.write(f"kimi-lsp {__version__}\n")
        return 0
    from kimi_lsp.cli.main import run  # noqa: PLC0415 - typer costs more than all that --version does

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
