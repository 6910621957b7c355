"""The same story in Neovim and in Emacs: both show it in the same words and at the same places."""

import os
import signal
from pathlib import Path

from msgspec.structs import replace

from tests.editors.expected import ACCESS, EVAL, TOKEN, TRAVERSAL, Review
from tests.editors.programs import Program, each, folder
from tests.editors.steered import Done, Shown, Steered
from tests.editors.workshop import SECRET, Workshop
from tests.fakes.kimi import FakeKimi

pytestmark = each("neovim", "emacs")


def down(shown: Shown, lines: int) -> Shown:
    """The same, some lines further down."""
    return replace(shown, line=shown.line + lines)


def begin(review: Review, editor: Steered, workshop: Workshop) -> None:
    """Have the file audited, and wait until the first finding of the model is on show."""
    editor.until_shown(lambda shown: len(shown) == 2)
    editor.execute("kimi.auditFile", {"uri": workshop.file.as_uri()})
    review.let_one_through()
    editor.until_shown(lambda shown: len(shown) == 3)


def test_findings_stand_at_their_text_and_follow_it_until_it_goes(editor: Steered) -> None:
    assert editor.until_shown(lambda shown: len(shown) == 2) == [TOKEN, EVAL]

    before = len(editor.seen)
    editor.edit(0, 0, "# 🎉", "# two lines more")
    editor.until_shown(lambda shown: shown == [down(TOKEN, 2), down(EVAL, 2)])
    assert {tuple(sorted(one.code for one in shown)) for shown in editor.seen[before:]} == {(EVAL.code, TOKEN.code)}

    editor.edit(8, 9, "\treturn name")
    editor.until_shown(lambda shown: shown == [down(TOKEN, 2)])
    editor.edit(4, 5, 'TOKEN = ""')
    editor.until_shown(lambda shown: shown == [])
    assert editor.popups == []


def test_a_hover_says_why_and_the_menu_puts_it_away(editor: Steered) -> None:
    editor.until_shown(lambda shown: len(shown) == 2)
    text = editor.hover(EVAL.line, EVAL.column, "Rule")
    for words in (EVAL.message, "code-injection", "Confidence medium", "without a model", "To fix:"):
        assert words in text

    titles = editor.actions(EVAL.line, EVAL.column)
    assert titles[:8] == [
        "Kimi: Confirm code-injection",
        "Kimi: Dismiss code-injection: false positive",
        "Kimi: Dismiss code-injection: accepted risk",
        "Kimi: Dismiss code-injection: intended",
        "Kimi: Dismiss code-injection: not worth fixing",
        "Kimi: Copy as Markdown: code-injection",
        "Kimi: Open rule page: code-injection",
        "Kimi: Audit this file again",
    ]
    assert set(titles[8:]) <= {"Kimi: Audit the selection"}, "eglot selects the word at point"

    editor.actions(EVAL.line, EVAL.column, choose=titles[2])
    editor.until_shown(lambda shown: shown == [TOKEN])
    assert editor.popups == []


def test_the_editors_settings_are_heard(program: Program, workshop: Workshop) -> None:
    editor = Steered(program, workshop, settings={"minConfidence": "high"})
    try:
        editor.open(workshop.file)
        editor.until_shown(lambda shown: shown == [TOKEN])
        editor.edit(0, 0, "# one line more")
        editor.until_shown(lambda shown: shown == [down(TOKEN, 1)])
    finally:
        workshop.family.kill()
        editor.close()


def test_findings_of_a_model_come_while_it_answers_and_follow_their_text(
    editor: Steered, workshop: Workshop, kimi: FakeKimi, review: Review
) -> None:
    begin(review, editor, workshop)
    assert editor.shown == [TOKEN, EVAL, TRAVERSAL]

    editor.edit(0, 0, "# one line more")
    editor.until_shown(lambda shown: shown == [down(TOKEN, 1), down(EVAL, 1), down(TRAVERSAL, 1)])
    assert kimi.running == 1
    assert editor.done == []

    review.let_all_through()
    whole = [down(one, 1) for one in (TOKEN, EVAL, ACCESS, TRAVERSAL)]
    editor.until_shown(lambda shown: shown == whole)
    assert editor.until_done() == Done("finished", findings=4)
    assert editor.shown == whole

    editor.edit(12, 13, "    return open(root).read()")
    editor.until_shown(lambda shown: shown == [one for one in whole if one.code != TRAVERSAL.code])
    editor.undo()
    editor.until_shown(lambda shown: shown == whole)
    assert len(kimi.chats) == 1
    kimi.assert_no_secret([SECRET])
    assert editor.popups == []


def test_the_server_ends_with_its_editor_and_the_model_is_hung_up_on(
    editor: Steered, workshop: Workshop, kimi: FakeKimi, review: Review
) -> None:
    begin(review, editor, workshop)
    [server] = workshop.family.servers()
    loaded = Path(f"/proc/{server}/maps").read_text("utf-8")
    assert str(folder()) not in loaded, "the server runs with the machine's own libraries"
    editor.quit()
    workshop.family.wait_until_gone(timeout_s=5.0)
    kimi.wait_for(lambda fake: fake.chats[0].closed_by_client_at is not None)


def test_the_server_ends_when_its_editor_is_killed(
    editor: Steered, workshop: Workshop, kimi: FakeKimi, review: Review
) -> None:
    begin(review, editor, workshop)
    assert len(workshop.family.servers()) == 1
    os.kill(editor.terminal.process.pid, signal.SIGKILL)
    workshop.family.wait_until_gone(timeout_s=5.0)
    kimi.wait_for(lambda fake: fake.chats[0].closed_by_client_at is not None)
