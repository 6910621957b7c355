"""Each fault does on the wire what it says, seen by a client that knows nothing of the fake."""

import json
from email.utils import parsedate_to_datetime

import httpx2
import pytest

from tests.fakes.faults import Fault, FaultKind, http_date
from tests.fakes.json_value import get
from tests.fakes.kimi import FakeKimi, unused_port
from tests.fakes.script import Script, ToolCall
from tests.fakes_tests.client import Raw, ask, chunks, client, data_lines, error_of, raw

TEXT = "naïve — 监控 🦀"
CALLS = (ToolCall("first", '{"path":"a.py"}'), ToolCall("second", '{"path":"b.py"}'))


def broken(kind: FaultKind, at: int | None = None, *, stream: bool = True, quiet_s: float = 10.0) -> Raw:
    """The bytes of an answer with a fault."""
    with FakeKimi() as kimi:
        kimi.enqueue(Script(reasoning="Look.", content=TEXT, chunk_chars=4, fault=Fault(kind, at=at)))
        return raw(kimi, stream=stream, quiet_s=quiet_s)


def lines(kind: FaultKind, at: int | None = None, text: str | None = None) -> list[str]:
    """The payloads of a stream with a fault that a sound HTTP client can read."""
    with FakeKimi() as kimi:
        kimi.enqueue(Script(content=TEXT, fault=Fault(kind, at=at, text=text)))
        return data_lines(ask(kimi, stream=True).text)


def tool_deltas(kind: FaultKind) -> list[tuple[int | None, str | None, str]]:
    """(index, name, arguments) of each tool delta."""
    with FakeKimi() as kimi:
        kimi.enqueue(Script(tool_calls=CALLS, chunk_chars=8, fault=Fault(kind)))
        events = [json.loads(line) for line in data_lines(ask(kimi, stream=True).text)[:-1]]
    found = [event["choices"][0]["delta"].get("tool_calls", []) for event in events]
    return [
        (one.get("index"), one["function"].get("name"), one["function"]["arguments"]) for [one] in filter(None, found)
    ]


def test_a_sound_stream_is_the_measure_for_the_faults(kimi: FakeKimi) -> None:
    kimi.enqueue(Script(reasoning="Look.", content=TEXT, chunk_chars=4))
    answer = raw(kimi)
    assert answer.ending == "end"
    assert answer.http_chunks[-1] == b""
    assert answer.http_chunks[-2] == b"data: [DONE]\n\n"
    assert all(chunk.startswith(b"data: {") and chunk.endswith(b"}\n\n") for chunk in answer.http_chunks[:-2])


@pytest.mark.parametrize("at", [0, 3])
def test_a_reset_is_a_tcp_reset_after_so_many_events(at: int) -> None:
    answer = broken(FaultKind.RESET, at)
    assert answer.ending == "reset"
    assert len(answer.http_chunks) == at


@pytest.mark.parametrize("at", [0, 3])
def test_a_hang_up_ends_the_connection_without_the_last_chunk(at: int) -> None:
    answer = broken(FaultKind.HANG_UP, at)
    assert answer.ending == "end"
    assert len(answer.http_chunks) == at
    assert b"" not in answer.http_chunks


def test_a_reset_reaches_an_http_client_as_a_transport_error(kimi: FakeKimi) -> None:
    kimi.enqueue(*[Script(content=TEXT, fault=Fault(kind, at=2)) for kind in (FaultKind.RESET, FaultKind.HANG_UP)])
    for _ in range(2):
        with pytest.raises(httpx2.TransportError):
            ask(kimi, stream=True)


def test_a_stream_can_end_cleanly_without_done() -> None:
    whole = lines(FaultKind.NO_DONE)
    assert json.loads(whole[-1])["choices"][0]["finish_reason"] == "stop"
    cut = lines(FaultKind.NO_DONE, at=2)
    assert cut == whole[:2]


def test_a_stream_can_end_cleanly_in_the_middle_of_a_line() -> None:
    answer = broken(FaultKind.TORN_EVENT, 2)
    assert (answer.ending, answer.http_chunks[-1]) == ("end", b"")
    assert answer.http_chunks[-2].startswith(b"data: {")
    assert not answer.http_chunks[-2].endswith(b"\n")


def test_a_stall_leaves_the_connection_open_and_silent() -> None:
    answer = broken(FaultKind.STALL, 3, quiet_s=0.2)
    assert answer.ending == "open"
    assert len(answer.http_chunks) == 3


