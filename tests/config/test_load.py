"""Precedence, defaults and origins."""

from dataclasses import fields, is_dataclass
from decimal import Decimal
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from kimi_lsp.config import Consent, Depth, FailOn, McpServer, Options, Settings, Thinking, flag_options, load
from kimi_lsp.config.options import Table, keys, table_of
from kimi_lsp.config.resolve import default_state_dir
from kimi_lsp.errors import ConfigError
from mcp_tools.finding import Lane, Level


def _user_file(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def test_with_nothing_written_the_defaults_hold_and_no_model_is_asked() -> None:
    resolved = load(environ={})
    assert resolved.settings == Settings(default_state_dir())
    assert resolved.settings.depth is Depth.LOCAL
    assert resolved.settings.api_key is None
    assert resolved.settings.base_url == "https://api.moonshot.ai/v1"
    assert resolved.settings.model == "kimi-k2.6"
    assert resolved.notices == ()
    assert set(resolved.origins.values()) == {"default"}
    assert list(resolved.origins) == [key for key, _ in keys(Options)]


def test_a_stronger_source_replaces_a_weaker_one(tmp_path: Path) -> None:
    path = _user_file(tmp_path, 'model = "from-file"\nthinking = "low"\n[budget]\ndaily_usd = 3.5\nrun_usd = 2\n')
    environ = {"KIMI_LSP_MODEL": "from-variable", "KIMI_LSP_RUN_USD": "1.5"}
    resolved = load(environ=environ, flags=flag_options({"model": "from-flag"}), user_file=path)
    assert resolved.settings.model == "from-flag"
    assert resolved.settings.budget.run_usd == Decimal("1.5")
    assert resolved.settings.budget.daily_usd == Decimal("3.5")
    assert resolved.settings.budget.weekly_usd == Decimal(20)
    assert resolved.settings.thinking is Thinking.LOW
    assert {key: resolved.origins[key] for key in ("model", "thinking", "budget.run_usd", "budget.weekly_usd")} == {
        "model": "--model",
        "thinking": str(path),
        "budget.run_usd": "KIMI_LSP_RUN_USD",
        "budget.weekly_usd": "default",
    }


def test_every_source_can_say_everything_it_is_documented_to(tmp_path: Path) -> None:
    text = f"""
        base_url = "http://127.0.0.1:8080/v1/"
        model = "kimi-k3"
        api_key = "{"k" * 8}"
        dialect = "vllm"
        thinking = "high"
        depth = "dual"
        lanes = ["style", "security"]
        fail_on = "never"
        exclude = ["vendor/", "!vendor/ours/"]
        deny = ["*.key"]
        consent = ["{tmp_path.as_posix()}"]
        trust_env = false
        allow_http = true
        state_dir = "~/kimi"
        tools = true
        mcp_review = true
        ask_above_usd = 0.25
        client_mcp_servers = true
        [budget]
        run_usd = 0.000000001
        run_tokens = 1
        daily_usd = 1
        daily_tokens = 2
        weekly_usd = 1_000_000
        weekly_tokens = 3
        [limits]
        concurrency = 1
        max_file_bytes = 2
        max_files = 3
        unit_chars = 4_000
        connect_timeout_s = 1
        read_timeout_s = 0.5
        call_timeout_s = 86_400
        [style]
        sentences = ["Names are nouns."]
        files = ["docs/style.md"]
        [rules]
        weak-hash = "off"
        [headers]
        X-Team = "audit"
        [profile]
        context_window = 32_768
        nested = {{ a = [1, 2] }}
        [mcp_servers.docs]
        url = "https://mcp.example/mcp/"
        """
    resolved = load(environ={}, user_file=_user_file(tmp_path, text))
    settings = resolved.settings
    assert set(resolved.origins.values()) == {str(tmp_path / "config.toml")}
    assert settings.base_url == "http://127.0.0.1:8080/v1"
    assert (settings.endpoint_host, settings.is_loopback) == ("127.0.0.1:8080", True)
    assert settings.api_key is not None
    assert settings.api_key.reveal() == "k" * 8
    assert settings.lanes == (Lane.SECURITY, Lane.STYLE)
    assert settings.fail_on is FailOn.NEVER
    assert settings.consent == Consent(roots=(tmp_path,))
    assert settings.state_dir == Path.home() / "kimi"
    assert settings.budget.run_usd == Decimal("1E-9")
    assert settings.limits.read_timeout_s == 0.5
    assert settings.style.sentences == ("Names are nouns.",)
    assert dict(settings.rules.yours) == {"weak-hash": "off"}
    assert {name: value.reveal() for name, value in settings.headers.items()} == {"X-Team": "audit"}
    assert (settings.tools, settings.mcp_review, settings.client_mcp_servers) == (True, True, True)
    assert settings.ask_above_usd == Decimal("0.25")
    assert dict(settings.mcp_servers) == {"docs": McpServer(url="https://mcp.example/mcp")}
    assert dict(settings.profile) == {"context_window": 32_768, "nested": {"a": [1, 2]}}


def test_every_setting_has_an_option_of_its_own_type() -> None:
    def compare(settings: type, options: type[Table]) -> None:
        written, held = get_type_hints(options), get_type_hints(settings)
        for name in options.model_fields:
            kinds = [kind for kind in get_args(written[name]) if kind is not type(None)]
            if is_dataclass(held[name]) and len(kinds) == 1 and issubclass(kinds[0], Table):
                compare(held[name], table_of(options, name))  # pyright: ignore[reportArgumentType] (a class, as is_dataclass saw)
            else:
                assert {*kinds} == {*(get_args(held[name]) if type(None) in get_args(held[name]) else [held[name]])} - {
                    type(None)
                }, name
        missing = {field.name for field in fields(settings)} - set(options.model_fields)
        assert missing <= {"project_sentences"}

    compare(Settings, Options)


def test_an_http_endpoint_on_another_machine_needs_the_users_word(tmp_path: Path) -> None:
    environ = {"KIMI_LSP_BASE_URL": "http://models.example/v1"}
    with pytest.raises(ConfigError) as caught:
        load(environ=environ)
    assert caught.value.line == (
        "KIMI_LSP_BASE_URL: base_url: http://models.example/v1 would send code and key unencrypted. "
        "Use https://, or set allow_http = true."
    )
    assert not load(environ=environ | {"KIMI_LSP_ALLOW_HTTP": "yes"}).settings.is_loopback


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "LOCALHOST"])
def test_a_loopback_endpoint_needs_no_encryption(host: str) -> None:
    assert load(environ={"KIMI_LSP_BASE_URL": f"http://{host}:1/v1"}).settings.is_loopback


