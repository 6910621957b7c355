"""The live scan: it says of an edited text what a scan of the whole says, at once or after it settled."""

import random
import string
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_tools.finding import Finding
from mcp_tools.project import Source
from mcp_tools.redaction.find import find_secrets
from mcp_tools.redaction.live import LiveSecrets, hunks
from mcp_tools.security_surface.lines import Lines
from mcp_tools.security_surface.live import LiveScan
from tests.security_surface.edits import Edit, Editor, crowded, whole

CROWDED = tuple(crowded())
_DRAWN = random.Random(21)
TOKEN = "gh" + "p_" + "".join(_DRAWN.choices(string.ascii_letters + string.digits, k=36))
FILLER = "".join(f"def filler_{number}(a, b):\n    return a + b\n\n\n" for number in range(120))


def said(live: LiveScan) -> tuple[tuple[Finding, ...], tuple[object, ...]]:
    return live.findings, live.notices


def edited(text: str, *edits: tuple[int, int, str]) -> tuple[str, list[Edit]]:
    """A text after edits, each into the text before it, and what an editor says of them."""
    told: list[Edit] = []
    for start, stop, new in edits:
        text = text[:start] + new + text[stop:]
        told.append((start, stop, start + len(new)))
    return text, told


class Session:
    """A Python text under a live scan that scans nothing as a whole unless it is told to."""

    def __init__(self, text: str, path: str = "app.py") -> None:
        self.source = Source(path, text, "python")
        self.live = LiveScan(self.source, small=0)

    def edit(self, old: str, new: str) -> list[tuple[str, int]]:
        """Replace the one occurrence of a text; give the rules and lines found."""
        assert self.source.text.count(old) == 1
        at = self.source.text.index(old)
        text, told = edited(self.source.text, (at, at + len(old), new))
        self.source = replace(self.source, text=text)
        self.live.update(self.source, told)
        return self.found

    @property
    def found(self) -> list[tuple[str, int]]:
        regions = [(item.rule.id, item.location.region) for item in self.live.findings]
        return [(rule_id, region.start_line) for rule_id, region in regions if region is not None]


# ------------------------------------------------------------------ what it says


def test_a_new_text_is_scanned_as_a_whole() -> None:
    for source in CROWDED:
        assert said(LiveScan(source)) == whole(source)


def test_a_finding_appears_while_it_is_typed_and_goes_when_it_is_deleted() -> None:
    session = Session(FILLER + "# here\n" + FILLER)
    assert session.edit("# here", "eval(x") == []
    assert session.edit("eval(x", "eval(x)") == [("code-injection", 480)]
    assert session.edit("eval(x)", "# gone") == []


def test_findings_far_below_an_edit_move_with_their_text_and_keep_their_fingerprints() -> None:
    session = Session(f"# here\n{FILLER}eval(x)\nTOKEN = '{TOKEN}'\n")
    before = {item.rule.id: item.fingerprint for item in session.live.findings}
    assert session.edit("# here", "# here\n\n\n# there") == [("code-injection", 484), ("hard-coded-secret", 485)]
    assert {item.rule.id: item.fingerprint for item in session.live.findings} == before


def test_a_finding_whose_lines_did_not_move_is_the_same_object() -> None:
    session = Session(f"{FILLER}eval(x)\n{FILLER}# here\n")
    before = session.live.findings
    session.edit("# here", "# there")
    assert [one is other for one, other in zip(before, session.live.findings, strict=True)] == [True]


def test_a_twin_above_changes_the_fingerprint_of_the_one_below() -> None:
    session = Session(f"# here\n{FILLER}eval(x)\n")
    session.edit("# here", "eval( x )")
    assert said(session.live) == whole(session.source)
    assert len({item.fingerprint for item in session.live.findings}) == 2


