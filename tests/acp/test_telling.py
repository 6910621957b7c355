"""What is said of findings and money: exact links, honest counts, and no markup of anybody else's."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from textwrap import wrap
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from jsonschema import validate

from kimi_lsp.acp.links import place_link
from kimi_lsp.acp.telling import (
    Account,
    Line,
    budget_text,
    explain_text,
    finding_text,
    findings_text,
    report_text,
    summary,
)
from kimi_lsp.faces.reasons import Because
from kimi_lsp.store.values import Decision, Verdict
from kimi_lsp.usage import Usage
from mcp_tools.finding import Confidence, Finding, Lane, Level, Location, Notice, Origin, Region, Related, Report, Rule
from tests.faces.markdown import links, structure
from tests.faces.test_markup import ATTACKS

ROOT = Path("/p/shop")


def folded(text: str) -> str:
    """Lines that a reader can see the end of; a line that goes on begins with two spaces."""
    return "\n".join("\n  ".join(wrap(line, 110, break_long_words=False)) for line in text.split("\n"))


RULE = Rule("sql-injection", "SQL is built from strings.", Level.ERROR, Lane.SECURITY, ("CWE-89",))
FINDING = Finding(
    RULE,
    "The name reaches the query.",
    Location("src/db.py", Region(41, 4, 41, 20)),
    Confidence.HIGH,
    'db.execute("..." % name)',
    "1a2b3c4d5e6f70819293a4b5c6d7e8f9",
    origin=Origin("security_surface"),
)
MODELS = replace(
    FINDING,
    origin=Origin("kimi", "kimi-k2.6", "run-1/3"),
    level=Level.WARNING,
    fingerprint="ff" * 16,
    protected_area="auth",
    confidence=Confidence.LOW,
)


@pytest.mark.parametrize(
    ("region", "path", "link"),
    [
        (Region(41, 4, 41, 20), "src/db.py", "[`src/db.py:42`](<file:///p/shop/src/db.py#L42:5>)"),
        (Region(9, 0, 19, 3), "src/db.py", "[`src/db.py:10`](<file:///p/shop/src/db.py#L10-L20>)"),
        (Region(9, 0, 10, 0), "src/db.py", "[`src/db.py:10`](<file:///p/shop/src/db.py#L10:1>)"),
        (None, "src/db.py", "[`src/db.py`](<file:///p/shop/src/db.py>)"),
        (Region(0, 0, 0, 0), "a b/ü#?.py", "[`a b/ü#?.py:1`](<file:///p/shop/a%20b/%C3%BC%23%3F.py#L1:1>)"),
    ],
)
def test_a_link_leads_to_the_exact_place(region: Region | None, path: str, link: str) -> None:
    assert place_link(ROOT, Location(path, region)) == link


@pytest.mark.parametrize("path", ["/etc/hosts", "../up.py", "a/../../up.py", "//host/x"])
def test_nothing_outside_the_root_is_linked(path: str) -> None:
    assert place_link(ROOT, Location(path)) == f"`{path}`"


def test_a_finding_says_what_where_who_and_how_sure() -> None:
    assert folded(finding_text(ROOT, MODELS)) == snapshot("""\