def test_silence_is_not_even_a_status_line() -> None:
    assert broken(FaultKind.SILENCE, quiet_s=0.2) == Raw(b"", "open")


def test_a_stall_ends_when_the_fakes_patience_does() -> None:
    with FakeKimi(patience_s=0.05) as kimi:
        kimi.enqueue(Script(fault=Fault(FaultKind.STALL)))
        assert raw(kimi).ending in ("end", "reset")
        assert kimi.requests[0].closed_by_client_at is None


def test_a_fault_in_band_stands_where_it_was_put_and_the_stream_goes_on() -> None:
    malformed = lines(FaultKind.MALFORMED_JSON, at=1)
    with pytest.raises(json.JSONDecodeError):
        json.loads(malformed[1])
    assert malformed[-1] == "[DONE]"
    nulls = lines(FaultKind.NULL_CHOICES, at=1)
    assert json.loads(nulls[1])["choices"] is None
    assert lines(FaultKind.MALFORMED_JSON, at=1, text="{odd")[1] == "{odd"


def test_invalid_utf8_is_in_the_bytes() -> None:
    answer = broken(FaultKind.INVALID_UTF8, 2)
    with pytest.raises(UnicodeDecodeError):
        answer.http_chunks[2].decode()
    assert answer.http_chunks[3].decode()


def test_an_event_can_have_empty_data(kimi: FakeKimi) -> None:
    kimi.enqueue(Script(content="x", fault=Fault(FaultKind.EMPTY_DATA, at=1)))
    assert "event: ping\ndata:\n\n" in ask(kimi, stream=True).text


def test_an_error_in_band_is_an_object_or_a_text_and_ends_the_stream() -> None:
    assert json.loads(lines(FaultKind.ERROR_OBJECT, at=2)[-1])["error"]["type"] == "server_error"
    assert json.loads(lines(FaultKind.ERROR_TEXT, at=2, text="gone")[-1]) == {"error": "gone"}
    assert len(lines(FaultKind.ERROR_TEXT, at=2)) == 3


def test_comments_come_between_the_events(kimi: FakeKimi) -> None:
    kimi.enqueue(Script(content=TEXT, fault=Fault(FaultKind.COMMENTS)))
    response = ask(kimi, stream=True)
    assert response.text.count(": keepalive\n\n") == len(data_lines(response.text))


def test_a_chunk_border_falls_inside_every_multi_byte_character() -> None:
    sound, split = broken(FaultKind.COMMENTS), broken(FaultKind.SPLIT_CHARACTER)
    assert b"".join(split.http_chunks) == b"".join(sound.http_chunks).replace(b": keepalive\n\n", b"")
    whole_characters = [chunk for chunk in split.http_chunks if "—".encode() in chunk or "🦀".encode() in chunk]
    assert whole_characters == []


def test_a_chunk_border_falls_inside_every_line_ending() -> None:
    split = broken(FaultKind.SPLIT_NEWLINE)
    assert b"\r\n\r\n" in b"".join(split.http_chunks)
    assert not any(b"\r\n" in chunk for chunk in split.http_chunks)


def test_the_stream_can_be_cut_at_every_byte(kimi: FakeKimi) -> None:
    kimi.enqueue(Script(content=TEXT, segment_bytes=1, newline="\r\n"))
    answer = raw(kimi)
    assert {len(chunk) for chunk in answer.http_chunks[:-1]} == {1}
    assert TEXT in b"".join(answer.http_chunks).decode()
    assert kimi.requests[0].events_sent == len(data_lines(b"".join(answer.http_chunks).decode()))


def test_an_answer_can_be_empty_for_its_length(kimi: FakeKimi) -> None:
    kimi.enqueue(Script(reasoning="Long.", content="never said", fault=Fault(FaultKind.EMPTY_LENGTH)))
    answer = ask(kimi).json()["choices"][0]
    assert (answer["message"]["content"], answer["finish_reason"]) == ("", "length")
    assert answer["message"]["reasoning_content"] == "Long."


@pytest.mark.parametrize(
    ("kind", "reason"),
    [(FaultKind.UNKNOWN_FINISH, "unexpected_state"), (FaultKind.FILTERED_FINISH, "content_filter")],
)
def test_a_finish_reason_can_be_unknown_or_filtered(kimi: FakeKimi, kind: FaultKind, reason: str) -> None:
    kimi.enqueue(Script(content="x", fault=Fault(kind)))
    assert get(chunks(ask(kimi, stream=True))[-1], "choices", 0, "finish_reason") == reason


