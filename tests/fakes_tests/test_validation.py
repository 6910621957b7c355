"""Each rule of Moonshot's request table refuses what breaks it, in its words, and lets the nearest sound one pass."""

import pytest

from tests.fakes.json_value import Json, JsonObject
from tests.fakes.kimi import FakeKimi
from tests.fakes.record import HONEST_HEADERS
from tests.fakes.script import Script
from tests.fakes_tests.client import ask, client, error_of, hello

MARK: JsonObject = {"role": "user", "content": "hello"}


def refused(message: str, model: str = "kimi-k2.6", /, **changes: Json) -> None:
    """The change alone turns a sound request into a 400 with this message."""
    assert verdict(model) == "ok"
    assert verdict(model, **changes) == message


def verdict(model: str = "kimi-k2.6", /, **changes: Json) -> str:
    """`ok`, or the message of the 400."""
    with FakeKimi(models=[model]) as kimi:
        kimi.enqueue(Script(content="fine"))
        response = ask(kimi, model=model, **changes)
    if response.status_code == 200:
        assert response.json()["choices"][0]["message"]["content"] == "fine"
        return "ok"
    status, kind, message = error_of(response)
    assert (status, kind) == (400, "invalid_request_error")
    return message


def tool(name: str = "dep_scan", **parameters: Json) -> JsonObject:
    schema: JsonObject = {"type": "object", "properties": {}, **parameters}
    return {"type": "function", "function": {"name": name, "description": "Scan.", "parameters": schema}}


def call(call_id: str = "dep_scan:0", **more: Json) -> JsonObject:
    function: JsonObject = {"name": "dep_scan", "arguments": "{}"}
    calls: list[Json] = [{"id": call_id, "type": "function", "function": function}]
    return {"role": "assistant", "tool_calls": calls, **more}


def result(call_id: str = "dep_scan:0", content: str = "none") -> JsonObject:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


@pytest.mark.parametrize("name", ["ab", "1st", "has.dot", "x" * 65, ""])
def test_a_function_name_outside_the_pattern_is_refused(name: str) -> None:
    assert "function name is invalid" in verdict(tools=[tool(name)])


def test_a_sound_tool_list_passes() -> None:
    assert verdict(tools=[tool(f"tool_{number}") for number in range(128)], tool_choice="auto") == "ok"


def test_a_129th_tool_is_refused() -> None:
    refused("too many tools: at most 128 are allowed", tools=[tool(f"tool_{number}") for number in range(129)])


def test_two_functions_of_one_name_are_refused() -> None:
    refused("function name is duplicated", tools=[tool(), tool()])


def test_more_than_five_stop_sequences_are_refused() -> None:
    assert verdict(stop=[*"abcde"]) == "ok"
    refused("too many stop sequences: at most 5 are allowed", stop=[*"abcdef"])


def test_a_stop_sequence_of_more_than_32_bytes_is_refused() -> None:
    assert verdict(stop="é" * 16) == "ok"
    refused("a stop sequence must be a string of at most 32 bytes", stop="é" * 17)


def test_an_unknown_role_is_refused() -> None:
    refused("the role of the message at position 0 is invalid: developer", messages=[MARK | {"role": "developer"}])


@pytest.mark.parametrize("role", ["user", "system", "assistant"])
def test_a_message_that_says_nothing_is_refused(role: str) -> None:
    message = f"the message at position 1 with role '{role}' must not be empty"
    refused(message, messages=[MARK, {"role": role, "content": ""}])
    refused(message, messages=[MARK, {"role": role, "content": None}])
    refused(message, messages=[MARK, {"role": role}])


def test_an_empty_text_part_is_refused() -> None:
    refused("text content is empty", messages=[{"role": "user", "content": [{"type": "text", "text": ""}]}])


def test_a_tool_result_without_its_call_is_refused_with_the_two_spaces() -> None:
    history: list[Json] = [MARK, call(reasoning_content="Look."), result()]
    assert verdict(messages=history) == "ok"
    refused("tool_call_id  is not found", messages=[MARK, call(reasoning_content="Look."), result("other:0")])
    refused("tool_call_id  is not found", messages=[MARK, result()])
    refused("tool_call_id  is not found", messages=[*history, MARK, result()])


def test_a_tool_call_in_the_history_needs_its_reasoning_while_thinking() -> None:
    message = "thinking is enabled but reasoning_content is missing in assistant tool call message at index 1"
    refused(message, messages=[MARK, call(), result()])
    refused(message, "kimi-k3", messages=[MARK, call(), result()])
    assert verdict(messages=[MARK, call(reasoning_content=""), result()]) == "ok"
    assert verdict(messages=[MARK, call(), result()], thinking={"type": "disabled"}) == "ok"


def test_thinking_and_reasoning_effort_together_are_refused() -> None:
    both: JsonObject = {"thinking": {"type": "enabled"}, "reasoning_effort": "high"}
    refused("cannot specify both 'thinking' and 'reasoning_effort'", **both)


