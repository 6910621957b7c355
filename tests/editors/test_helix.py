"""The story in Helix, which has no scripts: keys go in, and the screen is read."""

import re
from collections.abc import Iterator

import pytest

from tests.editors.expected import ACCESS, EVAL, TOKEN, TRAVERSAL, Review
from tests.editors.helix import Helix
from tests.editors.programs import Program, each
from tests.editors.terminal import PATIENCE_S
from tests.editors.workshop import SECRET, Workshop
from tests.fakes.kimi import FakeKimi

pytestmark = each("helix")

ESCAPE, ENTER = "\x1b", "\r"
ROW = re.compile(r"^(.) {,3}(\d+)  ?(.*)$")  # the mark of a diagnostic, the line's number, its text


def marked(text: str) -> dict[int, str]:
    """The lines with a diagnostic's mark, by number."""
    rows = (ROW.match(line) for line in text.split("\n"))
    return {int(row[2]): row[3].strip() for row in rows if row and row[1] == "●"}


def until_marked(helix: Helix, rows: dict[int, str]) -> None:
    """Wait until exactly these lines are marked, by their number, each with its text and message."""
    helix.terminal.until(lambda text: marked(text) == rows)


def is_normal(text: str) -> bool:
    """Say whether keys are commands."""
    return "\n NOR " in text


@pytest.fixture
def helix(program: Program, workshop: Workshop) -> Iterator[Helix]:
    running = Helix(program, workshop)
    try:
        yield running
    finally:
        workshop.family.kill()
        running.close()


def test_findings_stand_at_their_text_and_follow_it_until_it_goes(helix: Helix) -> None:
    secret = f'TOKEN = "{SECRET}"  {TOKEN.message}'
    until_marked(helix, {3: secret, 7: f'label = "🎉é"; return {EVAL.text}  {EVAL.message}'})

    helix.type("ggO# 🎉 one line more", lambda text: "more" in text)
    helix.type(ESCAPE, is_normal)
    until_marked(helix, {4: secret, 8: f'label = "🎉é"; return {EVAL.text}  {EVAL.message}'})

    helix.type("]d", lambda text: " 4:" in text.splitlines()[-1])
    helix.type("]d", lambda text: " 8:" in text.splitlines()[-1])  # the finding's text is selected
    helix.type("c0", lambda text: '"🎉é"; return 0' in text)
    helix.type(ESCAPE, is_normal)
    until_marked(helix, {4: secret})


def test_a_hover_says_why_and_the_menu_has_what_can_be_done(helix: Helix) -> None:
    helix.terminal.until(lambda text: len(marked(text)) == 2)
    helix.type("]d", lambda text: " 3:" in text.splitlines()[-1])
    helix.type("]d", lambda text: " 7:" in text.splitlines()[-1])
    helix.type(" k", lambda text: "Confidence medium" in text and "To fix:" in text)
    helix.type(ESCAPE, lambda text: "Confidence" not in text)

    menu = {
        "Kimi: Confirm code-injection",
        "Kimi: Dismiss code-injection: false positive",
        "Kimi: Dismiss code-injection: accepted risk",
        "Kimi: Dismiss code-injection: intended",
        "Kimi: Dismiss code-injection: not worth fixing",
        "Kimi: Copy as Markdown: code-injection",
        "Kimi: Open rule page: code-injection",
        "Kimi: Audit this file again",
        "Kimi: Audit the selection",
    }
    helix.type(" a", lambda text: set(re.findall(r"Kimi: \S+(?: \S+)*", text)) == menu)


def test_the_editors_settings_are_heard(program: Program, workshop: Workshop) -> None:
    helix = Helix(program, workshop, settings={"minConfidence": "high"})
    try:
        until_marked(helix, {3: f'TOKEN = "{SECRET}"  {TOKEN.message}'})
        helix.type("ggO# one line more", lambda text: "more" in text)
        until_marked(helix, {4: f'TOKEN = "{SECRET}"  {TOKEN.message}'})
    finally:
        workshop.family.kill()
        helix.close()


def test_findings_of_a_model_come_while_it_answers_and_the_server_ends_with_the_editor(
    helix: Helix, workshop: Workshop, kimi: FakeKimi, review: Review
) -> None:
    helix.terminal.until(lambda text: len(marked(text)) == 2)
    helix.type(":lsp-workspace-command kimi.auditFile", lambda text: text.endswith("kimi.auditFile"))
    review.let_one_through()
    helix.type(ENTER, lambda text: marked(text).get(12) == f"{TRAVERSAL.text}  {TRAVERSAL.message}")
    assert sorted(marked(helix.terminal.text)) == [3, 7, 12]
    assert kimi.running == 1

    review.let_all_through()
    helix.terminal.until(lambda text: marked(text).get(10) == f"{ACCESS.text}  {ACCESS.message}")
    assert sorted(marked(helix.terminal.text)) == [3, 7, 10, 12]
    kimi.assert_no_secret([SECRET])

    assert len(workshop.family.servers()) == 1
    helix.terminal.type(":q!" + ENTER)
    assert helix.terminal.process.wait(PATIENCE_S) == 0
    workshop.family.wait_until_gone(timeout_s=5.0)
