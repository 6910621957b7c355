"""Names by which platforms find a finding again: GitHub's line hash, and our own fingerprint made unique."""

import hashlib
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import accumulate, chain

from mcp_tools.finding import Finding, normalise
from mcp_tools.output.places import utf16_units
from mcp_tools.project import Source

_WINDOW = 100
_BASE = 37
_MASK = (1 << 64) - 1
_BASE_TO_WINDOW = pow(_BASE, _WINDOW, 1 << 64)
_END_OF_FILE = 0xFFFF
_NATIVE_UTF16 = "utf-16-le" if sys.byteorder == "little" else "utf-16-be"
_BLANKS = str.maketrans("", "", " \t")


def line_hashes(text: str, count: int) -> list[str]:
    """GitHub's `primaryLocationLineHash` of the first `count` lines of a text.

    The algorithm is that of github/codeql-action, `src/fingerprints.ts`: a polynomial hash, base 37 modulo 2**64, of
    the 100 UTF-16 units from a line's start on, spaces and tabs left out, line ends as LF, the end of the file as
    65535 and zeros; in hexadecimal, with a colon and how often the hash has been seen so far. Linear in the text.

    Returns:
        a hash for each line; fewer than `count` where the text has fewer lines.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").translate(_BLANKS).split("\n")
    starts = list(accumulate((utf16_units(line) + 1 for line in lines[:count]), initial=0))
    del starts[min(count, len(lines)) :]
    if not starts:
        return []
    encoded = "\n".join(lines).encode(_NATIVE_UTF16, "surrogatepass")
    units = memoryview(encoded).cast("H")[: starts[-1] + _WINDOW]
    padded = chain(units, (_END_OF_FILE,), (0,) * _WINDOW)
    rolling = 0
    prefix = [0]
    prefix += [rolling := (rolling * _BASE + unit) & _MASK for unit in padded]
    seen: Counter[int] = Counter()
    hashes: list[str] = []
    for start in starts:
        value = (prefix[start + _WINDOW] - prefix[start] * _BASE_TO_WINDOW) & _MASK
        seen[value] += 1
        hashes.append(f"{value:x}:{seen[value]}")
    return hashes


def source_line_hashes(source: Source, count: int) -> list[str]:
    """The line hashes as GitHub's upload action computes them from the file itself, which it reads as UTF-8."""
    return line_hashes(_as_utf8(source), count)


def _as_utf8(source: Source) -> str:
    text = "\ufeff" + source.text if source.has_bom else source.text
    if source.encoding.startswith(("utf-8", "utf-16", "utf-32")):
        return text  # two- and four-byte files have no lines that the action could see; ours are as good as any
    try:
        return text.encode(source.encoding).decode("utf-8", "replace")
    except (UnicodeError, LookupError):
        return text


def identity(finding: Finding) -> str:
    """The finding's fingerprint; where nobody stamped one, a hash of rule, path and message. No line number in it."""
    if finding.fingerprint:
        return finding.fingerprint
    parts = (finding.rule.id, finding.location.path, normalise(finding.message))
    return _digest("\0".join(parts))


def unique_identities(findings: Iterable[Finding]) -> Iterator[str]:
    """The identity of each finding, in order; a repeated one is told apart by its count."""
    seen: Counter[str] = Counter()
    given: set[str] = set()
    for finding in findings:
        name = base = identity(finding)
        while name in given:
            seen[base] += 1
            name = _digest(f"{base}\0{seen[base]}")
        given.add(name)
        yield name


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
