"""Runs the tool calls of one conversation: checked, bounded, remembered, redacted, and quoted as data."""

import hashlib
import hmac
import json
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import anyio
from anyio import to_thread

from kimi_lsp.audit.toolloop.toolbox import ErrorText, LoopLimits, Toolbox
from kimi_lsp.model import ToolCall
from mcp_tools.redaction import Redacted, Redactor

_log = logging.getLogger(__name__)
_FOREIGN_IN_NAME = re.compile(r"[^A-Za-z0-9_-]")
_READ_TIMES, _READ_CHARS = 4, 65_536  # read of an answer: more than is shown, since redaction may shorten it
_LONGEST_SECRET = 4_200  # characters at a cut that may be half a secret
_NAMES_SHOWN = 40


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a call came to. `text` is what the model reads, quoted and cut; `chars` the length of the tool's answer."""

    call: ToolCall  # as it goes back to the model
    text: Redacted
    chars: int
    is_error: bool = False
    is_repeated: bool = False
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class _Said:
    """A tool's answer after redaction. `chars` is the length of the whole answer; `text` may be its start."""

    text: str
    chars: int
    is_error: bool = False
    is_start: bool = False
    is_ours: bool = False  # written here, so that it needs no quotes and is not remembered


@dataclass(frozen=True, slots=True)
class _Checked:
    """A call that may run, with what makes two calls the same; or why it may not."""

    call: ToolCall
    key: tuple[str, str] | None = None
    refusal: _Said | None = None


def _refused(text: str) -> _Said:
    return _Said(f"error: {text}", len(text), is_error=True, is_ours=True)


def sound(calls: Sequence[ToolCall], redactor: Redactor) -> list[ToolCall]:
    """The calls as they may leave again: without secrets, their names such as an endpoint takes back. Takes time."""
    redact = redactor.redact
    return [ToolCall(redact(call.id), _name(redact(call.name)), redact(call.arguments)) for call in calls]


