from kimi_lsp.audit.gate import protected_area
from kimi_lsp.audit.merge import Merger, similarity
from mcp_tools.finding import Finding, Lane, Level, Location, Origin, Region, Rule

SQL = Rule("sql-injection", "s", Level.ERROR, Lane.SECURITY)
XSS = Rule("cross-site-scripting", "s", Level.ERROR, Lane.SECURITY)


def finding(rule: Rule, line: int, message: str, *, model: str | None = None, mark: str = "") -> Finding:
    return Finding(
        rule,
        message,
        Location("a.py", Region(line, 0, line, 10)),
        fingerprint=mark or f"{rule.id}{line}{message}",
        origin=Origin("t", model),
    )


def test_the_same_fingerprint_is_no_news() -> None:
    merger = Merger()
    first = finding(SQL, 1, "one", mark="f")
    assert merger.add(first) is None
    assert merger.add(finding(SQL, 9, "two", mark="f")) is first


def test_a_model_that_repeats_a_tool_is_no_news() -> None:
    merger = Merger()
    tool = finding(SQL, 1, "A query is built from text.")
    assert merger.add(tool) is None
    assert merger.add(finding(SQL, 1, "User input reaches the query", model="kimi")) is tool


def test_the_same_words_under_another_rule_are_no_news() -> None:
    merger = Merger()
    tool = finding(SQL, 1, "the name parameter reaches the query unescaped")
    merger.add(tool)
    assert merger.add(finding(XSS, 1, "The name parameter reaches the query, unescaped.", model="kimi")) is tool


def test_another_defect_on_the_same_line_is_news() -> None:
    merger = Merger()
    merger.add(finding(SQL, 1, "the name parameter reaches the query"))
    assert merger.add(finding(XSS, 1, "the answer is put into a page without escaping", model="kimi")) is None


def test_two_tool_findings_on_one_line_both_stand() -> None:
    merger = Merger()
    merger.add(finding(SQL, 1, "one"))
    assert merger.add(finding(SQL, 1, "two")) is None


def test_short_messages_are_alike_only_when_equal() -> None:
    assert similarity("bad", "bad query") == 0.0
    assert similarity("Bad!", "bad") == 1.0


def test_protected_areas_go_by_whole_words() -> None:
    assert protected_area("src/AuthService.py") == "auth"
    assert protected_area("src/auth/tokens.go") == "auth"
    assert protected_area("db/migrations/0001_initial.py") == "migrations"
    assert protected_area("app/billing.rb") == "payments"
    assert protected_area("customer_export.py") == "customer data"
    assert protected_area("src/author.py") is None
    assert protected_area("src/migrator_docs.md") is None
