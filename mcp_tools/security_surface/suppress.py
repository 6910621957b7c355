"""Comments by which an author says that a finding is known: `noqa`, `nosec`, `kimi: ignore[rule]`.

A suppressed finding is kept and marked. Secrets are not silenced by a blanket marker: `noqa` and `nosec` are written
for linters that never looked for them. `kimi: ignore[hard-coded-secret]` names the rule, and `gitleaks:allow` and
`pragma: allowlist secret` can mean nothing else.
"""

import re
from collections.abc import Callable

from mcp_tools.finding import Region
from mcp_tools.redaction.lazy import Lazy
from mcp_tools.security_surface.ruff_codes import CODES_OF_RULE

_SECRET_RULES = frozenset(("hard-coded-secret", "private-key"))
_COMMENT = r"(?:\#|//|/\*|<!--|--|;|%|\brem\b)"
_OURS = Lazy(_COMMENT + r".*?\bkimi:\s*ignore\[([\w\s,-]+)\]", re.IGNORECASE)
_NOQA = Lazy(r"#.*?\bnoqa\b(?::\s*([A-Z]+\d*(?:[,\s]+[A-Z]+\d+)*))?", re.IGNORECASE)
_NOSEC = Lazy(_COMMENT + r"\s*(?:\S+\s+)*?\#?nosec\b(?::?\s*([BG]\d{3}(?:[,\s]+[BG]\d{3})*))?", re.IGNORECASE)
_SECRET_MARKS = Lazy(_COMMENT + r".*?\b(gitleaks:allow|pragma:\s*allowlist\s+secret)\b", re.IGNORECASE)
_WORDS = ("kimi", "noqa", "nosec", "gitleaks", "pragma")
_MAX_LINE = 2_000


def suppression(line_of: Callable[[int], str], rule_id: str, region: Region, *, is_python: bool) -> str | None:
    """Why a finding does not count, from a comment on its first or last line; None when it counts."""
    for number in {region.start_line: None, region.end_line: None}:
        line = line_of(number)[-_MAX_LINE:]
        folded = line.casefold()
        if any(word in folded for word in _WORDS):  # the patterns take the square of a line of many semicolons
            reason = _on_line(line, rule_id, is_python=is_python)
            if reason is not None:
                return f"in source: {reason}"
    return None


def _on_line(line: str, rule_id: str, *, is_python: bool) -> str | None:
    if (ours := _OURS.search(line)) and rule_id in re.split(r"[\s,]+", ours[1]):
        return f"kimi: ignore[{rule_id}]"
    if rule_id in _SECRET_RULES:
        mark = _SECRET_MARKS.search(line)
        return mark[1] if mark else None
    if is_python and (noqa := _NOQA.search(line)) and _covers(noqa[1], rule_id):
        return f"noqa {noqa[1]}" if noqa[1] else "noqa"
    nosec = _NOSEC.search(line)
    if nosec and (nosec[1] is None or not is_python or _covers(nosec[1].upper().replace("B", "S"), rule_id)):
        return f"nosec {nosec[1]}" if nosec[1] else "nosec"
    return None


def _covers(codes: str | None, rule_id: str) -> bool:
    """Say whether a list of codes names one of the rule's; no list means all."""
    if not codes:
        return True
    known = CODES_OF_RULE.get(rule_id, frozenset())
    return any(code.startswith(named) for named in re.split(r"[\s,]+", codes.upper()) for code in known)
