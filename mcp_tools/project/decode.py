"""Turn a file's bytes into a Source, or say why not. Pure."""

import codecs
import re

from mcp_tools.finding import Notice
from mcp_tools.project.language import language_of
from mcp_tools.project.source import Source

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins with the same bytes
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SNIFFED_BYTES = 8000  # git's own measure for "binary"
_COOKIE_BYTES = 1000
_LINE_END = re.compile(rb"\r\n|\n|\r")
_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")  # PEP 263
_TEXT_CODECS = re.compile(
    r"utf|ascii|latin|iso|cp\d|koi|mac|big5|gb|euc|shift|hz|johab|kz|tis|ptcp|windows", re.IGNORECASE
)


def decode(path: str, data: bytes) -> Source | Notice:
    """Decode by byte order mark, else UTF-8, else a PEP 263 declaration, else Latin-1 (marked as guessed).

    Returns:
        a Notice `binary-file` when the first 8,000 bytes hold a NUL (git's rule) and no byte order mark, or when the
        bytes do not fit their own mark.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            try:
                return _source(path, data[len(mark) :].decode(encoding), encoding, has_bom=True)
            except UnicodeDecodeError:
                return Notice("binary-file", f"not read: its byte order mark says {encoding}, its bytes do not", path)
    if b"\0" in data[:_SNIFFED_BYTES]:
        return Notice("binary-file", "not read: binary", path)
    try:
        return _source(path, data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        pass
    if (declared := _declared(data)) is not None:
        try:
            return _source(path, data.decode(declared), declared)
        except UnicodeDecodeError:
            pass
    return _source(path, data.decode("latin-1"), "latin-1", is_guessed=True)


def _declared(data: bytes) -> str | None:
    """The encoding that a Python file declares in its first two lines, if Python knows it and it is a text encoding."""
    for line in _LINE_END.split(data[:_COOKIE_BYTES], 2)[:2]:
        cookie = _COOKIE.match(line)
        if cookie:
            name = cookie[1].decode("ascii", "replace")
            try:
                codec = codecs.lookup(name).name if _TEXT_CODECS.match(name) else None
                return codec if codec and name in line.decode(codec) else None
            except (LookupError, UnicodeDecodeError):
                return None
    return None


def _source(path: str, text: str, encoding: str, *, has_bom: bool = False, is_guessed: bool = False) -> Source:
    return Source(path, text, language_of(path, text[:200]), encoding, has_bom, is_guessed)
