"""Manifests beside their lockfiles."""

import json

import pytest
from inline_snapshot import snapshot

from mcp_tools.dependency_scan import drift
from tests.dependency_scan.checks.checking import lines

PYPI = 'source = { registry = "https://registry.example" }\n'


def npm(manifest: dict[str, object], root: dict[str, object], installed: dict[str, str]) -> dict[str, str]:
    """A package.json, and a lockfile made from another state of it."""
    packages = {f"node_modules/{name}": {"version": version} for name, version in installed.items()}
    lock = {"lockfileVersion": 3, "packages": {"": root, **packages}}
    return {"package.json": json.dumps(manifest, indent=1), "package-lock.json": json.dumps(lock, indent=1)}


def test_npm_is_compared_with_what_its_lockfile_remembers() -> None:
    manifest: dict[str, object] = {"dependencies": {"a": "^1.0.0", "b": "^2.0.0", "c": "^3.0.0"}}
    root: dict[str, object] = {"dependencies": {"a": "^1.0.0", "b": "^1.0.0", "d": "^4.0.0"}}
    assert lines(drift.check, npm(manifest, root, {"a": "1.2.0", "b": "1.9.0", "d": "4.0.0"})) == snapshot(
        [
            (
                "package.json:4: warning lockfile-drift: 'b' asks for ^2.0.0, but package-lock.json was "
                "made when it asked for ^1.0.0."
            ),
            "package.json:5: warning lockfile-drift: 'c' is asked for here, but package-lock.json was made without it.",
            (
                "package-lock.json:8: warning lockfile-drift: 'd' is remembered here, but package.json "
                "asks for it no longer."
            ),
        ]
    )


def test_a_lockfile_that_agrees_is_quiet_in_whatever_spelling() -> None:
    manifest: dict[str, object] = {
        "dependencies": {"a": "^1.0.0", "b": "npm:other@^2.0.0", "c": "github:o/c#v1", "d": "file:../d"},
        "devDependencies": {"e": "latest"},
        "peerDependencies": {"react": ">=16"},
    }
    installed = {"a": "1.2.0", "b": "2.0.0", "c": "1.0.0", "e": "9.0.0"}
    assert lines(drift.check, npm(manifest, manifest, installed)) == []


def test_a_locked_version_that_the_range_refuses_is_told_even_where_the_memory_agrees() -> None:
    manifest: dict[str, object] = {"dependencies": {"a": "^2.0.0"}}
    assert lines(drift.check, npm(manifest, manifest, {"a": "1.2.0"})) == snapshot(
        ["package.json:3: warning lockfile-drift: 'a' asks for ^2.0.0, but package-lock.json holds 1.2.0."]
    )


@pytest.mark.parametrize("key", ["overrides", "resolutions"])
def test_overrides_may_mean_another_version(key: str) -> None:
    manifest: dict[str, object] = {"dependencies": {"a": "^2.0.0"}, key: {"a": "1.2.0"}}
    assert lines(drift.check, npm(manifest, {"dependencies": {"a": "^1"}}, {"a": "1.2.0"})) == []


def test_yarn_1_remembers_nothing_and_is_compared_by_versions() -> None:
    lock = '# yarn lockfile v1\n\n"a@^1.0.0":\n  version "1.2.0"\n'
    manifest = '{"dependencies": {"a": "^2.0.0", "b": "1"}, "peerDependencies": {"c": "1"}}'
    assert lines(drift.check, {"package.json": manifest, "yarn.lock": lock}) == snapshot(
        [
            "package.json:1: warning lockfile-drift: 'a' asks for ^2.0.0, but yarn.lock holds 1.2.0.",
            "package.json:1: warning lockfile-drift: 'b' is asked for here, but yarn.lock does not hold it.",
        ]
    )


