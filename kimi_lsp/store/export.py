"""An exported trail, checked by itself: whoever holds the file and a printed head needs no database."""

from collections.abc import Iterable

from kimi_lsp.store.chain import (
    START,
    Checker,
    Head,
    Record,
    Verification,
    canonical,
    digest_of,
    is_object,
    parse,
    record_of,
)


def verify_export(lines: Iterable[str], expected: Head | None = None, *, start: Head = START) -> Verification:
    """Check an exported trail by itself, with no store. A line that is no record is a problem, not an error.

    Args:
        lines: as `Trail.export` yields them, with or without line ends.
        expected: a head known from elsewhere.
        start: the head that the export continues, when it does not begin at the first record.
    """
    checker = Checker(start=start, expected=expected)
    present: dict[str, bool] = {}
    for line in lines:
        record = _exported(line.rstrip("\r\n"), present)
        if not checker.feed(record):
            break
    return checker.finish(present)


def _exported(line: str, present: dict[str, bool]) -> Record | str:
    try:
        value = parse(line)
        if not is_object(value) or canonical(value) != line:
            return "a line is not a record in canonical JSON"
    except ValueError as error:
        return f"a line is not a record: {error}"
    there = value.pop("texts", None)
    if not is_object(there):
        return "a line has no texts"
    for digest, text in there.items():
        present[digest] = present.get(digest, True) and isinstance(text, str) and digest_of(text) == digest
    if set(value) != {"seq", "ts", "kind", "run_id", "body", "contents", "prev_hash", "hash"}:
        return "a line has other keys than a record"
    return record_of(value)