@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        ("kimi-k2.6", {"type": "maybe"}),
        ("kimi-k2.6", {"type": "enabled", "keep": "some"}),
        ("kimi-k2.7-code", {"type": "disabled", "keep": "all"}),
        ("kimi-k2.7-code", {"type": "enabled"}),
        ("kimi-k3", {"type": "enabled"}),
    ],
)
def test_a_thinking_switch_the_model_does_not_have_is_refused(model: str, thinking: JsonObject) -> None:
    assert "thinking" in verdict(model, thinking=thinking)


@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        ("kimi-k2.6", {"type": "enabled", "keep": "all"}),
        ("kimi-k2.6", {"type": "disabled"}),
        ("kimi-k2.6", {"type": "enabled", "keep": None}),
        ("kimi-k2.7-code", {"type": "enabled", "keep": "all"}),
    ],
)
def test_a_thinking_switch_the_model_has_passes(model: str, thinking: JsonObject) -> None:
    assert verdict(model, thinking=thinking) == "ok"


def test_a_thinking_k2_cannot_be_made_to_call_a_tool() -> None:
    named: JsonObject = {"type": "function", "function": {"name": "dep_scan"}}
    required = "tool_choice 'required' is incompatible with thinking enabled"
    refused(required, tools=[tool()], tool_choice="required")
    refused("tool_choice 'specified' is incompatible with thinking enabled", tools=[tool()], tool_choice=named)
    assert verdict(tools=[tool()], tool_choice="required", thinking={"type": "disabled"}) == "ok"
    assert verdict("kimi-k3", tools=[tool()], tool_choice="required") == "ok"
    assert verdict("kimi-k3", tools=[tool()], tool_choice=named) == "ok"


def test_a_tool_choice_without_tools_or_of_unknown_kind_is_refused() -> None:
    refused("tool_choice 'required' needs tools", "kimi-k3", tool_choice="required")
    refused("tool_choice 'required' needs tools", "kimi-k3", tool_choice="required", tools=[])
    refused('invalid tool_choice: "sometimes"', tool_choice="sometimes")
    assert verdict(tool_choice="none") == verdict(tool_choice="auto") == "ok"


def test_any_temperature_but_the_fixed_one_is_refused() -> None:
    refused("invalid temperature: only 1 is allowed for this model", temperature=0.6)
    assert verdict(temperature=1.0) == "ok"
    off: JsonObject = {"type": "disabled"}
    refused("invalid temperature: only 0.6 is allowed for this model", temperature=1.0, thinking=off)
    assert verdict(temperature=0.6, thinking=off) == "ok"


@pytest.mark.parametrize(("name", "fixed"), [("top_p", 0.95), ("n", 1), ("presence_penalty", 0)])
def test_other_sampling_parameters_are_fixed_too(name: str, fixed: float) -> None:
    assert verdict(**{name: fixed}) == "ok"
    refused(f"invalid {name}: only {fixed:g} is allowed for this model", **{name: fixed + 0.5})


def test_a_reasoning_effort_must_be_one_of_the_three_words() -> None:
    illegal = "the reasoning_effort field (expected type string) is illegal"
    refused(illegal, "kimi-k3", reasoning_effort=3)
    refused("invalid reasoning_effort: medium", "kimi-k3", reasoning_effort="medium")
    assert {verdict("kimi-k3", reasoning_effort=effort) for effort in ("low", "high", "max")} == {"ok"}


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"type": "yaml"}, "invalid response_format type: yaml"),
        ({"type": "json_schema"}, "invalid response_format: json_schema.name is required"),
        (
            {"type": "json_schema", "json_schema": {"name": "f"}},
            "invalid response_format: json_schema.schema must be an object",
        ),
        (
            {"type": "json_schema", "json_schema": {"name": "f", "schema": {"type": "object"}, "strict": "yes"}},
            "invalid response_format: json_schema.strict must be a boolean",
        ),
        (
            {"type": "json_schema", "json_schema": {"name": "f", "schema": {"type": "array"}, "strict": True}},
            'response_format.json_schema.schema.type is required and must be "object"',
        ),
    ],
)
def test_an_incomplete_response_format_is_refused(wanted: JsonObject, message: str) -> None:
    refused(message, response_format=wanted)


def test_a_complete_response_format_passes() -> None:
    schema: JsonObject = {"type": "object", "properties": {"line": {"type": "integer"}}, "required": ["line"]}
    inner: JsonObject = {"name": "f", "strict": True, "schema": schema}
    assert verdict(response_format={"type": "json_schema", "json_schema": inner}) == "ok"
    assert verdict(response_format={"type": "json_object"}) == "ok"


def test_a_loose_answer_schema_is_not_held_to_the_dialect() -> None:
    inner: JsonObject = {"name": "f", "strict": False, "schema": {"type": "array"}}
    assert verdict(response_format={"type": "json_schema", "json_schema": inner}) == "ok"


def test_a_tool_schema_outside_the_dialect_is_refused_with_its_path() -> None:
    bad: JsonObject = {"type": "string", "anyOf": [{"type": "string"}, {"type": "null"}]}
    refused(
        "tools.function.parameters is not a valid moonshot flavored json schema, details: <At path 'properties.p': "
        "when using anyOf, type should be defined in anyOf items instead of the parent schema>",
        tools=[tool(properties={"p": bad})],
    )
    refused('tools.function.parameters.type is required and must be "object"', tools=[tool(type="array")])


