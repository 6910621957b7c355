"""Hover, reasoning document and Markdown copy: all that is known, and no attack of a file or a model survives."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from kimi_lsp.faces.markup import dollars, lines_of
from kimi_lsp.faces.reasons import Because
from kimi_lsp.faces.rule_pages import advice, page_uri
from kimi_lsp.lsp.explain import Explained, as_markdown, hover, reasoning_document
from kimi_lsp.store.values import Decision, Verdict
from kimi_lsp.usage import Usage
from mcp_tools.finding import Confidence, Finding, Location, Region, Related
from mcp_tools.output import printable
from tests.faces.markdown import fences, links, structure, words
from tests.faces.test_markup import ATTACKS
from tests.lsp.shown import BY_MODEL, BY_TOOL, SOURCE, SQL, shown

_BECAUSE = Because(
    "kimi-k2.6",
    "run-7/3",
    endpoint="api.example",
    asked_at="2026-11-24T10:00:00Z",
    reasoning="\n".join(f"Step {number}." for number in range(1, 13)),
    answer='{"findings": []}',
    status="reviewed",
    usage=Usage(12_345, 12_000, 678, 600),
    cost_usd=Decimal("0.012300000"),
)
_VERDICT = Verdict("22" * 16, Decision.CONFIRMED, "seen in review", "ann", "2026-11-24T11:00:00Z")


def _hover(*items: Explained, is_markdown: bool = True) -> str:
    return hover(items, SOURCE, is_markdown=is_markdown).value


def test_the_hover_of_a_models_finding_says_why_and_for_how_much() -> None:
    finding = replace(BY_MODEL, protected_area="payments", evidence="query = asked")
    told = _hover(Explained(shown(finding, is_stale=True), _BECAUSE, _VERDICT))
    page = advice("sql-injection")
    for name, text in (("PAGE", page_uri("sql-injection")), ("VERIFY", page.verify), ("FIX", page.fix)):
        told = told.replace(text or "?", name)
    assert told == snapshot("""\
**Error**: Whoever calls this chooses the query.

**Human decision required**: payments. A model may flag this; it does not decide.

**Stale**: the text has changed since. Audit it again to know.

Rule [`sql-injection`](<PAGE>): SQL is built from text that is not constant.

Confidence medium; found by the model `kimi-k2.6`; its call cost $0.0123

Evidence:
```text
query = asked
```

Reasoning, its beginning:
```text
Step 1.
Step 2.
Step 3.
Step 4.
Step 5.
Step 6.
Step 7.
Step 8.
… 4 more lines
```

To verify, rule out what is not meant. VERIFY

To fix: FIX

Confirmed by `ann` on `2026-11-24`: seen in review\
""")


def test_the_plain_hover_of_a_tools_finding_has_no_markup() -> None:
    rule = replace(SQL, id="house-rule", summary="Names are short.")
    told = _hover(Explained(shown(replace(BY_TOOL, rule=rule))), is_markdown=False)
    assert told == snapshot("""\
Error: The query is built from `query`.

Rule house-rule: Names are short.

Confidence high; found by security_surface, without a model

See app/web.py:7:3: it comes from here

To verify: read the marked text against the rule; the tool saw no more than that.

