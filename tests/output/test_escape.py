"""Text that is safe to show, and paths as URIs."""

import json
import os
import sys
import unicodedata
from urllib.parse import unquote_to_bytes, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tools.output import printable, safe_uri
from mcp_tools.output.escape import encodable
from mcp_tools.output.jsontext import dumps
from tests.output.samples import RELAXED, names, texts


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, naïve 名前 𐐀 ☃️", "plain text, naïve 名前 𐐀 ☃️"),
        ("two\nlines\tand\rmore", "two\\nlines\\tand\\rmore"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("\x7f\x85", "\\x7f\\u{85}"),
        ("name\udcff", "name\\xff"),
        ("\ud800", "\\u{d800}"),
        ("if admin\u202e\u2066", "if admin\\u{202e}\\u{2066}"),
        ("zero\u200bwidth\ufeff", "zero\\u{200b}width\\u{feff}"),
        ("\U000e0041", "\\u{e0041}"),
        ("a\ufe0f\ufe0e\ufe0f", "a\ufe0f\\u{fe0e}\\u{fe0f}"),
        ("a\ufe01\U000e0101", "a\\u{fe01}\\u{e0101}"),
        ("\u3164\u2800", "\\u{3164}\u2800"),
    ],
)
def test_what_cannot_be_seen_is_made_visible_and_the_rest_is_left(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_line_ends_and_tabs_are_kept_where_the_caller_lays_out_lines() -> None:
    assert printable("a\n\tb\r\x1b", keep="\n\t") == "a\n\tb\\r\\x1b"


def test_every_control_format_and_separator_of_unicode_is_made_visible_but_drawn_number_marks() -> None:
    left = {
        char
        for char in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and printable(char) == char
    }
    assert left == set("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")


@RELAXED
@given(texts)
def test_printable_text_is_one_line_that_stays_as_it_is(text: str) -> None:
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert printable(shown) == shown


@RELAXED
@given(texts)
def test_encodable_text_differs_only_in_lone_surrogates(text: str) -> None:
    assert encodable(text).encode().decode() == encodable(text)
    if not any("\ud800" <= char <= "\udfff" for char in text):
        assert encodable(text) == text


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("src/main.py", "src/main.py"),
        ("a b/[id]/(x)@y.ts", "a%20b/%5Bid%5D/%28x%29%40y.ts"),
        ("c:/x#y?z%41", "c%3A/x%23y%3Fz%2541"),
        ("名.py", "%E5%90%8D.py"),
        ("caf\udce9", "caf%E9"),
        ("a\nb", "a%0Ab"),
        ("odd\ud800\udcff", "odd%ED%A0%80%FF"),
    ],
)
def test_a_path_becomes_a_relative_uri(path: str, uri: str) -> None:
    assert safe_uri(path) == uri


@RELAXED
@given(st.binary(min_size=1, max_size=20).filter(lambda raw: b"\0" not in raw and b"/" not in raw))
def test_a_uri_gives_back_the_very_bytes_of_a_file_name(raw: bytes) -> None:
    name = os.fsdecode(raw)
    assert unquote_to_bytes(safe_uri(name)) == raw


@RELAXED
@given(names)
def test_a_uri_has_no_scheme_no_host_no_query_and_no_fragment(path: str) -> None:
    parts = urlsplit(safe_uri(path.strip("/") or "x"))
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("", "", "", "")


@RELAXED
@given(st.dictionaries(texts.map(encodable), texts.map(encodable) | st.integers() | st.none(), max_size=4))
def test_json_reads_back_as_what_was_written_and_shows_no_invisible_sign(value: dict[str, str | int | None]) -> None:
    for depth in (0, 1, 3):
        text = dumps(value, depth)
        assert json.loads(text) == value
        assert printable(text, keep="\n") == text