def test_tools_inside_a_message_are_only_for_an_empty_system_message_of_k3() -> None:
    tools: list[Json] = [tool()]
    late: JsonObject = {"role": "system", "tools": tools}
    assert verdict("kimi-k3", messages=[MARK, late]) == "ok"
    refused("tools are not allowed in the message at position 1", messages=[MARK, late])
    said = late | {"content": "Here are tools."}
    refused("tools are not allowed in the message at position 1", "kimi-k3", messages=[MARK, said])
    wrong: JsonObject = {**MARK, "tools": tools}
    refused("tools are not allowed in the message at position 0", "kimi-k3", messages=[wrong])


def test_a_request_over_the_context_window_is_refused() -> None:
    refused("Your request exceeded model token limit : 262144", max_completion_tokens=262_144)
    assert verdict(max_completion_tokens=200_000) == "ok"
    refused("Input token length too long", messages=[{"role": "user", "content": "x" * 920_000}])


def test_the_newer_name_of_the_answer_limit_wins() -> None:
    assert verdict(max_completion_tokens=1000, max_tokens=262_144) == "ok"
    refused("Your request exceeded model token limit : 262144", max_completion_tokens=None, max_tokens=262_144)
    refused("invalid max_completion_tokens: must be a positive integer", max_completion_tokens=0)


def test_a_prefill_comes_last_and_not_with_json_mode() -> None:
    prefill: JsonObject = {"role": "assistant", "content": "{", "partial": True}
    assert verdict(messages=[MARK, prefill]) == "ok"
    mixed = "partial mode is incompatible with response_format json_object"
    refused(mixed, messages=[MARK, prefill], response_format={"type": "json_object"})
    refused("partial is only allowed on a last message of role 'assistant'", messages=[prefill, MARK])


def test_a_cache_lifetime_of_k3_is_one_of_two() -> None:
    assert verdict("kimi-k3", prompt_cache_options={"ttl": "1h"}) == "ok"
    wrong = "invalid prompt_cache_options: ttl must be 5m or 1h"
    refused(wrong, "kimi-k3", prompt_cache_options={"ttl": "1d"})


@pytest.mark.parametrize("messages", [None, [], "hello", [1]])
def test_a_request_without_messages_is_refused(messages: Json) -> None:
    assert "message" in verdict(messages=messages)


def test_odd_json_types_are_refused_and_never_crash_the_fake() -> None:
    odd: list[Json] = [{}, [], "x", 0, True, None, {"type": []}, [[{}]], {"type": {"a": 1}}]
    names = "tools stop tool_choice thinking reasoning_effort response_format prompt_cache_options max_tokens".split()
    for model in ("kimi-k2.6", "kimi-k3"):
        with FakeKimi(models=[model]) as kimi:
            kimi.respond(lambda _: Script(content="fine"))
            for name in names:
                for value in odd:
                    assert ask(kimi, model=model, **{name: value}).status_code in (200, 400)
            for value in odd:
                messages: list[Json] = [{"role": value, "content": value, "tool_call_id": value, "tool_calls": value}]
                ask(kimi, model=model, messages=messages)
                messages = [{"role": "tool", "content": "x", "tool_call_id": value}]
                assert ask(kimi, model=model, messages=messages).status_code == 400


def test_the_checks_come_in_moonshots_order(kimi: FakeKimi) -> None:
    kimi.enqueue(Script(content="fine"))
    url = f"{kimi.base_url}/chat/completions"

    def post(key: str | None, body: bytes) -> tuple[int, str, str]:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        with client() as http:
            return error_of(http.post(url, content=body, headers=headers))

    assert post(None, b"{")[:2] == (401, "invalid_authentication_error")
    assert post("wrong", b"{")[:2] == (401, "incorrect_api_key_error")
    assert post(kimi.key, b"{")[:2] == (400, "invalid_request_error")
    assert post(kimi.key, b'{"model":"kimi-k9","temperature":7}') == (
        404,
        "resource_not_found_error",
        "Not found the model kimi-k9 or Permission denied",
    )
    assert post(kimi.key, b'{"model":"kimi-k2.6","temperature":7}')[0] == 400
    assert kimi.unused_scripts == 1


def test_a_huge_body_is_refused_before_it_is_read() -> None:
    with FakeKimi(max_body_bytes=1000) as kimi:
        response = ask(kimi, hello("x" * 2000))
    assert error_of(response) == (413, "-", "Request exceeds the maximum size")
    assert len(kimi.requests[0].body) > 2000


def test_a_header_off_the_allow_list_is_refused() -> None:
    with FakeKimi(allowed_headers=HONEST_HEADERS) as kimi:
        kimi.enqueue(Script(content="fine"))
        assert ask(kimi).status_code == 200
        telling = {"authorization": f"Bearer {kimi.key}", "x-stainless-os": "Linux"}
        with client() as http:
            response = http.get(f"{kimi.base_url}/models", headers=telling)
    assert error_of(response)[2] == "headers that are not on the allow-list: x-stainless-os"
