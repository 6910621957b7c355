"""A row of the table: a tool's words, the shapes of what goes in and comes out, and the functions between."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from mcp_tools.catalog.handle import CursorError, call_digest
from mcp_tools.catalog.page import DEFAULT_CHARS, Room
from mcp_tools.catalog.params import DEFAULT_LIMIT, Paged, Params
from mcp_tools.catalog.schema import input_schema_of, output_schema_of
from mcp_tools.catalog.values import Answer, JsonObject
from mcp_tools.catalog.view import View

P = TypeVar("P", bound=Params)
R = TypeVar("R")
_PAGING = frozenset({"limit", "cursor"})
_MAX_ERRORS = 5


class ArgumentError(Exception):
    """Arguments are not what a tool takes. The message says what is, and repeats no input but argument names."""


@dataclass(frozen=True, slots=True)
class Saying(Generic[P]):
    """What is known when an outcome is turned into an answer."""

    view: View
    params: P
    call: str
    room: Room

    @property
    def cursor(self) -> str | None:
        """Where the page begins."""
        return self.params.cursor if isinstance(self.params, Paged) else None


class Described(Protocol):
    """What is said of a tool, whoever runs it."""

    @property
    def name(self) -> str:
        """Its name, in snake case."""
        ...

    @property
    def title(self) -> str:
        """Its name for people."""
        ...

    @property
    def description(self) -> str:
        """What it does and does not do, at most 600 characters."""
        ...


class Tool(Described, Protocol):
    """A tool of the table as everybody else sees it."""

    @property
    def params(self) -> type[Params]:
        """The shape of its arguments."""
        ...

    @property
    def result(self) -> type[BaseModel]:
        """The shape of its answer's data."""
        ...

    def parse(self, arguments: JsonObject) -> Params:
        """Its arguments. Raises ArgumentError."""
        ...

    def outcome(self, view: View, arguments: JsonObject) -> object:
        """What it finds, whole. Raises ArgumentError."""
        ...

    def answer(self, view: View, arguments: JsonObject, room: Room | None = None) -> Answer:
        """What it says: a page, or with a room of its own as much as that holds. Raises ArgumentError, CursorError."""
        ...


@dataclass(frozen=True, slots=True)
class Row(Generic[P, R]):
    """A tool. `find` looks and `say` tells; only `find` looks at the project's files."""

    name: str
    title: str
    description: str
    params: type[P]
    result: type[BaseModel]
    find: Callable[[View, P], R]
    say: Callable[[R, Saying[P]], Answer]

    def parse(self, arguments: JsonObject) -> P:
        """Its arguments."""
        return parsed(self.params, arguments)

    def outcome(self, view: View, arguments: JsonObject) -> R:
        """What it finds."""
        return self.find(view, self.parse(arguments))

    def answer(self, view: View, arguments: JsonObject, room: Room | None = None) -> Answer:
        """What it says."""
        params = self.parse(arguments)
        kept = {key: value for key, value in params.model_dump(mode="json").items() if key not in _PAGING}
        call = call_digest(self.name, kept)
        cursor = params.cursor if isinstance(params, Paged) else None
        found = view.outcome(call, cursor, lambda: self.find(view, params))
        return self.say(found, Saying(view, params, call, room or _room(view, params)))


def _room(view: View, params: Params) -> Room:
    """A small page, or a larger one for whoever asked for it."""
    most = view.setup.max_answer_chars
    chars = most if params.wants_much else min(DEFAULT_CHARS, most)
    if isinstance(params, Paged):
        return Room(chars, params.limit or DEFAULT_LIMIT, with_report=True)
    return Room(chars, None)


def parsed(model: type[P], arguments: JsonObject) -> P:
    """Arguments as a model. Raises ArgumentError."""
    try:
        return model.model_validate(arguments)
    except ValidationError as error:
        raise ArgumentError(_said(model, error)) from None


def _said(model: type[Params], error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    parts = [_problem(problem["type"], problem["loc"], problem["msg"]) for problem in problems[:_MAX_ERRORS]]
    more = f"; and {len(problems) - _MAX_ERRORS} more" if len(problems) > _MAX_ERRORS else ""
    return f"{'; '.join(parts)}{more}. Arguments: {', '.join(model.model_fields) or 'none'}."


def _problem(kind: str, loc: tuple[int | str, ...], message: str) -> str:
    name = ".".join(str(part) for part in loc)[:60] or "arguments"
    if kind == "extra_forbidden":
        return f"unknown argument {name!r}"
    if kind == "missing":
        return f"argument {name!r} is missing"
    return f"{name}: {message[0].lower()}{message[1:]}"


def input_schema(tool: Tool) -> JsonObject:
    """The JSON Schema of a tool's arguments."""
    return input_schema_of(tool.params)


def output_schema(tool: Tool) -> JsonObject:
    """The JSON Schema of the data of a tool's answer."""
    return output_schema_of(tool.result)


__all__ = ["ArgumentError", "CursorError", "Row", "Saying", "Tool", "input_schema", "output_schema", "parsed"]
