"""The table of settings in docs/configuration.md, made from the options themselves."""

from collections.abc import Mapping
from enum import Enum
from pathlib import Path

from kimi_lsp.config.options import Options, ProjectOptions, keys
from kimi_lsp.config.settings import Consent, Rules, Settings

_STATE_DIR = Path("state_dir")


def settings_table() -> str:
    """A Markdown table: key, default, variables, flag, what a project may do, meaning."""
    projects = {key: about.text for key, about in keys(ProjectOptions)}
    defaults = Settings(_STATE_DIR)
    rows = [
        "| key | default | environment | flag | a project may | meaning |",
        "|---|---|---|---|---|---|",
    ]
    for key, about in keys(Options):
        cells = (
            f"`{key}`",
            _default(defaults, key),
            ", then ".join(f"`{name}`" for name in about.env) or "no",
            f"`{about.flag}`" if about.flag else "no",
            projects.get(key, "no"),
            about.text,
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _default(settings: Settings, key: str) -> str:
    value: object = settings
    for name in key.split("."):
        value = getattr(value, name)
    match value:
        case Path():
            return "the user's state folder"
        case bool():
            return f"`{str(value).lower()}`"
        case None | () | Consent() | Rules() | Mapping():
            return "none"
        case tuple():
            return "all"
        case Enum():
            return f"`{value.value}`"
        case _:
            return f"`{value}`"


if __name__ == "__main__":
    print(settings_table(), end="")