def test_tool_deltas_of_parallel_calls_can_interleave() -> None:
    assert tool_deltas(FaultKind.TOOLS_INTERLEAVED) == [
        (0, "first", ""),
        (1, "second", ""),
        (0, None, '{"path":'),
        (1, None, '{"path":'),
        (0, None, '"a.py"}'),
        (1, None, '"b.py"}'),
    ]


def test_a_tools_name_can_come_after_its_arguments() -> None:
    assert tool_deltas(FaultKind.TOOLS_NAME_LAST)[:3] == [
        (0, None, '{"path":'),
        (0, None, '"a.py"}'),
        (0, "first", ""),
    ]


def test_a_tools_index_can_be_missing() -> None:
    deltas = tool_deltas(FaultKind.TOOLS_NO_INDEX)
    assert [index for index, _, _ in deltas] == [None] * 6
    assert [name for _, name, _ in deltas if name] == ["first", "second"]


def test_a_stream_can_be_a_web_page_or_plain_json_or_empty(kimi: FakeKimi) -> None:
    kinds = (FaultKind.HTML, FaultKind.PLAIN_JSON, FaultKind.EMPTY_STREAM)
    kimi.enqueue(*[Script(content="x", fault=Fault(kind)) for kind in kinds])
    page, plain, empty = (ask(kimi, stream=True) for _ in kinds)
    assert [one.status_code for one in (page, plain, empty)] == [200, 200, 200]
    assert (page.headers["content-type"], page.text[:15]) == ("text/html; charset=utf-8", "<!doctype html>")
    assert plain.headers["content-type"].startswith("application/json")
    assert plain.json()["choices"][0]["message"]["content"] == "x"
    assert (empty.headers["content-type"], empty.text) == ("text/event-stream; charset=utf-8", "")


def test_a_redirect_points_to_a_second_listener_that_counts_its_visitors(kimi: FakeKimi) -> None:
    kimi.enqueue(*[Script(fault=Fault(FaultKind.REDIRECT))] * 2)
    response = ask(kimi, stream=True)
    assert response.status_code == 307
    assert response.headers["location"] == f"{kimi.elsewhere_url}/v1/chat/completions"
    assert (kimi.elsewhere, kimi.elsewhere_connections) == ([], 0)
    with client() as http:  # a client that follows sends the whole prompt there
        url, headers = f"{kimi.base_url}/chat/completions", {"authorization": f"Bearer {kimi.key}"}
        body = kimi.requests[0].body
        followed = http.post(url, content=body, headers=headers, follow_redirects=True)
    assert followed.status_code == 200
    assert [one.body for one in kimi.elsewhere] == [body]
    assert kimi.elsewhere_connections == 1


