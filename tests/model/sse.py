"""Writing event streams and reading what an assembler makes of them."""

import itertools
import json
from collections.abc import Iterable

from kimi_lsp.model import Answer, Assembler, Completion, Event, LineSplitter, Noise, Reasoning, ToolCall

DONE = b"data: [DONE]\n\n"


def data(payload: object, *, is_ascii: bool = True) -> bytes:
    """One event."""
    return f"data: {json.dumps(payload, ensure_ascii=is_ascii, separators=(',', ':'))}\n\n".encode()


def delta(finish: str | None = None, usage: object = None, **fields: object) -> bytes:
    """One chunk of a completion, its delta as given."""
    chunk: dict[str, object] = {
        "id": "c1",
        "model": "m",
        "choices": [{"index": 0, "delta": fields, "finish_reason": finish}],
    }
    return data(chunk if usage is None else {**chunk, "usage": usage})


def stream(*events: bytes, done: bool = True) -> bytes:
    """A whole body."""
    return b"".join(events) + (DONE if done else b"")


def read(
    body: bytes, splits: Iterable[int] = (), *, may_tag_thinking: bool = True, prompt_tokens: int = 7
) -> tuple[list[Event], Completion]:
    """What comes out of a body that arrives in pieces; pieces of one text that follow each other are joined."""
    splitter, assembler = LineSplitter(), Assembler(prompt_tokens=prompt_tokens, may_tag_thinking=may_tag_thinking)
    borders = [0, *sorted({min(split, len(body)) for split in splits}), len(body)]
    events: list[Event] = []
    for start, end in itertools.pairwise(borders):
        for line in splitter.feed(body[start:end]):
            events += assembler.feed(line)
    for line in splitter.flush():
        events += assembler.feed(line)
    events += assembler.flush()
    return merged(events), assembler.close()


def merged(events: Iterable[Event]) -> list[Event]:
    """The events, neighbours of one kind of text joined."""
    whole: list[Event] = []
    for event in events:
        match whole[-1:], event:
            case [[Reasoning(before)], Reasoning(text)]:
                whole[-1] = Reasoning(before + text)
            case [[Answer(before)], Answer(text)]:
                whole[-1] = Answer(before + text)
            case _:
                whole.append(event)
    return whole


def said(events: Iterable[Event]) -> str:
    """Events as one readable line."""
    words: list[str] = []
    for event in events:
        match event:
            case Reasoning(text):
                words.append(f"think {text!r}")
            case Answer(text):
                words.append(f"say {text!r}")
            case ToolCall(call_id, name, arguments):
                words.append(f"call {call_id} {name}({arguments})")
            case Noise(reason):
                words.append(f"noise {reason}")
    return " | ".join(words)
