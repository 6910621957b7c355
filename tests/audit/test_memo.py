from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kimi_lsp.audit.memo import decode_findings, decode_review, encode_findings, encode_review
from mcp_tools.finding import Confidence, Finding, Lane, Level, Location, Origin, Region, Related, Rule
from mcp_tools.project import Source

RULE = Rule("path-traversal", "A path from outside", Level.ERROR, Lane.SECURITY, ("CWE-22",))
TEXT = "import os\n\nopen(name)\nclose()\n"


def found(source: Source, line: int) -> Finding:
    region = source.line_region(line, line)
    return Finding(
        RULE,
        "A path.",
        Location(source.path, region),
        Confidence.HIGH,
        fingerprint=source.fingerprint(RULE.id, region),
        related=(Related("and here", Location(source.path, Region(0, 0, 0, 3))), Related("x", Location("b.py"))),
        origin=Origin("kimi", "kimi-k2.6", "RUN/1"),
    )


def test_what_is_written_down_is_read_back() -> None:
    finding = found(Source("a.py", TEXT, "python"), 2)
    assert decode_findings(encode_findings([finding])) == (finding,)


@given(st.integers(0, 30))
def test_a_review_moves_with_its_unit(lines: int) -> None:
    before = Source("a.py", TEXT, "python")
    after = Source("a.py", "#\n" * lines + TEXT, "python")
    known = decode_review(encode_review([found(before, 2)], 0), after, lines)
    moved = replace(found(after, 2 + lines).related[0], location=Location("a.py", Region(lines, 0, lines, 3)))
    assert known == (replace(found(after, 2 + lines), related=(moved, found(after, 2).related[1])),)


def test_a_review_of_another_file_or_of_more_lines_than_there_are_is_unknown() -> None:
    source = Source("a.py", TEXT, "python")
    text = encode_review([found(source, 2)], 0)
    assert decode_review(text, Source("b.py", TEXT), 0) is None
    assert decode_review(text, Source("a.py", "x"), 0) is None
    assert decode_review("", source, 0) is None
    assert decode_review("[]", source, 0) == ()


def test_a_place_above_the_unit_is_left_out() -> None:
    source = Source("a.py", TEXT, "python")
    review = decode_review(encode_review([found(source, 2)], 2), source, 2)
    assert review
    [known] = review
    assert [other.location.path for other in known.related] == ["b.py"]
