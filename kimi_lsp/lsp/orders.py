"""What exactly an audit is asked to look at: a file, a selection, what changed, or all."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from anyio import to_thread

from kimi_lsp.lsp.audits import Order
from kimi_lsp.lsp.documents import Document
from kimi_lsp.lsp.landing import Snapshot
from kimi_lsp.lsp.parts import Parts
from kimi_lsp.lsp.workspace import Home
from mcp_tools.project.changes import changed_lines
from mcp_tools.project.git import GitError, lines_changed_since, text_at

_HEAD = "HEAD"


def snapshots(parts: Parts, of: Document | None = None) -> list[Snapshot]:
    """The open documents as they are now, all or one. Call this before anything is awaited."""
    return [Snapshot.of(one) for one in ((of,) if of is not None else parts.documents)]


def sorted_out(taken: Iterable[Snapshot], home: Home) -> list[Snapshot]:
    """The snapshots that belong to a project; the others are released."""
    kept: list[Snapshot] = []
    for snapshot in taken:
        if snapshot.document.home is home and snapshot.document.path is not None:
            kept.append(snapshot)
        else:
            snapshot.release()
    return kept


def file_order(home: Home, snapshot: Snapshot, *, is_triggered: bool = False, may_ask_model: bool = True) -> Order:
    """All of one document."""
    name = snapshot.document.name
    return Order(
        f"Kimi: audit {name}",
        home,
        [snapshot],
        (name,),
        is_triggered=is_triggered,
        may_ask_model=may_ask_model,
    )


def selection_order(home: Home, snapshot: Snapshot, lines: tuple[int, int]) -> Order:
    """Some lines of a document, with the symbols around them."""
    name = snapshot.document.name
    title = f"Kimi: audit {name}:{lines[0] + 1}-{lines[1] + 1}"
    return Order(title, home, [snapshot], (name,), {name: [lines]})


def baseline_of(home: Home, document: Document) -> str | None:
    """The text that was reviewed last, else the last commit's; None when there is neither. In a thread."""
    return document.baseline if document.baseline is not None else text_at(home.root, document.name, _HEAD)


async def changed_order(home: Home, snapshot: Snapshot) -> Order | None:
    """What changed in a document since it was reviewed or committed; None when nothing did."""
    order = file_order(home, snapshot, is_triggered=True)
    baseline = await to_thread.run_sync(baseline_of, home, snapshot.document)
    if baseline is None:
        return order
    lines = await to_thread.run_sync(changed_lines, baseline, snapshot.text)
    return replace(order, focus={snapshot.document.name: lines}) if lines else None


async def changes_order(home: Home, taken: Sequence[Snapshot]) -> Order | None:
    """What differs from the last commit in a project, unsaved text included; None when nothing does.

    Raises GitError.
    """

    def look() -> dict[str, list[tuple[int, int]] | None]:
        changed = lines_changed_since(home.view(), _HEAD)
        for snapshot in taken:
            name = snapshot.document.name
            if snapshot.document.is_quiet:
                continue
            before = text_at(home.root, name, _HEAD)
            changed[name] = None if before is None else changed_lines(before, snapshot.text)
        return {name: lines for name, lines in changed.items() if lines is None or lines}

    try:
        changed = await to_thread.run_sync(look)
    except OSError as error:
        raise GitError(error.strerror or "the project cannot be read") from None
    if not changed:
        return None
    focus = {name: lines for name, lines in changed.items() if lines is not None}
    count = f"{len(changed)} changed file{'' if len(changed) == 1 else 's'}"
    return Order(f"Kimi: audit {count}", home, taken, tuple(sorted(changed)), focus)
