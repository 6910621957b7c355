import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from kimi_lsp.model import Assembler, Completion, Event, Finish, LineSplitter, Noise, Reasoning
from kimi_lsp.usage import Usage
from tests.model.sse import DONE, data, delta, merged, read, said, stream

USAGE = {"prompt_tokens": 19, "completion_tokens": 21, "total_tokens": 40, "cached_tokens": 10}


def test_a_moonshot_stream_gives_reasoning_answer_and_usage() -> None:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "kimi-k2.6"}

    def chunk(finish: str | None, more: dict[str, object], **fields: object) -> bytes:
        return data({**head, "choices": [{"index": 0, "delta": fields, "finish_reason": finish, **more}]})

    body = stream(
        chunk(None, {}, role="assistant", content=""),
        chunk(None, {}, reasoning_content="Let me"),
        chunk(None, {}, reasoning_content=" look."),
        chunk(None, {}, content='{"findings"'),
        chunk(None, {}, content=":[]}"),
        chunk("stop", {"usage": USAGE}),
        data({**head, "choices": [], "usage": USAGE}),
    )
    events, completion = read(body)
    assert said(events) == snapshot("think 'Let me look.' | say '{\"findings\":[]}'")
    assert completion == snapshot(
        Completion(
            finish=Finish.STOP,
            raw_finish="stop",
            usage=Usage(prompt_tokens=19, cached_tokens=10, completion_tokens=21, reasoning_tokens=9),
            answer_chars=15,
            reasoning_chars=12,
            id="chatcmpl-1",
            model="kimi-k2.6",
            reasoning_field="reasoning_content",
        )
    )
    assert completion.is_whole


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"reasoning_content": "a"}, "think 'a'"),
        ({"reasoning": "a", "reasoning_content": None}, "think 'a'"),
        ({"reasoning": "a", "reasoning_content": "a"}, "think 'a'"),
        ({"reasoning": "a", "reasoning_details": [{"type": "reasoning.text", "text": "a"}]}, "think 'a'"),
        ({"reasoning_details": [{"text": "a"}], "content": None}, ""),
        ({"reasoning_content": {"odd": 1}, "content": 5}, ""),
        ({"reasoning_content": "a", "content": "{"}, "think 'a' | say '{'"),
        ({"content": [{"type": "text", "text": "{"}, {"type": "image"}, "?"]}, "say '{'"),
    ],
)
def test_reasoning_is_found_in_the_field_of_each_dialect(fields: dict[str, object], expected: str) -> None:
    assert said(read(stream(delta(None, None, **fields), delta("stop")))[0]) == expected


def test_tags_in_the_content_are_reasoning_only_while_no_field_carries_it() -> None:
    tagged = stream(delta(content="<think>why"), delta(content="</think>{}"), delta("stop"))
    assert said(read(tagged)[0]) == "think 'why' | say '{}'"
    assert said(read(tagged, may_tag_thinking=False)[0]) == "say '<think>why</think>{}'"
    both = stream(delta(reasoning_content="a"), delta(content="<think>b</think>"), delta("stop"))
    assert said(read(both)[0]) == "think 'a' | say '<think>b</think>'"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b": OPENROUTER PROCESSING\n\n", ""),
        (b"event: ping\nid: 7\nretry: 10\ndata:\n\n", ""),
        (b"data: {broken\n\n", "noise data that is not JSON"),
        (b"data: 7\n\n", "noise data that is no JSON object"),
        (b"data: []\n\n", "noise data that is no JSON object"),
        (b"<html>\n", "noise a line that is no event stream field"),
        (b'data: {"choices":null,"usage":null}\n\n', ""),
        (b'data: {"choices":[null,7,{"index":[]},{"delta":"x"},{"index":1,"delta":{"content":"other"}}]}\n\n', ""),
        (b"data: " + b"[" * 100_000 + b"\n\n", "noise data that is not JSON"),
        (b'data: {"usage":{"prompt_tokens":' + b"9" * 5000 + b"}}\n\n", "noise data that is not JSON"),
        (b"data: \xff\xfe\n\n", "noise data that is not JSON"),
    ],
)
def test_what_cannot_be_used_costs_only_itself(line: bytes, expected: str) -> None:
    events, completion = read(stream(delta(content="{"), line, delta(content="}"), delta("stop")))
    words = [event for event in events if not isinstance(event, Noise)]
    noises = [event for event in events if isinstance(event, Noise)]
    assert (said(noises), completion.finish, completion.answer_chars) == (expected, Finish.STOP, 2)
    assert "".join(said([word]) for word in words) in {"say '{}'", "say '{'say '}'"}


