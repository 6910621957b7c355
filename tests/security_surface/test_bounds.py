"""Hostile and broken texts: the scan ends, does not crash, and says what it could not do."""

import pytest

from mcp_tools.finding import Finding, Notice
from mcp_tools.project import Source, language_of
from mcp_tools.security_surface import scan_source


def scanned(path: str, text: str) -> tuple[list[Finding], list[Notice]]:
    items = list(scan_source(Source(path, text, language_of(path))))
    return [item for item in items if isinstance(item, Finding)], [item for item in items if isinstance(item, Notice)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("eval(" + "(" * 100_000, id="open parentheses"),
        pytest.param("eval(" + "(" * 100_000 + ")" * 100_001, id="parentheses"),
        pytest.param("x = " + "[" * 100_000 + "\neval(x)", id="open brackets"),
        pytest.param("eval(a" + ".b()" * 50_000 + ")", id="a chain of calls"),
        pytest.param("eval(" + "a + " * 50_000 + "a)", id="a long sum"),
        pytest.param("import os\ndef f(a):\n    os.system('x' " + "+ a " * 20_000 + ")", id="a long concatenation"),
        pytest.param("\n".join(f"def f{n}(x): eval(x)" for n in range(3_000)), id="many findings"),
        pytest.param("x = 1\n" * 2_000 + "eval(x)\n" * 500, id="one name bound often"),
        pytest.param("".join(f"a{n} = a{n + 1} + a{n + 2}\n" for n in range(3_000)) + "eval(a0)", id="a web of names"),
        pytest.param("def " * 20_000 + "eval(x)", id="no Python"),
        pytest.param("f'{" * 5_000 + "eval(x)", id="open f-strings"),
        pytest.param("\0" * 1_000 + "eval(x)", id="NUL"),
        pytest.param("", id="empty"),
        pytest.param("eval(" + "'\\ud800'" + chr(0xD800) + ")", id="a lone surrogate"),
    ],
)
def test_a_hostile_text_is_scanned_to_its_end(text: str) -> None:
    findings, notices = scanned("app.py", text)
    assert len(findings) <= 3_000
    assert {notice.code for notice in notices} <= {"parse-incomplete"}


@pytest.mark.parametrize("path", ["a.js", "a.ts", "a.tsx", "a.go", "a.java", "a.rs"])
def test_deep_nesting_is_survived_in_every_language(path: str) -> None:
    words = (
        "eval md5 exec query Query execute rejectUnauthorized ProcessBuilder Command arg InsecureSkipVerify createHash"
    )
    for text in ("(" * 50_000, "a" + ".query(x)" * 5_000, "{" * 50_000, "a = b + " * 20_000):
        scanned(path, f"{words}\n{text}")


def test_a_text_that_is_mostly_no_code_is_said_to_be_checked_in_part() -> None:
    _, notices = scanned("app.py", "eval(x)\n" + "%% ]] )) ?? !! <<<< >>>>\n" * 50)
    assert [(notice.code, notice.path, notice.incomplete) for notice in notices] == [
        ("parse-incomplete", "app.py", False)
    ]


def test_one_broken_line_does_not_hide_the_others() -> None:
    findings, notices = scanned(
        "app.py", "def f(x):\n    eval(x)\n\n" + "y = 1\n" * 30 + "def (:\n\ndef g(z):\n    eval(z)\n"
    )
    assert len(findings) == 2
    assert notices == []


def test_a_text_too_large_to_parse_is_said_so_and_still_searched_for_secrets() -> None:
    token = "gh" + "p_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    findings, notices = scanned("app.py", "eval(x)\n" + "# filler\n" * 250_000 + f"TOKEN = '{token}'\n")
    assert [finding.rule.id for finding in findings] == ["hard-coded-secret"]
    assert [notice.code for notice in notices] == ["parse-incomplete"]


def test_a_chain_too_deep_to_be_searched_is_said_so() -> None:
    _, notices = scanned("app.py", "a" + ".eval(x)" * 30_000)
    assert [notice.code for notice in notices] == ["parse-incomplete"]