class CallDesk:
    """Takes the calls of each round and answers every one of them, with an error where it was not run."""

    def __init__(self, toolbox: Toolbox, redactor: Redactor, limits: LoopLimits, key: bytes, room_chars: int) -> None:
        """Set up for one conversation.

        Args:
            toolbox: what may be called.
            redactor: all that comes out of a tool passes through it.
            limits: see `LoopLimits`.
            key: makes the words around an answer, so that nothing that is quoted can know them.
            room_chars: of answers that the model's window has room for.
        """
        self._toolbox = toolbox
        self._names = frozenset(spec.name for spec in toolbox.specs)
        self._redactor = redactor
        self._limits = limits
        self._key = key
        self._known: dict[tuple[str, str], _Said] = {}
        self._room = min(limits.max_total_chars, room_chars)

    @property
    def has_room(self) -> bool:
        """Whether another answer may be shown."""
        return self._room > 0

    async def answer(self, calls: Sequence[ToolCall]) -> list[ToolResult]:
        """Run the calls at once, each under the deadline; their results in order. `calls` went through `sound`."""
        checked = [self._check(call, place) for place, call in enumerate(calls)]
        seen = set(self._known)
        fresh: dict[tuple[str, str], _Said] = {}
        async with anyio.create_task_group() as group:
            for key in dict.fromkeys(one.key for one in checked):
                if key is not None and key not in seen:
                    group.start_soon(self._run, key, fresh)
        self._known.update((key, said) for key, said in fresh.items() if not said.is_ours)
        results: list[ToolResult] = []
        for one in checked:
            said = one.refusal or fresh.get(one.key or ("", "")) or self._known[one.key or ("", "")]
            is_repeated = one.key in seen
            if one.key is not None:
                seen.add(one.key)
            results.append(await to_thread.run_sync(self._result, one.call, said, is_repeated))
        return results

    def _check(self, call: ToolCall, place: int) -> _Checked:
        arguments, refusal = _arguments(call.arguments)
        if refusal is not None:
            call = replace(call, arguments="{}")  # some servers read what goes back as JSON, and refuse what is none
        if call.name not in self._names:
            names = ", ".join(sorted(self._names)[:_NAMES_SHOWN])
            refusal = _refused(f"there is no tool {call.name}; there are: {names}")
        if place >= (most := self._limits.max_calls_per_round):
            refusal = _refused(f"not run: at the most {most} calls at once")
        return _Checked(call, None if refusal else (call.name, arguments), refusal)

    async def _run(self, key: tuple[str, str], into: dict[tuple[str, str], _Said]) -> None:
        name, arguments = key
        deadline_s = self._limits.call_deadline_s
        said = _refused(f"{name} gave no answer within {deadline_s:g} s")
        with anyio.move_on_after(deadline_s):
            try:
                said = await self._redacted(await self._toolbox.call(name, arguments))
            except Exception:  # noqa: BLE001 - a tool that breaks is an error for its call, the conversation goes on
                _log.debug("the tool %s broke", name, exc_info=True)
                said = _refused(f"{name} failed")
        into[key] = said

    async def _redacted(self, answer: str) -> _Said:
        """An answer without its secrets. Of one that is far too long only the start, less what its end may split."""
        most = max(self._limits.max_result_chars * _READ_TIMES, _READ_CHARS)
        text = str(await to_thread.run_sync(self._redactor.redact, answer[:most]))
        is_start = len(answer) > most
        if is_start:
            end = text.rfind("\n")
            text = text[:end] if end > len(text) // 2 else text[:-_LONGEST_SECRET]
        return _Said(text, len(answer), is_error=isinstance(answer, ErrorText), is_start=is_start)

    def _result(self, call: ToolCall, said: _Said, is_repeated: bool) -> ToolResult:
        """Quote an answer within what is left. In a thread: redaction takes its time."""
        shown, is_cut = said.text, False
        if not said.is_ours:
            shown, is_cut = self._quoted(call, said, is_repeated)
        return ToolResult(
            call=call,
            text=self._redactor.redact(shown),
            chars=said.chars,
            is_error=said.is_error,
            is_repeated=is_repeated,
            is_cut=is_cut,
        )

    def _quoted(self, call: ToolCall, said: _Said, is_repeated: bool) -> tuple[str, bool]:
        if not self.has_room:
            return "error: not shown: the answers of this conversation have used all their room", True
        shown = _cut(said.text, min(self._limits.max_result_chars, self._room))
        self._room -= len(shown)
        is_cut = said.is_start or len(shown) < len(said.text)
        facts = f"{call.name}\0{call.arguments}\0{shown}".encode("utf-8", "replace")
        word = hmac.new(self._key, facts, hashlib.sha256).hexdigest()[:12]
        notes = (
            (is_cut, f"cut: the first {len(shown):,} of {said.chars:,} characters; ask for less at once"),
            (is_repeated, "this call was made before; its answer is the same"),
            (said.is_error, "the tool reports an error"),
        )
        note = "; ".join(text for holds, text in notes if holds)
        return f"<<<DATA {word}\n{shown}\nDATA {word}>>>" + (f"\n[{note}]" if note else ""), is_cut


def _arguments(text: str) -> tuple[str, _Said | None]:
    """The arguments with their keys in order, or why they are none."""
    try:
        parsed: object = json.loads(text)
        if isinstance(parsed, dict):
            return json.dumps(parsed, sort_keys=True), None
        return "", _refused("the arguments are not a JSON object")
    except ValueError as error:
        return "", _refused(f"the arguments are not valid JSON: {error}")
    except RecursionError:
        return "", _refused("the arguments are nested too deeply")


def _name(name: str) -> str:
    """A tool's name as an endpoint takes it back, whatever the model called."""
    return f"{_FOREIGN_IN_NAME.sub('_', name)[:64]:_<3}"


def _cut(text: str, most: int) -> str:
    """The start of a text, to the last line end near the limit."""
    if len(text) <= most:
        return text
    end = text.rfind("\n", most // 2, most)
    return text[: end if end > 0 else most]
