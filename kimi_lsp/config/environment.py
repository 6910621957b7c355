"""Options from where only text can be written: environment variables, and flags that a face parsed."""

from collections.abc import Mapping, Sequence

from kimi_lsp.config.document import Key, check
from kimi_lsp.config.options import Options, keys
from kimi_lsp.config.values import Text, nearest

PREFIX = "KIMI_LSP_"
CONFIG_VARIABLE = "KIMI_LSP_CONFIG"


def environment_options(environ: Mapping[str, str]) -> tuple[Options, Mapping[str, str]]:
    """The options in a set of variables, and the variable that each was taken from, by dotted key.

    An empty variable is one that is not set. Raises ConfigError with the variable's name.
    """
    names: dict[str, str] = {}
    for key, about in keys(Options):
        name = next((name for name in about.env if environ.get(name, "").strip()), None)
        if name is not None:
            names[key] = name
    return _options({key: environ[name] for key, name in names.items()}, names), names


def flag_options(flags: Mapping[str, str | bool | Sequence[str] | None]) -> Options:
    """The options given on a command line, by dotted key (`budget.run_usd`); None is a flag that was not given.

    Raises ConfigError with the flag's name.
    """
    given = {key: value for key, value in flags.items() if value is not None}
    return _options(given, {key: about.flag or key for key, about in keys(Options)})


def unknown_variables(environ: Mapping[str, str]) -> tuple[str, ...]:
    """A sentence for each variable that looks like ours and is none."""
    names = (name for _, about in keys(Options) for name in about.env if name.startswith(PREFIX))
    known = sorted({CONFIG_VARIABLE, *names})
    sentences: list[str] = []
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            near = nearest(name.removeprefix(PREFIX), [one.removeprefix(PREFIX) for one in known])
            sentences.append(
                f"{name} is not a variable of kimi-lsp" + (f"; did you mean {PREFIX}{near}?" if near else ".")
            )
    return tuple(sentences)


def _options(values: Mapping[str, str | bool | Sequence[str]], names: Mapping[str, str]) -> Options:
    tree: dict[str, object] = {}
    tables: dict[str, dict[str, object]] = {}
    for key, value in values.items():
        table, _, name = key.rpartition(".")
        place = tables.setdefault(table, {}) if table else tree
        place[name] = Text(value) if isinstance(value, str) else value
    return check(Options, {**tree, **tables}, _Names(names))


class _Names:
    """Places that have names of their own, such as `KIMI_LSP_MODEL` or `--model`."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def __call__(self, key: Key) -> str:
        """The name that the key, or the setting it lies in, has there."""
        return next(
            (self._names[name] for stop in range(len(key), 0, -1) if (name := ".".join(key[:stop])) in self._names),
            ".".join(key),
        )
