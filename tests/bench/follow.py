"""Findings that follow their text: right or withdrawn under edits, recognised again, and what an edit costs."""

import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lsprotocol import types as lsp
from pygls.workspace import PositionCodec
from pygls.workspace.text_document import TextDocument

import kimi_lsp.audit.auditor
import mcp_tools.project.disk
from kimi_lsp.lsp.encoding import PositionEncoding
from kimi_lsp.lsp.identity import match
from kimi_lsp.lsp.marks import Marks
from kimi_lsp.lsp.mirror import Change, Mirror
from kimi_lsp.lsp.splice import Splice
from tests.bench.figure import Figure, at_least, at_most, percentile, reported
from tests.lsp.mutations import Corpus
from tests.lsp.traced import Memory, Traced, Verdict
from tests.lsp.typist import Typist

_MARKS, _PAGE_LINES, _STEPS = 25, 160, 80
_LINES = (500, 2_000, 8_000)


def run(quick: bool) -> Iterator[Figure]:
    """The goals of issue 3 for places and identities. With --quick, few edits."""
    sources = [Path(module.__file__ or "") for module in (kimi_lsp.audit.auditor, mcp_tools.project.disk)]
    texts = [path.read_text("utf-8") for path in sources]
    verdicts, wrong_lines = _followed(texts, range(4 if quick else 150))
    total = verdicts.total()
    yield reported("places judged after edits", total, "")
    yield at_least("right or withdrawn", 100 * (total - verdicts[Verdict.WRONG]) / total, "%", 99.5)
    yield at_most("on a wrong line", wrong_lines, "", 0)
    whole = verdicts[Verdict.RIGHT] + verdicts[Verdict.MISSED]
    yield at_least(
        "held or brought back where every character is there", 100 * verdicts[Verdict.RIGHT] / whole, "%", 98
    )
    guessed, elsewhere = _followed(texts, range(2 if quick else 40), is_whole=True)
    share = 100 * elsewhere / guessed.total()
    yield at_most("whole texts sent: on a line that was moved, or a copy of it", share, "%", 0.5)
    yield from _identity(texts, range(10 if quick else 300))
    joined = "".join(texts)
    yield from _marks_cost(joined, 40 if quick else 400)
    for lines in _LINES:
        yield _mirror_cost(joined, lines, 20 if quick else 200)
    yield _reformat_cost(joined)


def _followed(texts: Sequence[str], seeds: range, *, is_whole: bool = False) -> tuple[Counter[Verdict], int]:
    """Marks on pages of real files while somebody works on them, through the mirror as a client would send it.

    With `is_whole` only the whole text is sent after each edit, so that what was done has to be guessed.
    """
    verdicts: Counter[Verdict] = Counter()
    wrong_lines = 0
    for seed in seeds:
        chooser = random.Random(seed)
        lines = chooser.choice(texts).splitlines(keepends=True)
        first = chooser.randrange(max(len(lines) - _PAGE_LINES, 1))
        text = "".join(lines[first : first + _PAGE_LINES])
        traced, marks = Traced(text), Marks()
        mirror = Mirror(text, 0, chooser.choice(list(PositionEncoding)))
        memories: dict[int, Memory] = {}
        for key in range(_MARKS):
            start, stop = _place(text, chooser)
            memories[key] = traced.remember(start, stop)
            marks.add(key, start, stop, text[start:stop])
        for _, splices in Typist(traced, chooser).steps(_STEPS):
            if is_whole:
                marks.apply(mirror.apply([Change(None, traced.text)], 0))
            for splice in () if is_whole else splices:
                place = (*mirror.position(splice.start), *mirror.position(splice.stop))
                marks.apply(mirror.apply([Change(place, splice.text)], 0))
            for key, memory in memories.items():
                place = marks.place(key)
                if place is None:
                    continue
                verdict = traced.judge(memory, place.start, place.stop, is_changed=place.is_changed)
                verdicts[verdict] += 1
                wrong_lines += verdict is Verdict.WRONG
    return verdicts, wrong_lines


def _place(text: str, chooser: random.Random) -> tuple[int, int]:
    """A statement, a part of a line, or several lines."""
    at = chooser.randrange(len(text))
    start, stop = text.rfind("\n", 0, at) + 1, text.find("\n", at)
    stop = len(text) if stop < 0 else stop
    kind = chooser.random()
    if kind < 0.5 and text[start:stop].strip():
        return start + len(text[start:stop]) - len(text[start:stop].lstrip()), stop
    return at, min(at + chooser.randint(1, 20 if kind < 0.85 else 200), len(text))


