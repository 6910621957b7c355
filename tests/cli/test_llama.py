"""The self-hosted path against a server nobody here wrote. Its model says nonsense, never to be taken for "clean"."""

import json
import os
from pathlib import Path

import pytest

from kimi_lsp.store import Store
from tests.cli.harness import Cli, notice_codes, rules
from tests.fakes.llama import Llama

SMALL = "def f(name):\n    return open('/data/' + name).read()\n"


@pytest.mark.parametrize("json_mode", ["json_schema", "none"])
def test_nonsense_from_a_real_server_is_not_a_review(
    cli: Cli, llama_server: Llama, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, json_mode: str
) -> None:
    monkeypatch.delenv("MOONSHOT_API_KEY")
    config = tmp_path / "config.toml"
    config.write_text(f'[profile]\njson_mode = "{json_mode}"\ncontext_window = 8192\nmax_output_tokens = 300\n')
    monkeypatch.setenv("KIMI_LSP_CONFIG", str(config))
    cli.write({"app.py": SMALL})
    endpoint = ("--base-url", llama_server.base_url, "--model", "tiny-random")
    said = cli.audit("--depth", "screen", *endpoint, "--format", "json", "--max-tokens", "100000")
    with Store.open(Path(os.environ["KIMI_LSP_STATE_DIR"])) as store:
        [record] = store.trail.records()
        answer = store.trail.content(record.contents["answer"]) or ""
    if said.code != 3:  # a grammar can force even this model to close an empty list: that is an answer in form
        assert json_mode == "json_schema"
        assert isinstance(json.loads(answer, strict=False)["findings"], list)
    else:
        assert notice_codes(said) & {"not-reviewed", "model-stream", "unanchored"}
    assert [rule for rule in rules(said) if rule != "path-traversal"] == []
    assert cli("trail", "verify").code == 0


def test_doctor_sees_a_server_of_ones_own(cli: Cli, llama_server: Llama, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOONSHOT_API_KEY")
    said = cli("doctor", str(cli.root), "--base-url", llama_server.base_url, "--model", "no-such-model")
    assert said.code == 2
    assert "It lists:" in said.out
