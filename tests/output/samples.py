"""A report that holds every hard case once, and strategies for reports that nobody would write by hand."""

from collections.abc import Callable, Mapping

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from mcp_tools.finding import (
    Confidence,
    Finding,
    Lane,
    Level,
    Location,
    Notice,
    Origin,
    Region,
    Related,
    Report,
    Rule,
)
from mcp_tools.output import Context, ToolInfo
from mcp_tools.project import MemoryProject, Source

RELAXED = settings(deadline=None, suppress_health_check=(HealthCheck.too_slow,))  # no test here is about time
FEW = settings(RELAXED, max_examples=50)  # for whole reports, which take a while to draw

TOOL = ToolInfo("kimi-lsp", "0.1.0", "https://example.org/kimi-lsp")
HELP = "https://example.org/kimi-lsp/docs"

SQL = Rule("sql-injection", "SQL is built from strings.", Level.ERROR, Lane.SECURITY, ("CWE-89",))
SECRET = Rule("hard-coded-secret", "A secret stands in the text.", Level.ERROR, Lane.SECURITY, ("CWE-798",))
DRIFT = Rule("doc-drift", "The docs say what is not so.", Level.WARNING, Lane.DOCS)
STYLE = Rule("no-tabs", "", Level.NOTE, Lane.STYLE)

_FILES: Mapping[str, str | bytes] = {
    "src/db.py": "def find(db, q):\n\treturn db.run('𐐀é' + q)  # 名前\n",
    "bom.txt": b"\xef\xbb\xbffirst\r\nsecond\r\n",
    "old mac.txt": "one\rtwo\rthree",
    "empty.md": "",
    "latin.txt": b"caf\xe9 au lait\n",
}
_PROJECT = MemoryProject(_FILES)


def source_of(path: str) -> Source | None:
    found = _PROJECT.read(path)
    return found if isinstance(found, Source) else None


def context(sources: Callable[[str], Source | None] = source_of, *, with_suppressed: bool = True) -> Context:
    return Context(TOOL, sources, HELP, facts=(("cost", "$0.0123 of $1.00"),), with_suppressed=with_suppressed)


HARD = Report(
    (
        Finding(
            SQL,
            "The query `'𐐀é' + q` is built from a string.",
            Location("src/db.py", Region(1, 15, 1, 23)),
            evidence="db.run('𐐀é' + q)",
            fingerprint="0123456789abcdef0123456789abcdef",
            related=(Related("q comes from here", Location("src/db.py", Region(0, 13, 0, 14))),),
            origin=Origin("security", "kimi-k2.6", "trail-7"),
            protected_area="customer data",
        ),
        Finding(DRIFT, "Line two is wrong.", Location("old mac.txt", Region(1, 0, 2, 0)), Confidence.HIGH),
        Finding(DRIFT, "The end is wrong.", Location("bom.txt", Region(2, 0, 2, 0)), Confidence.LOW),
        Finding(DRIFT, "The first word is wrong.", Location("bom.txt", Region(0, 0, 0, 5)), Confidence.HIGH),
        Finding(STYLE, "Nothing in it.", Location("empty.md"), Confidence.HIGH, level=Level.WARNING),
        Finding(STYLE, "Not there.", Location("gone\udcff/x y.md", Region(3, 1, 3, 4)), Confidence.HIGH),
        Finding(STYLE, "Known.", Location("latin.txt", Region(0, 0, 0, 4)), suppressed="dismissed: not ours"),
        Finding(STYLE, "Marked.", Location("latin.txt", Region(0, 5, 0, 7)), suppressed="marked in line 1"),
    ),
    (
        Notice("binary-file", "not read: binary", "logo.png"),
        Notice("binary-file", "not read: binary", "icon.png"),
        Notice("endpoint-gone", "the endpoint went away", incomplete=True),
    ),
    files_read=5,
)

# --- strategies: whatever text a hostile project, model or file system may hold ---

_NASTY = (
    "\udcff\ud800\udbff\u202e\u200b\ufe0f\ufeff\U000e0041\x00\x1b\x7f\x85\u2028\r\n\t"
    "`|<>@[]()#*_~$&!\\/%:{}\"'𐐀é名 a1-."
)
texts = st.text(st.one_of(st.sampled_from(_NASTY), st.characters()), max_size=24)
names = st.text(st.one_of(st.sampled_from(_NASTY), st.characters()), min_size=1, max_size=12)
source_texts = st.text(st.one_of(st.sampled_from("ab \t\r\n\r\n=é名𐐀\u2028\ufeff\ud800"), st.characters()), max_size=60)


@st.composite
def regions(draw: st.DrawFn) -> Region:
    point = st.tuples(st.integers(0, 5), st.integers(0, 12))
    start, end = sorted((draw(point), draw(point)))
    return Region(*start, *end)


def findings(paths: list[str]) -> st.SearchStrategy[Finding]:
    locations = st.builds(Location, st.sampled_from(paths), st.none() | regions())
    rules = st.builds(
        Rule,
        names | st.sampled_from(["sql-injection", "doc-drift"]),
        texts,
        st.sampled_from(Level),
        st.sampled_from(Lane),
        st.lists(texts | st.just("CWE-89"), max_size=25).map(tuple),
    )
    return st.builds(
        Finding,
        rule=rules,
        message=texts,
        location=locations,
        confidence=st.sampled_from(Confidence),
        evidence=texts,
        fingerprint=st.just("") | st.just("ab" * 16) | texts,
        related=st.lists(st.builds(Related, texts, locations), max_size=3).map(tuple),
        origin=st.builds(Origin, texts, st.none() | texts, st.none() | texts),
        level=st.none() | st.sampled_from(Level),
        suppressed=st.none() | texts,
        protected_area=st.none() | texts,
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[Report, Context]:
    """A report, and a context that knows some of its files."""
    paths = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    sources = {path: Source(path, draw(source_texts), has_bom=draw(st.booleans())) for path in paths[1:]}
    found = draw(st.lists(findings(paths), max_size=5))
    notices = draw(st.lists(st.builds(Notice, names, texts, st.none() | names, st.booleans()), max_size=4))
    facts = draw(st.lists(st.tuples(texts, texts), max_size=2))
    suppressed = draw(st.booleans())
    return (
        Report(tuple(found), tuple(notices), draw(st.integers(0, 9))),
        Context(TOOL, sources.get, HELP, draw(names), tuple(facts), suppressed),
    )
