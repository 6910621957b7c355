"""Real files of three sizes, the line that is put into their middle, and the oracle that says whether it was found."""

import ast
import sysconfig
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.json_value import Json, get
from tests.lsp.raw import RawClient, edit

LINE = "eval(input(undefined_bench))  # BENCH"
_TYPING = "# typing"
_FILES = (  # from the packages of .ci/constraints.txt
    ("httpx2/_urlparse.py", 500),
    ("sqlalchemy/engine/result.py", 2_000),
    ("sqlalchemy/sql/selectable.py", 7_750),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """A file. `size` is the round number of its lines, `line` (0-based) where a statement of the module can stand."""

    size: int
    text: str
    line: int

    @property
    def marked(self) -> str:
        """The text with the line put in."""
        return self._with(LINE)

    @property
    def typed(self) -> str:
        """The text with a comment in its middle, where `keystroke` types."""
        return self._with(_TYPING)

    def _with(self, line: str) -> str:
        lines = self.text.splitlines(keepends=True)
        return "".join([*lines[: self.line], line + "\n", *lines[self.line :]])


def samples() -> tuple[Sample, ...]:
    """The files, smallest first. AssertionError when an installed file is not of the size that it is known for."""
    return tuple(_sample(Path(sysconfig.get_path("purelib")) / name, size) for name, size in _FILES)


def is_marked(diagnostics: Sequence[Json], line: int) -> bool:
    """Whether a diagnostic begins on that line, whoever says it and whatever it says."""
    return any(get(one, "range", "start", "line") == line for one in diagnostics)


def put_in(client: RawClient, uri: str, sample: Sample) -> int:
    """Put the line in and give the version."""
    return client.change(uri, edit((sample.line, 0), (sample.line, 0), LINE + "\n"))


def take_out(client: RawClient, uri: str, sample: Sample) -> int:
    """Take the line out and give the version."""
    return client.change(uri, edit((sample.line, 0), (sample.line + 1, 0), ""))


async def keystroke(client: RawClient, uri: str, sample: Sample, *, change: bool = True) -> float:
    """Type a character into `sample.typed`, or take it back, and hover there: the milliseconds to the hover's answer.

    Without a change: the hover alone.
    """
    place, began = (sample.line, len(_TYPING)), time.perf_counter()
    if change:
        here, there = (place, (sample.line, len(_TYPING) + 1))
        is_typed = client.versions[uri] % 2 == 0
        client.change(uri, edit(here, there, "") if is_typed else edit(here, here, "x"))
    since = client.mark
    request = client.request(
        "textDocument/hover", {"textDocument": {"uri": uri}, "position": {"line": sample.line, "character": 2}}
    )
    answer = await client.wait_for(lambda message: message.is_response_to(request), since=since)
    assert answer.error_code is None, answer.body
    return (answer.at - began) * 1000


def _sample(path: Path, size: int) -> Sample:
    text = path.read_text(encoding="utf-8")
    lines = text.count("\n")
    assert abs(lines - size) <= size * 0.05, f"{path.name} has {lines} lines"
    starts = [
        min([statement.lineno, *(one.lineno for one in getattr(statement, "decorator_list", ()))]) - 1
        for statement in ast.parse(text).body[1:]
    ]
    return Sample(size, text, min(starts, key=lambda start: abs(start - lines // 2)))
