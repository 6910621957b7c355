"""`list_files`, `read_file`, `search_text`: what `mcp_tools.browse` finds, as pages."""

import json
from collections.abc import Sequence
from dataclasses import replace

from mcp_tools.browse import Excerpt, Files, Match, Matches, fence, list_files, named, nonce, read_lines, search
from mcp_tools.catalog.documents import CountItem, FileItem, FilesPage, FileText, MatchItem, SearchPage
from mcp_tools.catalog.findings import notice_chars, notice_items, notice_lines, paging
from mcp_tools.catalog.handle import found_digest
from mcp_tools.catalog.page import RESERVED_CHARS, Entry, Room, clip, fit, shown_path
from mcp_tools.catalog.params import DEFAULT_LINES, ListFilesParams, ReadFileParams, SearchParams
from mcp_tools.catalog.values import Answer
from mcp_tools.catalog.view import View
from mcp_tools.finding import Notice
from mcp_tools.output import printable
from mcp_tools.output.summary import count_of

_SHOWN_LINE_CHARS = 1_500  # a client may cut a longer line
_MATCH_CHARS = 300
_NUMBER_CHARS = 8  # before a line, with its tab


def find_files(view: View, params: ListFilesParams) -> Files:
    """The files that were asked for."""
    return list_files(view.project, patterns=tuple(params.paths or ()), max_depth=params.max_depth)


def files_answer(call: str, files: Files, view: View, cursor: str | None, room: Room) -> Answer:
    """A page of files. Raises CursorError."""
    found = found_digest([(item.path, item.size_bytes) for item in files.files])
    offset = view.signer.offset(cursor, call, found) if cursor is not None else 0
    notices = notice_items(files.notices, room)
    left = room.beside(notice_chars(notices))
    fitted = fit(files.files, offset, left, lambda item: _file(item.path, item.size_bytes, item.language))
    next_cursor = None if fitted.next_offset is None else view.signer.cursor(call, found, fitted.next_offset)
    total, returned = len(files.files), len(fitted.entries)
    page = FilesPage(
        total=total,
        returned=returned,
        truncated=returned < total,
        next_cursor=next_cursor,
        ignored=files.ignored,
        files=[],
        notices=notices,
    )
    data = page.model_dump(mode="json", exclude_none=True)
    data["files"] = [entry.data for entry in fitted.entries]
    ignored = f"; {files.ignored:,} ignored" if files.ignored else ""
    head = f"list_files: {count_of(total, 'file')}{ignored}{paging(total, offset, returned, next_cursor)}"
    return Answer("\n".join([head, *(entry.text for entry in fitted.entries), *notice_lines(notices)]), data)


def _file(path: str, size: int | None, language: str | None) -> Entry:
    item = FileItem(path=shown_path(path), size=size, language=language)
    about = "".join((f" {size:,} bytes" if size is not None else "", f" {language}" if language else ""))
    return Entry(f"{item.path}{about}", item.model_dump(mode="json", exclude_none=True))


def find_lines(view: View, params: ReadFileParams) -> Excerpt | Notice:
    """The lines that were asked for, or why there are none."""
    path = named(view.project, params.path)
    if isinstance(path, Notice):
        return path
    found = read_lines(view.project, path, start_line=params.start_line, max_lines=params.max_lines or DEFAULT_LINES)
    if isinstance(found, Notice) and any(each.startswith(f"{path}/") for each in view.project.listing().paths):
        return replace(found, message="not read: a folder; list_files lists it")
    return found


def lines_answer(excerpt: Excerpt | Notice, view: View, room: Room, *, numbered: bool) -> Answer:
    """A part of a file, quoted so that nothing in it can pass for the tool's own words."""
    if isinstance(excerpt, Notice):
        return Answer(f"read_file: {shown_path(excerpt.path or '')}: {clip(excerpt.message, _MATCH_CHARS)}", {}, True)
    path = shown_path(excerpt.path)
    bound = None if room.chars is None else room.chars - RESERVED_CHARS - 2 * len(path)
    shown = _bounded(_shown_lines(excerpt.lines, room), bound)
    last = excerpt.first_line + len(shown) - 1
    data = FileText(
        path=path,
        language=excerpt.language,
        sha256=excerpt.sha256,
        total_lines=excerpt.total_lines,
        first_line=excerpt.first_line,
        last_line=last,
        truncated=last < excerpt.total_lines,
        redacted=dict(excerpt.redactions),
        text="",
    ).model_dump(mode="json", exclude_none=True)
    text = "\n".join(shown)
    mark = nonce(view.signer.key, path + "\0" + text)
    rows = [f"{excerpt.first_line + number}\t{line}" for number, line in enumerate(shown)] if numbered else shown
    head = (
        f"read_file: {path}: lines {excerpt.first_line:,}-{last:,} of {excerpt.total_lines:,}"
        if shown
        else (f"read_file: {path}: no line {excerpt.first_line:,}; it has {count_of(excerpt.total_lines, 'line')}")
    )
    if excerpt.redactions:
        head += "; secrets redacted: " + ", ".join(f"{kind} {number}" for kind, number in excerpt.redactions.items())
    if shown and last < excerpt.total_lines:
        head += f"; go on with start_line={last + 1}"
    data["text"] = text
    return Answer(f"{head}\n{fence(rows, mark)}" if shown else head, data)


