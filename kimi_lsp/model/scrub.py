"""Takes account ids, key ids and keys out of an endpoint's messages before anybody sees or stores them."""

import re

_MAX_CHARS = 500
_SUBSTITUTIONS = (
    # "Your account 0123abcd<ak-0123abcd> request reached …", as Moonshot words its limits
    (re.compile(r"\b(account)\s+[^\s<>]{1,128}\s*<[^>]{0,128}>", re.IGNORECASE), r"\1"),
    (re.compile(r"<ak-[^>]{0,128}>"), ""),
    (re.compile(r"\b(?:ak|sk|org|proj|user|uid)-[A-Za-z0-9_*.-]{4,}"), "…"),
    (re.compile(r"\b(uid|user_id|account_id|organization_id)(\W{1,3})[A-Za-z0-9_-]{4,}", re.IGNORECASE), r"\1\2…"),
    (re.compile(r"\b(bearer)\s+[^\s,;\"']{4,}", re.IGNORECASE), r"\1 …"),
)


def scrub(text: str, key: str | None = None) -> str:
    """A message on one line, at most 500 characters, without what identifies an account or opens it."""
    if key and len(key) >= 4:
        text = text.replace(key, "…")
    line = " ".join(text[: _MAX_CHARS * 8].split())
    for pattern, replacement in _SUBSTITUTIONS:
        line = pattern.sub(replacement, line)
    return line if len(line) <= _MAX_CHARS else line[: _MAX_CHARS - 1] + "…"
