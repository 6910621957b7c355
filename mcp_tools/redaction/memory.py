"""Remember secret values and find them again anywhere, also when they were encoded on the way."""

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from mcp_tools.redaction.looks import is_mixed, is_random, is_stand_in, is_words, strangeness

_LEAD = 4  # first characters by which needles are looked up; no needle is shorter
_RECENT = 48  # needles that are searched one by one before all are compiled into one pattern
_MOST_NEEDLES = 200_000
_LONGEST_VALUE = 8_192


@dataclass(frozen=True, slots=True)
class Needle:
    """A text to look for. `is_whole`: only where no letter or digit touches it, as it is no rare text."""

    text: str = field(repr=False)
    kind: str
    is_whole: bool


def is_memorable(value: str) -> bool:
    """Say whether a value is telling enough to be looked for everywhere: no word, name or number of ordinary text."""
    if not 6 <= len(value) <= _LONGEST_VALUE or is_stand_in(value) or is_words(value):
        return False
    return (
        is_mixed(value)
        or is_random(value, 6)
        or (len(value) >= 12 and not value.isdigit() and strangeness(value) >= 0.3)
    )


class Memory:
    """Secret values in every form in which they are looked for. Not thread-safe; the Redactor locks."""

    def __init__(self) -> None:
        self._needles: dict[str, Needle] = {}
        self._recent: list[Needle] = []
        self._by_lead: dict[str, list[Needle]] = {}
        self._pattern: re.Pattern[str] | None = None

    def __contains__(self, value: str) -> bool:
        """Say whether a text is looked for."""
        return value in self._needles

    def add(self, value: str, kind: str) -> None:
        """Look for a value from now on, and for its encoded forms."""
        if value in self._needles or len(self._needles) > _MOST_NEEDLES:
            return
        is_rare = is_random(value, 10) or (len(value) >= 8 and is_mixed(value))
        for form in forms(value, is_rare=is_rare):
            if form not in self._needles:
                needle = Needle(form, kind, is_whole=not is_rare)
                self._needles[form] = needle
                self._recent.append(needle)
        if len(self._recent) > _RECENT:
            self._compile()

    def find(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Every occurrence as start, stop and kind; they may overlap."""
        for needle in self._recent:
            at = text.find(needle.text)
            while at >= 0:
                if _fits(needle, text, at):
                    yield at, at + len(needle.text), needle.kind
                at = text.find(needle.text, at + 1)
        if self._pattern is None:
            return
        search, at = self._pattern.search, 0
        while match := search(text, at):
            start = match.start()
            for needle in self._by_lead[match[0]]:
                if text.startswith(needle.text, start) and _fits(needle, text, start):
                    yield start, start + len(needle.text), needle.kind
            at = start + 1

    def _compile(self) -> None:
        for needle in self._recent:
            self._by_lead.setdefault(needle.text[:_LEAD], []).append(needle)
        self._recent.clear()
        by_first: dict[str, set[str]] = {}
        for lead in self._by_lead:
            by_first.setdefault(lead[0], set()).add(lead[1:])
        self._pattern = re.compile(
            "|".join(f"{re.escape(first)}(?:{_any(rests)})" for first, rests in sorted(by_first.items()))
        )


def _any(rests: set[str]) -> str:
    return "|".join(map(re.escape, sorted(rests)))


def _fits(needle: Needle, text: str, at: int) -> bool:
    if not needle.is_whole:
        return True
    stop = at + len(needle.text)
    is_open = at == 0 or not text[at - 1].isalnum() or text[max(at - 2, 0) : at] in {"\\n", "\\r", "\\t"}
    return is_open and (stop == len(text) or not text[stop].isalnum())


def forms(value: str, *, is_rare: bool) -> set[str]:
    """A value as it is, escaped for JSON (once and twice), for a URL and for HTML, and, if rare, within base64."""
    import html  # noqa: PLC0415 -- these two cost 5 ms, and a scan that finds nothing goes without
    from urllib.parse import quote, quote_plus  # noqa: PLC0415 -- as above

    ascii_form = json.dumps(value)[1:-1]
    found = {
        value,
        ascii_form,
        json.dumps(ascii_form)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        html.escape(value),
    }
    raw = value.encode("utf-8", "surrogatepass")
    found |= {quote(raw, safe=""), quote(raw), quote_plus(raw)}
    if is_rare and len(raw) >= 8:
        for shift in range(3):
            encoded = base64.b64encode(b"\0" * shift + raw).decode()
            core = encoded[(0, 2, 3)[shift] : (shift + len(raw)) * 8 // 6]  # what no neighbour can change
            found |= {core, core.replace("+", "-").replace("/", "_")}
    return {form for form in found if len(form) >= 6}
