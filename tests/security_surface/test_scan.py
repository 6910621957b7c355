"""The tool as a whole: secrets, marks in the source, quiet places, order, fingerprints, what could not be read."""

import random
import string

import pytest

from mcp_tools.finding import Confidence, Finding, Level, Notice
from mcp_tools.project import MemoryProject
from mcp_tools.security_surface import scan

EVAL = "def f(x):\n    eval(x)\n"
_WORDS = random.Random(5)
TOKEN = "gh" + "p_" + "".join(_WORDS.choices(string.ascii_letters + string.digits, k=36))
OTHER = "gh" + "p_" + "".join(_WORDS.choices(string.ascii_letters + string.digits, k=36))


def found(files: dict[str, str | bytes], *paths: str) -> list[Finding]:
    return [item for item in scan(MemoryProject(files), paths, ruff=None) if isinstance(item, Finding)]


def only(files: dict[str, str | bytes]) -> Finding:
    (finding,) = found(files)
    return finding


def test_findings_come_in_the_order_of_the_listing_and_of_the_text() -> None:
    text = "import os\ndef f(x):\n    os.system('ls ' + x)\n    eval(x)\n"
    places = [(item.location.path, item.rule.id) for item in found({"b.py": text, "a.py": EVAL})]
    assert places == [("a.py", "code-injection"), ("b.py", "shell-injection"), ("b.py", "code-injection")]


def test_only_the_named_paths_are_scanned() -> None:
    assert [item.location.path for item in found({"a.py": EVAL, "b.py": EVAL}, "b.py")] == ["b.py"]


def test_a_file_that_cannot_be_read_is_a_notice() -> None:
    items = list(scan(MemoryProject({"a.py": b"\0\0"}), ("a.py", "gone.py"), ruff=None))
    assert [(item.code, item.path) for item in items if isinstance(item, Notice)] == [
        ("binary-file", "a.py"),
        ("no-such-file", "gone.py"),
    ]


def test_a_scan_of_many_files_gives_what_each_gives_alone() -> None:
    files: dict[str, str | bytes] = {f"d{number % 7}/m{number}.py": f"# {number}\n{EVAL}" for number in range(450)}
    together = [(item.location, item.fingerprint) for item in found(files)]
    alone = [(item.location, item.fingerprint) for path in sorted(files) for item in found({path: files[path]})]
    assert together == alone


# ------------------------------------------------------------------ secrets


@pytest.mark.parametrize("path", ["app.py", "deploy.yaml", "notes.unknown", ".env", "Dockerfile"])
def test_a_token_is_found_in_any_kind_of_file_and_never_shown(path: str) -> None:
    finding = only({path: f'TOKEN = "{TOKEN}"\n'})
    assert (finding.rule.id, finding.confidence, finding.severity) == (
        "hard-coded-secret",
        Confidence.HIGH,
        Level.ERROR,
    )
    assert TOKEN not in repr(finding)
    assert TOKEN[6:] not in finding.evidence


def test_no_finding_on_a_line_with_a_secret_shows_it() -> None:
    text = f"import os\ndef f(x):\n    os.system('curl -H {TOKEN} ' + x)\n"
    findings = found({"app.py": text})
    assert {finding.rule.id for finding in findings} == {"hard-coded-secret", "shell-injection"}
    for finding in findings:
        assert TOKEN not in repr(finding)
        assert TOKEN[8:] not in repr(finding)


def test_the_fingerprint_of_a_secret_does_not_depend_on_its_value() -> None:
    one, other = (only({"app.py": f'TOKEN = "{token}"\n'}).fingerprint for token in (TOKEN, OTHER))
    assert one == other


def test_a_private_key_has_its_own_rule() -> None:
    body = "\n".join("".join(_WORDS.choices(string.ascii_letters + string.digits, k=64)) for _ in range(6))
    kind = "RSA PRIVATE" + " KEY"
    finding = only({"server.txt": f"-----BEGIN {kind}-----\n{body}\n-----END {kind}-----\n"})
    assert finding.rule.id == "private-key"
    assert body[:20] not in repr(finding)


def test_a_file_made_for_secrets_is_reported_for_what_it_holds_not_for_its_name() -> None:
    assert found({".env": "DEBUG=0\nPORT=8000\n", "public.pem": "text\n"}) == []
    assert [item.location.path for item in found({".env": f"TOKEN={TOKEN}\n"})] == [".env"]


# ------------------------------------------------------------------ marks in the source


@pytest.mark.parametrize(
    ("comment", "reason"),
    [
        ("# noqa", "noqa"),
        ("# noqa: S307", "noqa S307"),
        ("# noqa: E501,S307", "noqa E501,S307"),
        ("# noqa: S", "noqa S"),
        ("# type: ignore  # noqa: S307", "noqa S307"),
        ("# nosec", "nosec"),
        ("# nosec B307", "nosec B307"),
        ("# kimi: ignore[code-injection]", "kimi: ignore[code-injection]"),
        ("# why  kimi: ignore[weak-hash, code-injection]", "kimi: ignore[code-injection]"),
    ],
)
def test_a_mark_on_the_line_suppresses_and_is_kept(comment: str, reason: str) -> None:
    assert only({"app.py": f"def f(x):\n    eval(x)  {comment}\n"}).suppressed == f"in source: {reason}"


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa: E501",
        "# noqa: S101",
        "# nosec B101",
        "# kimi: ignore[weak-hash]",
        "# kimi: ignore",
        "# a noqaX",
        "; 'nosec'",
    ],
)
def test_a_mark_for_something_else_does_not_suppress(comment: str) -> None:
    assert only({"app.py": f"def f(x):\n    eval(x)  {comment}\n"}).suppressed is None