def test_a_mark_typed_beside_a_finding_suppresses_it() -> None:
    session = Session(f"{FILLER}eval(x)\n{FILLER}")
    session.edit("eval(x)", "eval(x)  # noqa")
    assert [item.suppressed for item in session.live.findings] == ["in source: noqa"]
    session.edit("  # noqa", "")
    assert [item.suppressed for item in session.live.findings] == [None]


def test_a_secret_is_found_as_its_last_character_is_typed_and_never_shown() -> None:
    session = Session(f"{FILLER}name = '{TOKEN[:-1]}'\n{FILLER}")
    assert session.found == []
    assert session.edit(TOKEN[:-1], TOKEN) == [("hard-coded-secret", 480)]
    assert TOKEN not in repr(session.live.findings)


def test_a_private_key_far_longer_than_the_searched_lines_is_followed() -> None:
    body = "\n".join("".join(_DRAWN.choices(string.ascii_letters + string.digits, k=64)) for _ in range(60))
    kind = "RSA PRIVATE" + " KEY"
    session = Session(f"{FILLER}KEY = '''\n-----BEGIN {kind}-----\n{body}\n-----END {kind}-----\n'''\n{FILLER}")
    assert session.found == [("private-key", 482)]
    for old, new in (
        (body[2_000:2_030], "A" + body[2_000:2_030]),
        (body[3_000:3_030], "A"),
        (f"BEGIN {kind}", "BEGIN NOTHING"),
        ("NOTHING", kind),
    ):
        session.edit(old, new)
        assert said(session.live) == whole(session.source)
    assert session.found == [("private-key", 482)]


def test_a_program_named_far_away_decides_how_its_options_are_read() -> None:
    command = "-u bob:" + "Zr7pQ2xW9v" + " http://host.org"
    live = LiveSecrets(f"# call it\n{FILLER}RUN = '''\n{command}\n'''\n", "app.py")
    assert live.found == []
    for old, new, count in (
        ("# call", "# fall", 0),
        ("# fall", "# curl", 1),
        ("-u b", "-u bob", 1),
        ("# curl", "#", 0),
    ):
        at = live.text.index(old)
        text, told = edited(live.text, (at, at + len(old), new))
        live.update(text, hunks(live.text, text, told))
        at = text.index("http")
        text, told = edited(text, (at, at, "\n"))  # what stands far away is read anew when it is touched
        live.update(text, hunks(live.text, text, told))
        assert live.found == find_secrets(text, "app.py")
        assert len(live.found) == count


def test_a_value_built_far_above_in_the_same_function_decides_at_once() -> None:
    between = "".join(f"    a{number} = {number}\n" for number in range(200))
    session = Session(
        f"{FILLER}def find(cursor, name):\n    query = 'SELECT 1'\n{between}    cursor.execute(query)\n{FILLER}"
    )
    assert session.found == []
    session.edit("'SELECT 1'", "'SELECT * FROM t WHERE n = ' + name")
    assert session.found == [("sql-injection", 481)]


def test_an_import_far_away_decides_at_once() -> None:
    session = Session(f"import os\n{FILLER}def f(x):\n    os.system('ls ' + x)\n")
    assert len(session.found) == 1
    assert session.edit("import os", "import so") == []
    assert len(session.edit("import so", "import os")) == 1


def test_the_only_trigger_word_of_a_rule_can_come_and_go() -> None:
    session = Session(f"{FILLER}# here\n{FILLER}")
    assert session.edit("# here", "import pickle\ndef f(x):\n    pickle.loads(x)") == [("unsafe-deserialization", 482)]
    assert session.edit("pickle.loads", "pickle.load_") == []
    assert session.edit("pickle.load_", "pickle.loads") == [("unsafe-deserialization", 482)]


def test_an_open_quote_in_a_long_text_is_put_right_by_settling_at_the_latest() -> None:
    session = Session(f"{FILLER}# here\n" + FILLER * 40 + "eval(x)\n")
    session.edit("# here", '"""')
    session.live.settle()
    assert said(session.live) == whole(session.source)
    session.edit('"""', "# here")
    session.live.settle()
    assert said(session.live) == whole(session.source)
    assert [rule_id for rule_id, _ in session.found] == ["code-injection"]


