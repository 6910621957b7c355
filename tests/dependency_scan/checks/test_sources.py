"""Where packages come from."""

import json

import pytest
from inline_snapshot import snapshot

from mcp_tools.dependency_scan import sources
from mcp_tools.dependency_scan.sources import is_plain, leads_outside
from tests.dependency_scan.checks.checking import lines

HOST = "registry.example"


def npm_lock(packages: dict[str, dict[str, str]]) -> dict[str, str]:
    entries = {f"node_modules/{name}": entry for name, entry in packages.items()}
    return {"package-lock.json": json.dumps({"lockfileVersion": 3, "packages": {"": {}, **entries}}, indent=1)}


def test_a_plain_index_is_reported_and_one_on_this_machine_is_not() -> None:
    text = f"-i http://{HOST}/simple\n--extra-index-url http://localhost:3141/x\nflask==3.1.0\n"
    assert lines(sources.check, {"requirements.txt": text})[0] == snapshot(
        "requirements.txt:1: warning insecure-package-source: The index "
        "http://registry.example/simple is asked without encryption: its answers can be changed."
    )
    assert is_plain("http://10.0.0.1/x")
    assert not any(map(is_plain, ("http://127.0.0.1:80/x", "http://[::1]/x", "https://x.example", "", "http://[")))


def test_packages_fetched_in_the_clear_are_one_finding_a_host() -> None:
    entry = {"version": "1.0.0", "integrity": "sha512-x"}
    packages = {
        "a": {**entry, "resolved": f"http://{HOST}/a/-/a-1.0.0.tgz"},
        "b": {**entry, "resolved": f"http://{HOST}/b/-/b-1.0.0.tgz"},
        "c": {"version": "1.0.0", "resolved": "http://other.example/c.tgz"},
        "d": {**entry, "resolved": f"https://{HOST}/d/-/d-1.0.0.tgz"},
    }
    assert lines(sources.check, npm_lock(packages)) == snapshot(
        [
            (
                "package-lock.json:6: note insecure-package-source: 'a' and 1 other are fetched from "
                "registry.example without encryption: the hash still guards the content."
            ),
            (
                "package-lock.json:16: warning insecure-package-source: 'c' is fetched from "
                "other.example without encryption: the content can be changed on its way."
            ),
            "package-lock.json:16: warning missing-integrity: c 1.0.0 is locked without a hash, while others have one.",
        ]
    )


def test_a_git_dependency_is_a_note_at_a_commit_and_a_warning_where_it_moves() -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    text = (
        f"a @ git+https://git.example/o/a@{commit}\n"
        "b @ git+https://git.example/o/b\n"
        "c @ git+https://git.example/o/c@develop\n"
        "d @ git+https://git.example/o/d@v1.2.3\n"
    )
    assert lines(sources.check, {"requirements.txt": text}) == snapshot(
        [
            (
                "requirements.txt:1: note git-dependency: 'a' comes from the repository "
                "git+https://git.example/o/a, held at a commit; advisories do not cover it."
            ),
            (
                "requirements.txt:2: warning git-dependency: 'b' comes from the repository "
                "git+https://git.example/o/b, at whatever its default branch holds."
            ),
            (
                "requirements.txt:3: warning git-dependency: 'c' comes from the repository "
                "git+https://git.example/o/c, at 'develop', which can move."
            ),
            (
                "requirements.txt:4: note git-dependency: 'd' comes from the repository "
                "git+https://git.example/o/d, at the tag 'v1.2.3', which can be moved."
            ),
        ]
    )