def test_a_mark_on_another_line_does_not_suppress() -> None:
    assert only({"app.py": "# noqa\ndef f(x):\n    eval(x)\n    # nosec\n"}).suppressed is None


def test_a_mark_works_in_other_languages() -> None:
    text = "function f(x) {\n  eval(x); // kimi: ignore[code-injection]\n}\n"
    assert only({"app.js": text}).suppressed == "in source: kimi: ignore[code-injection]"
    assert only({"app.go": "package a\nvar c = tls.Config{InsecureSkipVerify: true} // #nosec G402\n"}).suppressed


@pytest.mark.parametrize("comment", ["# noqa", "# nosec", "# noqa: S105"])
def test_a_blanket_mark_does_not_suppress_a_secret(comment: str) -> None:
    assert only({"app.py": f'TOKEN = "{TOKEN}"  {comment}\n'}).suppressed is None


@pytest.mark.parametrize(
    "comment", ["# kimi: ignore[hard-coded-secret]", "# gitleaks:allow", "# pragma: allowlist secret"]
)
def test_a_mark_that_names_secrets_suppresses_one(comment: str) -> None:
    suppressed = only({"app.py": f'TOKEN = "{TOKEN}"  {comment}\n'}).suppressed
    assert suppressed == f"in source: {comment.removeprefix('# ')}"


# ------------------------------------------------------------------ levels and fingerprints


@pytest.mark.parametrize(
    "path",
    [
        "tests/app.py",
        "src/test_app.py",
        "app_test.py",
        "examples/app.py",
        "docs/app.py",
        "conftest.py",
        "a/testdata/x.py",
    ],
)
def test_a_finding_in_a_test_or_example_is_a_note(path: str) -> None:
    assert only({path: "import os\ndef f(x):\n    os.system('ls ' + x)\n"}).severity is Level.NOTE


@pytest.mark.parametrize("path", ["app.py", "contest/app.py", "latest.py", "src/testing_tools.py"])
def test_a_finding_elsewhere_keeps_its_rules_level(path: str) -> None:
    assert only({path: "import os\ndef f(x):\n    os.system('ls ' + x)\n"}).severity is Level.ERROR


def test_what_is_of_low_confidence_is_never_an_error() -> None:
    finding = only({"app.py": EVAL})
    assert (finding.confidence, finding.severity) == (Confidence.LOW, Level.WARNING)


def test_a_fingerprint_survives_lines_added_above_and_tells_equal_lines_apart() -> None:
    text = "def f(x):\n    eval(x)\n    eval(x)\n"
    before = [item.fingerprint for item in found({"app.py": text})]
    after = [item.fingerprint for item in found({"app.py": f"import os\n\n\n{text}"})]
    assert before == after
    assert len(set(before)) == 2


def test_a_name_in_sql_and_a_switch_that_an_option_decides_are_of_low_confidence() -> None:
    forced = "import ssl\ndef f(c):\n    c.verify_mode = ssl.CERT_NONE\n"
    asked = "import ssl\ndef f(c, verify):\n    if not verify:\n        c.verify_mode = ssl.CERT_NONE\n"
    assert only({"app.py": forced}).confidence is Confidence.HIGH
    assert only({"app.py": asked}).confidence is Confidence.LOW
    name = "def f(cursor, t):\n    cursor.execute(f'SELECT * FROM {t}')\n"
    value = "def f(cursor, t):\n    cursor.execute(f'SELECT * FROM users WHERE a = {t}')\n"
    assert only({"app.py": name}).confidence is Confidence.LOW
    assert only({"app.py": value}).confidence is Confidence.HIGH


def test_a_weak_hash_is_judged_by_what_it_is_for() -> None:
    for line, confidence in {
        "password_hash = hashlib.md5(x)": Confidence.HIGH,
        "etag = hashlib.md5(x)": Confidence.LOW,
        "value = hashlib.md5(x)": Confidence.MEDIUM,
    }.items():
        assert only({"app.py": f"import hashlib\n{line}\n"}).confidence is confidence


@pytest.mark.parametrize(
    ("sql", "confidence"),
    [
        ("SELECT * FROM users WHERE a = '{x}'", Confidence.HIGH),
        ('SELECT * FROM users WHERE a = "{x}"', Confidence.HIGH),
        ("SELECT * FROM users WHERE a LIKE '%{x}%'", Confidence.HIGH),
        ("SELECT * FROM users WHERE a IN ({x})", Confidence.HIGH),
        ("INSERT INTO users VALUES (1, {x})", Confidence.HIGH),
        ("SELECT * FROM users LIMIT {x}", Confidence.HIGH),
        ("SELECT * FROM users WHERE {x}", Confidence.LOW),
        ("SELECT * FROM users WHERE a = 'b' AND {x}", Confidence.LOW),
        ("SELECT a, {x} FROM users", Confidence.LOW),
        ('SELECT * FROM "{x}"', Confidence.LOW),
        ("DROP TABLE a.'{x}'", Confidence.LOW),
        ("SELECT * FROM users ORDER BY {x}", Confidence.LOW),
    ],
)
def test_sql_is_surer_where_a_value_stands_than_where_a_name_does(sql: str, confidence: Confidence) -> None:
    assert only({"app.py": f"def f(cursor, x):\n    cursor.execute(f'''{sql}''')\n"}).confidence is confidence
