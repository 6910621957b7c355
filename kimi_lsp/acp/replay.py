"""A session that is kept, told again: entries of the store as updates, and what else they hold. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import cast, get_args

import msgspec

from kimi_lsp.acp import protocol as p
from kimi_lsp.acp.panel import Spot
from kimi_lsp.acp.scribe import contents, places
from kimi_lsp.store import History, JsonValue
from mcp_tools.finding import Report

_KEPT_FINDINGS, _KEPT_NOTICES, _KEPT_EVIDENCE = 1_000, 1_000, 1_000
_MAX_USD = 1_000_000
_TURN = re.compile(r"t(\d{1,9})-user")
_KINDS, _STATES = get_args(p.ToolKind), get_args(p.ToolStatus)


def updates(history: History, line_base: int) -> Iterator[p.Update]:
    """What a client is told of earlier turns. An entry that makes no sense is passed over."""
    if missing := history.dropped + history.damaged:
        text = f"> {missing:,} parts of this session are no longer kept or cannot be read.\n"
        yield p.AgentChunk(p.Text(text), "missing")
    for entry in history.entries:
        if isinstance(entry, Mapping) and (update := _update(entry, line_base)) is not None:
            yield update


def _update(entry: Mapping[str, JsonValue], line_base: int) -> p.Update | None:
    name = _text(entry.get("id"))
    match entry.get("kind"):
        case "user":
            return p.UserChunk(p.Text(_text(entry.get("text"))), name)
        case "agent":
            return p.AgentChunk(p.Text(_text(entry.get("text"))), name)
        case "thought":
            return p.ThoughtChunk(p.Text(_text(entry.get("text"))), name)
        case "card":
            return _card(entry, name, line_base)
        case "plan":
            return _plan(entry)
        case _:
            return None


def _card(entry: Mapping[str, JsonValue], name: str, line_base: int) -> p.ToolCall:
    kind, status = entry.get("tool"), entry.get("status")
    spots = [
        Spot(Path(path), line if isinstance(line, int) and line >= 0 else None)
        for path, line in filter(lambda one: len(one) == 2, map(_list, _list(entry.get("spots"))))
        if isinstance(path, str)
    ]
    return p.ToolCall(
        name,
        _text(entry.get("title")),
        cast("p.ToolKind", kind) if kind in _KINDS else "other",
        cast("p.ToolStatus", status) if status in _STATES else "completed",
        contents([_text(one) for one in _list(entry.get("markdown"))]),
        places(spots, line_base),
    )


def _plan(entry: Mapping[str, JsonValue]) -> p.Plan | None:
    try:
        return p.Plan(
            tuple(
                msgspec.convert({"content": one, "priority": two, "status": three}, p.PlanEntry)
                for one, two, three in map(_list, _list(entry.get("entries")))
            )
        )
    except (msgspec.ValidationError, ValueError):
        return None


def turns(entries: Sequence[JsonValue]) -> int:
    """The number of the last turn that was kept: the next one must not have its ids."""
    users = (one for one in entries if isinstance(one, Mapping) and one.get("kind") == "user")
    matches = (_TURN.fullmatch(_text(one.get("id"))) for one in users)
    return max((int(match[1]) for match in matches if match), default=0)


def exchanges(entries: Sequence[JsonValue]) -> list[tuple[str, str]]:
    """Questions and their answers, for the model's memory."""
    return [
        (_text(entry.get("question")), _text(entry.get("answer")))
        for entry in entries
        if isinstance(entry, Mapping) and entry.get("kind") == "exchange"
    ]


def last_report(entries: Sequence[JsonValue]) -> tuple[Path, Report] | None:
    """The last audit's project and report, as `report_entry` kept them."""
    for entry in reversed(entries):
        if isinstance(entry, Mapping) and entry.get("kind") == "report":
            try:
                return Path(_text(entry.get("root"))), msgspec.convert(entry.get("report"), Report)
            except msgspec.ValidationError:
                return None
    return None


def report_entry(root: Path, report: Report) -> JsonValue:
    """An audit's report as an entry, as much of it as is kept."""
    findings = (replace(one, evidence=one.evidence[:_KEPT_EVIDENCE]) for one in report.findings[:_KEPT_FINDINGS])
    report = Report(tuple(findings), report.notices[:_KEPT_NOTICES], report.files_read)
    return {"kind": "report", "root": str(root), "report": cast("JsonValue", msgspec.to_builtins(report))}


def spent_usd(entries: Sequence[JsonValue]) -> Decimal:
    """What the session had cost at the end of its last turn."""
    for entry in reversed(entries):
        if isinstance(entry, Mapping) and entry.get("kind") == "cost":
            try:
                usd = Decimal(_text(entry.get("usd")))
            except InvalidOperation:
                usd = Decimal(0)
            return usd if usd.is_finite() and 0 <= usd < _MAX_USD else Decimal(0)
    return Decimal(0)


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _list(value: JsonValue) -> Sequence[JsonValue]:
    return value if isinstance(value, list) else []
