"""The conversation: one answer per request, in the order of arrival, whatever comes in."""

import asyncio
import inspect
import random
import threading
import time
from collections.abc import Awaitable, Coroutine
from typing import Literal

import pytest
from msgspec import Raw, Struct

from kimi_lsp.errors import UsageError
from kimi_lsp.faces.asking import Asking
from kimi_lsp.faces.channel import Channel
from kimi_lsp.faces.envelope import Incoming
from kimi_lsp.faces.frames import FrameReader, framed
from kimi_lsp.faces.intake import Intake
from kimi_lsp.lsp.connection import REQUEST_FAILED, RequestError, Route
from kimi_lsp.lsp.protocol import MessageType
from tests.fakes.json_value import Json, JsonObject, get
from tests.lsp.conversation import BOUND_S, conversation, notification, request


class Number(Struct):
    n: int


class Text(Struct):
    text: str


class Holder(Struct):
    text: str
    rest: Raw = Raw(b"null")


def double(params: Number) -> object:
    return {"n": params.n * 2}


class Gate:
    """A handler that waits until it is let through; it notes what happened to it."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.seen: list[str] = []
        self.entered = asyncio.Event()
        self.left = asyncio.Event()

    def __call__(self) -> Awaitable[object]:
        self.seen.append("called")
        return self._wait()

    async def _wait(self) -> object:
        self.seen.append("begun")
        self.entered.set()
        try:
            await self.opened.wait()
        except BaseException as error:
            self.seen.append(type(error).__name__)
            raise
        finally:
            self.left.set()
        return "through"


# Answers


async def test_a_request_is_answered_with_what_its_handler_returns() -> None:
    async with conversation({"double": Route(Number, double)}) as client:
        assert await client.call("double", {"n": 21}) == {"jsonrpc": "2.0", "id": 1, "result": {"n": 42}}


async def test_what_takes_longer_is_answered_later() -> None:
    gate = Gate()
    async with conversation({"gate": Route(None, gate), "double": Route(Number, double)}) as client:
        slow, fast = client.request("gate"), client.request("double", {"n": 1})
        assert (await client.receive())["id"] == fast
        gate.opened.set()
        assert await client.receive() == {"jsonrpc": "2.0", "id": slow, "result": "through"}


async def test_handlers_are_called_in_the_order_of_arrival() -> None:
    seen: list[int] = []

    def note(params: Number) -> Awaitable[None]:
        seen.append(params.n)

        async def later() -> None:
            await asyncio.sleep(0)
            seen.append(-params.n)

        return later()

    async with conversation({"note": Route(Number, note), "number": Route(Number, note)}) as client:
        client.send(*(notification("note", {"n": n}) for n in range(1, 50)))
        await client.call("number", {"n": 50})
    assert [n for n in seen if n > 0] == list(range(1, 51))


async def test_an_id_is_given_back_as_it_came() -> None:
    async with conversation({"double": Route(Number, double)}) as client:
        for request_id in (0, -7, 10**30, "", "7", "ä\u2028"):
            client.send(request(request_id, "double", {"n": 0}))
            assert (await client.receive())["id"] == request_id


# Gates


@pytest.mark.parametrize(
    ("body", "code", "request_id"),
    [
        (b"", -32700, None),
        (b"{", -32700, None),
        (b'{"jsonrpc":"2.0","id":1,"method":"double"} x', -32700, None),
        (b'\xef\xbb\xbf{"jsonrpc":"2.0","id":1,"method":"double"}', -32700, None),
        (b'{"jsonrpc":"2.0","id":1,"method":"double","params":{"n":NaN}}', -32700, None),
        (b'{"jsonrpc":"2.0","id":1,"method":"double","params":{"n":1,"text":"\xff"}}', -32700, None),
        (b'{"jsonrpc":"2.0","id":1,"method":"double","params":{"n":1,"text":"\xed\xa0\x80"}}', -32700, None),
        (b'{"jsonrpc":"2.0","id":1,"method":"double","params":' + b"[" * 100_000 + b"]" * 100_000 + b"}", -32700, None),
        (b'{"jsonrpc":"2.0","id":1,"method":"double","x":' + b'{"a":' * 2000 + b"1" + b"}" * 2001, -32700, None),
        (b'{"jsonrpc":"2.0","id":' + b"9" * 5000 + b',"method":"double"}', -32700, None),
        (b'[{"jsonrpc":"2.0","id":1,"method":"double","params":{"n":1}}]', -32600, None),
        (b"[]", -32600, None),
        (b'"double"', -32600, None),
        (b"null", -32600, None),
        (b'{"jsonrpc":"2.0"}', -32600, None),
        (b'{"jsonrpc":"2.0","id":3}', -32600, 3),
        (b'{"jsonrpc":"2.0","id":"a","method":7}', -32600, "a"),
        (b'{"jsonrpc":"2.0","id":3,"method":null}', -32600, 3),
        (b'{"jsonrpc":"1.0","id":3,"method":"double","params":{"n":1}}', -32600, 3),
        (b'{"id":3,"method":"double","params":{"n":1}}', -32600, 3),
        (b'{"jsonrpc":"2.0","id":null,"method":"double","params":{"n":1}}', -32600, None),
        (b'{"jsonrpc":"2.0","id":1.5,"method":"double","params":{"n":1}}', -32600, None),
        (b'{"jsonrpc":"2.0","id":1.0,"method":"double","params":{"n":1}}', -32600, None),
        (b'{"jsonrpc":"2.0","id":true,"method":"double","params":{"n":1}}', -32600, None),
        (b'{"jsonrpc":"2.0","id":[1],"method":"double","params":{"n":1}}', -32600, None),
        (b'{"jsonrpc":"2.0","id":3,"method":"triple"}', -32601, 3),
        (b'{"jsonrpc":"2.0","id":3,"method":"$/double"}', -32601, 3),
        (b'{"jsonrpc":"2.0","id":3,"method":"initialize","params":{"capabilities":{}}}', -32600, 3),
        (b'{"jsonrpc":"2.0","id":3,"method":"double"}', -32602, 3),
        (b'{"jsonrpc":"2.0","id":3,"method":"double","params":null}', -32602, 3),
        (b'{"jsonrpc":"2.0","id":3,"method":"double","params":7}', -32602, 3),
        (b'{"jsonrpc":"2.0","id":3,"method":"double","params":[1]}', -32602, 3),
        (b'{"jsonrpc":"2.0","id":3,"method":"double","params":{"n":"1"}}', -32602, 3),
        (b'{"jsonrpc":"2.0","id":3,"method":"double","params":{"n":1e999}}', -32602, 3),
        (b'{"jsonrpc":"2.0","id":3,"method":"double","params":{"n":"\\ud800"}}', -32602, 3),
        (b'{"jsonrpc":"2.0","id":3,"method":"double","params":{"n":' + b"9" * 4400 + b"}}", -32602, 3),
    ],
    ids=lambda value: repr(value)[:60],
)
async def test_what_is_no_request_of_ours_gets_its_error(body: bytes, code: int, request_id: int | str | None) -> None:
    async with conversation({"double": Route(Number, double)}) as client:
        client.raw(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        answer = await client.receive()
        assert (answer.get("id", "none"), get(answer, "error", "code")) == (request_id, code)
        assert await client.is_alive()


@pytest.mark.parametrize(
    "body",
    [
        notification("$/unknown", {"a": 1}),
        notification("unknown"),
        {"jsonrpc": "2.0", "id": 99, "result": None},
        {"jsonrpc": "2.0", "id": "x", "error": {"code": -1, "message": "no"}},
        {"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "no"}},
        notification("$/cancelRequest", {"id": 99}),
        notification("$/cancelRequest", {"id": None}),
        notification("$/cancelRequest"),
    ],
)
async def test_what_wants_no_answer_gets_none(body: JsonObject) -> None:
    async with conversation({}) as client:
        client.send(body)
        assert await client.is_alive()


async def test_damage_of_the_frames_is_answered_and_survived() -> None:
    async with conversation({}) as client:
        client.raw(b"Content-Length: nothing\r\n\r\n{}")
        assert get(await client.receive(), "error") == {"code": -32700, "message": "Content-Length is no number"}
        assert await client.is_alive()


async def test_jsonrpc_inside_of_params_is_nothing_special() -> None:
    async with conversation({"double": Route(Number, double)}) as client:
        nested: Json = {"n": 1, "jsonrpc": "2.0", "id": 5, "deep": {"jsonrpc": "2.0", "method": "exit"}}
        assert get(await client.call("double", nested), "result") == {"n": 2}


async def test_an_id_that_is_in_use_is_refused_and_the_first_request_is_answered() -> None:
    gate = Gate()
    async with conversation({"gate": Route(None, gate)}) as client:
        client.send(request(7, "gate"), request(7, "gate"))
        assert get(await client.receive(), "error", "code") == -32600
        client.send(request("7", "gate"))  # another id
        gate.opened.set()
        answers = [await client.receive(), await client.receive()]
        assert [(answer["id"], answer["result"]) for answer in answers] == [(7, "through"), ("7", "through")]
        client.send(request(7, "gate"))  # free again
        assert get(await client.receive(), "result") == "through"


async def test_params_that_may_be_left_out_may_be_null_or_missing() -> None:
    class Optional(Struct):
        n: int = 5

    def same(params: Optional) -> Optional:
        return params

    async with conversation({"get": Route(Optional, same)}) as client:
        for params in (b"", b',"params":null', b',"params":{}'):
            client.raw(framed(b'{"jsonrpc":"2.0","id":1,"method":"get"' + params + b"}"))
            assert get(await client.receive(), "result") == {"n": 5}


async def test_a_message_that_does_not_fit_is_not_quoted() -> None:
    async with conversation({"double": Route(Number, double)}) as client:
        client.notify("double", {"n": "a secret"})
        line = await client.receive()
        assert line["params"] == {"type": 2, "message": "double: Expected `int`, got `str` - at `$.n`"}
        code, message = await client.error_of("double", {"n": "a secret"})
        assert (code, message) == (-32602, "Expected `int`, got `str` - at `$.n`")


async def test_a_value_that_is_out_of_range_is_not_quoted_either() -> None:
    class Choice(Struct):
        which: Literal["a", "b"]

    async with conversation({"choose": Route(Choice, lambda: None)}) as client:
        assert await client.error_of("choose", {"which": "a secret"}) == (-32602, "a value is out of range")


# Text that is no Unicode


async def test_lone_surrogates_come_in_and_go_out_as_replacement_characters() -> None:
    seen: list[str] = []

    def note(params: Text) -> Text:
        seen.append(params.text)
        return params

    async with conversation({"note": Route(Text, note)}) as client:
        body = rb'{"jsonrpc":"2.0","id":1,"method":"note","params":{"text":"a\ud800 \ude42\ud83d\ude42"}}'
        client.raw(framed(body))
        assert get(await client.receive(), "result", "text") == "a\ufffd \ufffd\U0001f642"
    assert seen == ["a\ud800 \ude42\U0001f642"]


async def test_lone_surrogates_beside_raw_parts_are_replaced() -> None:
    def look(params: Holder) -> list[str]:
        return [params.text, bytes(params.rest).decode()]

    async with conversation({"note": Route(Holder, look)}) as client:
        client.raw(framed(rb'{"jsonrpc":"2.0","id":1,"method":"note","params":{"text":"\udfff","rest":{"a":[1]}}}'))
        assert get(await client.receive(), "result") == ["\ufffd", '{"a": [1]}']


async def test_a_method_and_an_id_may_hold_lone_surrogates() -> None:
    async with conversation({}) as client:
        client.raw(framed(rb'{"jsonrpc":"2.0","id":"\ud800","method":"\ud800"}'))
        assert get(await client.receive(), "error", "code") == -32601
        assert await client.is_alive()


# Failures


async def test_a_defect_is_answered_without_its_text_and_logged_with_its_place() -> None:
    def defect() -> None:
        raise ValueError("a secret")

    async def later() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(0))
            defect()

    async with conversation({"now": Route(None, defect), "later": Route(None, later)}) as client:
        for method in ("now", "later"):
            answer, line = await client.call(method), await client.receive()
            assert answer["error"] == {"code": -32603, "message": "internal error"}
            assert get(line, "params", "type") == 1
            assert str(get(line, "params", "message")).startswith(f"{method}: ValueError at ")
            assert "secret" not in str(line)


async def test_an_error_of_ours_says_what_to_do() -> None:
    def fail() -> None:
        raise UsageError("No such lane.", hint="Try docs.")

    async with conversation({"fail": Route(None, fail)}) as client:
        assert await client.error_of("fail") == (-32803, "No such lane. Try docs.")
        client.notify("fail")
        assert get(await client.receive(), "params") == {"type": 2, "message": "fail: No such lane. Try docs."}


async def test_a_handler_chooses_its_error() -> None:
    async def fail() -> None:
        raise RequestError(-32099, "of my own \ud800")

    async with conversation({"fail": Route(None, fail)}) as client:
        assert await client.error_of("fail") == (-32099, "of my own \ufffd")


async def test_a_result_that_is_no_message_is_an_internal_error() -> None:
    async def late() -> object:
        return object()

    async with conversation({"now": Route(None, object), "late": Route(None, late)}) as client:
        for method in ("now", "late"):
            assert (await client.error_of(method))[0] == -32603
            await client.receive()  # its line in the log
        assert await client.is_alive()


async def test_an_awaitable_that_was_cancelled_elsewhere_costs_its_own_request_only() -> None:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    gate = Gate()
    async with conversation({"future": Route(None, lambda: future), "gate": Route(None, gate)}) as client:
        waiting = client.request("gate")
        number = client.request("future")
        await asyncio.wait_for(gate.entered.wait(), BOUND_S)
        future.cancel()
        answer = await client.receive()
        assert (answer["id"], get(answer, "error", "code")) == (number, -32803)
        gate.opened.set()
        assert await client.receive() == {"jsonrpc": "2.0", "id": waiting, "result": "through"}


async def test_what_was_spawned_and_fails_is_logged_and_the_rest_goes_on() -> None:
    async def fail(text: str) -> None:
        raise KeyError(text)

    async with conversation({}) as client:
        client.connection.spawn(fail, "a secret")
        line = await client.receive()
        assert str(get(line, "params", "message")).startswith("fail: KeyError at tests.lsp.test_connection:")
        assert await client.is_alive()


# Cancelling


async def test_a_cancelled_request_is_answered_once_and_its_work_stops() -> None:
    gate = Gate()
    async with conversation({"gate": Route(None, gate)}) as client:
        number = client.request("gate")
        await asyncio.wait_for(gate.entered.wait(), BOUND_S)
        client.notify("$/cancelRequest", {"id": number})
        assert get(await client.receive(), "error", "code") == -32800
        await asyncio.wait_for(gate.left.wait(), BOUND_S)
        assert gate.seen == ["called", "begun", "CancelledError"]
        assert await client.is_alive()


async def test_a_request_that_was_cancelled_in_the_same_breath_does_not_begin() -> None:
    gate = Gate()
    async with conversation({"gate": Route(None, gate)}) as client:
        client.send(
            request(7, "gate"),
            notification("$/cancelRequest", {"id": 7}),
        )
        assert get(await client.receive(), "error", "code") == -32800
        assert await client.is_alive()
    assert gate.seen == ["called"]


async def test_a_handler_that_swallows_the_cancel_or_fails_in_it_is_not_heard() -> None:
    entered = asyncio.Event()

    async def swallow() -> str:
        try:
            entered.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "late"
        return ""

    async def fail() -> None:
        try:
            entered.set()
            await asyncio.Event().wait()
        finally:
            raise RequestError(REQUEST_FAILED, "late")

    async with conversation({"swallow": Route(None, swallow), "fail": Route(None, fail)}, log_level="error") as client:
        for method in ("swallow", "fail"):
            number = client.request(method)
            await asyncio.wait_for(entered.wait(), BOUND_S)
            entered.clear()
            client.notify("$/cancelRequest", {"id": number})
            answer = await client.receive()
            assert (answer["id"], get(answer, "error", "code")) == (number, -32800)
            assert await client.is_alive()


async def test_a_thousand_requests_cancelled_at_random_are_each_answered_once() -> None:
    chance = random.Random(7)

    async def dawdle(params: Number) -> int:
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        return params.n

    async with conversation({"dawdle": Route(Number, dawdle)}) as client:
        messages: list[JsonObject] = []
        for n in range(1000):
            messages.append(request(n, "dawdle", {"n": n}))
            if chance.random() < 0.7:
                cancelled = chance.randrange(n + 1)
                messages.append(notification("$/cancelRequest", {"id": cancelled}))
        while messages:
            size = chance.randrange(1, 60)
            client.send(*messages[:size])
            del messages[:size]
            await asyncio.sleep(0)
        answers = [await client.receive() for _ in range(1000)]
        assert sorted(answer["id"] for answer in answers if isinstance(answer["id"], int)) == list(range(1000))
        results = [answer for answer in answers if "result" in answer]
        assert all(answer["result"] == answer["id"] for answer in results)
        assert 0 < len(results) < 1000
        assert all(get(answer, "error", "code") == -32800 for answer in answers if "error" in answer)
        assert await client.is_alive()


# Questions to the client


async def test_the_client_is_asked_and_its_answer_is_typed() -> None:
    async with conversation({}) as client:
        async with asyncio.TaskGroup() as group:
            asked = group.create_task(client.connection.request("ask", Number(1), Number, timeout_s=BOUND_S))
            question = await client.receive()
            assert (question["method"], question["params"]) == ("ask", {"n": 1})
            client.send({"jsonrpc": "2.0", "id": question["id"], "result": {"n": 2}})
        assert asked.result() == Number(2)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"error": {"code": -32601, "message": "never heard of it"}}, -32601),
        ({"error": {"code": "x"}}, -32803),
        ({"result": "wrong"}, -32803),
        ({"result": None}, -32803),
    ],
)
async def test_an_error_or_another_shape_is_an_error_to_the_caller(answer: JsonObject, code: int) -> None:
    async with conversation({}) as client:

        async def ask() -> None:
            with pytest.raises(RequestError) as raised:
                await client.connection.request("ask", None, Number, timeout_s=BOUND_S)
            assert raised.value.code == code

        async with asyncio.TaskGroup() as group:
            group.create_task(ask())
            question = await client.receive()
            client.send({"jsonrpc": "2.0", "id": question["id"], **answer})


async def test_null_is_an_answer_where_anything_is() -> None:
    async with conversation({}) as client:
        async with asyncio.TaskGroup() as group:
            asked = group.create_task(client.connection.request("ask", None, object, timeout_s=BOUND_S))
            question = await client.receive()
            client.send({"jsonrpc": "2.0", "id": question["id"], "result": None})
        assert asked.result() is None


async def test_a_question_given_up_is_withdrawn_and_its_late_answer_is_harmless() -> None:
    async with conversation({}) as client:
        with pytest.raises(TimeoutError):
            await client.connection.request("ask", None, Number, timeout_s=0)
        question = await client.receive()
        withdrawn = await client.receive()
        assert withdrawn == notification("$/cancelRequest", {"id": question["id"]})
        for _ in range(2):
            client.send({"jsonrpc": "2.0", "id": question["id"], "result": {"n": 1}})
        assert await client.is_alive()


async def test_an_answer_that_comes_in_the_turn_of_the_cancel_is_ignored() -> None:
    asking = Asking(list[bytes]().append, lambda number: b"%d" % number)
    task = asyncio.create_task(asking.ask("ask", None, Number, None))
    await asyncio.sleep(0)
    task.cancel()
    assert not asking.take(Incoming("2.0", 1, result=Raw(b'{"n":1}')))
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_question_does_not_outlive_the_client() -> None:
    async with conversation({}) as client:

        async def ask() -> None:
            for _ in range(2):  # the second is asked when the client is gone
                with pytest.raises(RequestError):
                    await client.connection.request("ask", None, Number, timeout_s=None)
                await client.ended()

        async with asyncio.TaskGroup() as group:
            group.create_task(ask())
            await client.receive()
            client.hang_up()


# Logging


async def test_only_what_is_loud_enough_is_logged() -> None:
    async with conversation({}, log_level="warning") as client:
        for level in MessageType:
            client.connection.log(level, level.name)
        lines = [await client.receive() for _ in range(2)]
        assert [get(line, "params", "message") for line in lines] == ["ERROR", "WARNING"]
        assert await client.is_alive()


async def test_a_debug_line_is_sent_as_a_type_that_clients_know() -> None:
    async with conversation({}, log_level="debug") as client:
        client.connection.log(MessageType.DEBUG, "detail")
        assert get(await client.receive(), "params") == {"type": 4, "message": "detail"}


# The end


async def test_shutdown_then_exit_is_the_good_end_and_nothing_between_them_is_handled() -> None:
    seen: list[str] = []
    async with conversation({"note": Route(None, lambda: seen.append("note"))}) as client:
        assert await client.call("shutdown") == {"jsonrpc": "2.0", "id": 1, "result": None}
        client.notify("note")
        assert (await client.error_of("note"))[0] == -32600
        assert (await client.error_of("shutdown"))[0] == -32600
        client.notify("exit")
        assert await client.ended() == 0
    assert seen == []


async def test_exit_alone_is_not_and_nothing_after_it_is_handled() -> None:
    seen: list[str] = []
    async with conversation({"late": Route(None, lambda: seen.append("late"))}) as client:
        client.send(notification("exit"), notification("late"))
        assert await client.ended() == 1
    assert seen == []


async def test_the_end_of_the_stream_ends_what_runs() -> None:
    gate = Gate()
    async with conversation({"gate": Route(None, gate)}) as client:
        client.request("gate")
        await asyncio.wait_for(gate.entered.wait(), BOUND_S)
        client.hang_up()
        assert await client.ended() == 1
    assert gate.seen == ["called", "begun", "CancelledError"]


async def test_what_came_before_the_end_of_the_stream_is_still_handled() -> None:
    seen: list[int] = []

    def note(params: Number) -> None:
        seen.append(params.n)

    async with conversation({"note": Route(Number, note)}) as client:
        client.send(*(notification("note", {"n": n}) for n in range(500)))
        client.finish()
        assert await client.ended() == 1
    assert seen == list(range(500))


async def test_stop_may_be_called_from_a_thread_and_its_first_code_counts() -> None:
    async with conversation({}) as client:
        thread = threading.Thread(target=lambda: [client.connection.stop(code) for code in (143, 130)])
        thread.start()
        assert await client.ended() == 143
        thread.join()


async def test_work_that_had_no_turn_before_the_end_is_closed() -> None:
    made: list[Coroutine[object, None, None]] = []

    def work() -> Coroutine[object, None, None]:
        async def wait() -> None:
            await asyncio.Event().wait()

        made.append(wait())
        return made[-1]

    async with conversation({"work": Route(None, work)}) as client:
        client.send(request(1, "work"), notification("exit"))
        assert await client.ended() == 1
        client.connection.spawn(work)  # after the end
    assert [inspect.getcoroutinestate(each) for each in made] == [inspect.CORO_CLOSED] * 2


async def test_shutdown_is_answered_when_what_it_stops_has_stopped() -> None:
    released = asyncio.Event()
    async with conversation({"double": Route(Number, double)}) as client:
        client.connection.on_end = released.wait
        number = client.request("shutdown")
        assert (await client.error_of("double", {"n": 1}))[0] == -32600
        released.set()
        assert await client.receive() == {"jsonrpc": "2.0", "id": number, "result": None}


@pytest.mark.parametrize("farewell", ["exit", "hang up", "shutdown and exit"])
async def test_what_must_stop_is_told_so_once_in_every_end(farewell: str) -> None:
    told: list[str] = []
    begun = asyncio.Event()

    async def hook() -> None:
        told.append("begun")
        begun.set()
        for _ in range(500):  # long enough for `exit` to come in the meantime
            await asyncio.sleep(0)
        told.append("done")

    async with conversation({}) as client:
        client.connection.on_end = hook
        if farewell == "hang up":
            client.hang_up()
        elif farewell == "exit":
            client.notify("exit")
        else:
            client.request("shutdown")
            await asyncio.wait_for(begun.wait(), BOUND_S)
            client.notify("exit")
        await client.ended()
    assert told == ["begun", "done"]


async def test_a_hook_that_fails_does_not_hold_the_end_up() -> None:
    async with conversation({}, log_level="error") as client:
        told: list[str] = []
        client.connection.on_end = lambda: told[0]
        number = client.request("shutdown")
        line, answer = await client.receive(), await client.receive()
        assert str(get(line, "params", "message")).startswith("shutdown: IndexError at ")
        assert (answer["id"], answer["result"]) == (number, None)


# Load


class Chunks(Channel):
    """A client that has sent nine frames, each in a chunk of its own."""

    def __init__(self) -> None:
        self.rest = [framed(b"%d" % n) for n in range(9)]
        self.at_end = threading.Event()

    def read(self) -> bytes:
        if self.rest:
            return self.rest.pop(0)
        self.at_end.set()
        return b""


async def test_many_frames_at_once_do_not_keep_others_from_their_turn() -> None:
    turns: list[str] = []

    def busy() -> None:
        until = time.perf_counter() + 0.0005
        while time.perf_counter() < until:
            pass
        turns.append("frame")

    async def other() -> None:
        while True:
            await asyncio.sleep(0)
            turns.append("other")

    async with conversation({"busy": Route(None, busy), "last": Route(None, lambda: None)}) as client:
        client.connection.spawn(other)
        client.send(*(notification("busy") for _ in range(200)))
        await client.call("last")
    first, last = turns.index("frame"), len(turns) - turns[::-1].index("frame")
    assert turns[first:last].count("frame") == 200
    assert turns[first:last].count("other") >= 5


async def test_a_client_that_does_not_read_costs_no_more_than_what_was_sent_last() -> None:
    async with conversation({}) as client:
        client.pause()
        text = "x" * 10_000
        for n in range(10_000):
            client.connection.notify("publish", {"n": n, "text": text}, key=f"file {n % 10}")
        waiting = client.connection.waiting_bytes
        assert waiting < 10 * 11_000 + 300_000  # ten files, and what the writer has in its hands
        client.resume()
        seen = [get(await client.receive(), "params", "n")]
        while seen[-1] != 9_999:
            seen.append(get(await client.receive(), "params", "n"))
        assert sorted(str(n) for n in seen[-10:]) == [str(n) for n in range(9_990, 10_000)]
        assert len(seen) < 200


async def test_whoever_waits_for_the_client_to_read_is_let_go_when_it_does() -> None:
    async with conversation({}) as client:
        client.pause()
        held = asyncio.Event()
        sent = 0

        async def publish() -> None:
            nonlocal sent
            for sent in range(1, 401):
                if client.connection.waiting_bytes > 1024 * 1024:
                    held.set()
                await client.connection.ready()
                client.connection.notify("publish", {"n": sent, "text": "x" * 10_000})

        async with asyncio.TaskGroup() as group:
            group.create_task(publish())
            await asyncio.wait_for(held.wait(), BOUND_S)
            for _ in range(10):
                await asyncio.sleep(0)
            assert sent < 400
            client.resume()
            for n in range(1, 401):
                assert get(await client.receive(), "params", "n") == n


async def test_a_client_that_asks_and_does_not_read_is_not_read_any_more() -> None:
    full = asyncio.Event()

    def echo(params: Text) -> Text:
        if client.connection.waiting_bytes > 31 * 1024 * 1024:
            full.set()
        return params

    async with conversation({"echo": Route(Text, echo)}) as client:
        client.pause()
        text = "x" * 1_000_000
        asked = [client.request("echo", {"text": text}) for _ in range(60)]
        await asyncio.wait_for(full.wait(), BOUND_S)
        for _ in range(1000):  # it would go on reading now, if it did
            await asyncio.sleep(0)
        assert client.connection.waiting_bytes < 36 * 1024 * 1024
        assert client.unsent_bytes > 15_000_000
        client.resume()
        assert [(await client.receive())["id"] for _ in asked] == asked


async def test_the_reader_is_at_most_a_chunk_ahead_of_what_is_handled() -> None:
    channel = Chunks()
    intake = Intake(channel, FrameReader())
    ends: list[str] = []
    intake.start(lambda: ends.append("end"))
    assert await asyncio.wait_for(intake.next(), BOUND_S) == [b"0"]
    assert not await asyncio.to_thread(channel.at_end.wait, 0.1)  # it would run on to the end, if it did not wait
    assert len(channel.rest) >= 7
    for n in range(1, 9):
        intake.acknowledge()
        assert await asyncio.wait_for(intake.next(), BOUND_S) == [b"%d" % n]
    assert await asyncio.wait_for(intake.next(), BOUND_S) is None
    assert ends == ["end"]


async def test_a_reader_that_waits_for_room_is_let_go_at_the_end() -> None:
    channel = Chunks()
    intake = Intake(channel, FrameReader())
    others = set(threading.enumerate())
    intake.start(lambda: None)
    (thread,) = set(threading.enumerate()) - others
    assert await asyncio.wait_for(intake.next(), BOUND_S) == [b"0"]
    intake.stop()
    await asyncio.to_thread(thread.join, 5)
    assert not thread.is_alive()
    assert channel.rest  # it did not read on


async def test_log_lines_are_dropped_and_counted_when_nobody_reads_them() -> None:
    async with conversation({}) as client:
        client.pause()
        while client.connection.waiting_bytes <= 1024 * 1024:
            client.connection.notify("publish", {"text": "x" * 50_000})
        for n in range(1000):
            client.connection.log(MessageType.INFO, f"line {n}")
        client.resume()
        assert await client.is_alive_behind("publish")
        client.connection.log(MessageType.INFO, "the next")
        lines = [get(await client.receive(), "params", "message") for _ in range(2)]
        assert lines[0] == "the next"
        assert str(lines[1]).startswith("1000 log lines before this one were dropped")


async def test_fifty_megabytes_are_opened() -> None:
    text = "x = 1\n" * (50 * 1024 * 1024 // 6)
    seen: list[int] = []

    def note(params: Text) -> None:
        seen.append(len(params.text))

    async with conversation({"open": Route(Text, note)}) as client:
        client.notify("open", {"text": text})
        assert await client.is_alive()
    assert seen == [len(text)]


async def test_a_frame_may_come_byte_by_byte() -> None:
    async with conversation({"double": Route(Number, double)}) as client:
        for byte in framed(b'{"jsonrpc":"2.0","id":1,"method":"double","params":{"n":4}}'):
            client.raw(bytes([byte]))
            await asyncio.sleep(0)
        assert get(await client.receive(), "result") == {"n": 8}


async def test_two_threads_serve_and_none_is_left() -> None:
    async with conversation({}) as client:
        assert await client.is_alive()
        threads = [thread for thread in threading.enumerate() if thread.name.startswith("face-")]
        assert {thread.name for thread in threads} == {"face-reader", "face-writer"}
        client.notify("exit")
        await client.ended()
    for thread in threads:
        await asyncio.to_thread(thread.join, 5)
        assert not thread.is_alive()
