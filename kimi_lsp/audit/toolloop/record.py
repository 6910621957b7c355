"""What the trail keeps of a round: its facts, and its long texts by name. Pure."""

import hashlib
from decimal import Decimal

from kimi_lsp.audit.toolloop.calls import ToolResult, sound
from kimi_lsp.audit.toolloop.converse import Round
from kimi_lsp.model import ToolCall
from kimi_lsp.store import JsonValue
from kimi_lsp.usage import Usage
from mcp_tools.redaction import Redactor


def round_body(this: Round, usage: Usage, cost_usd: Decimal, redactor: Redactor) -> dict[str, JsonValue]:
    """The facts of a round that hold for any conversation: what was sent, how it ended, what it used.

    Where tools were offered also its number and its calls: of each its name and the hash of its arguments, and the
    hash and size of what went back for it (`result` is null when the round ended before that).
    """
    completion, sent = this.completion, this.sent
    body: dict[str, JsonValue] = {
        "request_sha256": sent.body_sha256 if sent else None,
        "request_id": sent.request_id if sent else None,
        "trace_id": sent.trace_id if sent else None,
        "finish": completion.raw_finish if completion else None,
        "error": this.error.code if this.error else None,
        "usage": {
            "prompt": usage.prompt_tokens,
            "cached": usage.cached_tokens,
            "completion": usage.completion_tokens,
            "reasoning": usage.reasoning_tokens,
            "estimated": usage.is_estimated,
        },
        "cost_usd": str(cost_usd),
    }
    if this.request.tools:
        body["round"] = this.number
        body["tools_offered"] = [tool.name for tool in this.request.tools]
        body["tool_calls"] = [_call_body(*pair) for pair in _pairs(this, redactor)]
    return body


def round_contents(this: Round, redactor: Redactor) -> dict[str, str]:
    """The texts of a round: reasoning and answer, and each call's arguments and result as they went out next."""
    contents: dict[str, str] = {
        "reasoning": redactor.redact("".join(this.reasoning)),
        "answer": redactor.redact("".join(this.answer)),
    }
    for place, (call, result) in enumerate(_pairs(this, redactor), start=1):
        contents[f"call {place}"] = f"{call.name} {call.arguments}"
        if result is not None:
            contents[f"result {place}"] = result.text
    return contents


def _pairs(this: Round, redactor: Redactor) -> list[tuple[ToolCall, ToolResult | None]]:
    results = [*this.results, *(None for _ in this.calls[len(this.results) :])]
    return list(zip(sound(this.calls, redactor), results, strict=True))


def _call_body(call: ToolCall, result: ToolResult | None) -> JsonValue:
    body: dict[str, JsonValue] = {"tool": call.name, "arguments_sha256": _digest(call.arguments), "result": None}
    if result is not None:
        body["result"] = {
            "sha256": _digest(result.text),
            "sent_chars": len(result.text),
            "answer_chars": result.chars,
            "error": result.is_error,
            "repeated": result.is_repeated,
            "cut": result.is_cut,
        }
    return body


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
