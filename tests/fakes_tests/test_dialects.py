"""Each profile words the same answer the way its kind of endpoint does."""

import json

import pytest
from inline_snapshot import snapshot

from tests.fakes.dialects import PROFILES
from tests.fakes.json_value import compact, parse
from tests.fakes.json_value import get as at
from tests.fakes.kimi import FakeKimi
from tests.fakes.script import Script, ToolCall, UsagePlace
from tests.fakes_tests.client import ask, chunks, data_lines, get

SCRIPT = Script(reasoning="Hm.", content="Fine.", tool_calls=(ToolCall("scan", '{"a":1}'),))


def shape(profile: str) -> str:
    """The stream of the script, one line an event: deltas and usage places, without what all chunks repeat."""
    told: list[str] = []
    with FakeKimi(profile) as kimi:
        kimi.enqueue(SCRIPT)
        response = ask(kimi, stream=True, stream_options={"include_usage": True})
    for line in response.text.splitlines():
        if line.startswith(":"):
            told.append(line)
        elif line.startswith("data: {"):
            told.append(_told(json.loads(line.removeprefix("data: "))))
    return "\n".join(told)


def _told(event: dict[str, object]) -> str:
    usual = ("id", "object", "created", "model", "system_fingerprint", "provider", "timings")
    rest = {key: value for key, value in event.items() if key not in usual}
    text = json.dumps(rest, separators=(",", ":"))
    return text.replace('{"choices":[{"index":0,"delta":', "").replace(',"finish_reason":null}]}', "")


def test_moonshot_thinks_in_reasoning_content_and_says_usage_in_the_choice() -> None:
    assert shape("moonshot-k2.6") == snapshot("""\
{"role":"assistant","content":""}
{"reasoning_content":"Hm."}
{"content":"Fine."}
{"tool_calls":[{"index":0,"id":"scan:0","type":"function","function":{"name":"scan","arguments":""}}]}
{"tool_calls":[{"index":0,"function":{"arguments":"{\\"a\\":1}"}}]}
{},"finish_reason":"tool_calls","usage":{"prompt_tokens":10,"completion_tokens":7,"total_tokens":17,"cached_tokens":0}}]}
{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":7,"total_tokens":17,"cached_tokens":0}}\
""")


def test_the_newest_moonshot_says_null_usage_in_every_chunk_before() -> None:
    lines = shape("moonshot-k3.1-pro").splitlines()
    assert all(line.endswith(',"usage":null}') for line in lines[:-2])


def test_a_new_vllm_thinks_in_reasoning() -> None:
    assert shape("vllm-new") == snapshot("""\
{"role":"assistant","content":""}
{"reasoning":"Hm.","reasoning_content":null}
{"content":"Fine."}
{"tool_calls":[{"index":0,"id":"functions.scan:0","type":"function","function":{"name":"scan","arguments":""}}]}
{"tool_calls":[{"index":0,"function":{"arguments":"{\\"a\\":1}"}}]}
{},"finish_reason":"tool_calls","stop_reason":null}]}
{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":7,"total_tokens":17,"prompt_tokens_details":{"cached_tokens":0}}}\
""")


def test_an_old_vllm_thinks_in_reasoning_content() -> None:
    assert shape("vllm-old") == snapshot("""\
{"role":"assistant","content":""}
{"reasoning_content":"Hm."}
{"content":"Fine."}
{"tool_calls":[{"index":0,"id":"functions.scan:0","type":"function","function":{"name":"scan","arguments":""}}]}
{"tool_calls":[{"index":0,"function":{"arguments":"{\\"a\\":1}"}}]}
{},"finish_reason":"tool_calls","logprobs":null,"stop_reason":null}]}
{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":7,"total_tokens":17,"prompt_tokens_details":{"cached_tokens":0}}}\
""")


def test_sglang_says_null_usage_and_what_stopped_it() -> None:
    assert shape("sglang") == snapshot("""\
{"role":"assistant","content":""},"finish_reason":null}],"usage":null}
{"reasoning_content":"Hm."},"finish_reason":null}],"usage":null}
{"content":"Fine."},"finish_reason":null}],"usage":null}
{"tool_calls":[{"index":0,"id":"functions.scan:0","type":"function","function":{"name":"scan","arguments":""}}]},"finish_reason":null}],"usage":null}
{"tool_calls":[{"index":0,"function":{"arguments":"{\\"a\\":1}"}}]},"finish_reason":null}],"usage":null}
{},"finish_reason":"tool_calls","matched_stop":null}]}
{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":7,"total_tokens":17,"prompt_tokens_details":{"cached_tokens":0}}}\
""")


