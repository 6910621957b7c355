"""Make untrusted text safe to show and to write: invisible characters made visible, paths as URIs."""

import re
from functools import lru_cache
from urllib.parse import quote

# What a reader cannot see, or what moves what they see: controls, bidirectional and zero-width marks, fillers, line
# and paragraph separators, format and tag characters, variation selectors that may carry hidden bytes, surrogates.
# U+FE0E and U+FE0F choose between a sign's text and emoji form; only a run of them is hidden data.
_INVISIBLE = (
    "\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_HIDDEN_RUN = "(?<=[\ufe0e\ufe0f])[\ufe0e\ufe0f]"
_SURROGATE = re.compile("[\ud800-\udfff]")
_JSON_UNSAFE = re.compile(f"[{_INVISIBLE}]|{_HIDDEN_RUN}")
_ASCII_CONTROLS = frozenset(map(chr, range(0x20)))
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str, *, keep: str = "") -> str:
    r"""Show text so that a terminal, a log or a page does nothing but show it.

    What a reader cannot see becomes visible: `\n`, `\r`, `\t` and other ASCII controls as `\x1b`, a byte that was not
    UTF-8 (a lone surrogate of `os.fsdecode`) as `\xff`, anything else as `\u{202e}`. The result has one line unless
    line ends are kept, and can always be encoded. It is for eyes: a backslash stands for itself, so the way back is
    not unique.

    Args:
        text: any text, such as a message, a path or a source line.
        keep: characters to leave as they are, such as `"\n\t"`.
    """
    if text.isascii():  # ten times as quick as the pattern
        rest = text
        for char in keep:
            rest = rest.replace(char, "")
        if rest.isprintable():
            return text
    single, run = _unprintable(keep)
    if single.search(text) is None and "\ufe0e" not in text and "\ufe0f" not in text:
        return text  # nearly every text there is
    return run.sub(_shown, text)


@lru_cache(maxsize=8)
def _unprintable(keep: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What is made visible but for runs, which is a plain set of characters and quick to look for; and all of it."""
    controls = "".join(f"\\x{code:02x}" for code in range(0x20) if chr(code) not in keep)
    single = f"[{controls}{_INVISIBLE}\ud800-\udfff]"
    spared = f"(?![{re.escape(keep)}])" if set(keep) - _ASCII_CONTROLS else ""
    return re.compile(f"{spared}{single}"), re.compile(f"{spared}(?:{single}|{_HIDDEN_RUN})")


def _shown(match: re.Match[str]) -> str:
    return _visible(match[0])


def _visible(char: str) -> str:
    code = ord(char)
    if char in _SHORT:
        return _SHORT[char]
    if code < 0x80:
        return f"\\x{code:02x}"
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{{{code:x}}}"


def encodable(text: str) -> str:
    """The text itself, for programs; only lone surrogates, which no encoding takes, are made visible."""
    return _SURROGATE.sub(lambda match: _visible(match[0]), text)


def ascii_escaped(json: str) -> str:
    r"""Write the invisible characters of a JSON text as `\u` escapes: the same values, and safe to look at."""
    return _JSON_UNSAFE.sub(lambda match: "".join(f"\\u{unit:04x}" for unit in _utf16(match[0])), json)


def _utf16(char: str) -> tuple[int, ...]:
    code = ord(char) - 0x10000
    return (ord(char),) if code < 0 else (0xD800 + (code >> 10), 0xDC00 + (code & 0x3FF))


def safe_uri(path: str) -> str:
    """A POSIX path as a relative URI reference, percent-encoded as UTF-8.

    Bytes that were not UTF-8 become what they were (`%FF`). A colon is encoded too, so that no first segment is taken
    for a scheme. Everything but letters, digits and `_.-~/` is encoded.
    """
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a lone surrogate that stands for no byte: no file system gave that name
        raw = b"".join(_bytes(char) for char in path)
    return quote(raw, safe="/")


def _bytes(char: str) -> bytes:
    return char.encode("utf-8", "surrogateescape" if "\udc80" <= char <= "\udcff" else "surrogatepass")
