"""Unpinned packages, images and actions, and what holds them still."""

from inline_snapshot import snapshot

from mcp_tools.dependency_scan import pins
from tests.dependency_scan.checks.checking import lines, places

UV_LOCK = (
    'version = 1\n[[package]]\nname = "flask"\nversion = "3.1.0"\nsource = { registry = "https://registry.example" }\n'
)


def test_a_requirement_is_unpinned_without_a_version_an_upper_bound_or_a_lockfile() -> None:
    text = "flask\nhttpx>=0.27\nattrs>=23,<26\nrich==13.9.4\nidna===3.7\n"
    assert lines(pins.check, {"requirements.txt": text}) == snapshot(
        [
            "requirements.txt:1: warning unpinned-dependency: 'flask' names no version: the newest one is installed.",
            (
                "requirements.txt:2: warning unpinned-dependency: 'httpx' has no upper bound (>=0.27): "
                "the newest one is installed."
            ),
            "requirements.txt:3: note unpinned-dependency: 'attrs' takes any version in >=23,<26.",
        ]
    )


def test_the_finding_lies_on_the_name() -> None:
    assert places(pins.check, {"requirements.txt": "# top\n  flask[async] ; python_version > '3'\n"}) == ["flask"]


def test_a_lockfile_beside_or_above_holds_a_requirement_still() -> None:
    for lock in ("uv.lock", "docs/uv.lock"):
        assert lines(pins.check, {"docs/requirements.txt": "flask\n", lock: UV_LOCK}) == []
    assert len(lines(pins.check, {"requirements.txt": "flask\n", "docs/uv.lock": UV_LOCK})) == 1
    assert len(lines(pins.check, {"requirements.txt": "django\n", "uv.lock": UV_LOCK})) == 1


def test_constraints_hold_still_whether_they_are_included_or_stand_beside() -> None:
    constraints = {"constraints.txt": "flask==3.1.0\n"}
    assert lines(pins.check, {"requirements.txt": "-c constraints.txt\nflask\n", **constraints}) == []
    assert lines(pins.check, {"requirements.txt": "flask\n", **constraints}) == []


def test_an_included_file_that_is_constrained_by_the_includer_is_not_reported_on_its_own() -> None:
    texts = {
        "requirements/base.txt": "flask\n",
        "requirements/all.txt": "-r base.txt\n-c ../pins/limits.txt\n",
        "pins/limits.txt": "flask==3.1.0\n",
    }
    assert lines(pins.check, texts) == []


def test_an_included_file_is_reported_once() -> None:
    texts = {"requirements.txt": "-r requirements-base.txt\n", "requirements-base.txt": "flask\n"}
    assert [line.partition(" ")[0] for line in lines(pins.check, texts)] == ["requirements-base.txt:1:"]


def test_an_input_of_pip_compile_and_a_pyproject_are_ranges_by_right() -> None:
    texts = {
        "requirements.in": "flask\n",
        "pyproject.toml": '[project]\nname = "x"\ndependencies = ["flask"]\n',
    }
    assert lines(pins.check, texts) == []


def test_what_is_for_development_is_a_note() -> None:
    assert lines(pins.check, {"requirements-dev.txt": "pytest\n"}) == snapshot(
        ["requirements-dev.txt:1: note unpinned-dependency: 'pytest' names no version: the newest one is installed."]
    )


def test_a_wildcard_of_a_manifest_counts_where_no_lockfile_holds_it() -> None:
    manifest = (
        '{"name": "app", "dependencies": {"left-pad": "*", "lodash": "^4.0.0"}, "peerDependencies": {"react": "*"}}'
    )
    lock = '{"lockfileVersion": 3, "packages": {"node_modules/left-pad": {"version": "1.3.0"}}}'
    assert lines(pins.check, {"package.json": manifest}) == snapshot(
        ["package.json:1: warning unpinned-dependency: 'left-pad' takes any version (*), and no lockfile holds one."]
    )
    assert lines(pins.check, {"package.json": manifest, "package-lock.json": lock}) == []


def test_a_wildcard_on_a_member_of_the_workspace_is_that_member() -> None:
    texts = {
        "package.json": '{"name": "app", "dependencies": {"@app/core": "*"}}',
        "core/package.json": '{"name": "@app/core"}',
    }
    assert lines(pins.check, texts) == []


def test_an_image_is_unpinned_without_a_tag_or_with_one_that_moves() -> None:
    digest = "sha256:" + "0" * 64
    text = (
        f"FROM python\nFROM python:latest\nFROM python:3.12-slim\nFROM python@{digest}\n"
        f"FROM ghcr.example/app/base:nightly\nFROM python:latest@{digest}\nFROM scratch\n"
    )
    assert lines(pins.check, {"Dockerfile": text}) == snapshot(
        [
            "Dockerfile:1: warning unpinned-image: The image 'python' names no tag or digest: `latest` is taken.",
            "Dockerfile:2: warning unpinned-image: The tag 'latest' of the image 'python' moves with every release.",
            (
                "Dockerfile:5: warning unpinned-image: The tag 'nightly' of the image "
                "'ghcr.example/app/base' moves with every release."
            ),
        ]
    )


def test_an_action_is_unpinned_by_a_branch_or_a_short_tag_and_pinned_by_a_commit_or_a_full_tag() -> None:
    uses = [
        "actions/checkout@v4",
        "actions/checkout@v4.1.1",
        "some/action@main",
        "some/action@" + "a" * 40,
        "some/publish@release/v1",
        "some/toolchain@stable",
        "some/odd@bundle-20240101",
        "./local",
    ]
    steps = "".join(f"      - uses: {each}\n" for each in uses)
    assert lines(pins.check, {".github/workflows/ci.yml": f"jobs:\n  a:\n    steps:\n{steps}"}) == snapshot(
        [
            (
                ".github/workflows/ci.yml:4: note unpinned-action: The tag 'v4' of 'actions/checkout' "
                "moves with later releases."
            ),
            (
                ".github/workflows/ci.yml:6: warning unpinned-action: 'some/action' is used from the "
                "branch 'main': whoever can push to it runs code here."
            ),
            (
                ".github/workflows/ci.yml:8: note unpinned-action: The tag 'release/v1' of "
                "'some/publish' moves with later releases."
            ),
            (
                ".github/workflows/ci.yml:9: warning unpinned-action: 'stable' of 'some/toolchain' is a "
                "branch or a tag that moves."
            ),
        ]
    )