def test_how_much_is_no_code_is_counted_where_it_stands_now() -> None:
    session = Session(f"# here\n{FILLER}eval(x)\n" + "%% ]] )) ?? !! <<<< >>>>\n" * 300)
    assert [notice.code for notice in session.live.notices] == ["parse-incomplete"]
    for old, new in (("# here", "a = 1\n\n\nb = 2\n# there"), ("b = 2", "c = [\n    3,\n]\n"), ("# there\n", "")):
        session.edit(old, new)
        assert said(session.live) == whole(session.source)


def test_settling_twice_changes_nothing() -> None:
    session = Session(f"{FILLER}eval(x)\n")
    assert session.live.settle() is False
    session.edit("eval(x)", "eval(y)")
    assert session.live.settle() is False
    assert session.live.settle() is False


def test_another_path_or_language_is_another_text() -> None:
    live = LiveScan(Source("app.py", f"{FILLER}eval(x)\n", "python"), small=0)
    quiet = Source("tests/test_app.py", f"{FILLER}eval(x)\n", "python")
    live.update(quiet, [])
    assert said(live) == whole(quiet)
    text = replace(quiet, language="text")
    live.update(text, [])
    assert live.findings == ()


def test_edits_that_do_not_fit_the_texts_are_not_believed() -> None:
    session = Session(f"{FILLER}eval(x)\n{FILLER}# here\n")
    text = session.source.text.replace("# here", "eval(y)")
    for told in ([], [(0, 0, 3)], [(3, 1, 2)], [(len(text) * 2, len(text) * 3, 5)], [(0, 1, 2)] * 2_000):
        session.live.update(session.source, [])
        changed = replace(session.source, text=text)
        session.live.update(changed, told)
        assert said(session.live) == whole(changed)


def test_many_edits_at_once_are_taken_in() -> None:
    session = Session("".join(f"def f{number}(x):\n    return evil(x)\n\n" for number in range(300)))
    text = session.source.text
    places = [at for at in range(len(text)) if text.startswith("evil", at)][::7]
    changed, told = edited(text, *((at, at + 4, "eval") for at in places))
    session.source = replace(session.source, text=changed)
    session.live.update(session.source, told)
    assert len(session.found) == len(places)
    assert said(session.live) == whole(session.source)


