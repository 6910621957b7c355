"""A file's language by its name, else by its first line."""

import pytest

from mcp_tools.project import CODE, language_of


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a.py", "python"), ("A.PY", "python"), ("x/y.tsx", "tsx"), ("a.d.ts", "typescript"), ("Makefile", "make"),
        ("sub/Dockerfile", "dockerfile"), ("dockerfile.dev", "dockerfile"),
        (".env", "dotenv"), (".env.local", "dotenv"),
        ("prod.env", "dotenv"), ("BUILD", "starlark"), ("go.mod", "go-mod"), ("Cargo.lock", "toml"), ("a", None),
        ("a.unknown", None), (".py", None), ("py", None), ("a.", None), ("\udcff.rs", "rust"),
    ],
)  # fmt: skip
def test_a_name_tells_the_language(path: str, language: str | None) -> None:
    assert language_of(path) == language


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ("#!/usr/bin/python3.11", "python"), ("#!/usr/bin/env python3", "python"), ("#! /bin/sh -e", "shell"),
        ("#!/usr/bin/env -S node --flag", "javascript"), ("#!/usr/bin/env -i A=1 B=2 bash", "shell"),
        ("#!/usr/bin/env ts-node", "typescript"), ("#!/opt/my tools/python", None), ("#!", None), ("#!/", None),
        ("#!\npython", None), ("#!\r\n\r\nmake all", None), (" #!/bin/sh", None), ("# !/bin/sh", None),
        ("#!/usr/bin/python-config", None), ("#!/usr/bin/env " + "a=b " * 100_000, None), ("#!" + "-" * 100_000, None),
    ],
)  # fmt: skip
def test_a_first_line_tells_the_language_of_a_name_that_does_not(line: str, language: str | None) -> None:
    assert language_of("script", line) == language


def test_a_name_goes_before_a_first_line() -> None:
    assert language_of("a.py", "#!/bin/sh") == "python"


def test_prose_and_data_are_no_code() -> None:
    assert {"python", "shell", "sql"} <= CODE
    assert not CODE & {"markdown", "json", "yaml", "text", "toml", "dotenv"}
