"""Findings of one document through edits, audits and cancelled audits."""

from kimi_lsp.lsp.board import Board, Late, Layer
from kimi_lsp.lsp.encoding import PositionEncoding
from kimi_lsp.lsp.marks import follow
from kimi_lsp.lsp.mirror import Change, Mirror
from mcp_tools.finding import Finding, Lane, Level, Location, Origin, Rule
from mcp_tools.project import Source

TEXT = "import os\n\ndef run(name):\n    os.system('ls ' + name)\n    return open(name)\n"
SHELL = Rule("shell-injection", "A command is built from text", Level.ERROR, Lane.SECURITY)
PATH = Rule("path-traversal", "A path is built from outside text", Level.ERROR, Lane.SECURITY)


class Desk:
    """A document with its board, and words for what a test does to it."""

    def __init__(self, text: str = TEXT) -> None:
        self.mirror = Mirror(text, 1, PositionEncoding.UTF32)
        self.board = Board()

    @property
    def source(self) -> Source:
        return self.mirror.source("app.py", "python")

    def line_of(self, offset: int) -> int:
        return self.mirror.position(offset)[0]

    def edit(self, old: str, new: str) -> None:
        start = self.mirror.text.index(old)
        first, last = self.source.position(start), self.source.position(start + len(old))
        self.board.apply(self.mirror.apply([Change((*first, *last), new)], self.mirror.version + 1))

    def finding(self, rule: Rule, text: str, message: str = "Bad.", *, model: str | None = "kimi-k2.6") -> Finding:
        start = self.source.text.index(text)
        region = self.source.region(start, start + len(text))
        stamp = self.source.fingerprint(rule.id, region)
        return Finding(rule, message, Location("app.py", region), fingerprint=stamp, origin=Origin("kimi", model))

    def tools(self, *findings: Finding, layer: Layer = Layer.LIVE) -> None:
        self.board.set_tools(layer, findings, self.source)

    def model(self, generation: int, *findings: Finding) -> None:
        for finding in findings:
            region = finding.location.region
            assert region is not None
            self.board.add_model(Late(finding, self.source, self.source.span(region)), generation, self.line_of)

    def seen(self, *, with_stale: bool = False) -> list[str]:
        rows: list[str] = []
        for shown in self.board.shown(self.source, with_stale=with_stale):
            assert shown.region is not None
            stale = " stale" if shown.is_stale else ""
            rows.append(f"{shown.region.start_line}: {shown.finding.rule.id} {self.source.slice(shown.region)}{stale}")
        return rows


def test_a_finding_follows_its_text_through_edits_above_it() -> None:
    desk = Desk()
    desk.model(1, desk.finding(PATH, "open(name)"))
    desk.edit("import os\n", "import os\nimport re\n\n")
    assert desk.seen() == ["6: path-traversal open(name)"]


def test_a_finding_whose_text_is_edited_is_withdrawn_and_an_undo_brings_it_back() -> None:
    desk = Desk()
    desk.model(1, desk.finding(PATH, "open(name)"))
    desk.edit("open(name)", "open(safe(name))")
    assert desk.seen() == []
    assert desk.seen(with_stale=True) == ["4: path-traversal open(safe(name)) stale"]
    desk.edit("open(safe(name))", "open(name)")
    assert desk.seen() == ["4: path-traversal open(name)"]


def test_a_tools_finding_is_never_stale_it_goes() -> None:
    desk = Desk()
    desk.tools(desk.finding(SHELL, "os.system('ls ' + name)", model=None))
    desk.edit("'ls ' + name", "'ls'")
    assert desk.seen(with_stale=True) == []


def test_a_second_audit_renews_what_it_finds_again_and_drops_what_it_does_not() -> None:
    desk = Desk()
    desk.model(1, desk.finding(PATH, "open(name)"), desk.finding(SHELL, "os.system('ls ' + name)"))
    desk.model(2, desk.finding(PATH, "open(name)", "A path from outside is opened."))
    assert len(desk.seen()) == 2
    desk.board.close_generation(2, [(0, len(TEXT))])
    [shown] = desk.board.shown(desk.source, with_stale=False)
    assert shown.finding.message == "A path from outside is opened."


def test_what_an_audit_did_not_review_stays() -> None:
    desk = Desk()
    desk.model(1, desk.finding(PATH, "open(name)"), desk.finding(SHELL, "os.system('ls ' + name)"))
    start = TEXT.index("    return")
    desk.board.close_generation(2, [(start, len(TEXT))])
    assert desk.seen() == ["3: shell-injection os.system('ls ' + name)"]