@pytest.mark.parametrize(
    ("kind", "status", "name", "words"),
    [
        (FaultKind.UNAUTHORISED, 401, "invalid_authentication_error", "Invalid Authentication"),
        (FaultKind.FORBIDDEN, 403, "permission_denied_error", "not open"),
        (FaultKind.AGENTS_ONLY, 403, "access_terminated_error", "only available for Coding Agents"),
        (FaultKind.WEEKLY_LIMIT, 403, "access_terminated_error", "weekly (7-day) usage limit"),
        (FaultKind.UNKNOWN_MODEL, 404, "resource_not_found_error", "Not found the model kimi-k2.6"),
        (FaultKind.TOO_LARGE, 413, "-", "maximum size"),
        (FaultKind.HIGH_RISK, 400, "content_filter", "high risk"),
        (FaultKind.RATE_LIMITED, 429, "rate_limit_reached_error", "request reached TPM rate limit"),
        (FaultKind.OVERLOADED, 429, "engine_overloaded_error", "overloaded"),
        (FaultKind.QUOTA, 429, "exceeded_current_quota_error", "exceeded your current token quota"),
        (FaultKind.SUSPENDED, 429, "exceeded_current_quota_error", "insufficient balance"),
        (FaultKind.SERVER_ERROR, 500, "server_error", "error"),
        (FaultKind.UNAVAILABLE, 503, "server_unavailable", "unavailable"),
        (FaultKind.GATEWAY_TIMEOUT, 504, "server_error", "in time"),
        (FaultKind.NIL_TYPE, 500, "<nil>", "upstream"),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_an_error_answer_has_its_status_type_and_words(
    kimi: FakeKimi, kind: FaultKind, status: int, name: str, words: str, *, stream: bool
) -> None:
    kimi.enqueue(Script(fault=Fault(kind)))
    response = ask(kimi, stream=stream)
    assert error_of(response)[:2] == (status, name)
    assert words in error_of(response)[2]
    assert "retry-after" not in response.headers
    assert kimi.requests[0].problem == error_of(response)[2]
    kimi.wait_for(lambda k: k.running == 0)


def test_a_proxys_bad_gateway_is_a_web_page(kimi: FakeKimi) -> None:
    kimi.enqueue(Script(fault=Fault(FaultKind.BAD_GATEWAY)))
    response = ask(kimi)
    assert (response.status_code, response.headers["content-type"]) == (502, "text/html")


@pytest.mark.parametrize(("retry_after", "sent"), [(1, "1"), (300, "300"), (0, "0"), ("soon", "soon"), (None, None)])
def test_retry_after_is_sent_as_given(kimi: FakeKimi, retry_after: int | str | None, sent: str | None) -> None:
    kimi.enqueue(Script(fault=Fault(FaultKind.RATE_LIMITED, retry_after=retry_after)))
    assert ask(kimi).headers.get("retry-after") == sent


def test_retry_after_can_be_a_date(kimi: FakeKimi) -> None:
    date = http_date(30)
    kimi.enqueue(Script(fault=Fault(FaultKind.OVERLOADED, retry_after=date)))
    assert parsedate_to_datetime(ask(kimi).headers["retry-after"]) == parsedate_to_datetime(date)


@pytest.mark.parametrize("kind", [FaultKind.RATE_LIMITED, FaultKind.SUSPENDED])
def test_a_429_names_the_account_so_that_a_leak_of_it_can_be_looked_for(kimi: FakeKimi, kind: FaultKind) -> None:
    kimi.enqueue(Script(fault=Fault(kind)))
    message = error_of(ask(kimi))[2]
    assert f"{kimi.account.uid}<{kimi.account.access_key}>" in message


@pytest.mark.parametrize(
    ("kind", "ending"),
    [(FaultKind.RESET, "reset"), (FaultKind.HANG_UP, "end"), (FaultKind.STALL, "open")],
)
def test_an_answer_in_one_piece_breaks_in_its_middle(kind: FaultKind, ending: str) -> None:
    answer = broken(kind, stream=False, quiet_s=0.2)
    body = answer.data.partition(b"\r\n\r\n")[2]
    assert answer.ending == ending
    assert 0 < len(body) < int(answer.head.lower().partition("content-length: ")[2])


def test_an_answer_in_one_piece_can_be_malformed(kimi: FakeKimi) -> None:
    kinds = (FaultKind.MALFORMED_JSON, FaultKind.INVALID_UTF8, FaultKind.ERROR_OBJECT, FaultKind.NULL_CHOICES)
    kimi.enqueue(*[Script(content="x", fault=Fault(kind)) for kind in kinds])
    cut, bytes_, error, nulls = (ask(kimi).content for _ in kinds)
    with pytest.raises(json.JSONDecodeError):
        json.loads(cut)
    with pytest.raises(UnicodeDecodeError):
        bytes_.decode()
    assert "error" in json.loads(error)
    assert json.loads(nulls)["choices"] is None


def test_a_fault_that_is_never_reached_is_a_failure_of_the_test() -> None:
    kimi = FakeKimi()
    kimi.start()
    try:
        kimi.enqueue(Script(content="x", fault=Fault(FaultKind.RESET, at=99)))
        with pytest.raises(httpx2.TransportError):
            ask(kimi, stream=True)
    finally:
        kimi.stop()
    with pytest.raises(AssertionError, match="was never reached: the stream has 4 events"):
        kimi.assert_sound()


def test_nobody_listens_on_an_unused_port() -> None:
    with client() as http, pytest.raises(httpx2.ConnectError):
        http.get(f"http://127.0.0.1:{unused_port()}/v1/models")


def test_every_kind_of_fault_is_covered_here() -> None:
    with open(__file__, encoding="utf-8") as file:  # a new kind must come with a test
        source = file.read()
    assert [kind.name for kind in FaultKind if f"FaultKind.{kind.name}" not in source] == []
