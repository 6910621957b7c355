"""Bytes into text: encodings, binaries, line ends."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tools.finding import Notice
from mcp_tools.project import Source, decode


def _decoded(data: bytes, path: str = "a.py") -> tuple[str, str, bool, bool]:
    source = decode(path, data)
    assert isinstance(source, Source), source
    return source.text, source.encoding, source.has_bom, source.is_guessed


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
@pytest.mark.parametrize("text", ["", "x = 'é😀'\r\n", "\n"])
def test_a_byte_order_mark_names_the_encoding_and_is_no_text(mark: bytes, encoding: str, text: str) -> None:
    assert _decoded(mark + text.encode(encoding)) == (text, encoding, bool(mark), False)


def test_a_mark_that_lies_is_a_binary() -> None:
    for data in (codecs.BOM_UTF8 + b"\xff", codecs.BOM_UTF16_LE + b"a", codecs.BOM_UTF16_BE + b"\xd8\x00\x00\x41"):
        notice = decode("a", data)
        assert isinstance(notice, Notice)
        assert (notice.code, notice.path) == ("binary-file", "a")


def test_a_nul_early_in_a_file_makes_it_binary_and_a_late_one_does_not() -> None:
    assert isinstance(decode("a", b"x" * 7_999 + b"\0"), Notice)
    assert _decoded(b"x" * 8_000 + b"\0")[0] == "x" * 8_000 + "\0"


def test_bytes_that_are_no_utf8_are_guessed_to_be_latin_1() -> None:
    assert _decoded(b"x = '\xe9'\n") == ("x = 'é'\n", "latin-1", False, True)


@pytest.mark.parametrize(
    ("cookie", "encoding"),
    [
        (b"# -*- coding: cp1251 -*-", "cp1251"),
        (b"# vim: set fileencoding=KOI8-R :", "koi8-r"),
        (b"#!/usr/bin/env python\n# coding: iso-8859-15", "iso8859-15"),
        (b"#!/usr/bin/env python\r# coding: cp1251\r", "cp1251"),
        (b" \t# coding=latin_1", "iso8859-1"),
    ],
)
def test_a_python_declaration_holds_where_the_bytes_are_no_utf8(cookie: bytes, encoding: str) -> None:
    assert _decoded(cookie + b"\nx = '\xe9'\n") == (
        (cookie + b"\nx = '\xe9'\n").decode(encoding),
        encoding,
        False,
        False,
    )


@pytest.mark.parametrize(
    "name",
    ["rot13", "hex", "idna", "undefined", "punycode", "base64", "zlib", "bz2", "quopri", "uu", "unicode_escape",
     "raw_unicode_escape", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp037", "cp500", "ascii", "nonsense",
     "utf.8", "latin-1" * 1000, "mbcs", "oem", "..", "-"],
)  # fmt: skip
@pytest.mark.parametrize("tail", [b"x = '\xe9'\n", b"x = '\xe9'"])
def test_a_bogus_declaration_is_passed_over(name: str, tail: bytes) -> None:
    data = f"# coding: {name}\n".encode() + tail
    assert _decoded(data) == (data.decode("latin-1"), "latin-1", False, True)


def test_a_declaration_further_down_is_no_declaration() -> None:
    for ends in (b"\n", b"\r\n", b"\r"):
        data = ends.join([b"# one", b"# two", b"# coding: cp1251", b"x = '\xe9'"])
        assert _decoded(data) == (data.decode("latin-1"), "latin-1", False, True)


def test_a_declaration_never_overrides_utf8() -> None:
    text = "# coding: cp1251\nx = 'é'\n"
    assert _decoded(text.encode()) == (text, "utf-8", False, False)


@given(st.binary(max_size=200), st.sampled_from(["a.py", "b", "c.txt"]))
def test_any_bytes_are_a_source_or_a_notice(data: bytes, path: str) -> None:
    result = decode(path, data)
    assert result.path == path
    if isinstance(result, Source) and not result.has_bom:
        assert result.text.encode(result.encoding) == data


@given(st.text())
def test_utf8_text_comes_back_as_it_was(text: str) -> None:
    result = decode("a", text.encode())
    if isinstance(result, Source):
        assert text in (result.text, "\ufeff" + result.text)
    else:
        assert "\0" in text


def test_line_ends_are_kept_and_only_lf_crlf_and_cr_end_a_line() -> None:
    source = decode("a", "a\r\nb\rc\nd\x0be\x0cf\x85g\u2028h\u2029i\x1cj\n".encode())
    assert isinstance(source, Source)
    assert [text for _, text in source.lines()] == ["a", "b", "c", "d\x0be\x0cf\x85g\u2028h\u2029i\x1cj", ""]