def _shown_lines(lines: Sequence[str], room: Room) -> list[str]:
    """The lines as they may be shown. All are looked at at once: in nearly every text there is nothing to show."""
    is_short = room.chars is None or max(map(len, lines), default=0) <= _SHOWN_LINE_CHARS
    text = "\n".join(lines)
    if is_short and text.count("\n") == max(len(lines) - 1, 0) and printable(text, keep="\t\n") == text:
        return list(lines)
    return [_shown_line(line, room) for line in lines]


def _shown_line(line: str, room: Room) -> str:
    text = printable(line, keep="\t")
    return text if room.chars is None or len(text) <= _SHOWN_LINE_CHARS else text[: _SHOWN_LINE_CHARS - 1] + "…"


def _bounded(lines: list[str], bound: int | None) -> list[str]:
    """As many lines as fit twice: once in the text, once in the JSON, which escapes them. One line always."""
    if bound is None:
        return lines
    text = "\n".join(lines)
    if len(text) + len(json.dumps(text, ensure_ascii=False)) + len(lines) * _NUMBER_CHARS <= bound:
        return lines
    left, kept = bound, 0
    for line in lines:
        left -= len(line) + len(json.dumps(line, ensure_ascii=False)) + _NUMBER_CHARS
        if left < 0 and kept:
            break
        kept += 1
    return lines[:kept]


def find_matches(view: View, params: SearchParams) -> Matches:
    """The lines that match."""
    return search(
        view.project,
        params.query,
        is_regex=params.regex,
        is_case_sensitive=params.case_sensitive,
        patterns=tuple(params.paths or ()),
        context=params.context,
        max_line_chars=_MATCH_CHARS,
    )


def matches_answer(
    call: str, matches: Matches, view: View, params: SearchParams, cursor: str | None, room: Room
) -> Answer:
    """A page of matches, or of files with their counts. Raises CursorError."""
    bad = next((notice for notice in matches.notices if notice.code == "bad-pattern"), None)
    if bad is not None:
        return Answer(f"search_text: {clip(bad.message, _MATCH_CHARS)}", {}, True)
    found = found_digest([(item.path, item.line) for item in matches.matches] + [list(matches.counts)])
    offset = view.signer.offset(cursor, call, found) if cursor is not None else 0
    by_file = params.show == "files"
    notices = notice_items(matches.notices, room)
    left = room.beside(notice_chars(notices))
    fitted = (
        fit(matches.counts, offset, left, lambda item: _count(*item))
        if by_file
        else fit(matches.matches, offset, left, _match, _bare_match)
    )
    listed = len(matches.counts) if by_file else len(matches.matches)
    next_cursor = None if fitted.next_offset is None else view.signer.cursor(call, found, fitted.next_offset)
    total = len(matches.counts) if by_file else matches.total
    page = SearchPage(
        total=total,
        returned=len(fitted.entries),
        truncated=len(fitted.entries) < total,
        next_cursor=next_cursor,
        files_searched=matches.files_searched,
        files_matched=matches.files_matched,
        notices=notices,
    )
    data = page.model_dump(mode="json", exclude_none=True)
    data["files" if by_file else "matches"] = [entry.data for entry in fitted.entries]
    head = (
        f"search_text: {count_of(matches.total, 'matching line')} in {count_of(matches.files_matched, 'file')} "
        f"({count_of(matches.files_searched, 'file')} searched){paging(total, offset, page.returned, next_cursor)}"
    )
    rows = [head]
    if fitted.entries:
        shown = "\n".join(entry.text for entry in fitted.entries)
        rows.append(shown if by_file else fence(shown.split("\n"), nonce(view.signer.key, shown)))
    if not by_file and matches.total > listed:
        rows.append(f"only the first {listed:,} matching lines are kept; show=files counts all of them a file")
    return Answer("\n".join([*rows, *notice_lines(notices)]), data)


def _match(match: Match) -> Entry:
    path = shown_path(match.path)
    rows = [
        *(
            f"{path}-{match.line - len(match.before) + n}- {clip(row, _MATCH_CHARS)}"
            for n, row in enumerate(match.before)
        ),
        _match_row(path, match),
        *(f"{path}-{match.line + 1 + n}- {clip(row, _MATCH_CHARS)}" for n, row in enumerate(match.after)),
    ]
    return Entry("\n".join(rows), _match_item(path, match).model_dump(mode="json"))


def _bare_match(match: Match) -> Entry:
    path = shown_path(match.path)
    return Entry(_match_row(path, match), _match_item(path, match).model_dump(mode="json"))


def _match_row(path: str, match: Match) -> str:
    return f"{path}:{match.line}: {clip(match.text, _MATCH_CHARS)}"


def _match_item(path: str, match: Match) -> MatchItem:
    return MatchItem(path=path, line=match.line, column=match.column, text=clip(match.text, _MATCH_CHARS))


def _count(path: str, number: int) -> Entry:
    item = CountItem(path=shown_path(path), count=number)
    return Entry(f"{item.path}: {number:,}", item.model_dump(mode="json"))