Not decided yet: "Kimi: Confirm" and "Kimi: Dismiss" are in the quick fixes.\
""")


def test_the_client_is_told_which_kind_it_gets() -> None:
    items = [Explained(shown(BY_TOOL))]
    assert hover(items, None, is_markdown=True).kind == "markdown"
    assert hover(items, None, is_markdown=False).kind == "plaintext"


def test_evidence_that_stands_under_the_pointer_is_not_said_again() -> None:
    one = shown(BY_TOOL)
    assert "Evidence" not in _hover(Explained(one))
    assert "Evidence" in _hover(Explained(replace(one, is_stale=True)))
    assert "Evidence" in _hover(Explained(replace(one, region=Region(0, 0, 0, 0))))
    assert "Evidence" in hover([Explained(one)], None, is_markdown=True).value


def test_a_rule_without_a_page_is_verified_by_reading() -> None:
    rule = replace(SQL, id="house-rule")
    assert "A model can be wrong" in _hover(Explained(shown(replace(BY_MODEL, rule=rule))))
    assert "](" not in _hover(Explained(shown(replace(BY_MODEL, rule=rule))))


def test_a_dismissed_finding_says_why() -> None:
    verdict = replace(_VERDICT, decision=Decision.DISMISSED, reason="test data", who="")
    assert _hover(Explained(shown(BY_TOOL), None, verdict)).endswith("Dismissed on `2026-11-24`: test data")


def test_many_findings_at_one_place_are_counted_beyond_the_fourth() -> None:
    told = _hover(*(Explained(shown(BY_MODEL)) for _ in range(9)))
    assert told.count("Whoever calls this") == 4
    assert told.endswith("5 more here.")


def _hostile(text: str) -> Explained:
    """An explained finding that says the text wherever a model, a file or a person can."""
    place = Location(text or "x", Region(0, 0, 0, 1))
    finding = Finding(
        replace(SQL, summary=text),
        text or "x",
        replace(place, region=None),
        Confidence.LOW,
        evidence=f"x{text}",
        fingerprint=text or "x",
        related=(Related(text or "x", place),),
        origin=replace(BY_MODEL.origin, model=text or "x"),
        protected_area=text or "x",
    )
    because = Because(
        text or "x",
        text or "x",
        endpoint=text or "x",
        asked_at=text or "x",
        reasoning=f"x{text}",
        answer=f"x{text}",
        status=text or "x",
        cost_usd=Decimal(1),
    )
    verdict = Verdict("x", Decision.DISMISSED, text or "x", text or "x", "2026-11-24")
    return Explained(shown(finding), because, verdict)


def _does_nothing(text: str) -> None:
    item, tame = _hostile(text), _hostile("tame")
    said, wanted = _hover(item), _hover(tame)
    assert structure(said) == structure(wanted)
    assert links(said) == [page_uri("sql-injection")]
    document = reasoning_document(item.shown, item.because, item.verdict)
    assert structure(document) == structure(reasoning_document(tame.shown, tame.because, tame.verdict))
    assert links(document) == []
    copied = as_markdown(item.shown)
    assert structure(copied) == structure(as_markdown(tame.shown))
    assert links(copied) == []
    plain = _hover(item, is_markdown=False)
    for told in (said, document, copied, plain):
        assert printable(told, keep="\n\t") == told


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_in_any_field_does_nothing(attack: str) -> None:
    _does_nothing(attack)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(ATTACKS) | st.text(max_size=20), max_size=4).map("".join).filter(str.strip))
def test_no_text_in_any_field_does_anything(text: str) -> None:
    _does_nothing(text)


def test_a_flood_of_text_is_cut_in_a_hover_and_a_copy() -> None:
    item = _hostile("flood " * 100_000)
    assert len(_hover(item)) < 20_000
    assert len(_hover(item, is_markdown=False)) < 20_000
    assert len(as_markdown(item.shown)) < 20_000


def test_the_reasoning_document_names_the_call() -> None:
    told = reasoning_document(shown(BY_MODEL), replace(_BECAUSE, reasoning="It is so."), _VERDICT)
    assert told == snapshot("""\
# Kimi: `sql-injection`

- finding: Whoever calls this chooses the query.
- place: `app/db.py:3:5`
- level: error, confidence: medium
- fingerprint: `22222222222222222222222222222222`
- verdict: confirmed seen in review

## What was asked

- model: `kimi-k2.6`
- endpoint: `api.example`
- asked at: `2026-11-24T10:00:00Z`
- status: `reviewed`
- record: `run-7/3`
- usage of the whole call: 12,345 tokens in (12,000 of them cached), 678 out (600 of them reasoning)
- cost of the whole call: $0.0123
- the prompt, as it was sent: `kimi-lsp trail show run-7/3`

## Reasoning

```text
It is so.
```

## Answer

```text
{"findings": []}
```
""")


@given(st.text(min_size=1).filter(str.strip) | st.sampled_from(["```\n# out", "~~~\n````\n`````x\n[a](b)"]))
def test_reasoning_is_kept_to_the_letter(text: str) -> None:
    told = reasoning_document(shown(BY_MODEL), replace(_BECAUSE, reasoning=text, answer=""))
    assert fences(told) == [f"{lines_of(text)}\n"]


def test_without_a_call_the_document_says_why() -> None:
    assert "No model was asked: `security_surface` found this by itself." in reasoning_document(shown(BY_TOOL), None)
    assert "The trail has no record of the call" in reasoning_document(shown(BY_MODEL), None)
    silent = reasoning_document(shown(BY_MODEL), replace(_BECAUSE, reasoning=" ", answer=""))
    assert "The endpoint sent no reasoning." in words(silent)
    assert "There was none." in words(silent)


def test_a_copy_is_ready_for_an_issue() -> None:
    finding = replace(BY_MODEL, message="@octocat see #12", protected_area="auth", related=BY_TOOL.related)
    assert as_markdown(replace(shown(finding), region=Region(7, 0, 7, 3))) == snapshot("""\
**error** sql-injection: @&#8203;octocat see \\#&#8203;12

- place: app/db.py:8:1
- **human decision required (auth)**
- confidence: medium
- found by: kimi-k2.6
- see app/web.py:7:3: it comes from here
- fingerprint: 22222222222222222222222222222222
""")


@pytest.mark.parametrize(
    ("amount", "said"),
    [("0", "$0.00"), ("1", "$1.00"), ("0.0123", "$0.0123"), ("0.0000001", "$0.00"), ("1234.5", "$1,234.50")],
)
def test_money_is_said_to_the_millionth(amount: str, said: str) -> None:
    assert dollars(Decimal(amount)) == said