def test_openrouter_comments_first_and_gives_details() -> None:
    assert shape("openrouter") == snapshot("""\
: OPENROUTER PROCESSING
{"role":"assistant","content":""}
{"content":"","reasoning":"Hm.","reasoning_details":[{"type":"reasoning.text","text":"Hm.","format":"unknown","index":0}]}
{"content":"Fine."}
{"tool_calls":[{"index":0,"id":"call_000000000000000000000000","type":"function","function":{"name":"scan","arguments":""}}]}
{"tool_calls":[{"index":0,"function":{"arguments":"{\\"a\\":1}"}}]}
{},"finish_reason":"tool_calls","native_finish_reason":"tool_calls"}]}
{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":7,"total_tokens":17,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":1}}}\
""")


def test_without_a_parser_all_is_content() -> None:
    assert shape("no-parser") == snapshot("""\
{"role":"assistant","content":""}
{"content":"<think>Hm.</think>Fine.<"}
{"content":"|tool_calls_section_begi"}
{"content":"n|><|tool_call_begin|>fu"}
{"content":"nctions.scan:0<|tool_cal"}
{"content":"l_argument_begin|>{\\"a\\":1"}
{"content":"}<|tool_call_end|><|tool"}
{"content":"_calls_section_end|>"}
{},"finish_reason":"stop"}]}
{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":7,"total_tokens":17,"prompt_tokens_details":{"cached_tokens":0}}}\
""")


def test_a_missing_parser_can_swallow_the_opening_tag() -> None:
    assert shape("no-parser-unopened") == snapshot("""\
{"role":"assistant","content":""}
{"content":"Hm.</think>Fine.<|tool_c"}
{"content":"alls_section_begin|><|to"}
{"content":"ol_call_begin|>functions"}
{"content":".scan:0<|tool_call_argum"}
{"content":"ent_begin|>{\\"a\\":1}<|tool"}
{"content":"_call_end|><|tool_calls_"}
{"content":"section_end|>"}
{},"finish_reason":"stop"}]}
{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":7,"total_tokens":17,"prompt_tokens_details":{"cached_tokens":0}}}\
""")


def test_llama_cpp_begins_with_null_content() -> None:
    assert shape("llama.cpp") == snapshot("""\
{"role":"assistant","content":null}
{"reasoning_content":"Hm."}
{"content":"Fine."}
{"tool_calls":[{"index":0,"id":"call_000000000000000000000000","type":"function","function":{"name":"scan","arguments":""}}]}
{"tool_calls":[{"index":0,"function":{"arguments":"{\\"a\\":1}"}}]}
{},"finish_reason":"tool_calls"}]}
{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":7,"total_tokens":17,"prompt_tokens_details":{"cached_tokens":0}}}\
""")


def test_llama_cpp_adds_timings_and_takes_any_model() -> None:
    with FakeKimi("llama.cpp", key=None) as kimi:
        kimi.enqueue(SCRIPT, SCRIPT)
        events = chunks(ask(kimi, stream=True, stream_options={"include_usage": True}, model="whatever"))
        whole = ask(kimi).json()
    assert [at(event, "timings") is not None for event in events] == [False] * (len(events) - 1) + [True]
    assert "timings" in whole


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_an_answer_in_one_piece_says_what_the_stream_says(profile: str) -> None:
    with FakeKimi(profile) as kimi:
        kimi.enqueue(SCRIPT, SCRIPT)
        events = chunks(ask(kimi, stream=True))
        message = ask(kimi).json()["choices"][0]["message"]
    deltas = [at(event, "choices", 0, "delta") for event in events]

    def streamed(*path: str | int) -> str:
        parts = [at(delta, *path) for delta in deltas]
        return "".join(part for part in parts if isinstance(part, str))

    assert streamed("content") == at(message, "content")
    for key in ("reasoning_content", "reasoning"):
        assert streamed(key) == (at(message, key) or "")
    arguments = ("tool_calls", 0, "function", "arguments")
    assert streamed(*arguments) == (at(message, *arguments) or "")
    assert "Hm." in compact(message)


@pytest.mark.parametrize(
    ("place", "asked", "found"),
    [
        ("choice", False, ["choice"]),
        ("choice", True, ["choice"]),
        ("top", False, []),
        ("top", True, ["top"]),
        ("both", False, ["choice"]),
        ("both", True, ["choice", "top"]),
        ("none", True, []),
        (None, True, ["choice", "top"]),
        (None, False, ["choice"]),
    ],
)
def test_usage_is_where_the_script_puts_it(
    kimi: FakeKimi, place: UsagePlace | None, found: list[str], *, asked: bool
) -> None:
    kimi.enqueue(Script(content="x", usage_place=place))
    lines = data_lines(ask(kimi, stream=True, stream_options={"include_usage": asked}).text)[:-1]
    paths: dict[str, tuple[str | int, ...]] = {"choice": ("choices", 0, "usage"), "top": ("usage",)}
    events = [parse(line.encode()) for line in lines]
    assert [name for event in events for name, path in paths.items() if at(event, *path)] == found


