"""Puts tool calls together from their deltas: interleaved, without an index, arguments before the name. Sans-I/O."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from kimi_lsp.model.events import Finish, Noise
from kimi_lsp.model.loose import as_count, as_object, as_text, parse
from kimi_lsp.model.request import ToolCall

_MAX_CALLS = 128


@dataclass(slots=True)
class _Slot:
    """A call in the making."""

    id: str
    name: str
    arguments: list[str]


class CallBuffer:
    """Collects the deltas of one message. Nothing is given before the message is finished: half a call must not run."""

    def __init__(self) -> None:
        self._slots: list[_Slot] = []
        self._by_index: dict[int, _Slot] = {}

    def add(self, raw: object) -> str:
        """Take a delta in; give the text it adds to the arguments."""
        delta = as_object(raw) or {}
        function = as_object(delta.get("function")) or {}
        slot = self._slot(as_count(delta.get("index")), as_text(delta.get("id")))
        if slot is None:
            return ""
        slot.name = slot.name or as_text(function.get("name")) or ""
        arguments = function.get("arguments")
        text = arguments if isinstance(arguments, str) else "" if arguments is None else json.dumps(arguments)
        slot.arguments.append(text)
        return text

    def finish(self, finish: Finish) -> Iterator[ToolCall | Noise]:
        """Give the calls, in the order in which they began, and start anew."""
        slots, self._slots, self._by_index = self._slots, [], {}
        for number, slot in enumerate(slots):
            arguments = "".join(slot.arguments)
            if not slot.name:
                yield Noise("a tool call without a name")
            elif finish in {Finish.LENGTH, Finish.CUT} and not parse(arguments)[0]:
                yield Noise(f"the tool call {slot.name!r} was cut")
            else:
                yield ToolCall(slot.id or f"call_{number}", slot.name, arguments or "{}")

    def _slot(self, index: int | None, call_id: str | None) -> _Slot | None:
        """The call a delta belongs to: by its id, else its index, else the latest one."""
        slot = self._by_index.get(index) if index is not None else self._slots[-1] if self._slots else None
        if call_id and (slot is None or (slot.id and slot.id != call_id)):
            # another id under the same index, or none: the call with that id, else a new one
            slot = next((known for known in self._slots if known.id == call_id), None)
        if slot is None:
            if len(self._slots) >= _MAX_CALLS:
                return None
            slot = _Slot("", "", [])
            self._slots.append(slot)
        if call_id and not slot.id:
            slot.id = call_id
        if index is not None:
            self._by_index[index] = slot
        return slot