**WARNING** `ffffffffffff` [`src/db.py:42`](<file:///p/shop/src/db.py#L42:5>) The name reaches the query.
  **Human decision required (auth).** _(`sql-injection`, by the model `kimi-k2.6`, confidence low)_

```text
db.execute("..." % name)
```\
""")


def test_an_audit_is_told_worst_first_with_what_was_not_checked() -> None:
    hidden = replace(FINDING, suppressed="dismissed", message="Never shown.")
    notices = (
        Notice("denied-path", "never sent to a model", "keys.pem"),
        Notice("budget-exceeded", "The run ceiling of $1.00 would be passed.", incomplete=True),
    )
    assert folded(findings_text(ROOT, Report((MODELS, FINDING, hidden), notices, 12))) == snapshot("""\
**`shop`**: 2 findings (1 error, 1 warning); 12 files read; 1 suppressed.

**Errors** (1)

- `1a2b3c4d5e6f` [`src/db.py:42`](<file:///p/shop/src/db.py#L42:5>) The name reaches the query. _(`sql-
  injection`, by `security_surface`, confidence high)_

**Warnings** (1)

- `ffffffffffff` [`src/db.py:42`](<file:///p/shop/src/db.py#L42:5>) The name reaches the query. **Human
  decision required (auth).** _(`sql-injection`, by the model `kimi-k2.6`, confidence low)_

`/explain ID` says why a finding is there.

Not checked, or with less than was asked for:

- **Incomplete:** The run ceiling of $1.00 would be passed.
- never sent to a model: `keys.pem`\
""")


def test_nothing_found_is_not_the_same_as_nothing_read() -> None:
    assert findings_text(ROOT, Report(files_read=3)) == "**`shop`**: No findings in what was read; 3 files read."
    assert "Nothing was read" in findings_text(ROOT, Report())


def test_more_than_have_room_are_counted() -> None:
    many = tuple(replace(FINDING, fingerprint=f"{n:032x}", message=f"Number {n}.") for n in range(100))
    text = findings_text(ROOT, Report(many, (), 1), max_findings=10)
    assert text.count("Number ") == 10
    assert "**Errors** (100, 10 findings of them here)" in text
    assert "90 more: `/report` has all." in text
    assert report_text(ROOT, Report(many, (), 1)).count("Number ") == 100
    huge = tuple(replace(one, message="x" * 900) for one in many * 5)
    assert "have no room here" in report_text(ROOT, Report(huge, (), 1))


def test_an_explanation_has_the_reasoning_the_rule_and_the_verdict() -> None:
    because = Because(
        "kimi-k2.6",
        "run-1/3",
        "api.example",
        reasoning="First.\nThen.",
        usage=Usage(900, 0, 100),
        cost_usd=Decimal("0.01"),
    )
    verdict = Verdict("ff" * 16, Decision.DISMISSED, "The name is a constant.", "me", "2026-11-25T00:00:00Z")
    text = explain_text(ROOT, replace(MODELS, related=(Related("It starts here", FINDING.location),)), because, verdict)
    for told in (
        "**WARNING** `ffffffffffff`",
        "SQL is built from strings",
        "See [`src/db.py:42`]",
        "To verify",
        "To fix",
        "```text\nFirst.\nThen.\n```",
        "1,000 tokens, $0.01 for the whole call",
        "`kimi-lsp trail show run-1/3`",
        "Dismissed: The name is a constant.",
    ):
        assert told in text, told
    assert "No model was asked" in explain_text(ROOT, FINDING, None, None)
    assert "no record" in explain_text(ROOT, MODELS, None, None)


def test_money_is_told_against_each_ceiling() -> None:
    account = Account(
        Decimal("0.12"),
        (
            Line("a turn", None, None, Decimal("1.00"), None),
            Line("today", Decimal("0.50"), 12_000, Decimal("5.00"), 10_000),
        ),
    )
    assert folded(budget_text(account)) == snapshot("""\
This session has cost $0.12 so far.

| | spent | ceiling | left |
|---|---|---|---|
| a turn | - | $1.00 | - |
| today | $0.50, 12,000 tokens | $5.00, 10,000 tokens | $4.50, 0 tokens |

A ceiling stops the next call before it is made. The option `budget` lowers a turn's; only the user's
  configuration (`[budget]`) raises one. `kimi-lsp budget show` has the calls that never settled.\
""")


_PLACES = ("startLine", "startColumn", "endLine", "endColumn")
_TEXTS = ("id", "ruleId", "message", "path", "fingerprint", "tool", "model", "trailId", "protectedArea")
_PARTS = ("version", "root", "complete", "filesRead", "counts", "results", "moreResults", "notices", "moreNotices")
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        "version",
        "root",
        "complete",
        "filesRead",
        "counts",
        "results",
        "moreResults",
        "notices",
        "moreNotices",
    ],
    "properties": {
        "version": {"const": 1},
        "root": {"type": "string"},
        "complete": {"type": "boolean"},
        "filesRead": {"type": "integer"},
        "counts": {
            "type": "object",
            "required": ["error", "warning", "note"],
            "additionalProperties": {"type": "integer"},
        },
        "moreResults": {"type": "integer"},
        "moreNotices": {"type": "integer"},
        "results": {
            "maxItems": 500,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["id", "ruleId", "level", "message", "path", "confidence", "fingerprint", "tool"],
                "dependentRequired": {"startLine": ["startColumn", "endLine", "endColumn"]},
                "properties": {
                    **{name: {"type": "integer", "minimum": 1} for name in _PLACES},
                    **{name: {"type": "string"} for name in _TEXTS},
                    "suppressed": {"type": "string"},
                    "level": {"enum": ["error", "warning", "note"]},
                    "confidence": {"enum": ["high", "medium", "low"]},
                },
            },
        },
        "notices": {
            "maxItems": 100,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["code", "message", "incomplete"],
                "properties": {
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                    "path": {"type": "string"},
                    "incomplete": {"type": "boolean"},
                },
            },
        },
    },
}


def test_the_summary_for_programs_is_of_the_documented_shape() -> None:
    whole = replace(FINDING, location=Location("a\udcff.py"), suppressed="dismissed: no")
    many = tuple(replace(MODELS, fingerprint=f"{n:032x}") for n in range(600))
    notices = tuple(Notice("x", "y", None if n else "z", incomplete=bool(n)) for n in range(120))
    told = json.loads(json.dumps(summary(ROOT, Report((*many, whole), notices, 5))))
    validate(told, SCHEMA)
    assert (told["moreResults"], told["moreNotices"], told["counts"]["warning"]) == (101, 20, 600)
    assert told["complete"] is False
    grave = replace(FINDING, location=Location("z.py"))
    assert json.loads(json.dumps(summary(ROOT, Report((*many, grave)))))["results"][0]["path"] == "z.py"
    [one] = json.loads(json.dumps(summary(ROOT, Report((FINDING,)))))["results"]
    assert [one[name] for name in ("startLine", "startColumn", "endLine", "endColumn")] == [42, 5, 42, 21]


def test_a_summary_can_be_sent_whatever_bytes_a_name_is_made_of() -> None:
    odd = "a\udcff"
    finding = replace(
        FINDING,
        rule=replace(RULE, id=odd),
        message=odd * 2_000,
        origin=Origin(odd, odd, odd),
        protected_area=odd,
        suppressed=odd,
    )
    sent = msgspec.json.decode(msgspec.json.encode(summary(ROOT, Report((finding,), (Notice("x", odd, odd),)))))
    [one] = sent["results"]
    names = ("ruleId", "tool", "model", "trailId", "protectedArea", "suppressed")
    assert {one[name] for name in names} == {"a\\xff"}
    assert len(one["message"]) == 2_000
    validate(sent, SCHEMA)


@pytest.mark.parametrize("message", ["# heading", "---", "> quote", "a\n\n# heading", "- # heading"])
def test_a_notice_is_words_at_the_start_of_its_line(message: str) -> None:
    text = findings_text(ROOT, Report((), (Notice("x", message),), 1))
    assert not [element for element in structure(text) if element.startswith(("heading", "hr", "blockquote"))]


hostile = st.sampled_from(ATTACKS) | st.text(max_size=60)


@given(hostile, hostile, hostile, hostile)
def test_no_text_of_a_file_or_a_model_becomes_a_link_or_an_image(message: str, path: str, why: str, area: str) -> None:
    location = Location(path.replace("\0", "") or "x", Region(1, 2, 3, 4))
    rule = replace(RULE, id="no-such-rule", summary=why)
    finding = replace(MODELS, rule=rule, message=message, location=location, evidence=why, protected_area=area)
    because = Because(why, "run/1", area, reasoning=message)
    report = Report((finding,), (Notice("x", message, path, incomplete=True), Notice("y", why)), 1)
    for text in (findings_text(ROOT, report), report_text(ROOT, report), explain_text(ROOT, finding, because, None)):
        assert all(found.startswith("file:///p/shop/") for found in links(text)), text
        assert not [element for element in structure(text) if element.startswith(("heading", "html", "image", "hr"))]
    assert msgspec.json.encode(summary(ROOT, report))
