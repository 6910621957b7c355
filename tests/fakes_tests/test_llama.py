"""llama.cpp's real server with a random model: it starts, constrains JSON, errs in its own words, and is gone after."""

import json
from contextlib import ExitStack
from pathlib import Path

import httpx2
import jsonschema
import pytest

from tests.fakes import llama
from tests.fakes.json_value import Json, JsonObject
from tests.fakes_tests.client import client, data_lines

RULES: list[Json] = ["sql-injection", "weak-hash"]
ITEM: JsonObject = {
    "type": "object",
    "properties": {"rule": {"enum": RULES}, "line": {"type": "integer"}},
    "required": ["rule", "line"],
    "additionalProperties": False,
}
SCHEMA: JsonObject = {
    "type": "object",
    "properties": {"findings": {"type": "array", "minItems": 1, "maxItems": 2, "items": ITEM}},
    "required": ["findings"],
    "additionalProperties": False,
}


def ask(server: llama.Llama, **more: Json) -> httpx2.Response:
    body: JsonObject = {"model": llama.MODEL_ID, "messages": [{"role": "user", "content": "Audit."}], **more}
    with client() as http:
        return http.post(f"{server.base_url}/chat/completions", json=body)


def text_of(events: list[str]) -> str:
    chunks = [json.loads(event) for event in events if event != "[DONE]"]
    choices = [chunk["choices"][0] for chunk in chunks if chunk.get("choices")]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def test_a_free_answer_is_garbage_cut_at_its_length_with_usage_and_timings(llama_server: llama.Llama) -> None:
    response = ask(llama_server, stream=True, stream_options={"include_usage": True}, max_tokens=24, seed=1)
    assert response.headers["content-type"].startswith("text/event-stream")
    *events, last = data_lines(response.text)
    usage = json.loads(events[-1])
    assert last == "[DONE]"
    assert json.loads(events[-2])["choices"][0]["finish_reason"] == "length"
    assert usage["usage"]["completion_tokens"] == 24
    assert usage["usage"]["prompt_tokens_details"].keys() == {"cached_tokens"}
    assert usage["timings"]["predicted_n"] == 24
    assert text_of(events)


@pytest.mark.parametrize("seed", range(5))
def test_an_answer_schema_constrains_every_token(llama_server: llama.Llama, seed: int) -> None:
    wanted: JsonObject = {"name": "findings", "strict": True, "schema": SCHEMA}
    form: JsonObject = {"type": "json_schema", "json_schema": wanted}
    response = ask(llama_server, stream=True, max_tokens=400, seed=seed, response_format=form)
    events = data_lines(response.text)
    text = text_of([event for event in events if '"error"' not in event])
    if events[-1] == "[DONE]" and '"finish_reason":"stop"' in response.text:
        jsonschema.validate(json.loads(text), SCHEMA)
    else:  # cut by the limit, or the server's own parser gave up on its model: the text so far still follows the schema
        assert '"finish_reason":"length"' in response.text or '"error"' in events[-1]
        assert text.lstrip().startswith("{")


def test_a_prompt_over_the_context_window_is_refused_in_llama_cpps_words(llama_server: llama.Llama) -> None:
    response = ask(llama_server, messages=[{"role": "user", "content": "x" * 20_000}])
    error = response.json()["error"]
    assert (response.status_code, error["type"]) == (400, "exceed_context_size_error")


def test_the_model_list_names_the_model(llama_server: llama.Llama) -> None:
    with client() as http:
        rows = http.get(f"{llama_server.base_url}/models").json()["data"]
    assert [row["id"] for row in rows] == [llama.MODEL_ID]


@pytest.mark.usefixtures("llama_server")  # it skips where there is no server
def test_nothing_of_the_server_is_left_when_the_block_ends(tmp_path: Path) -> None:
    llama.tiny_model(tmp_path / "tiny.gguf")
    with ExitStack() as stack:
        server = stack.enter_context(llama.serving(tmp_path / "tiny.gguf", tmp_path / "log"))
        assert llama.is_alive(server.process_group)
        with client() as http:
            assert http.get(f"{server.base_url}/models").status_code == 200
    assert not llama.is_alive(server.process_group)
    with client() as http, pytest.raises(httpx2.ConnectError):
        http.get(f"{server.base_url}/models")


@pytest.mark.usefixtures("llama_server")
def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"not a model")
    with pytest.raises(RuntimeError, match="did not start"), llama.serving(tmp_path / "bad.gguf", tmp_path / "log"):
        pass


def test_the_model_is_small_and_the_same_each_time(tmp_path: Path) -> None:
    for name in ("a", "b"):
        llama.tiny_model(tmp_path / name)
    first, second = ((tmp_path / name).read_bytes() for name in ("a", "b"))
    assert first == second
    assert first.startswith(b"GGUF")
    assert len(first) < 600_000


def test_a_missing_server_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KIMI_TEST_LLAMA", str(tmp_path))
    assert llama.missing() == f"no llama-server in {tmp_path}: run `python3 .ci/llama.py`"
