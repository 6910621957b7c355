"""Turns the lines of a chat completion stream into events, in every dialect. Sans-I/O: feed it, it never waits."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from kimi_lsp.errors import StreamError
from kimi_lsp.model.calls import CallBuffer
from kimi_lsp.model.events import Answer, Completion, Event, Finish, Noise, Reasoning
from kimi_lsp.model.loose import as_list, as_object, as_text, parse, scan_string
from kimi_lsp.model.scrub import scrub
from kimi_lsp.model.tally import Tally
from kimi_lsp.model.think import ThinkSplitter

REASONING_FIELDS = ("reasoning_content", "reasoning_details", "reasoning")
_FINISHES = {
    "stop": Finish.STOP,
    "length": Finish.LENGTH,
    "tool_calls": Finish.TOOL_CALLS,
    "function_call": Finish.TOOL_CALLS,
    "content_filter": Finish.CONTENT_FILTER,
}
_MAX_VAIN_SHAPES = 8
_MAX_PENDING_LINES = 64
_MAX_PENDING_CHARS = 256 * 1024


@dataclass(frozen=True, slots=True)
class _Shape:
    """A data line that differs from the last one in one string only: `head`, the string's inside, `tail`.

    A line with the same head and tail whose middle is the inside of exactly one JSON string parses to the same
    values but for that string, so that it need not be parsed. Most of a stream is such lines.
    """

    head: str
    tail: str
    field: str

    def read(self, line: str) -> str | None:
        """The string of a line of this shape, else None."""
        end = len(line) - len(self.tail)
        start = len(self.head)
        if end < start or not line.startswith(self.head) or not line.endswith(self.tail):
            return None
        inside = line[start:end]
        if '"' not in inside and "\\" not in inside:
            return inside
        try:
            text, stop = scan_string(line, start)
        except ValueError:
            return None
        return text if stop == end + 1 else None  # another end: the string closed before the middle did


class Assembler:
    """Takes the lines of a server-sent event stream in, gives events out, and knows at any time how it stands.

    It tolerates comments, foreign fields, CR LF, data over several lines, data without blank lines between, JSON
    that is broken or of another shape. A stream in which nobody said `finish_reason` is cut.
    """

    def __init__(
        self,
        *,
        prompt_tokens: int = 0,
        reasoning_fields: Sequence[str] = REASONING_FIELDS,
        may_tag_thinking: bool = True,
        clean: Callable[[str], str] = scrub,
    ) -> None:
        """Set a stream up.

        Args:
            prompt_tokens: an estimate of the prompt, used if no usage is reported.
            reasoning_fields: delta fields that may carry reasoning, in order of preference.
            may_tag_thinking: whether `<think>` in the content is told apart while no reasoning field is seen.
            clean: takes secrets out of an error message.
        """
        self._fields = tuple(reasoning_fields)
        self._clean = clean
        self._tally = Tally(prompt_tokens)
        self._calls = CallBuffer()
        self._splitter = ThinkSplitter() if may_tag_thinking else None
        self._pending = ""  # data that is no JSON yet
        self._pending_lines = 0
        self._event_name = ""
        self._last_field = "content"  # the delta field that carried the latest text
        self._shape: _Shape | None = None
        self._is_shape_used = True
        self._vain_shapes = 0
        self._id: str | None = None
        self._model: str | None = None
        self._raw_finish: str | None = None
        self._error: StreamError | None = None
        self._reasoning_field: str | None = None
        self.is_done = False

    def feed(self, line: str) -> Sequence[Event]:
        """Take one line in, without its end, and give the events it completes."""
        if not line and not self._pending:
            self._event_name = ""
            return ()
        shape = self._shape
        if shape is not None and not self._pending and not self._event_name and not self.is_done:
            text = shape.read(line)
            if text is not None:
                self._is_shape_used = True
                return self._answer(text) if shape.field == "content" else self._reason(text)
        return self._line(line)

    def flush(self) -> Sequence[Event]:
        """Give what was held back: the stream is over. Calls that nobody finished are dropped."""
        events = self._drop_pending()
        if self._splitter is not None:
            events += self._count(self._splitter.flush())
            self._splitter = None
        events += [
            event if isinstance(event, Noise) else Noise(f"the tool call {event.name!r} was cut")
            for event in self._calls.finish(Finish.CUT)
        ]
        self.is_done = True
        return events

    def fail(self, error: StreamError) -> None:
        """Note that the stream broke; the first error holds."""
        self._error = self._error or error

    def close(self) -> Completion:
        """How it stands: after the last line the Completion, before it that of a stream cut here."""
        finish = Finish.CUT if self._raw_finish is None else _FINISHES.get(self._raw_finish, Finish.OTHER)
        return Completion(
            finish=finish,
            raw_finish=self._raw_finish,
            usage=self._tally.usage(is_cut=finish is Finish.CUT),
            answer_chars=self._tally.answer_chars,
            reasoning_chars=self._tally.reasoning_chars,
            id=self._id,
            model=self._model,
            error=self._error,
            reasoning_field=self._reasoning_field,
        )

    def _line(self, line: str) -> list[Event]:
        """Any line of the stream, by the rules of server-sent events."""
        if self.is_done or line.startswith(":"):
            return []
        if not line:
            self._event_name = ""
            return self._drop_pending()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match field:
            case "data":
                return self._data(value, line)
            case "error":  # older llama.cpp servers report errors in a field of that name
                return self._report(parse(value)[1] or value)
            case "event":
                self._event_name = value.strip()
            case "id" | "retry":
                pass
            case _:
                return [Noise("a line that is no event stream field")]
        return []

    def _data(self, value: str, line: str) -> list[Event]:
        if value.strip() == "[DONE]":
            return [*self._drop_pending(), *self.flush()]
        events: list[Event] = []
        if self._pending:
            joined = f"{self._pending}\n{value}"
            is_json, payload = parse(joined)
            if is_json:
                self._pending, self._pending_lines = "", 0
                return self._payload(payload)
            if not parse(value)[0]:
                return self._wait(joined)
            events = self._drop_pending()
        is_json, payload = parse(value)
        if not is_json:
            return events + self._wait(value)
        was = (self._raw_finish, self._error, self._tally.reported)
        fresh = self._payload(payload)
        if len(fresh) == 1 and was == (self._raw_finish, self._error, self._tally.reported):
            self._learn(line, fresh[0])
        return events + fresh

    def _wait(self, data: str) -> list[Event]:
        """Keep data that is no JSON yet: the next line may complete it."""
        self._pending, self._pending_lines = data, self._pending_lines + 1
        is_hopeless = self._pending_lines > _MAX_PENDING_LINES or len(data) > _MAX_PENDING_CHARS
        return self._drop_pending() if is_hopeless else []

    def _drop_pending(self) -> list[Event]:
        is_noise = bool(self._pending.strip())
        self._pending, self._pending_lines = "", 0
        return [Noise("data that is not JSON")] if is_noise else []

    def _payload(self, payload: object) -> list[Event]:
        chunk = as_object(payload)
        if chunk is None:
            return [Noise("data that is no JSON object")]
        if chunk.get("error"):
            events = self._report(chunk["error"])
        elif self._event_name == "error" or chunk.get("object") == "error":
            events = self._report(chunk)
        else:
            events = list[Event]()
        self._id = self._id or as_text(chunk.get("id"))
        self._model = self._model or as_text(chunk.get("model"))
        self._tally.report(chunk.get("usage"))
        for raw in as_list(chunk.get("choices")):
            choice = as_object(raw)
            if choice is not None and choice.get("index") in (0, None):
                events += self._choice(choice)
        return events

    def _choice(self, choice: dict[str, object]) -> list[Event]:
        self._tally.report(choice.get("usage"))
        delta = as_object(choice.get("delta")) or {}
        events: list[Event] = []
        for field in self._fields:
            text = as_text(delta.get(field))
            if text is not None:
                if self._reasoning_field is None:
                    self._reasoning_field = field
                self._last_field = field
                events += self._reason(text)
                break
        text = _content(delta.get("content"))
        if text:
            self._last_field = "content"
            events += self._answer(text)
        for raw in as_list(delta.get("tool_calls")):
            self._tally.arguments(self._calls.add(raw))
        finish = as_text(choice.get("finish_reason"))
        if finish is not None:
            self._raw_finish = finish
            events += self._calls.finish(_FINISHES.get(finish, Finish.OTHER))
        return events

    def _reason(self, text: str) -> list[Event]:
        if not text:
            return []
        held = self._count(self._splitter.flush()) if self._splitter is not None else []
        self._splitter = None  # reasoning has a field of its own: tags in the content mean nothing
        self._tally.reasoning(text)
        return [*held, Reasoning(text)]

    def _answer(self, text: str) -> list[Event]:
        if self._splitter is not None:
            return self._count(self._splitter.feed(text))
        if not text:
            return []
        self._tally.answer(text)
        return [Answer(text)]

    def _count(self, events: Iterable[Reasoning | Answer]) -> list[Event]:
        counted: list[Event] = []
        for event in events:
            if isinstance(event, Reasoning):
                self._tally.reasoning(event.text)
            else:
                self._tally.answer(event.text)
            counted.append(event)
        return counted

    def _report(self, raw: object) -> list[Event]:
        """An error said in band."""
        found = as_object(raw) or {}
        code = found.get("code")
        kind = as_text(found.get("type")) or as_text(code)
        message = as_text(found.get("message")) or as_text(raw) or "no message"
        status = code if isinstance(code, int) and 400 <= code < 600 else None
        text = self._clean(f"The endpoint broke the stream off: {message}")
        self.fail(StreamError(text, kind=self._clean(kind) if kind else None, status=status))
        return []

    def _learn(self, line: str, event: Event) -> None:
        """Remember the shape of a line that carried one text and nothing else."""
        if not isinstance(event, Reasoning | Answer) or self._event_name:
            return
        if not self._is_shape_used:
            self._vain_shapes += 1
            if self._vain_shapes > _MAX_VAIN_SHAPES:  # something else changes in every line: not worth the search
                self._shape = None
                return
        key = f'"{self._last_field}":'
        start = line.find(key) + len(key)
        while line[start : start + 1] == " ":
            start += 1
        if line.count(key) != 1 or line[start : start + 1] != '"':
            return
        text, end = scan_string(line, start + 1)
        if text != event.text:
            return
        self._shape = _Shape(line[: start + 1], line[end - 1 :], self._last_field)
        self._is_shape_used = False


def _content(value: object) -> str:
    """The text of a delta's content: a string, or a list of parts as a few gateways send it."""
    if isinstance(value, str):
        return value
    parts = (as_object(part) or {} for part in as_list(value))
    return "".join(as_text(part.get("text")) or "" for part in parts)
