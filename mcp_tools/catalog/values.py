"""What crosses the border of a tool call: JSON, the set-up of the projects, and the answer. Pure values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TypeAlias

from pydantic import TypeAdapter

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = dict[str, Json]

MAX_ANSWER_CHARS = 40_000
"""Characters of text and data together that any answer to an agent may have."""


@dataclass(frozen=True, slots=True)
class RootSetup:
    """One project. `path` is absolute; `exclude` holds gitignore-style patterns of what is neither listed nor read."""

    path: str
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Setup:
    """All that whoever runs the tools has to know. It passes through JSON whole."""

    roots: tuple[RootSetup, ...]
    max_file_bytes: int = 1_000_000
    max_files: int = 100_000
    rules_off: tuple[str, ...] = ()  # ids of rules whose findings are not told
    levels: tuple[tuple[str, str], ...] = ()  # the level by rule id, where it is not the rule's own
    max_answer_chars: int = MAX_ANSWER_CHARS
    key: str = ""  # hexadecimal; signs what a client hands back


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool says to an agent: text that stands by itself, and the same page as JSON; `{}` for an error."""

    text: str
    data: JsonObject
    is_error: bool = False


_SETUP: TypeAdapter[Setup] = TypeAdapter(Setup)


def setup_json(setup: Setup) -> JsonObject:
    """A set-up as JSON."""
    return asdict(setup)


def setup_of(data: Mapping[str, Json]) -> Setup:
    """A set-up from its JSON. Raises pydantic's ValidationError for anything else."""
    return _SETUP.validate_python(data)
