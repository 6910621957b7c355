"""A project's own file can only tighten (invariant 3)."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_lsp.config import (
    SAFETY_LANES,
    Budget,
    Depth,
    FailOn,
    McpServer,
    Options,
    ProjectOptions,
    Resolved,
    Rules,
    Secret,
    Settings,
    flag_options,
    is_tighter_or_equal,
    load,
    project_options,
)
from kimi_lsp.config.options import keys
from kimi_lsp.errors import ConfigError
from mcp_tools.finding import Lane, Level, Rule
from tests.config.toml_text import to_toml

_RULES = [Rule(f"{lane}-{level}", "", level, lane) for lane in Lane for level in Level]
_ids = st.sampled_from([rule.id for rule in _RULES])
_usd = st.decimals(0, 50, places=2)
_tokens = st.integers(0, 10_000)
_words = st.sampled_from(["a/", "*.key", "!a/", " !x", "\\!x", "docs/**", "**"])
_lanes = st.lists(st.sampled_from([lane.value for lane in Lane]), min_size=1, max_size=5)
_levels = st.sampled_from(["off", "note", "warning", "error"])
_budget = st.fixed_dictionaries(
    {},
    optional={
        **{f"{span}_usd": _usd for span in ("run", "daily", "weekly")},
        **{f"{span}_tokens": _tokens for span in ("run", "daily", "weekly")},
    },
)
_limits = st.fixed_dictionaries(
    {},
    optional={
        "concurrency": st.integers(1, 9),
        "max_file_bytes": st.integers(1, 2_000_000),
        "max_files": st.integers(1, 9),
    },
)
_style = st.fixed_dictionaries(
    {},
    optional={
        "sentences": st.lists(st.sampled_from(["One.", "Two."]), max_size=3),
        "files": st.lists(st.sampled_from(["a.md", "b/c.md"]), max_size=3),
    },
)
_tightening: dict[str, st.SearchStrategy[object]] = {
    "depth": st.sampled_from([depth.value for depth in Depth]),
    "lanes": _lanes,
    "fail_on": st.sampled_from([level.value for level in FailOn]),
    "exclude": st.lists(_words, max_size=3),
    "deny": st.lists(_words, max_size=3),
    "budget": _budget,
    "limits": _limits,
    "style": _style,
    "rules": st.dictionaries(_ids, _levels, max_size=4),
}
_USERS_ALONE: dict[str, object] = {
    "base_url": "https://elsewhere.example/v1",
    "model": "other",
    "api_key": "k",
    "dialect": "vllm",
    "thinking": "max",
    "consent": "always",
    "trust_env": False,
    "allow_http": True,
    "state_dir": "/tmp/other",
    "headers": {"X": "y"},
    "profile": {"input": 0},
    "tools": True,
    "mcp_review": True,
    "ask_above_usd": 100,
    "client_mcp_servers": True,
    "mcp_servers": {"docs": {"command": ["evil"]}},
    "limits": {"unit_chars": 9_000},
}
_user = st.fixed_dictionaries({}, optional=_tightening)
_project = st.fixed_dictionaries(
    {}, optional=_tightening | {key: st.just(value) for key, value in _USERS_ALONE.items() if key != "limits"}
)
_allowed = st.fixed_dictionaries({}, optional=_tightening)


def _load(project: str, user: Options | None = None, name: str = "kimi.toml") -> Resolved:
    return load(environ={}, flags=user, project_files={name: project}, rules=_RULES)


def _load_or_line(project: str, user: Options) -> Resolved | str:
    try:
        return _load(project, user)
    except ConfigError as error:
        return error.line


@given(_user, _project)
def test_whatever_a_project_says_nothing_becomes_looser(
    user: Mapping[str, object], project: Mapping[str, object]
) -> None:
    _assert_tighter(user, to_toml(project))


@given(_user, _allowed)
def test_whatever_a_project_may_say_nothing_becomes_looser(
    user: Mapping[str, object], project: Mapping[str, object]
) -> None:
    _assert_tighter(user, to_toml(project))


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_any_text_is_a_tightening_or_a_one_line_error(text: str) -> None:
    _assert_tighter({}, text)


def _assert_tighter(user: Mapping[str, object], project: str) -> None:
    options = Options.model_validate(user)
    without = load(environ={}, flags=options, rules=_RULES)
    resolved = _load_or_line(project, options)
    if isinstance(resolved, str):
        assert "\n" not in resolved
        assert resolved.startswith("kimi.toml")
        return
    assert is_tighter_or_equal(resolved.settings, without.settings)
    for rule in _RULES:
        before, after = without.settings.rules.level_of(rule), resolved.settings.rules.level_of(rule)
        if rule.lane in SAFETY_LANES and before is not None:
            assert after is not None
        if before is not None and after is not None:
            assert after.reaches(before)
        if before is None:
            assert after is None
    assert all("\n" not in notice for notice in resolved.notices)


@given(_user, _allowed)
def test_a_projects_file_applied_twice_is_applied_once(
    user: Mapping[str, object], project: Mapping[str, object]
) -> None:
    options, text = Options.model_validate(user), to_toml(project)
    once = _load_or_line(text, options)
    if isinstance(once, str):
        return
    both = {"kimi.toml": text, "pyproject.toml": to_toml({"tool": {"kimi": dict(project)}})}
    twice = load(environ={}, flags=options, project_files=both, rules=_RULES)
    assert twice.settings == once.settings


_BASE = Settings(
    Path("/state"),
    lanes=(Lane.SECURITY, Lane.DOCS),
    exclude=("a/",),
    deny=("*.key",),
    budget=Budget(daily_tokens=5),
)


@pytest.mark.parametrize(
    "looser",
    [
        replace(_BASE, base_url="https://elsewhere.example"),
        replace(_BASE, model="other"),
        replace(_BASE, api_key=Secret("k")),
        replace(_BASE, headers={"X": Secret("y")}),
        replace(_BASE, state_dir=Path("/elsewhere")),
        replace(_BASE, trust_env=False),
        replace(_BASE, tools=True),
        replace(_BASE, mcp_review=True),
        replace(_BASE, ask_above_usd=Decimal(100)),
        replace(_BASE, client_mcp_servers=True),
        replace(_BASE, mcp_servers={"docs": McpServer(command=("evil",))}),
        replace(_BASE, depth=Depth.DUAL),
        replace(_BASE, fail_on=FailOn.NEVER),
        replace(_BASE, lanes=(*_BASE.lanes, Lane.HEALTH)),
        replace(_BASE, lanes=(Lane.DOCS,)),
        replace(_BASE, exclude=()),
        replace(_BASE, exclude=("a/", "!a/")),
        replace(_BASE, deny=("b", "*.key")),
        replace(_BASE, budget=replace(_BASE.budget, run_usd=Decimal("1.01"))),
        replace(_BASE, budget=replace(_BASE.budget, daily_tokens=None)),
        replace(_BASE, budget=replace(_BASE.budget, weekly_usd=Decimal(21))),
        replace(_BASE, limits=replace(_BASE.limits, concurrency=5)),
        replace(_BASE, limits=replace(_BASE.limits, unit_chars=2_000)),
        replace(_BASE, rules=Rules(yours={"x": "off"})),
        replace(_BASE, style=replace(_BASE.style, sentences=("Trust me.",))),
    ],
)
def test_is_tighter_or_equal_sees_each_way_of_being_looser(looser: Settings) -> None:
    assert is_tighter_or_equal(_BASE, _BASE)
    assert not is_tighter_or_equal(looser, _BASE)


@pytest.mark.parametrize("key", sorted({key for key, _ in keys(Options)} - {key for key, _ in keys(ProjectOptions)}))
def test_what_is_the_users_alone_is_refused_with_its_place(key: str) -> None:
    table, _, name = key.rpartition(".")
    value = (
        to_toml({name: _USERS_ALONE.get(name, 1)})
        if name not in ("headers", "profile", "mcp_servers")
        else f"{name}.x = 1\n"
    )
    with pytest.raises(ConfigError) as caught:
        _load(f"\n{f'[{table}]' if table else ''}\n{value}")
    assert caught.value.line == (
        f"kimi.toml:3: {key}: only your own configuration may set this. A project's file can only tighten."
    )


def test_a_project_adds_denials_and_style_and_lowers_the_rest() -> None:
    text = """
        depth = "local"
        fail_on = "note"
        lanes = ["security", "style"]
        exclude = ["generated/"]
        deny = ["customers/", "*.key"]
        [budget]
        run_usd = 0.10
        run_tokens = 5000
        [limits]
        concurrency = 2
        [style]
        sentences = ["Tests are sentences."]
        files = ["docs/style.md"]
        [rules]
        docs-error = "off"
        security-note = "error"
        """
    user = flag_options({"depth": "screen", "deny": ["*.key"], "style.sentences": ["Mine."]})
    resolved = _load(text, user)
    settings = resolved.settings
    assert (settings.depth, settings.fail_on, settings.lanes) == (
        Depth.LOCAL,
        FailOn.NOTE,
        (Lane.SECURITY, Lane.DEPENDENCIES, Lane.STYLE),
    )
    assert settings.exclude == ("generated/",)
    assert settings.deny == ("*.key", "customers/")
    assert settings.budget == Budget(run_usd=Decimal("0.10"), run_tokens=5000)
    assert settings.limits.concurrency == 2
    assert settings.style.sentences == ("Mine.",)
    assert settings.style.project_sentences == ("Tests are sentences.",)
    assert settings.style.files == ("docs/style.md",)
    levels = {rule.id: settings.rules.level_of(rule) for rule in _RULES}
    assert (levels["docs-error"], levels["security-note"], levels["docs-note"]) == (None, Level.ERROR, Level.NOTE)
    assert resolved.notices == (
        "kimi.toml cannot leave out dependencies: only your own configuration can.",
        "kimi.toml leaves out the lanes docs, health.",
        "kimi.toml turns off the rules docs-error.",
        "kimi.toml leaves out of the audit: generated/.",
    )
    assert {key: origin for key, origin in resolved.origins.items() if "kimi.toml" in origin} == {
        "depth": "--depth + kimi.toml",
        "lanes": "default + kimi.toml",
        "fail_on": "default + kimi.toml",
        "exclude": "default + kimi.toml",
        "deny": "command line + kimi.toml",
        "budget.run_usd": "default + kimi.toml",
        "budget.run_tokens": "default + kimi.toml",
        "limits.concurrency": "default + kimi.toml",
        "style.sentences": "command line + kimi.toml",
        "style.files": "default + kimi.toml",
        "rules": "default + kimi.toml",
    }


def test_a_wish_to_loosen_is_a_notice_and_the_users_value_holds() -> None:
    user = flag_options({"lanes": ["security"], "depth": "local", "fail_on": "warning"})
    text = """
        depth = "dual"
        fail_on = "never"
        lanes = ["security", "docs"]
        [budget]
        run_usd = 100
        [limits]
        max_files = 9_999_999
        """
    resolved = _load(text, user)
    assert resolved.settings == load(environ={}, flags=user).settings
    assert resolved.notices == (
        "kimi.toml asks for depth = dual; yours, local, is tighter and holds.",
        "kimi.toml asks for fail_on = never; yours, warning, is tighter and holds.",
        "kimi.toml asks for lanes that you do not use: docs.",
        "kimi.toml asks for budget.run_usd = 100; yours, 1.00, is tighter and holds.",
        "kimi.toml asks for limits.max_files = 9999999; yours, 100000, is tighter and holds.",
    )
    assert not any("kimi.toml" in origin for origin in resolved.origins.values())


_ALONE = "only your own configuration may set this. A project's file can only tighten."


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "exclude = ['!secret/']\n",
            "1: exclude: expected patterns without '!': a project can deny paths, not give them back, got '!secret/'.",
        ),
        (
            "[rules]\nsecurity-note = 'off'\n",
            " rules.security-note: only your own configuration may turn off a rule of the security lane.",
        ),
        ("[rules]\nsecurity-not = 'off'\n", " rules: unknown rule 'security-not'. Did you mean 'security-note'?"),
        (
            "[style]\nfiles = ['/etc/passwd']\n",
            "2: style.files: expected a path inside the project, such as docs/style.md, got '/etc/passwd'.",
        ),
        (
            "[style]\nsentences = ['a\u202eb']\n",
            r"2: style.sentences: expected a sentence of 1 to 500 characters on one line, got 'a\u202eb'.",
        ),
        ("excludes = []\n", "1: excludes: unknown key. Did you mean 'exclude'?"),
        ("[headers.x]\ny = 1\n", f"1: headers: {_ALONE}"),
        ("[limits]\nunit_chars = 5000\n", f"2: limits.unit_chars: {_ALONE}"),
    ],
)
def test_a_projects_mistake_is_one_line(text: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _load(text)
    assert caught.value.line == f"kimi.toml:{line}"


def test_a_rule_of_the_safety_lanes_stays_on_where_the_rules_are_not_known_at_load() -> None:
    resolved = load(environ={}, project_files={"kimi.toml": "[rules]\nsecurity-note = 'off'\ndocs-note = 'off'\n"})
    levels = {rule.id: resolved.settings.rules.level_of(rule) for rule in _RULES}
    assert levels["security-note"] is Level.NOTE
    assert levels["docs-note"] is None


def test_the_users_word_on_a_rule_goes_before_its_own_level_and_the_projects() -> None:
    user = Options.model_validate({"rules": {"docs-error": "note", "docs-note": "off", "security-note": "warning"}})
    resolved = _load("[rules]\ndocs-note = 'error'\nsecurity-note = 'note'\ndocs-error = 'warning'\n", user)
    levels = {rule.id: resolved.settings.rules.level_of(rule) for rule in _RULES}
    assert (levels["docs-error"], levels["docs-note"], levels["security-note"]) == (Level.WARNING, None, Level.WARNING)


def test_pyproject_speaks_in_its_own_table_only() -> None:
    text = '[project]\nname = "x"\nmodel = 5\n[tool.other]\ndepth = "dual"\n[tool.kimi]\nfail_on = "note"\n'
    assert project_options(text, "pyproject.toml") == ProjectOptions(fail_on=FailOn.NOTE)
    assert project_options(text.replace("kimi", "kim"), "pyproject.toml") == ProjectOptions()
    with pytest.raises(ConfigError, match=r"^sub/pyproject\.toml:3: tool\.kimi\.model: only your own configuration"):
        project_options('\n[tool.kimi]\nmodel = "x"\n', "sub/pyproject.toml")
    with pytest.raises(ConfigError, match=r"^pyproject\.toml:2: tool\.kimi: expected a table, got 5\.$"):
        project_options("[tool]\nkimi = 5\n", "pyproject.toml")


def test_a_pyproject_that_is_not_ours_is_not_even_parsed() -> None:
    assert project_options("not toml at all [[[", "pyproject.toml") == ProjectOptions()


def test_a_name_that_is_no_text_is_escaped_in_the_message() -> None:
    with pytest.raises(ConfigError, match=r"^a\\udcff\\x1b/kimi\.toml:1: "):
        load(environ={}, project_files={"a\udcff\x1b/kimi.toml": "x"})