def test_a_repository_with_many_crates_is_one_finding_and_none_where_the_manifest_says_it() -> None:
    origin = "git+https://git.example/o/many?rev=0123456#0123456789abcdef0123456789abcdef01234567"
    lock = "".join(f'[[package]]\nname = "{name}"\nversion = "1.0.0"\nsource = "{origin}"\n' for name in ("a", "b"))
    assert lines(sources.check, {"Cargo.lock": lock}) == snapshot(
        [
            (
                "Cargo.lock:3: note git-dependency: 'a' and 1 other package come from the repository "
                "https://git.example/o/many, held at a commit; advisories do not cover it."
            )
        ]
    )
    manifest = '[dependencies]\na = { git = "https://git.example/o/many", rev = "0123456" }\nb = "1"\n'
    told = lines(sources.check, {"Cargo.toml": manifest, "Cargo.lock": lock})
    assert [line.partition(" ")[0] for line in told] == ["Cargo.toml:2:", "Cargo.lock:7:"]


def test_an_archive_from_an_address_is_a_note_with_a_hash_and_a_warning_without() -> None:
    text = "a @ https://files.example/a-1.0.tar.gz --hash=sha256:00\nb @ https://files.example/b-1.0.tar.gz\n"
    assert lines(sources.check, {"requirements.txt": text}) == snapshot(
        [
            (
                "requirements.txt:1: note url-dependency: 'a' comes from "
                "https://files.example/a-1.0.tar.gz, not from a registry; its hash guards the content."
            ),
            (
                "requirements.txt:2: warning url-dependency: 'b' comes from "
                "https://files.example/b-1.0.tar.gz, not from a registry; nothing says what it must "
                "contain."
            ),
            "requirements.txt:2: warning missing-integrity: b 1.0 is locked without a hash, while others have one.",
        ]
    )


def test_only_a_folder_outside_the_project_is_reported() -> None:
    manifest = '{"dependencies": {"a": "file:../a", "b": "file:../../b", "c": "link:/opt/c", "d": "workspace:*"}}'
    assert lines(sources.check, {"web/package.json": manifest}) == snapshot(
        [
            (
                "web/package.json:1: warning path-outside-project: 'b' is taken from 'file:../../b', "
                "which lies outside the project."
            ),
            (
                "web/package.json:1: warning path-outside-project: 'c' is taken from 'link:/opt/c', "
                "which lies outside the project."
            ),
        ]
    )


@pytest.mark.parametrize(
    ("target", "is_outside"),
    [
        (".", False),
        ("..", False),
        ("../..", True),
        ("~/x", True),
        ("C:\\x", True),
        ("file:///srv/x", True),
        ("file:.", False),
        ("${root}/../../x", False),
        ("../a/../b", False),
        ("..\\..\\x", True),
    ],
)
def test_a_path_is_followed_from_the_folder_of_its_file(target: str, is_outside: bool) -> None:
    assert leads_outside("web/package.json", target) is is_outside


def test_few_packages_without_a_hash_are_named_and_many_are_counted() -> None:
    hashed = {"z": {"version": "1.0.0", "integrity": "sha512-x"}}
    few = {name: {"version": "1.0.0"} for name in "ab"}
    many = {name: {"version": "1.0.0"} for name in "abcdef"}
    assert len(lines(sources.check, npm_lock({**few, **hashed}))) == 2
    assert lines(sources.check, npm_lock({**many, **hashed})) == snapshot(
        ["package-lock.json:6: warning missing-integrity: 6 of 7 packages are locked without a hash: a, b, c, …"]
    )
    assert lines(sources.check, npm_lock(many)) == []  # no package has one


def test_an_extra_index_is_confusable_unless_everything_is_hashed() -> None:
    index = f"--extra-index-url https://{HOST}/simple\n"
    assert lines(sources.check, {"requirements.txt": f"{index}flask==3.1.0\n"}) == snapshot(
        [
            (
                "requirements.txt:1: warning extra-package-index: https://registry.example/simple is "
                "asked beside the main index, and the highest version wins: a private name can be taken "
                "over there. Hashes, or one index, prevent it."
            )
        ]
    )
    assert lines(sources.check, {"requirements.txt": f"{index}flask==3.1.0 --hash=sha256:00\n"}) == []
    uv = f'[project]\nname = "x"\n[[tool.uv.index]]\nurl = "https://{HOST}/simple"\n'
    assert lines(sources.check, {"pyproject.toml": uv}) == []  # uv asks one index after the other
