"""Settings of an editor: taken where they are right, said once where they are wrong, never more than they may be."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_lsp.lsp.client_settings import ClientSettings, Origin, Reading, read_settings, settings_table
from mcp_tools.finding import Confidence
from mcp_tools.output import printable
from tests.lsp.shown import BY_MODEL

_PAGE = Path(__file__).parents[2] / "docs" / "lsp.md"
_DEFAULTS = ClientSettings()
_EVERY = {
    "enable": False,
    "trigger": "onIdle",
    "idleMs": 500,
    "debounceMs": 5000,
    "stale": "mark",
    "minConfidence": "high",
    "maxDiagnostics": 1,
    "depth": "dual",
    "lanes": ["security", "docs"],
    "codeLens": True,
    "inlayHints": True,
    "showNotices": "off",
    "trusted": True,
}


def _read(written: object, base: ClientSettings = _DEFAULTS, origin: Origin = Origin.SECTION) -> Reading:
    return read_settings(json.dumps(written).encode(), base, origin)


def test_the_model_is_off_until_somebody_switches_it_on() -> None:
    assert (_DEFAULTS.trigger, _DEFAULTS.depth, _DEFAULTS.trusted) == ("off", None, None)
    assert (_DEFAULTS.code_lens, _DEFAULTS.inlay_hints) == (False, False)


def test_every_setting_is_taken() -> None:
    reading = _read(_EVERY)
    assert reading.complaints == ()
    assert json.loads(msgspec.json.encode(reading.settings)) == _EVERY
    changed = msgspec.structs.asdict(reading.settings)
    assert [name for name, value in msgspec.structs.asdict(_DEFAULTS).items() if changed[name] == value] == []


@pytest.mark.parametrize(
    ("origin", "written"),
    [
        (Origin.START, {"trigger": "onSave"}),
        (Origin.START, {"kimi": {"trigger": "onSave"}}),
        (Origin.START, {"settings": {"trigger": "onSave"}}),
        (Origin.START, {"settings": {"kimi": {"trigger": "onSave"}}}),
        (Origin.START, {"kimi.trigger": "onSave", "other.trigger": "off"}),
        (Origin.SECTION, {"trigger": "onSave"}),
        (Origin.SECTION, {"kimi": {"trigger": "onSave"}}),
        (Origin.CHANGE, {"kimi": {"trigger": "onSave"}, "pylsp": {"trigger": 7}}),
        (Origin.CHANGE, {"trigger": "onSave"}),
    ],
)
def test_each_editor_wraps_its_settings_in_its_own_way(origin: Origin, written: object) -> None:
    assert _read(written, origin=origin) == Reading(ClientSettings(trigger="onSave"))


def test_the_settings_of_other_servers_are_not_ours() -> None:
    assert _read({"pylsp": {"plugins": {}}, "ruff": {}}, origin=Origin.CHANGE) == Reading(_DEFAULTS)


def test_what_is_not_mentioned_or_null_stays_as_it_was() -> None:
    base = ClientSettings(depth="screen", idle_ms=700, stale="mark")
    assert _read({"idleMs": None, "depth": None, "debounceMs": 20}, base).settings == ClientSettings(
        depth="screen", idle_ms=700, stale="mark", debounce_ms=20
    )
    assert _read(None, base) == _read({}, base) == _read({"kimi": None}, base) == Reading(base)


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("enable", 1, "kimi.enable: expected true or false, got 1"),
        ("enable", "true", 'kimi.enable: expected true or false, got "true"'),
        ("trigger", "onType", 'kimi.trigger: expected "off", "onSave" or "onIdle", got "onType"'),
        ("idleMs", 499, "kimi.idleMs: expected a whole number from 500 to 600000, got 499"),
        ("idleMs", 1e3 + 0.5, "kimi.idleMs: expected a whole number from 500 to 600000, got 1000.5"),
        ("debounceMs", True, "kimi.debounceMs: expected a whole number from 0 to 5000, got true"),
        ("maxDiagnostics", 10**40, f"kimi.maxDiagnostics: expected a whole number from 1 to 10000, got {10**39}"),
        ("depth", "deep", 'kimi.depth: expected "local", "screen" or "dual", got "deep"'),
        (
            "lanes",
            ["security", "life"],
            'kimi.lanes: expected a list of "security", "dependencies", "docs", "style" or "health", got a list',
        ),
        ("lanes", {}, None),
        ("stale", "\x1b[31m\u202e" + "x" * 99, None),
    ],
)
def test_a_wrong_value_is_one_line_and_the_others_hold(key: str, value: object, complaint: str | None) -> None:
    reading = _read({key: value, "inlayHints": True})
    assert reading.settings == ClientSettings(inlay_hints=True)
    (said,) = reading.complaints
    assert said.startswith(f"kimi.{key}: expected ")
    assert said.isprintable()
    assert len(said) < 200
    if complaint is not None:
        assert said == complaint


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        ("triger", "kimi.triger: unknown setting. Did you mean kimi.trigger?"),
        ("IDLEMS", "kimi.IDLEMS: unknown setting. Did you mean kimi.idleMs?"),
        ("debounce_ms", "kimi.debounce_ms: unknown setting. Did you mean kimi.debounceMs?"),
        ("zzz", "kimi.zzz: unknown setting"),
        ("a\nb\x1b", "kimi.a\\nb\\x1b: unknown setting"),
    ],
)
def test_an_unknown_setting_is_one_line_with_the_nearest_name(key: str, complaint: str) -> None:
    assert _read({key: 1}) == Reading(_DEFAULTS, (complaint,))


@pytest.mark.parametrize("key", ["baseUrl", "base_url", "apiKey", "API_KEY", "model", "budget", "headers", "consent"])
def test_where_code_goes_and_what_it_costs_is_not_an_editors_to_say(key: str) -> None:
    value = "https://evil.example/v1"
    reading = _read({key: value})
    assert reading == Reading(_DEFAULTS, (f"kimi.{key}: only your own configuration (config.toml) may set this",))
    assert value not in "".join(reading.complaints)


def test_the_extensions_own_settings_are_passed_over_in_silence() -> None:
    assert _read(
        {"path": ["kimi-lsp"], "trace": {"server": "verbose"}, "importStrategy": "x", "logLevel": 7}
    ) == Reading(_DEFAULTS)


def test_a_workspace_may_withdraw_trust_but_not_restore_it() -> None:
    untrusted = _read({"trusted": False}, origin=Origin.START).settings
    for origin in (Origin.SECTION, Origin.CHANGE):
        reading = _read({"kimi": {"trusted": True}}, untrusted, origin)
        assert reading.settings.trusted is False
        assert len(reading.complaints) == 1
        assert _read({"kimi": {"trusted": False}}, _DEFAULTS, origin).settings.trusted is False
    assert _read({"trusted": True}, untrusted, Origin.START).settings.trusted is True


def test_a_flood_of_mistakes_is_a_few_lines() -> None:
    complaints = _read({f"x{number}": 1 for number in range(500)}).complaints
    assert len(complaints) == 11
    assert complaints[-1] == "kimi: 490 more mistakes"


@pytest.mark.parametrize("written", [b"", b"{", b"\xff", b"[" * 100_000, b"7", b'"x"', b"[]", b'{"kimi": 7}', b"true"])
def test_what_is_no_settings_object_changes_nothing(written: bytes) -> None:
    for origin in Origin:
        reading = read_settings(written, _DEFAULTS, origin)
        assert reading.settings == _DEFAULTS
        assert len(reading.complaints) == 1


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from([*_EVERY, "kimi", "settings", "kimi.depth"]) | st.text(max_size=9), _json),
    st.sampled_from(Origin),
)
def test_any_json_gives_settings_that_hold(written: dict[str, object], origin: Origin) -> None:
    reading = _read(written, origin=origin)
    msgspec.convert(msgspec.to_builtins(reading.settings), ClientSettings)
    assert [complaint for complaint in reading.complaints if printable(complaint) != complaint] == []


def test_the_floor_of_confidence_hides_what_lies_below() -> None:
    def kept(floor: str) -> list[Confidence]:
        settings = _read({"minConfidence": floor}).settings
        return [confidence for confidence in Confidence if settings.shows(replace(BY_MODEL, confidence=confidence))]

    assert kept("low") == list(Confidence)
    assert kept("medium") == [Confidence.HIGH, Confidence.MEDIUM]
    assert kept("high") == [Confidence.HIGH]


def test_the_table_in_the_documentation_is_the_generated_one() -> None:
    page = _PAGE.read_text(encoding="utf-8")
    written = page.split("<!-- settings -->\n")[1].split("<!-- /settings -->")[0]
    assert written == settings_table(), "run: python -m kimi_lsp.lsp.client_settings"


def test_the_module_prints_the_table_and_loads_neither_pydantic_nor_lsprotocol() -> None:
    code = (
        "import runpy, sys; runpy.run_module('kimi_lsp.lsp.client_settings', run_name='__main__');"
        "sys.exit(str(sorted({'pydantic', 'lsprotocol', 'pygls', 'sqlalchemy', 'openai'} & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == settings_table()
    assert done.stderr.strip() == "[]"