def _identity(texts: Sequence[str], seeds: range) -> Iterator[Figure]:
    same = wrong = lost = invented = gone = total = 0
    for seed in seeds:
        case = Corpus(texts[seed % len(texts)], random.Random(seed)).case()
        found = dict(match(case.old, case.new))
        total += len(case.truth)
        gone += len(case.old) - len(case.truth)
        same += sum(found.get(old) == new for old, new in case.truth.items())
        wrong += sum(old in found and found[old] != new for old, new in case.truth.items())
        lost += sum(old not in found for old in case.truth)
        invented += sum(old not in case.truth for old in found)
    yield reported("findings reported again", total, "")
    yield at_least("the same finding keeps its identity", 100 * same / total, "%", 99)
    yield at_most("taken for another one", 100 * wrong / total, "%", 0.5)
    yield reported("not recognised", 100 * lost / total, "%")
    yield at_most("fixed findings taken for a new one", 100 * invented / gone, "%", 1)


def _marks_cost(text: str, count: int) -> Iterator[Figure]:
    """500 findings on 8,000 lines: single characters all over the file, and the worst places."""
    chooser = random.Random(3)
    page = _page(text, 8_000)
    marks, starts = Marks(), [at for at, character in enumerate(page) if character == "\n"]
    for key in range(500):
        start = chooser.choice(starts[:-1]) + 1
        stop = max(page.find("\n", start), start)
        marks.add(key, start, stop, page[start:stop])
    times: list[float] = []
    for _ in range(count):
        at = chooser.choice((0, chooser.randrange(len(page))))
        splice = Splice(at, "", "x")
        times.append(_seconds(lambda splice=splice: marks.apply([splice])))
        marks.apply([splice.inverse])
    yield at_most("an edit with 500 findings, median", 1000 * statistics.median(times), "ms", 5)
    yield at_most("an edit with 500 findings, p99", 1000 * percentile(times, 0.99), "ms", 5)
    everything = Splice(0, page, "")
    yield at_most("all text deleted", 1000 * _seconds(lambda: marks.apply([everything])), "ms", 5)
    yield reported("and put back", 1000 * _seconds(lambda: marks.apply([everything.inverse])), "ms")


def _mirror_cost(text: str, lines: int, count: int) -> Figure:
    """One character typed somewhere, as a client sends it, beside pygls on the same edits."""
    page, chooser = _page(text, lines), random.Random(lines)
    ours, theirs = Mirror(page, 0), TextDocument("file:///a.py", page, position_codec=PositionCodec())
    mine: list[float] = []
    peer: list[float] = []
    for _ in range(count):
        line, character = chooser.randrange(lines), chooser.randrange(20)
        place = lsp.Range(lsp.Position(line, character), lsp.Position(line, character))
        change = lsp.TextDocumentContentChangePartial(range=place, text="x")
        changes = [Change((line, character, line, character), "x")]
        mine.append(_seconds(lambda changes=changes: ours.apply(changes, 1)))
        peer.append(_seconds(lambda change=change: theirs.apply_change(change)))
    name = f"an edit in the mirror at {lines} lines"
    floor = 1000 * statistics.median(peer)
    return at_most(name, 1000 * statistics.median(mine), "ms", 2, peer=floor, peer_name="pygls")


def _reformat_cost(text: str) -> Figure:
    """The whole text of 8,000 lines sent anew with other white space on every line, 500 findings on it."""
    page = _page(text, 8_000)
    mirror, marks, chooser = Mirror(page, 0), Marks(), random.Random(4)
    for key in range(500):
        start, stop = _place(page, chooser)
        marks.add(key, start, stop, page[start:stop])
    changes = [Change(None, page.replace("    ", "  "))]
    return reported(
        "8,000 lines reformatted at once", 1000 * _seconds(lambda: marks.apply(mirror.apply(changes, 1))), "ms"
    )


def _page(text: str, lines: int) -> str:
    have = text.splitlines(keepends=True)
    return "".join((have * (lines // len(have) + 1))[:lines])


def _seconds(work: Callable[[], object]) -> float:
    """CPU time: what others do on this machine is not counted."""
    begin = time.thread_time()
    work()
    return time.thread_time() - begin