def test_a_member_is_compared_with_its_own_part_of_a_lockfile_above() -> None:
    lock = (
        "lockfileVersion: '9.0'\nimporters:\n"
        "  .:\n    dependencies:\n      a:\n        specifier: ^1.0.0\n        version: 1.0.0\n"
        "  web:\n    dependencies:\n      b:\n        specifier: ^2.0.0\n        version: 2.0.0\n"
        "packages:\n  a@1.0.0:\n    resolution: {integrity: sha512-x}\n"
        "  b@2.0.0:\n    resolution: {integrity: sha512-x}\n"
    )
    texts = {
        "pnpm-lock.yaml": lock,
        "package.json": '{"dependencies": {"a": "^1.0.0"}}',
        "web/package.json": '{"dependencies": {"b": "^3.0.0"}}',
        "other/package.json": '{"dependencies": {"z": "^3.0.0"}}',  # no member
    }
    assert lines(drift.check, texts) == snapshot(
        [
            (
                "web/package.json:1: warning lockfile-drift: 'b' asks for ^3.0.0, but pnpm-lock.yaml was "
                "made when it asked for ^2.0.0."
            )
        ]
    )


def test_berry_writes_its_own_prefix() -> None:
    lock = (
        '__metadata:\n  version: 8\n\n"a@npm:^1.0.0":\n  version: 1.2.0\n  resolution: "a@npm:1.2.0"\n\n'
        '"root@workspace:.":\n  version: 0.0.0-use.local\n  resolution: "root@workspace:."\n'
        '  dependencies:\n    a: "npm:^1.0.0"\n'
    )
    assert (
        lines(drift.check, {"package.json": '{"name": "root", "dependencies": {"a": "^1.0.0"}}', "yarn.lock": lock})
        == []
    )
    changed = {"package.json": '{"name": "root", "dependencies": {"a": "^2.0.0"}}', "yarn.lock": lock}
    assert len(lines(drift.check, changed)) == 1


UV = (
    'version = 1\n[[package]]\nname = "app"\nversion = "0.1"\nsource = { virtual = "." }\n'
    'dependencies = [{ name = "six" }, { name = "idna" }]\n[package.metadata]\nrequires-dist = [\n'
    '  { name = "idna", specifier = ">=3,<4" },\n  { name = "six", specifier = ">=1.16" },\n]\n'
    "[package.metadata.requires-dev]\n"
    'dev = [{ name = "app", extras = ["x"] }, { name = "iniconfig", specifier = ">=2" }]\n'
    f'[[package]]\nname = "idna"\nversion = "3.7"\n{PYPI}[[package]]\nname = "six"\nversion = "1.17.0"\n{PYPI}'
    f'[[package]]\nname = "iniconfig"\nversion = "2.1.0"\n{PYPI}'
)


def pyproject(*dependencies: str, more: str = "") -> str:
    """A project's manifest."""
    return (
        f'[project]\nname = "app"\nversion = "0.1"\ndependencies = {json.dumps(list(dependencies))}\n{more}'
        '[build-system]\nrequires = ["hatchling"]\n'
        '[dependency-groups]\ntest = ["iniconfig>=2"]\ndev = ["app[x]", {include-group = "test"}]\n'
    )


def test_uv_is_compared_with_what_its_lockfile_remembers() -> None:
    assert lines(drift.check, {"uv.lock": UV, "pyproject.toml": pyproject("six >= 1.16", "IDNA<4,>=3")}) == []
    assert lines(drift.check, {"uv.lock": UV, "pyproject.toml": pyproject("six>=1.17", "attrs")}) == snapshot(
        [
            (
                "pyproject.toml:4: warning lockfile-drift: 'six' asks for >=1.17, but uv.lock was made "
                "when it asked for >=1.16."
            ),
            "pyproject.toml:4: warning lockfile-drift: 'attrs' is asked for here, but uv.lock was made without it.",
            "uv.lock:9: warning lockfile-drift: 'idna' is remembered here, but pyproject.toml asks for it no longer.",
        ]
    )


def test_what_the_manifest_does_not_show_is_not_missed() -> None:
    dynamic = pyproject("six>=1.16", more='dynamic = [\n  "optional-dependencies"]\n')
    assert lines(drift.check, {"uv.lock": UV, "pyproject.toml": dynamic}) == []
    override = pyproject("six>=2", more='[tool.uv]\noverride-dependencies = ["six<2"]\n')
    assert lines(drift.check, {"uv.lock": UV, "pyproject.toml": override}) == []


