"""Tells reasoning from answer where a server left `<think>` tags in the content. Sans-I/O."""

from collections.abc import Iterator
from enum import Enum, auto

from kimi_lsp.model.events import Answer, Reasoning

_OPEN = "<think>"
_CLOSE = "</think>"
_MAX_HELD_CHARS = 256 * 1024  # reasoning without its opening tag is held back this far, then taken for an answer
_MAX_LEADING_SPACE = 1024  # more white space than this before the text: no tag is coming
_ANSWER_STARTS = ("{", "[", "`")  # JSON or a fence: an answer, there is nothing to wait for


class _State(Enum):
    START = auto()  # only white space or a part of the opening tag so far
    THINKING = auto()  # within the tags
    HELD = auto()  # prose without an opening tag: reasoning if a closing tag follows, else an answer
    ANSWERING = auto()  # tags mean nothing any more


class ThinkSplitter:
    """Splits content into reasoning and answer, whatever the chunks.

    A server without a reasoning parser sends `<think>…</think>{answer}`; some chat templates put the opening tag
    into the prompt, so that only the closing one comes. Text that starts as JSON or as a fence is an answer at once.
    """

    def __init__(self) -> None:
        self._state = _State.START
        self._held: list[str] = []  # START: white space and a partial tag; THINKING: a partial tag; HELD: everything
        self._held_chars = 0
        self._tail = ""  # HELD: the last characters, in which a closing tag may have begun

    def feed(self, text: str) -> Iterator[Reasoning | Answer]:
        """Take content in and yield what can be told of it."""
        match self._state:
            case _State.ANSWERING:
                yield Answer(text)
            case _State.THINKING:
                yield from self._think("".join(self._take()) + text)
            case _State.HELD:
                yield from self._hold(text)
            case _State.START:
                yield from self._start("".join(self._take()) + text)

    def flush(self) -> Iterator[Reasoning | Answer]:
        """Yield what was held back: there is no more to come, or the reasoning has a field of its own."""
        text = "".join(self._take())
        thinking, self._state = self._state is _State.THINKING, _State.ANSWERING
        if text:
            yield Reasoning(text) if thinking else Answer(text)

    def _start(self, text: str) -> Iterator[Reasoning | Answer]:
        body = text.lstrip()
        if len(text) - len(body) > _MAX_LEADING_SPACE or body[:1] in _ANSWER_STARTS:
            self._state = _State.ANSWERING
            yield Answer(text)
        elif body.startswith(_OPEN):
            self._state = _State.THINKING
            yield from self._think(body[len(_OPEN) :])
        elif _OPEN.startswith(body):
            self._keep(text)
        else:
            self._state = _State.HELD
            yield from self._hold(text)

    def _think(self, text: str) -> Iterator[Reasoning | Answer]:
        reasoning, close, answer = text.partition(_CLOSE)
        if close:
            self._state = _State.ANSWERING
            if reasoning:
                yield Reasoning(reasoning)
            if answer:
                yield Answer(answer)
            return
        kept = _partial_close(text)
        if kept < len(text):
            yield Reasoning(text[: len(text) - kept])
        self._keep(text[len(text) - kept :])

    def _hold(self, text: str) -> Iterator[Reasoning | Answer]:
        window = self._tail + text
        close = window.find(_CLOSE)
        close_end = self._held_chars - len(self._tail) + close + len(_CLOSE)
        self._keep(text)
        if close >= 0 and close_end <= _MAX_HELD_CHARS:
            self._state = _State.THINKING
            yield from self._think("".join(self._take()))
        elif self._held_chars > _MAX_HELD_CHARS:
            yield from self.flush()
        else:
            self._tail = window[1 - len(_CLOSE) :]

    def _keep(self, text: str) -> None:
        self._held.append(text)
        self._held_chars += len(text)

    def _take(self) -> list[str]:
        held, self._held, self._held_chars = self._held, [], 0
        return held


def _partial_close(text: str) -> int:
    """How many characters at the end of a text may be the beginning of a closing tag."""
    for size in range(min(len(_CLOSE) - 1, len(text)), 0, -1):
        if text.endswith(_CLOSE[:size]):
            return size
    return 0
