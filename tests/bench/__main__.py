"""Run benchmarks: `python -m tests.bench NAME... [--quick]`. Exits 1 when a figure is SHORT of its goal."""

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterable

import tests.bench
from tests.bench.figure import Figure

_NOT_BENCHES = {"__main__", "figure"}


def main(arguments: list[str]) -> int:
    """Print one line a figure. With --quick the timing is not judged: only that the bench runs."""
    names = [argument for argument in arguments if not argument.startswith("-")]
    known = sorted(
        module.name for module in pkgutil.iter_modules(tests.bench.__path__) if module.name not in _NOT_BENCHES
    )
    unknown = sorted(set(names) - {*known, "all"})
    if not names or unknown:
        sys.stderr.write(f"usage: python -m tests.bench NAME... [--quick]; NAME: all, {', '.join(known)}\n")
        return 2
    is_quick, is_short = "--quick" in arguments, False
    for name in known if "all" in names else names:
        run: Callable[[bool], Iterable[Figure]] = importlib.import_module(f"tests.bench.{name}").run
        for figure in run(is_quick):
            sys.stdout.write(figure.line + "\n")
            sys.stdout.flush()
            is_short |= not figure.is_met and not is_quick
    return int(is_short)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
