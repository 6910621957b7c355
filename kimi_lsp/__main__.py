"""Start of the `kimi-lsp` command. `--version`, `lsp` and `acp` begin before anything else is imported."""

import sys

from kimi_lsp import __version__


def main() -> int:
    """Run the command line and return its exit code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        sys.stdout.write(f"kimi-lsp {__version__}\n")
        return 0
    if sys.argv[1:2] == ["lsp"] and not {"-h", "--help"} & set(sys.argv):
        from kimi_lsp.lsp.start import main as serve  # noqa: PLC0415 - an editor waits for the first answer

        return serve(sys.argv[2:])
    if sys.argv[1:2] == ["acp"] and not {"-h", "--help", "--check"} & set(sys.argv):
        from kimi_lsp.acp.start import main as serve_agent  # noqa: PLC0415 - as above

        return serve_agent(sys.argv[2:])
    from kimi_lsp.cli.main import run  # noqa: PLC0415 - typer costs more than all that --version does

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