def test_a_cancelled_audit_leaves_nothing_and_takes_nothing() -> None:
    desk = Desk()
    desk.model(1, desk.finding(PATH, "open(name)", "First."))
    desk.board.close_generation(1, [(0, len(TEXT))])
    desk.model(2, desk.finding(PATH, "open(name)", "Second."), desk.finding(SHELL, "os.system('ls ' + name)"))
    desk.board.drop_generation(2)
    [shown] = desk.board.shown(desk.source, with_stale=False)
    assert (shown.finding.message, shown.finding.rule) == ("First.", PATH)
    desk.model(3, desk.finding(PATH, "open(name)", "Third."))
    assert desk.seen() == ["4: path-traversal open(name)"]


def test_a_result_that_arrives_late_lands_on_its_text() -> None:
    desk = Desk()
    finding, source, ticket = desk.finding(PATH, "open(name)"), desk.source, desk.mirror.mark()
    desk.edit("import os\n", "")
    edits = desk.mirror.since(ticket)
    assert edits is not None
    assert finding.location.region is not None
    span = follow(*source.span(finding.location.region), edits)
    assert desk.board.add_model(Late(finding, source, span), 1, desk.line_of)
    assert desk.seen() == ["3: path-traversal open(name)"]


def test_a_result_whose_text_was_edited_meanwhile_is_not_shown() -> None:
    desk = Desk()
    assert not desk.board.add_model(Late(desk.finding(PATH, "open(name)"), desk.source, None), 1, desk.line_of)
    assert desk.seen() == []


def test_what_a_tool_and_a_model_both_say_is_shown_once() -> None:
    desk = Desk()
    desk.tools(desk.finding(SHELL, "os.system('ls ' + name)", model=None))
    desk.model(1, desk.finding(SHELL, "    os.system('ls ' + name)"))
    assert desk.seen() == ["3: shell-injection os.system('ls ' + name)"]
    [shown] = desk.board.shown(desk.source, with_stale=False)
    assert shown.finding.origin.model is None


def test_what_a_program_confirmed_replaces_what_was_seen_while_typing() -> None:
    desk = Desk()
    live = desk.finding(SHELL, "os.system('ls ' + name)", "Live.", model=None)
    desk.tools(live)
    desk.tools(desk.finding(SHELL, "os.system('ls ' + name)", "Whole.", model=None), layer=Layer.FILE)
    [shown] = desk.board.shown(desk.source, with_stale=False)
    assert shown.finding.message == "Whole."
    desk.tools(layer=Layer.FILE)
    assert desk.seen() == ["3: shell-injection os.system('ls ' + name)"]


def test_a_file_opened_again_has_its_findings_where_their_text_is_now() -> None:
    desk = Desk()
    desk.model(1, desk.finding(PATH, "open(name)"))
    kept = desk.board.model_findings(desk.source)
    again = Desk("# new\n" + TEXT)
    assert [again.board.restore(finding, text, again.source) for finding, text in kept] == [True]
    assert again.seen() == ["5: path-traversal open(name)"]
    twice = Desk(TEXT.replace("import os", "open(name)\nopen(name)"))
    assert [twice.board.restore(finding, text, twice.source) for finding, text in kept] == [False]


def test_withdrawn_findings_do_not_pile_up() -> None:
    desk = Desk()
    for generation in range(1, 400):
        desk.model(generation, desk.finding(PATH, "open(name)"))
        desk.edit("open(name)", f"open(n{generation})")
        desk.board.close_generation(generation, [])
        desk.edit(f"open(n{generation})", f"closed({generation})\n    open(name)")
    assert len(desk.board) <= 260


def test_a_finding_on_a_whole_file_stays_whatever_is_edited() -> None:
    desk = Desk()
    whole = Finding(PATH, "No tests.", Location("app.py"), fingerprint="f", origin=Origin("kimi", "kimi-k2.6"))
    desk.board.add_model(Late(whole, desk.source, (0, 0)), 1, desk.line_of)
    desk.edit("import os", "# new\nimport re")
    desk.edit("# new\nimport re\n", "")
    [shown] = desk.board.shown(desk.source, with_stale=False)
    assert (shown.region, shown.is_stale) == (None, False)