@pytest.mark.parametrize("host", ["localhost.example", "127.0.0.1.example", "0.0.0.0", "[::2]", "127.1"])
def test_a_host_that_only_looks_like_this_machine_is_another(host: str) -> None:
    with pytest.raises(ConfigError, match="unencrypted"):
        load(environ={"KIMI_LSP_BASE_URL": f"http://{host}/v1"})


def test_consent_covers_a_folder_and_what_lies_in_it(tmp_path: Path) -> None:
    inner, link = tmp_path / "project" / "inner", tmp_path / "link"
    inner.mkdir(parents=True)
    link.symlink_to(tmp_path / "project")
    consent = Consent(roots=(link,))
    assert consent.covers(tmp_path / "project")
    assert consent.covers(inner)
    assert not consent.covers(tmp_path)
    assert not consent.covers(tmp_path / "project-two")
    assert Consent(always=True).covers(tmp_path)
    assert not Consent().covers(tmp_path)


@pytest.mark.parametrize(
    ("fail_on", "failing"),
    [
        (FailOn.NEVER, []),
        (FailOn.ERROR, [Level.ERROR]),
        (FailOn.WARNING, [Level.ERROR, Level.WARNING]),
        (FailOn.NOTE, [Level.ERROR, Level.WARNING, Level.NOTE]),
    ],
)
def test_fail_on_names_the_lowest_level_that_fails(fail_on: FailOn, failing: list[Level]) -> None:
    assert [level for level in Level if fail_on.is_reached(level)] == failing


def test_a_relative_state_folder_of_the_system_does_not_lie_in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    assert load(environ={}).settings.state_dir.is_absolute()
