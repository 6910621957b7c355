import pytest

from tests.model.sse import delta, read, said, stream


def call(
    index: int | None = None, call_id: str | None = None, name: str | None = None, arguments: object = None
) -> bytes:
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    fields = {"index": index, "id": call_id, "function": function}
    return delta(tool_calls=[{key: value for key, value in fields.items() if value is not None}])


def calls(*deltas: bytes, finish: str | None = "tool_calls") -> str:
    return said(read(stream(*deltas, delta(finish)))[0])


def test_arguments_are_put_together() -> None:
    assert (
        calls(call(0, "scan:0", "scan", ""), call(0, arguments='{"p":'), call(0, arguments="1}"))
        == 'call scan:0 scan({"p":1})'
    )


def test_parallel_calls_may_interleave() -> None:
    text = calls(call(0, "a", "one", "{"), call(1, "b", "two", "["), call(0, arguments="}"), call(1, arguments="]"))
    assert text == "call a one({}) | call b two([])"


def test_the_name_may_come_last() -> None:
    assert calls(call(0, arguments="{}"), call(0, "a", "one")) == "call a one({})"


def test_without_an_index_an_id_begins_a_call_and_no_id_goes_on_with_it() -> None:
    text = calls(call(None, "a", "one", "{"), call(arguments="}"), call(None, "b", "two", "{}"))
    assert text == "call a one({}) | call b two({})"


def test_two_ids_under_one_index_are_two_calls() -> None:
    text = calls(call(0, "a", "one", "{}"), call(0, "b", "two", "["), call(0, arguments="]"))
    assert text == "call a one({}) | call b two([])"


def test_an_id_that_comes_back_is_the_same_call() -> None:
    text = calls(
        call(None, "a", "one", "{"),
        call(None, "b", "two", "["),
        call(None, "a", arguments="}"),
        call(None, "b", arguments="]"),
    )
    assert text == "call a one({}) | call b two([])"


def test_a_name_said_again_is_not_doubled() -> None:
    assert calls(call(0, "a", "one", "{"), call(0, "a", "one", "}")) == "call a one({})"


def test_arguments_that_are_an_object_become_text() -> None:
    assert calls(call(0, "a", "one", {"p": 1})) == 'call a one({"p": 1})'


def test_a_call_without_id_or_arguments_gets_both() -> None:
    assert calls(call(0, name="one")) == "call call_0 one({})"


def test_a_call_without_a_name_is_noise() -> None:
    assert calls(call(0, "a", arguments="{}")) == "noise a tool call without a name"


@pytest.mark.parametrize(("finish", "arguments"), [("length", '{"p":'), (None, '{"p":'), (None, '{"p":1}')])
def test_a_call_that_nobody_finished_never_runs(finish: str | None, arguments: str) -> None:
    assert calls(call(0, "a", "one", arguments), finish=finish) == "noise the tool call 'one' was cut"


def test_odd_deltas_are_ignored() -> None:
    odd = delta(tool_calls=[None, 7, {"function": 3}, {"index": "x", "id": 4}])
    assert calls(odd) == "noise a tool call without a name"


def test_the_number_of_calls_is_bounded() -> None:
    assert calls(*(call(n, f"c{n}", "one") for n in range(300))).count("call ") == 128
