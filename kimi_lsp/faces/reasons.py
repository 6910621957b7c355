"""Look up in the trail why a model said what it said. Reads the store, in threads; keeps the last few."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from kimi_lsp.app.session import Session, find_record
from kimi_lsp.errors import StoreError
from kimi_lsp.store import JsonValue, Store
from kimi_lsp.usage import Usage

_KEPT = 64


@dataclass(frozen=True, slots=True)
class Because:
    """The model call that a finding came from, as the trail has it. Texts are redacted already.

    `cost_usd` and `usage` are the call's, which may have found more than this. `trail_id` is what `kimi-lsp trail
    show` takes: `RUN/CALL`.
    """

    model: str
    trail_id: str
    endpoint: str = ""
    asked_at: str = ""
    reasoning: str = ""
    answer: str = ""
    status: str = ""
    usage: Usage | None = None
    cost_usd: Decimal | None = None


class Reasons:
    """What the trail holds of the calls that findings name."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Because | None] = OrderedDict()

    def look_up(self, session: Session, trail_id: str) -> Because | None:
        """The call that a finding names; None when the trail has it no more. In a thread."""
        if trail_id in self._known:
            self._known.move_to_end(trail_id)
            return self._known[trail_id]
        try:
            because = _because(session.store(), trail_id)
        except StoreError:
            return None
        self._known[trail_id] = because
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return because


def _because(store: Store, trail_id: str) -> Because | None:
    record = find_record(store, trail_id)
    if record is None:
        return None
    texts = {name: store.trail.content(digest) for name, digest in record.contents.items()}
    body = record.body
    return Because(
        model=_text(body.get("model")),
        endpoint=_text(body.get("endpoint")),
        trail_id=trail_id,
        asked_at=record.ts,
        status=_text(body.get("status")),
        usage=_usage(body.get("usage")),
        cost_usd=_decimal(body.get("cost_usd")),
        reasoning=texts.get("reasoning") or "",
        answer=texts.get("answer") or "",
    )


def _usage(value: JsonValue) -> Usage | None:
    if not isinstance(value, Mapping):
        return None
    prompt, cached, completion, reasoning = (
        count if isinstance(count := value.get(name), int) else 0
        for name in ("prompt", "cached", "completion", "reasoning")
    )
    return Usage(prompt, cached, completion, reasoning, is_estimated=value.get("estimated") is True)


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _decimal(value: JsonValue) -> Decimal | None:
    try:
        return Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        return None