def test_token_counts_can_be_dictated(kimi: FakeKimi) -> None:
    kimi.enqueue(Script(content="x", prompt_tokens=19, completion_tokens=13, reasoning_tokens=7, cached_tokens=10))
    assert ask(kimi).json()["usage"] == {
        "prompt_tokens": 19,
        "completion_tokens": 13,
        "total_tokens": 32,
        "cached_tokens": 10,
        "completion_tokens_details": {"reasoning_tokens": 7},
    }


def test_a_self_hosted_endpoint_checks_no_parameters() -> None:
    with FakeKimi("vllm-new") as kimi:
        kimi.enqueue(Script(content="x"))
        odd = ask(kimi, temperature=0.3, chat_template_kwargs={"thinking": False}, tool_choice="required")
        assert odd.status_code == 200
        assert ask(kimi, messages=[]).status_code == 400


def test_each_kind_of_endpoint_words_its_errors_differently() -> None:
    answers: dict[str, object] = {}
    for profile in ("moonshot-k2.6", "vllm-new", "vllm-old", "openrouter"):
        with FakeKimi(profile) as kimi:
            answers[profile] = ask(kimi, model="gone").json()
    assert answers == snapshot(
        {
            "moonshot-k2.6": {
                "error": {
                    "message": "Not found the model gone or Permission denied",
                    "type": "resource_not_found_error",
                }
            },
            "vllm-new": {
                "error": {
                    "message": "The model `gone` does not exist.",
                    "type": "NotFoundError",
                    "code": 404,
                }
            },
            "vllm-old": {
                "object": "error",
                "message": "The model `gone` does not exist.",
                "type": "NotFoundError",
                "param": None,
                "code": 404,
            },
            "openrouter": {
                "error": {
                    "message": "The model `gone` does not exist.",
                    "type": "NotFoundError",
                    "code": 404,
                }
            },
        }
    )


def test_a_vllm_refuses_a_key_with_a_bare_word() -> None:
    with FakeKimi("vllm-new") as kimi:
        kimi.key, wrong = "another", kimi.key
        response = get(kimi, "/models")
        kimi.key = wrong
    assert (response.status_code, response.json()) == (401, {"error": "Unauthorized"})


def test_the_model_list_is_the_accounts_own(kimi: FakeKimi) -> None:
    assert get(kimi, "/models").json() == snapshot(
        {
            "object": "list",
            "data": [
                {
                    "id": "kimi-k2.6",
                    "object": "model",
                    "created": 1784160000,
                    "owned_by": "moonshot",
                    "context_length": 262144,
                    "supports_image_in": True,
                    "supports_video_in": True,
                    "supports_reasoning": True,
                }
            ],
        }
    )


@pytest.mark.parametrize(
    ("profile", "key"), [("vllm-new", "max_model_len"), ("openrouter", "context_length"), ("llama.cpp", "meta")]
)
def test_other_endpoints_name_the_context_window_differently(profile: str, key: str) -> None:
    with FakeKimi(profile) as kimi:
        [row] = get(kimi, "/models").json()["data"]
    assert key in row


def test_listed_models_can_be_chosen_and_keep_their_rules() -> None:
    with FakeKimi("moonshot-k3.1-pro", models=["kimi-k3.1-pro", "kimi-k2.6"]) as kimi:
        assert [row["id"] for row in get(kimi, "/models").json()["data"]] == ["kimi-k3.1-pro", "kimi-k2.6"]
        assert ask(kimi, model="kimi-k2.6", temperature=0.1).status_code == 400
        assert ask(kimi, model="kimi-k3").status_code == 404


def test_balance_and_token_estimate_are_answered_by_moonshot_only(kimi: FakeKimi) -> None:
    assert get(kimi, "/users/me/balance").json()["data"]["available_balance"] == 49.58
    with FakeKimi("vllm-new") as other:
        assert get(other, "/users/me/balance").status_code == 404


def test_an_unknown_route_or_method_is_refused(kimi: FakeKimi) -> None:
    assert get(kimi, "/embeddings").status_code == 404
    assert get(kimi, "/chat/completions").status_code == 405
