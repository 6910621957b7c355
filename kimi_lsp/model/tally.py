"""Reads what a call used, wherever a dialect puts it, and estimates it where nobody says."""

from kimi_lsp.model.loose import as_count, as_object
from kimi_lsp.model.tokens import tokens_of, weigh
from kimi_lsp.usage import Usage


class Tally:
    """Counts the text of one stream, and keeps the last usage it reported."""

    def __init__(self, prompt_tokens: int) -> None:
        """Start from an estimate of the prompt, in tokens."""
        self._prompt_tokens = prompt_tokens
        self._reasoning_weight = 0
        self._answer_weight = 0
        self.reported: Usage | None = None
        self.reasoning_chars = 0
        self.answer_chars = 0

    def reasoning(self, text: str) -> None:
        """Count a piece of reasoning."""
        self.reasoning_chars += len(text)
        self._reasoning_weight += weigh(text)

    def answer(self, text: str) -> None:
        """Count a piece of the answer."""
        self.answer_chars += len(text)
        self._answer_weight += weigh(text)

    def arguments(self, text: str) -> None:
        """Count a piece of a tool call: completion tokens, but no answer."""
        self._answer_weight += weigh(text)

    def report(self, raw: object) -> None:
        """Take in a usage object of any dialect; what is none is ignored. The last one holds."""
        usage = read_usage(raw)
        if usage is not None:
            self.reported = usage

    def usage(self, *, is_cut: bool) -> Usage:
        """What the call used so far.

        Estimated when nothing was reported, or zeros for a text that came; a cut stream's report is marked as well,
        because the endpoint may have gone on.
        """
        reasoning = tokens_of(self._reasoning_weight)
        completion = tokens_of(self._reasoning_weight + self._answer_weight)
        reported = self.reported
        if reported is None or (completion > 0 and reported.total_tokens == 0):
            return Usage(self._prompt_tokens, 0, completion, reasoning, is_estimated=True)
        if not reported.reasoning_tokens and reasoning:  # not broken down: share it out by weight
            share = self._reasoning_weight / (self._reasoning_weight + self._answer_weight)
            reasoning = min(round(reported.completion_tokens * share), reported.completion_tokens)
        else:
            reasoning = reported.reasoning_tokens
        return Usage(
            reported.prompt_tokens,
            reported.cached_tokens,
            reported.completion_tokens,
            reasoning,
            reported.cache_write_tokens,
            is_estimated=is_cut,
        )


def read_usage(raw: object) -> Usage | None:
    """A usage object as Usage: Moonshot's top-level `cached_tokens`, or OpenAI's `prompt_tokens_details`."""
    found = as_object(raw)
    if found is None:
        return None
    prompt, completion = as_count(found.get("prompt_tokens")), as_count(found.get("completion_tokens"))
    total = as_count(found.get("total_tokens"))
    if prompt is None and completion is None:
        return None
    prompt = prompt if prompt is not None else max((total or 0) - (completion or 0), 0)
    completion = completion if completion is not None else max((total or 0) - prompt, 0)
    in_details = as_object(found.get("prompt_tokens_details")) or {}
    out_details = as_object(found.get("completion_tokens_details")) or {}
    cached = as_count(found.get("cached_tokens"))
    if cached is None:
        cached = as_count(in_details.get("cached_tokens")) or 0
    cached = min(cached, prompt)
    written = min(as_count(in_details.get("cache_write_tokens")) or 0, prompt - cached)
    reasoning = min(as_count(out_details.get("reasoning_tokens")) or 0, completion)
    return Usage(prompt, cached, completion, reasoning, written)