def test_data_over_several_lines_is_one_event() -> None:
    body = b'data: {"choices":[{"index":0,\ndata: "delta":{"content":"{}"},\ndata: "finish_reason":"stop"}]}\n\n'
    events, completion = read(body)
    assert (said(events), completion.finish) == ("say '{}'", Finish.STOP)


def test_data_lines_without_blank_lines_between_are_events_of_their_own() -> None:
    body = stream(delta(content="{"), delta(content="}"), delta("stop")).replace(b"\n\n", b"\r\n")
    assert said(read(body)[0]) == "say '{}'"


def test_a_line_that_never_becomes_json_does_not_swallow_the_next_one() -> None:
    body = b'data: {"half\n' + stream(delta(content="{}"), delta("stop"))
    assert said(read(body)[0]) == "noise data that is not JSON | say '{}'"


def test_endless_broken_data_is_dropped_piece_by_piece() -> None:
    body = b'data: "' + b"x\ndata: " * 1000 + b"\n\n" + stream(delta(content="{}"), delta("stop"))
    events, _ = read(body)
    assert said(events).endswith("say '{}'")
    assert len(events) < 30


@pytest.mark.parametrize(
    ("raw", "finish"),
    [
        ("stop", Finish.STOP),
        ("length", Finish.LENGTH),
        ("tool_calls", Finish.TOOL_CALLS),
        ("function_call", Finish.TOOL_CALLS),
        ("content_filter", Finish.CONTENT_FILTER),
        ("unexpected_state", Finish.OTHER),
        (None, Finish.CUT),
    ],
)
def test_every_finish_reason_has_its_meaning_and_keeps_its_word(raw: str | None, finish: Finish) -> None:
    _, completion = read(stream(delta(content="{}"), delta(raw)))
    assert (completion.finish, completion.raw_finish) == (finish, raw)


def test_a_stream_with_a_farewell_but_no_finish_reason_is_cut() -> None:
    _, completion = read(stream(delta(content="{}")))
    assert completion.finish is Finish.CUT
    assert not completion.is_whole


@pytest.mark.parametrize(
    ("event", "message", "kind", "status"),
    [
        (data({"error": {"message": "boom", "type": "server_error", "code": 500}}), "boom", "server_error", 500),
        (data({"error": {"message": "boom", "code": "busy"}}), "boom", "busy", None),
        (data({"error": "boom"}), "boom", None, None),
        (data({"error": {}, "x": 1}), None, None, None),
        (data({"error": [1]}), "no message", None, None),
        (data({"object": "error", "message": "boom", "type": "Bad", "code": 400}), "boom", "Bad", 400),
        (b'event: error\ndata: {"message":"boom"}\n\n', "boom", None, None),
        (b'error: {"message":"boom","type":"server_error"}\n\n', "boom", "server_error", None),
        (b"error: boom\n\n", "boom", None, None),
    ],
)
def test_an_error_said_in_band_ends_in_the_completion(
    event: bytes, message: str | None, kind: str | None, status: int | None
) -> None:
    _, completion = read(stream(delta(content="{"), event))
    if message is None:
        assert completion.error is None
        return
    assert completion.error is not None
    assert not completion.is_whole
    assert completion.error.message == f"The endpoint broke the stream off: {message}"
    assert (completion.error.kind, completion.error.status) == (kind, status)


def test_an_error_in_band_does_not_tell_who_the_account_is() -> None:
    uid, key_id = "d0e1f2a3b4c5", "ak-" + "f00dfeed1234"
    _, completion = read(stream(data({"error": {"message": f"Your account {uid}<{key_id}> is suspended"}})))
    assert completion.error is not None
    assert completion.error.message == "The endpoint broke the stream off: Your account is suspended"


def test_a_stream_without_usage_is_estimated_and_says_so() -> None:
    _, completion = read(stream(delta(reasoning_content="a" * 35), delta(content="b" * 35), delta("stop")))
    assert completion.usage == Usage(prompt_tokens=7, completion_tokens=20, reasoning_tokens=10, is_estimated=True)


def test_a_cut_stream_that_reported_usage_is_marked_estimated() -> None:
    _, completion = read(stream(delta(content="{}", usage=USAGE), done=False))
    assert completion.usage.is_estimated
    assert completion.usage.completion_tokens == 21


def test_lines_of_one_shape_are_read_without_parsing_and_give_the_same() -> None:
    assembler = Assembler()
    texts = ["a", 'quote " and \\ slash', "line\nend", "\u2028", "数据", "\ud83d", "", "</think>", "z"]
    lines = [delta(reasoning_content=text).decode().rstrip("\n") for text in texts]
    events = [event for line in lines for event in assembler.feed(line)]
    assert "".join(event.text for event in events if isinstance(event, Reasoning)) == "".join(texts)


