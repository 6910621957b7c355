"""How well and how fast quotes are anchored, on generated answers, beside the first match and the bare line."""

import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from kimi_lsp.audit.anchor import Anchored, Anchorer
from mcp_tools.project import Source
from tests.audit.corpus import sources
from tests.audit.corruptions import Answer, answers, bare
from tests.bench.figure import Figure, at_least, at_most, reported

Span = tuple[int, int] | None  # first and last line
_SEEDS = (11, 12, 13)
_FILES, _ANSWERS = 80, 40


@dataclass(slots=True)
class Score:
    """Outcomes of one method, by kind of answer and by corruption; and the seconds of CPU it took."""

    outcomes: defaultdict[tuple[str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    seconds: float = 0.0

    def add(self, answer: Answer, span: Span, *, is_ambiguous: bool = False) -> None:
        """Count one answer: right, wrong, doubtful (marked ambiguous; `+` where it is the right one) or unanchored."""
        is_right = span == answer.truth
        if span is None:
            outcome = "unanchored"
        elif is_ambiguous and answer.truth is not None:
            outcome = "doubtful+" if is_right else "doubtful"
        else:
            outcome = "right" if is_right else "wrong"
        self.outcomes[answer.kind, answer.corruption][outcome] += 1
        self.outcomes[answer.kind, ""][outcome] += 1

    def share(self, kind: str, *outcomes: str) -> float:
        """Percent of a kind's answers with one of these outcomes."""
        counts = self.outcomes[kind, ""]
        return 100 * sum(counts[outcome] for outcome in outcomes) / max(counts.total(), 1)


def run(quick: bool) -> Iterator[Figure]:
    """The goals of issue 2. With --quick, one small corpus."""
    ours, first, line = Score(), Score(), Score()
    count = 0
    for seed in _SEEDS[:1] if quick else _SEEDS:
        corpus = sources(seed, 10 if quick else _FILES)
        for answer, prepared in _prepared(answers(corpus, seed, 20 if quick else _ANSWERS), ours, first):
            count += 1
            anchorer, lookup = prepared
            begin = time.process_time()
            found = anchorer.anchor(answer.quote, answer.line)
            middle = time.process_time()
            peer = lookup(answer.quote)
            ours.seconds += middle - begin
            first.seconds += time.process_time() - middle
            span = (found.region.start_line, found.region.end_line) if isinstance(found, Anchored) else None
            ours.add(answer, span, is_ambiguous=isinstance(found, Anchored) and found.is_ambiguous)
            first.add(answer, peer)
            line.add(answer, None if answer.line is None else (answer.line - 1, answer.line - 1))
    _write_table(ours, first)
    name = "first match"
    yield reported("answers", count, "")
    yield at_least("unique spans, correct and certain", ours.share("unique", "right"), "%", 97)
    yield reported(
        "unique spans, correct",
        ours.share("unique", "right", "doubtful+"),
        "%",
        peer=first.share("unique", "right"),
        peer_name=name,
    )
    yield reported("unique spans, correct by line alone", line.share("unique", "right"), "%")
    yield at_most("unique spans, wrong", ours.share("unique", "wrong"), "%", 1)
    yield at_most("repeated lines, wrong", ours.share("repeated", "wrong"), "%", 3)
    yield reported("repeated lines, wrong by first match", first.share("repeated", "wrong"), "%")
    yield reported(
        "repeated lines, correct",
        ours.share("repeated", "right", "doubtful+"),
        "%",
        peer=first.share("repeated", "right"),
        peer_name=name,
    )
    yield reported("repeated lines, marked ambiguous", ours.share("repeated", "doubtful", "doubtful+"), "%")
    yield at_least("invented quotes, rejected", ours.share("invented", "unanchored"), "%", 99.5)
    yield at_most("CPU time each, preparation included", 1000 * ours.seconds / count, "ms", 0.5)
    yield reported("CPU time each of the first match", 1000 * first.seconds / count, "ms")


def _prepared(
    stream: Iterator[Answer], ours: Score, first: Score
) -> Iterator[tuple[Answer, tuple[Anchorer, Callable[[str], Span]]]]:
    """Each answer with what both methods prepare for its source, the time for that counted."""
    current: Source | None = None
    prepared: tuple[Anchorer, Callable[[str], Span]] | None = None
    for answer in stream:
        if prepared is None or answer.source is not current:
            current = answer.source
            fresh = Source(current.path, current.text, current.language)  # without the caches of earlier use
            begin = time.process_time()
            anchorer = Anchorer(fresh)
            middle = time.process_time()
            prepared = anchorer, _first_match(fresh)
            ours.seconds += middle - begin
            first.seconds += time.process_time() - middle
        yield answer, prepared


def _first_match(source: Source) -> Callable[[str], Span]:
    """The common way: trim, drop white space and one diff marker of each line; the first block of equal lines wins."""
    rows = [(number, text) for number, line in source.lines() if (text := bare(line))]
    texts = [text for _, text in rows]

    def find(quote: str) -> Span:
        wanted = [bare(line.removeprefix("+").removeprefix("-")) for line in quote.splitlines()]
        wanted = [line for line in wanted if line]
        for at in range(len(texts) - len(wanted) + 1 if wanted else 0):
            if texts[at] == wanted[0] and texts[at : at + len(wanted)] == wanted:
                return rows[at][0], rows[at + len(wanted) - 1][0]
        return None

    return find


_COLUMNS: Sequence[str] = ("right", "doubtful+", "doubtful", "wrong", "unanchored")


def _write_table(ours: Score, first: Score) -> None:
    """Per corruption, in percent: what became of the answers; the first match's share of right ones last."""
    out = sys.stdout.write
    out(
        f"# {'kind':9}{'corruption':22}{'n':>6}"
        + "".join(f"{name:>12}" for name in _COLUMNS)
        + f"{'first match':>13}\n"
    )
    for key in sorted(ours.outcomes):
        counts, peer = ours.outcomes[key], first.outcomes[key]
        cells = "".join(f"{100 * counts[name] / counts.total():12.1f}" for name in _COLUMNS)
        good = "unanchored" if key[0] == "invented" else "right"
        peer_share = 100 * peer[good] / max(peer.total(), 1)
        out(f"# {key[0]:9}{key[1] or 'all':22}{counts.total():6}{cells}{peer_share:13.1f}\n")
