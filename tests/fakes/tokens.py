"""Deterministic token arithmetic and the prefix cache. Not a tokenizer: 3.5 characters are one token."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from tests.fakes.json_value import Json, JsonObject, compact, items

CACHE_BLOCK_TOKENS = (
    256  # hits come in whole blocks (third party, measured on Kimi Code: docs/caching.md of pi-provider-kimi-code)
)
CACHE_TTL_S = 600.0  # measured there between 300 and 1800 s
CACHE_PROMPTS = 256


@dataclass(frozen=True, slots=True)
class Counts:
    """The tokens of one answer as the endpoint will report them."""

    prompt: int
    completion: int
    cached: int = 0
    reasoning: int = 0
    cache_write: int = 0


def count(text: str) -> int:
    """Tokens of a text: characters / 3.5, rounded up."""
    return -(-len(text) * 2 // 7)


def prompt_of(body: JsonObject) -> str:
    """The prompt as the cache sees it: tools, then messages. Generation parameters are no part of it."""
    parts: list[Json] = [*items(body.get("tools")), *items(body.get("messages"))]
    return "\n".join(compact(_canonical(part)) for part in parts)


def common_prefix(left: str, right: str) -> int:
    """How many leading characters two texts share (by halving: each step compares whole slices)."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


class PrefixCache:
    """Remembers prompts for a while and says how much of a new one is already known."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: deque[tuple[float, str, str]] = deque(maxlen=CACHE_PROMPTS)

    def hit(self, model: str, prompt: str) -> int:
        """Cached tokens of a prompt, then remember it. The same prompt again is a hit of all its tokens."""
        now = self._clock()
        alive = [entry for entry in self._known if now - entry[0] <= CACHE_TTL_S]
        best = max((common_prefix(prompt, text) for _, name, text in alive if name == model), default=0)
        self._known.clear()
        self._known.extend(entry for entry in alive if entry[1:] != (model, prompt))
        self._known.append((now, model, prompt))
        if best == len(prompt):
            return count(prompt)
        return best * 2 // 7 // CACHE_BLOCK_TOKENS * CACHE_BLOCK_TOKENS


def _canonical(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _canonical(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    return value