def test_a_lockfile_that_was_not_read_to_its_end_proves_nothing() -> None:
    texts = {
        "package.json": '{"dependencies": {"a": "1"}}',
        "package-lock.json": '{"lockfileVersion": 3, "packages": {',
    }
    assert lines(drift.check, texts) == []


def test_cargo_finds_its_members_lock_above_and_compares_versions() -> None:
    registry = 'source = "registry+https://registry.example/index"\n'
    lock = (
        '[[package]]\nname = "core"\nversion = "0.1.0"\ndependencies = ["serde"]\n'
        f'[[package]]\nname = "serde"\nversion = "1.0.200"\n{registry}'
    )
    member = '[package]\nname = "core"\n[dependencies]\nserde = "2"\nrand = "0.8"\nlocal = { path = "../local" }\n'
    texts = {"Cargo.lock": lock, "core/Cargo.toml": member, "alone/Cargo.toml": member.replace("core", "alone")}
    assert lines(drift.check, texts) == snapshot(
        [
            "core/Cargo.toml:4: warning lockfile-drift: 'serde' asks for 2, but Cargo.lock holds 1.0.200.",
            "core/Cargo.toml:5: warning lockfile-drift: 'rand' is asked for here, but Cargo.lock does not hold it.",
        ]
    )
    workspace = '[workspace.dependencies]\nunused = "1"\nserde = "1"\n'
    assert lines(drift.check, {"Cargo.lock": lock, "Cargo.toml": workspace}) == []


def test_go_must_have_the_hash_of_what_is_required_directly() -> None:
    required = "\ta.example/x v1.0.0\n\tb.example/y v1.0.0\n\tc.example/z v1.0.0 // indirect\n"
    mod = f"module example.org/app\nrequire (\n{required})\n"
    total = "a.example/x v1.0.0 h1:x=\nb.example/y v1.0.0/go.mod h1:x=\n"
    assert lines(drift.check, {"go.mod": mod, "go.sum": total}) == snapshot(
        ["go.mod:4: warning lockfile-drift: b.example/y v1.0.0 is required here, but go.sum has no hash of it."]
    )


def test_compiled_requirements_hold_what_their_input_asks_for() -> None:
    texts = {
        "requirements.in": "flask>=3\ndjango\nsetuptools\ncolorama ; sys_platform == 'win32'\n",
        "requirements.txt": "flask==2.3.0\n",
    }
    assert lines(drift.check, texts) == snapshot(
        [
            "requirements.in:1: warning lockfile-drift: 'flask' asks for >=3, but requirements.txt holds 2.3.0.",
            (
                "requirements.in:2: warning lockfile-drift: 'django' is asked for here, but "
                "requirements.txt does not hold it."
            ),
        ]
    )
    assert lines(drift.check, {**texts, "requirements.txt": "flask\n"}) == []  # not a compiled file


PIPFILE = (
    '[[source]]\nurl = "https://registry.example/simple"\nverify_ssl = true\nname = "pypi"\n\n[packages]\n'
    'requests = {version = ">=2", extras = ["socks"]}\nsix = "*"\n\n[dev-packages]\npytest = "*"\n\n'
    '[requires]\npython_version = "3.11"\n\n[docs]\nsphinx = "*"\n'
)
PIPENV_HASH = "ff4d2eb09df75c604b9f71e5dd85edfd6cfe1edb564875c494bc191b768c7054"  # by pipenv itself
POETRY = (
    '[project]\nname = "demo"\nversion = "0.1.0"\nrequires-python = ">=3.11"\n'
    'dependencies = ["six>=1.16", "idna (>=3,<4)"]\n[project.optional-dependencies]\nx = ["attrs>=23"]\n'
    '[dependency-groups]\ndev = ["iniconfig>=2"]\n[tool.poetry.group.test.dependencies]\npluggy = "^1.5"\n'
)
POETRY_1 = (
    '[tool.poetry]\nname = "demo"\nversion = "0.1.0"\ndescription = ""\nauthors = []\nlicense = "MIT"\n'
    '[tool.poetry.dependencies]\npython = "^3.11"\nsix = "^1.16"\nidna = {version = ">=3", optional = true}\n'
    '[tool.poetry.extras]\nnet = ["idna"]\n[tool.poetry.group.dev.dependencies]\niniconfig = "*"\n'
)


