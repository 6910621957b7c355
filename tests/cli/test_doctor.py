from decimal import Decimal

import pytest

from tests.cli.harness import Cli
from tests.fakes.kimi import FakeKimi, unused_port


def test_all_is_well(cli: Cli, kimi: FakeKimi) -> None:
    said = cli("doctor", str(cli.root), "--base-url", kimi.base_url)
    assert said.code == 0, said.out
    for name in ("configuration", "state directory", "ruff", "git", "grammars", "key", "endpoint", "balance"):
        assert f"{name}:" in said.out
    assert kimi.chats == [], "nothing of the project is sent"


def test_a_wrong_key_says_what_to_do(cli: Cli, kimi: FakeKimi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOONSHOT_API_KEY", "wrong-key")
    said = cli("doctor", str(cli.root), "--base-url", kimi.base_url)
    assert said.code == 2
    assert "fail  endpoint" in said.out
    assert "->" in said.out
    assert "wrong-key" not in said.out


def test_an_unknown_model_lists_what_there_is(cli: Cli, kimi: FakeKimi) -> None:
    said = cli("doctor", str(cli.root), "--base-url", kimi.base_url, "--model", "kimi-k9")
    assert said.code == 2
    assert kimi.profile.models[0].id in said.out


def test_an_empty_account_is_said(cli: Cli, kimi: FakeKimi) -> None:
    kimi.balance_usd = Decimal("-1.20")
    said = cli("doctor", str(cli.root), "--base-url", kimi.base_url)
    assert said.code == 2
    assert "fail  balance" in said.out


def test_nobody_there_is_said(cli: Cli) -> None:
    said = cli("doctor", str(cli.root), "--base-url", f"http://127.0.0.1:{unused_port()}/v1")
    assert said.code == 2
    assert "fail  endpoint" in said.out


def test_no_key_is_a_warning(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOONSHOT_API_KEY")
    said = cli("doctor", str(cli.root))
    assert said.code == 0
    assert "warn  key" in said.out
