"""Variables and flags: the same settings, with their own names in every message."""

import os
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from kimi_lsp.config import Consent, Depth, FailOn, Options, Thinking, flag_options, load
from kimi_lsp.config.environment import PREFIX
from kimi_lsp.config.options import keys
from kimi_lsp.errors import ConfigError
from mcp_tools.finding import Lane, Level

_SAMPLES: Mapping[str, tuple[str, object]] = {
    "base_url": ("https://models.example/v1/", "https://models.example/v1"),
    "model": ("kimi-k3", "kimi-k3"),
    "dialect": ("vllm", "vllm"),
    "thinking": (" off ", Thinking.OFF),
    "depth": ("screen", Depth.SCREEN),
    "lanes": ("docs, security,", (Lane.SECURITY, Lane.DOCS)),
    "fail_on": ("note", FailOn.NOTE),
    "exclude": ("a/,*.min.js", ("a/", "*.min.js")),
    "deny": ("*.pem", ("*.pem",)),
    "consent": (f"/a{os.pathsep}/b", Consent(roots=(Path("/a"), Path("/b")))),
    "trust_env": ("No", False),
    "allow_http": ("on", True),
    "state_dir": ("/state/../there", Path("/there")),
    "budget.run_usd": ("0.25", Decimal("0.25")),
    "budget.run_tokens": ("1_000", 1000),
    "budget.daily_usd": ("3", Decimal(3)),
    "budget.daily_tokens": ("0", 0),
    "budget.weekly_usd": (".5", Decimal("0.5")),
    "budget.weekly_tokens": ("7", 7),
    "limits.concurrency": ("2", 2),
    "limits.max_file_bytes": ("10", 10),
    "limits.max_files": ("11", 11),
    "limits.unit_chars": ("2000", 2000),
    "limits.connect_timeout_s": ("1.5", 1.5),
    "limits.read_timeout_s": ("2", 2.0),
    "limits.call_timeout_s": ("3", 3.0),
    "tools": ("on", True),
    "mcp_review": ("1", True),
    "ask_above_usd": ("0.1", Decimal("0.1")),
    "client_mcp_servers": ("yes", True),
    "style.sentences": ("Names are nouns, mostly.\nShort.\n", ("Names are nouns, mostly.", "Short.")),
    "style.files": ("STYLE.md,docs/style.md", ("STYLE.md", "docs/style.md")),
}


def _get(value: object, key: str) -> object:
    for name in key.split("."):
        value = getattr(value, name)
    return value


@pytest.mark.parametrize("key", [key for key, about in keys(Options) if about.env and key not in ("api_key", "rules")])
def test_each_setting_is_read_from_its_own_variable(key: str) -> None:
    name = next(about.env[0] for known, about in keys(Options) if known == key)
    text, value = _SAMPLES[key]
    resolved = load(environ={name: text})
    assert _get(resolved.settings, key) == value
    assert resolved.origins[key] == name
    assert {origin for other, origin in resolved.origins.items() if other != key} == {"default"}


def test_rules_are_read_from_their_variable() -> None:
    rules = load(environ={"KIMI_LSP_RULES": "weak-hash=off, stale-doc = note"}).settings.rules
    assert dict(rules.yours) == {"weak-hash": "off", "stale-doc": Level.NOTE}


def test_the_names_of_the_variables_are_one_each_and_ours() -> None:
    names = [name for _, about in keys(Options) for name in about.env]
    assert len(names) == len(set(names))
    assert {name for name in names if not name.startswith(PREFIX)} == {"MOONSHOT_API_KEY", "KIMI_API_KEY"}


@pytest.mark.parametrize(
    ("environ", "origin", "expected"),
    [
        ({"KIMI_LSP_API_KEY": "a", "MOONSHOT_API_KEY": "b", "KIMI_API_KEY": "c"}, "KIMI_LSP_API_KEY", "a"),
        ({"KIMI_LSP_API_KEY": "", "MOONSHOT_API_KEY": "b", "KIMI_API_KEY": "c"}, "MOONSHOT_API_KEY", "b"),
        ({"MOONSHOT_API_KEY": " ", "KIMI_API_KEY": "c\n"}, "KIMI_API_KEY", "c"),
    ],
)
def test_the_key_is_the_first_variable_that_is_not_empty(environ: dict[str, str], origin: str, expected: str) -> None:
    resolved = load(environ=environ)
    assert resolved.settings.api_key is not None
    assert resolved.settings.api_key.reveal() == expected
    assert resolved.origins["api_key"] == origin


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    environ = {name: "" for _, about in keys(Options) for name in about.env} | {"KIMI_LSP_CONFIG": ""}
    assert load(environ=environ) == load(environ={})