def poetry_lock(content_hash: str) -> str:
    """A poetry.lock with all that the manifests here ask for."""
    versions = {"six": "1.17.0", "idna": "3.7", "attrs": "24.1.0", "iniconfig": "2.1.0", "pluggy": "1.5.0"}
    packages = "".join(f'[[package]]\nname = "{name}"\nversion = "{version}"\n' for name, version in versions.items())
    return f'{packages}[metadata]\nlock-version = "2.1"\ncontent-hash = "{content_hash}"\n'


@pytest.mark.parametrize(
    ("manifest", "content_hash"),  # the hashes are those that poetry 2.4 itself computes
    [
        (POETRY, "f1a06e9bc48748b6409b00ed496fae1d0acb9bf972fb2f03bc2895b80dfcbe32"),
        (POETRY, "c5c8e720a357da57dd2b5350bcf804d5690c1e4b416f654d174f7d591804e261"),  # before it knew groups
        (POETRY_1, "cfe3ccf272ff47fa8cd7facf3399dfa699de887cb8088c205a029412905ffca2"),
    ],
)
def test_poetrys_hash_is_computed_as_poetry_does(manifest: str, content_hash: str) -> None:
    texts = {"pyproject.toml": manifest, "poetry.lock": poetry_lock(content_hash)}
    assert lines(drift.check, texts) == []
    other = {**texts, "pyproject.toml": manifest.replace("1.16", "1.15")}
    assert [line.partition(" ")[2] for line in lines(drift.check, other)] == [
        "note lockfile-drift: poetry.lock was made from another state of this file: the hash that it keeps differs."
    ]


def test_pipenvs_hash_is_computed_as_pipenv_does() -> None:
    names = {"default": ["requests", "six"], "develop": ["pytest"], "docs": ["sphinx"]}
    pins = {category: {name: {"version": "==2.0"} for name in held} for category, held in names.items()}
    lock = json.dumps({"_meta": {"hash": {"sha256": PIPENV_HASH}}, **pins})
    assert lines(drift.check, {"Pipfile": PIPFILE, "Pipfile.lock": lock}) == []
    told = lines(drift.check, {"Pipfile": PIPFILE.replace("3.11", "3.12"), "Pipfile.lock": lock})
    assert [line.partition(":")[0] for line in told] == ["Pipfile"]


def test_a_package_at_several_versions_is_a_note_where_the_project_asks_for_it() -> None:
    registry = 'source = "registry+https://registry.example/index"\n'
    packages = [
        ("rand", "0.7.3"),
        ("rand", "0.8.5"),
        ("syn", "1.0.1"),
        ("syn", "2.0.1"),
        ("log", "0.4.1"),
        ("log", "0.4.2"),
    ]
    lock = '[[package]]\nname = "app"\nversion = "0.1.0"\ndependencies = ["rand 0.8.5", "old"]\n'
    lock += f'[[package]]\nname = "old"\nversion = "1.0.0"\ndependencies = ["rand 0.7.3"]\n{registry}'
    lock += "".join(f'[[package]]\nname = "{name}"\nversion = "{version}"\n{registry}' for name, version in packages)
    assert lines(drift.check, {"Cargo.lock": lock}) == snapshot(
        [
            "Cargo.lock:12: note duplicate-package: rand is locked at 0.7.3, 0.8.5; 0.7.3 is here for old.",
            (
                "Cargo.lock:20: note duplicate-package: 1 more package is locked at several incompatible "
                "versions by others: syn."
            ),
        ]
    )


def test_copies_in_npm_are_meant() -> None:
    packages = {"node_modules/a": {"version": "1.0.0"}, "node_modules/b/node_modules/a": {"version": "2.0.0"}}
    lock = json.dumps({"lockfileVersion": 3, "packages": {"": {"dependencies": {"a": "1"}}, **packages}})
    assert lines(drift.check, {"package-lock.json": lock}) == []