def test_a_text_with_more_places_than_are_judged_at_once_is_right_after_settling() -> None:
    session = Session("".join(f"def f{number}(x):\n    eval(x)\n\n" for number in range(1_200)) + "# here\n")
    session.edit("# here", "eval(a)")
    assert session.found[-1] == ("code-injection", 3_600)
    assert len(session.found) == 1_201
    session.live.settle()
    assert said(session.live) == whole(session.source)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("eval(" + "(" * 50_000, id="open parentheses"),
        pytest.param("eval(" + "a + " * 20_000 + "a)", id="a long sum"),
        pytest.param("x = eval(a);" * 500, id="a long line"),
        pytest.param("x" * 200_000 + " eval(x)", id="one long word"),
        pytest.param("\r".join(f"x{number} = eval(y)" for number in range(300)), id="lone CR"),
        pytest.param("\0\ud800" * 5_000 + "\neval(x)", id="NUL and lone surrogates"),
    ],
)
def test_edits_of_a_hostile_text_are_taken_in(text: str) -> None:
    source = Source("app.py", text, "python")
    live = LiveScan(source, small=0)
    for place, new in ((len(text), "\neval(z)\n"), (0, "y = 1\n"), (len(text) // 2, "'")):
        changed, told = edited(source.text, (place, place, new))
        source = replace(source, text=changed)
        live.update(source, told)
    live.settle()
    assert said(live) == whole(source)


# ------------------------------------------------------------------ any edit


@pytest.mark.parametrize("source", CROWDED, ids=lambda source: source.language)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["LF", "CR LF"])
def test_after_any_edits_it_says_what_a_whole_scan_says(source: Source, line_end: str) -> None:
    drawn = random.Random(f"{source.language} {line_end!r}")
    source = replace(source, text=source.text.replace("\n", line_end))
    live = LiveScan(source, small=0)
    editor = Editor(source.text, drawn)
    right, states = 0, 40
    for _ in range(states):
        text, told = editor.step()
        source = replace(source, text=text)
        live.update(source, told)
        is_right = said(live) == whole(source)
        right += is_right
        if not is_right or drawn.random() < 0.2:
            assert live.settle() is not is_right
            assert said(live) == whole(source)
    assert right >= states - 2


def test_after_any_edits_of_real_code_it_says_what_a_whole_scan_says() -> None:
    source = Source("tarfile.py", Path(tarfile.__file__).read_text(encoding="utf-8"), "python")
    live = LiveScan(source)
    editor = Editor(source.text, random.Random(4))
    right, states = 0, 20
    for _ in range(states):
        text, told = editor.step()
        source = replace(source, text=text)
        live.update(source, told)
        right += said(live) == whole(source)
    live.settle()
    assert said(live) == whole(source)
    assert right >= states - 1


_PIECES = st.sampled_from(["a", "\n", "\r", "\r\n", " ", "é", "🙂", "\u2028", "eval(x)", f"'{TOKEN}'", "key = ", "#"])
_TEXTS = st.lists(_PIECES, max_size=40).map("".join)
_EDITS = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 20), _TEXTS), max_size=4)


@given(_TEXTS, _EDITS)
@settings(max_examples=150, deadline=None)
def test_hunks_turn_one_text_into_the_other(text: str, drawn: list[tuple[int, int, str]]) -> None:
    pieces: list[tuple[int, int, str]] = []
    size = len(text)
    for at, width, new in drawn:
        start = min(at, size)
        stop = min(start + width, size)
        pieces.append((start, stop, new))
        size += len(new) - (stop - start)
    changed, told = edited(text, *pieces)
    rebuilt, at = "", 0
    for hunk in hunks(text, changed, told):
        rebuilt += text[at : hunk.old_start] + changed[hunk.start : hunk.stop]
        assert len(rebuilt) == hunk.stop
        at = hunk.old_stop
    assert rebuilt + text[at:] == changed


@given(_TEXTS, _EDITS)
@settings(max_examples=150, deadline=None)
def test_lines_are_followed_as_a_source_has_them(text: str, drawn: list[tuple[int, int, str]]) -> None:
    lines = Lines("a.py", text, lambda start, stop: text[start:stop])
    for at, width, new in drawn:
        changed, told = edited(text, (min(at, len(text)), min(at + width, len(text)), new))
        secrets = LiveSecrets(text, "a.py")
        stretches = secrets.update(changed, hunks(text, changed, told))
        text = changed
        lines.splice(text, stretches, lambda start, stop, text=text: text[start:stop])
        source = Source("a.py", text)
        for offset in range(0, len(text) + 1, 7):
            stop = min(offset + 9, len(text))
            region = source.region(offset, stop)
            assert lines.region(offset, stop) == region
            assert lines.fingerprint("weak-hash", region) == source.fingerprint("weak-hash", region)


@given(_TEXTS, _EDITS)
@settings(max_examples=100, deadline=None)
def test_secrets_are_followed_through_any_edits(text: str, drawn: list[tuple[int, int, str]]) -> None:
    text = f"{text}\n" + "x = 1\n" * 60
    live = LiveSecrets(text, "a.py")
    for at, width, new in drawn:
        changed, told = edited(text, (min(at, len(text)), min(at + width, len(text)), new))
        live.update(changed, hunks(text, changed, told))
        text = changed
        assert live.found == find_secrets(text, "a.py")