@pytest.mark.parametrize(
    "tricky",
    [
        b'data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}\n\n',
        b'data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"content":"x","content":"y"}}]}\n\n',
        b'data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"content":"x\\"},"finish_reason":null}]}\n\n',
        b'data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"content":"x\\q"},"finish_reason":null}]}\n\n',
        b'data: {"choices":[{"delta":{"content":"x"},"usage":{"prompt_tokens":5,"completion_tokens":5}}]}\n\n',
    ],
)
def test_a_line_that_only_looks_like_the_shape_is_read_for_what_it_is(tricky: bytes) -> None:
    body = stream(delta(content="a"), delta(content="b"), tricky, delta(content="c"), done=False)
    assert str(read(body, may_tag_thinking=False)) == str(read_by_json(body))


def test_a_field_said_twice_teaches_no_shape() -> None:
    def twice(first: str, second: str) -> bytes:
        return f'data: {{"choices":[{{"delta":{{"content":"{first}","content":"{second}"}}}}]}}\n\n'.encode()

    body = twice("a", "a") + twice("b", "a") + twice("a", "c")
    assert said(read(body, may_tag_thinking=False)[0]) == "say 'aac'"


def read_by_json(body: bytes) -> tuple[list[Event], Completion]:
    """What an assembler makes of a body when it has to parse every line."""
    assembler = Assembler(prompt_tokens=7, may_tag_thinking=False)
    events: list[Event] = []
    for line in LineSplitter().feed(body + b"\n"):
        if line.startswith("data:"):
            events += assembler.feed("event: named")  # what a named event says is always parsed
        events += assembler.feed(line)
    events += assembler.flush()
    return merged(events), assembler.close()


TEXT = st.text(alphabet=st.characters(codec="utf-8") | st.sampled_from('"\\\n{}<>/'), max_size=12)
DELTA = st.fixed_dictionaries(
    {},
    optional={
        "reasoning_content": TEXT,
        "reasoning": TEXT | st.none(),
        "content": TEXT | st.none() | st.sampled_from(["<think>", "</think>", "{"]),
        "role": st.just("assistant"),
    },
)
EVENT = st.one_of(
    DELTA.map(lambda fields: delta(**fields)),
    DELTA.map(lambda fields: data({"choices": [{"delta": fields, "finish_reason": None}]}, is_ascii=False)),
    st.sampled_from([b": keepalive\n\n", b"data: {oops\n\n", b"data: []\r\n\r\n", b"event: x\ndata:\n\n", b"\xff\n"]),
    st.sampled_from([delta("stop"), data({"usage": USAGE, "choices": []}), data({"error": "no"}), DONE]),
    st.tuples(st.integers(0, 2), TEXT).map(
        lambda call: delta(
            tool_calls=[{"index": call[0], "id": f"t{call[0]}", "function": {"name": "tool", "arguments": call[1]}}]
        )
    ),
)


@given(st.lists(EVENT, max_size=12), st.lists(st.integers(0, 2000), max_size=12), st.booleans())
def test_where_the_chunks_end_changes_nothing(events: list[bytes], splits: list[int], may_tag: bool) -> None:
    body = b"".join(events)
    whole = read(body, may_tag_thinking=may_tag)
    for other in (read(body, splits, may_tag_thinking=may_tag), read(body, range(len(body)), may_tag_thinking=may_tag)):
        assert other[0] == whole[0]
        assert str(other[1]) == str(whole[1])


@given(st.lists(st.tuples(st.sampled_from(["reasoning_content", "content"]), TEXT), max_size=25), st.booleans())
def test_reading_by_shape_says_what_reading_by_json_says(pieces: list[tuple[str, str]], is_ascii: bool) -> None:
    def line(number: int, field: str, text: str) -> bytes:
        chunk = {"id": "c", "choices": [{"index": 0, "delta": {field: text}, "finish_reason": None}]}
        return data({**chunk, "created": number // 5}, is_ascii=is_ascii)

    body = b"".join(line(number, *piece) for number, piece in enumerate(pieces))
    assert str(read(body, may_tag_thinking=False)) == str(read_by_json(body))
    _, completion = read(body, may_tag_thinking=False)
    payloads = [json.loads(row[6:]) for row in body.split(b"\n") if row]
    for field, counted in (("reasoning_content", completion.reasoning_chars), ("content", completion.answer_chars)):
        assert counted == sum(len(payload["choices"][0]["delta"].get(field, "")) for payload in payloads)


@given(st.lists(EVENT, max_size=12))
def test_reading_by_shape_says_what_reading_by_json_says_in_any_stream(events: list[bytes]) -> None:
    assert str(read(b"".join(events), may_tag_thinking=False)) == str(read_by_json(b"".join(events)))


@given(st.binary(max_size=400))
def test_no_bytes_whatever_raise(body: bytes) -> None:
    read(b"data: " + body + b"\n" + body)
