"""Deprecated and yanked packages, and install scripts."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

from inline_snapshot import snapshot

from mcp_tools.dependency_scan import retired
from mcp_tools.dependency_scan.reporting import Sources
from mcp_tools.dependency_scan.values import FileRead
from mcp_tools.finding import Finding
from tests.dependency_scan.checks.checking import lines, read_all

LOCK = {
    "package-lock.json": json.dumps(
        {
            "lockfileVersion": 3,
            "packages": {
                "": {"dependencies": {"request": "^2.0.0", "a": "1"}},
                "node_modules/request": {"version": "2.88.2", "deprecated": "request has been deprecated"},
                "node_modules/a": {"version": "1.0.0", "dependencies": {"har": "1"}, "hasInstallScript": True},
                "node_modules/har": {"version": "1.0.0", "deprecated": "no longer\n supported."},
                "node_modules/a/node_modules/har": {"version": "1.0.0", "deprecated": "no longer\n supported."},
            },
        },
        indent=1,
    )
}


def test_a_direct_deprecated_package_is_a_warning_and_another_a_note_that_says_who_asks() -> None:
    assert lines(retired.check, LOCK) == snapshot(
        [
            (
                "package-lock.json:11: warning deprecated-dependency: request 2.88.2 is deprecated: "
                "request has been deprecated."
            ),
            (
                "package-lock.json:22: note deprecated-dependency: har 1.0.0 (2 copies) is deprecated: "
                "no longer supported. It is here for a."
            ),
        ]
    )


def test_install_scripts_are_told_only_where_asked_for() -> None:
    def asked(files: Sequence[FileRead], sources: Sources) -> Iterator[Finding]:
        yield from retired.check(files, sources, with_install_scripts=True)

    assert set(lines(asked, LOCK)) - set(lines(retired.check, LOCK)) == {
        "package-lock.json:15: note install-script: a 1.0.0 runs a script when it is installed."
    }


def test_a_yanked_version_is_reported_with_its_reason() -> None:
    files, sources = read_all({"poetry.lock": '[[package]]\nname = "x"\nversion = "1.0"\n'})
    told = replace(files[0], dependencies=(replace(files[0].dependencies[0], yanked="broken wheels"),))
    assert [finding.message for finding in retired.check([told], sources)] == ["x 1.0 is yanked: broken wheels."]
