"""What a project's own file changes: it adds to denials, lowers ceilings and chooses less, and never the reverse."""

from collections.abc import Iterable
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

from kimi_lsp.config.options import ProjectOptions, Table
from kimi_lsp.config.settings import SAFETY_LANES, Budget, Depth, FailOn, Limits, Rules, Settings
from mcp_tools.finding import Lane

_C = TypeVar("_C", Budget, Limits)
_W = TypeVar("_W", Depth, FailOn)


def tighten(settings: Settings, options: ProjectOptions, path: str) -> tuple[Settings, tuple[str, ...]]:
    """Apply a project's options to what the user's own settings came to.

    Returns:
        the settings that hold, nowhere looser than before, and a sentence for each wish that was not granted and for
        each thing that is looked at less because of the file.
    """
    notes: list[str] = []
    style, asked = settings.style, options.style
    tightened = replace(
        settings,
        depth=_stricter(settings.depth, options.depth, "depth", notes, prefer_lower=True),
        fail_on=_stricter(settings.fail_on, options.fail_on, "fail_on", notes, prefer_lower=False),
        lanes=_lanes(settings.lanes, options.lanes, notes),
        exclude=_added(settings.exclude, options.exclude),
        deny=_added(settings.deny, options.deny),
        budget=_lowered(settings.budget, options.budget, "budget", notes),
        limits=_lowered(settings.limits, options.limits, "limits", notes),
        style=replace(
            style,
            project_sentences=_added(style.project_sentences, asked and asked.sentences),
            files=_added(style.files, asked and asked.files),
        ),
        rules=_rules(settings.rules, options, notes),
    )
    if options.exclude:
        notes.append(f"leaves out of the audit: {_listed(options.exclude)}")
    return tightened, tuple(f"{path} {note}." for note in notes)


def is_tighter_or_equal(one: Settings, other: Settings) -> bool:
    """Say whether settings are nowhere looser than others: nothing more is read, sent, spent or hidden."""
    ceilings = (
        (one.budget.run_usd, other.budget.run_usd),
        (one.budget.daily_usd, other.budget.daily_usd),
        (one.budget.weekly_usd, other.budget.weekly_usd),
        (one.budget.run_tokens, other.budget.run_tokens),
        (one.budget.daily_tokens, other.budget.daily_tokens),
        (one.budget.weekly_tokens, other.budget.weekly_tokens),
        (one.limits.concurrency, other.limits.concurrency),
        (one.limits.max_file_bytes, other.limits.max_file_bytes),
        (one.limits.max_files, other.limits.max_files),
        (one.depth.rank, other.depth.rank),
        (-one.fail_on.rank, -other.fail_on.rank),
    )
    users_own = replace(
        one,
        budget=other.budget,
        limits=replace(
            one.limits,
            concurrency=other.limits.concurrency,
            max_file_bytes=other.limits.max_file_bytes,
            max_files=other.limits.max_files,
        ),
        depth=other.depth,
        fail_on=other.fail_on,
        lanes=other.lanes,
        exclude=other.exclude,
        deny=other.deny,
        style=replace(one.style, project_sentences=other.style.project_sentences, files=other.style.files),
        rules=replace(one.rules, projects=other.rules.projects),
    )
    kept = SAFETY_LANES & set(other.lanes)
    return (
        users_own == other
        and all(high is None or (low is not None and low <= high) for low, high in ceilings)
        and kept <= set(one.lanes) <= set(other.lanes)
        and _extends(one.exclude, other.exclude)
        and _extends(one.deny, other.deny)
        and set(other.style.files) <= set(one.style.files)
    )


def _extends(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Say whether patterns deny all that others deny: nothing but further denials follows them."""
    added = one[len(other) :]
    return one[: len(other)] == other and not any(pattern.lstrip().startswith("!") for pattern in added)


def _added(yours: tuple[str, ...], theirs: tuple[str, ...] | None) -> tuple[str, ...]:
    return (*yours, *(item for item in theirs or () if item not in yours))


def _stricter(yours: _W, theirs: _W | None, key: str, notes: list[str], *, prefer_lower: bool) -> _W:
    if theirs is None or theirs is yours:
        return yours
    if (theirs.rank < yours.rank) is prefer_lower:
        return theirs
    notes.append(_refused(key, theirs, yours))
    return yours


def _lanes(yours: tuple[Lane, ...], theirs: tuple[Lane, ...] | None, notes: list[str]) -> tuple[Lane, ...]:
    if theirs is None:
        return yours
    if more := [lane for lane in theirs if lane not in yours]:
        notes.append(f"asks for lanes that you do not use: {_listed(more)}")
    if kept := [lane for lane in yours if lane in SAFETY_LANES and lane not in theirs]:
        notes.append(f"cannot leave out {_listed(kept)}: only your own configuration can")
    if less := [lane for lane in yours if lane not in SAFETY_LANES and lane not in theirs]:
        notes.append(f"leaves out the lanes {_listed(less)}")
    return tuple(lane for lane in yours if lane in theirs or lane in SAFETY_LANES)


def _lowered(yours: _C, options: Table | None, table: str, notes: list[str]) -> _C:
    if options is None:
        return yours
    changes: dict[str, object] = {}
    for name in options.model_fields_set:
        ceiling, wish = getattr(yours, name), getattr(options, name)
        if wish is None or wish == ceiling:
            continue
        if ceiling is None or wish < ceiling:
            changes[name] = wish
        else:
            notes.append(_refused(f"{table}.{name}", wish, ceiling))
    return replace(yours, **changes)


def _rules(yours: Rules, options: ProjectOptions, notes: list[str]) -> Rules:
    if options.rules is None:
        return yours
    if off := [rule_id for rule_id, level in options.rules.items() if level == "off"]:
        notes.append(f"turns off the rules {_listed(off)}")
    return replace(yours, projects=MappingProxyType({**yours.projects, **options.rules}))


def _refused(key: str, theirs: object, yours: object) -> str:
    return f"asks for {key} = {theirs}; yours, {yours}, is tighter and holds"


def _listed(items: Iterable[str]) -> str:
    words = [str(item) for item in items]
    return ", ".join(words[:5]) + (f" and {len(words) - 5} more" if len(words) > 5 else "")