_MONEY = "an amount in US dollars from 0 to 1,000,000, with at most 9 decimal places"
_LANES = "a list of lanes (security, dependencies, docs, style, health)"


@pytest.mark.parametrize(
    ("name", "text", "rest"),
    [
        ("DAILY_USD", "five", f"{_MONEY}, got 'five'."),
        ("CONCURRENCY", "2.0", "a whole number from 1 to 256, got '2.0'."),
        ("CONCURRENCY", "9" * 5000, f"a whole number from 1 to 256, got '{'9' * 57}...'."),
        ("DEPTH", "scren", "one of local, screen, dual, got 'scren'. Did you mean 'screen'?"),
        ("LANES", "secruity", f"{_LANES}, got 'secruity'. Did you mean 'security'?"),
        ("TRUST_ENV", "maybe", "true or false, got 'maybe'."),
        ("STATE_DIR", "state", "an absolute path, or one that begins with ~/, got 'state'."),
        ("RULES", "weak-hash=of", "one of off, error, warning, note, got 'of'. Did you mean 'off'?"),
        ("RULES", "weak-hash", "one of off, error, warning, note, got ''."),
        ("MODEL", "a\udcff", "a name of 1 to 200 printable ASCII characters without spaces, got 'a\\udcff'."),
        ("STYLE_FILES", "../guide.md", "a path inside the project, such as docs/style.md, got '../guide.md'."),
        ("EXCLUDE", "a," * 2000, "at most 1,000 entries, got 2,000."),
    ],
)
def test_a_bad_variable_is_one_line_with_its_name(name: str, text: str, rest: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(environ={f"KIMI_LSP_{name}": text})
    assert caught.value.line == f"KIMI_LSP_{name}: expected {rest}"


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "1e3", "0x1", "1_000_001", "0.0000000001", "1.", "..", "+", "."])
def test_money_is_a_plain_amount_within_its_bounds(text: str) -> None:
    if text == "1.":
        assert load(environ={"KIMI_LSP_RUN_USD": text}).settings.budget.run_usd == 1
        return
    with pytest.raises(ConfigError, match=r"^KIMI_LSP_RUN_USD: expected an amount"):
        load(environ={"KIMI_LSP_RUN_USD": text})


@pytest.mark.parametrize(
    "url",
    ["", "models.example/v1", "ftp://models.example", "https://", "https://a b/", "https://h:99999/", "https://h:0/",
     "https://h/?q=1", "https://h/#f", "https://[::1/v1", "javascript:alert(1)", "https://h\u00e9/v1"],
)  # fmt: skip
def test_a_base_url_is_a_plain_http_url(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^--base-url: expected an http"):
        flag_options({"base_url": url})


def test_a_password_in_a_url_is_not_repeated() -> None:
    password = "pass" + "word-1"
    with pytest.raises(ConfigError) as caught:
        load(environ={"KIMI_LSP_BASE_URL": f"https://me:{password}@models.example/v1"})
    assert caught.value.line.endswith("got a URL with an '@'.")
    assert password not in caught.value.line


def test_a_variable_that_looks_like_ours_and_is_none_is_mentioned() -> None:
    resolved = load(environ={"KIMI_LSP_DAYLY_USD": "1", "KIMI_LSP_ZZZ": "1", "OTHER": "1"})
    assert resolved.notices == (
        "KIMI_LSP_DAYLY_USD is not a variable of kimi-lsp; did you mean KIMI_LSP_DAILY_USD?",
        "KIMI_LSP_ZZZ is not a variable of kimi-lsp.",
    )


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("budget.run_usd", "-1", f"--budget-usd: expected {_MONEY}, got '-1'."),
        ("lanes", ["docs", "doc"], f"--lane: expected {_LANES}, got 'doc'. Did you mean 'docs'?"),
        ("lanes", [], "--lane: expected at least one lane, got a list."),
        ("trust_env", "perhaps", "trust_env: expected true or false, got 'perhaps'."),
    ],
)
def test_a_bad_flag_is_one_line_with_its_name(key: str, value: str | Sequence[str], line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        flag_options({key: value})
    assert caught.value.line == line


def test_a_flag_that_was_not_given_changes_nothing() -> None:
    flags = flag_options({"depth": None, "budget.run_usd": None, "lanes": ["docs"], "consent": "always"})
    resolved = load(environ={"KIMI_LSP_DEPTH": "screen"}, flags=flags)
    assert resolved.settings.depth is Depth.SCREEN
    assert resolved.settings.lanes == (Lane.DOCS,)
    assert resolved.settings.consent.always
    assert (resolved.origins["lanes"], resolved.origins["consent"]) == ("--lane", "--yes")
