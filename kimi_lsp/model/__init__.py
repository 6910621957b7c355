"""The model client: profiles as data, a sans-I/O assembler, one door to the SDK. Importing it imports no SDK."""

from kimi_lsp.model.assembler import Assembler
from kimi_lsp.model.client import Balance, KimiClient, Limits, ModelInfo, Ticker
from kimi_lsp.model.endpoint import Endpoint
from kimi_lsp.model.events import Answer, Completion, Event, Finish, Noise, Reasoning
from kimi_lsp.model.exchange import Exchange, Sent
from kimi_lsp.model.hosts import is_loopback, is_private
from kimi_lsp.model.lines import LineSplitter
from kimi_lsp.model.profiles import (
    KNOWN,
    Dialect,
    JsonMode,
    Profile,
    ThinkingControl,
    dialect_by_owner,
    profile_for,
)
from kimi_lsp.model.request import (
    AnswerSchema,
    ChatRequest,
    Json,
    JsonObject,
    Message,
    Role,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolSpec,
)
from kimi_lsp.model.retry import NO_RETRY, RetryPolicy
from kimi_lsp.model.schema import normalise
from kimi_lsp.model.tokens import estimate_prompt, estimate_tokens
from kimi_lsp.model.transport import Guard, Timeouts

__all__ = [
    "KNOWN",
    "NO_RETRY",
    "Answer",
    "AnswerSchema",
    "Assembler",
    "Balance",
    "ChatRequest",
    "Completion",
    "Dialect",
    "Endpoint",
    "Event",
    "Exchange",
    "Finish",
    "Guard",
    "Json",
    "JsonMode",
    "JsonObject",
    "KimiClient",
    "Limits",
    "LineSplitter",
    "Message",
    "ModelInfo",
    "Noise",
    "Profile",
    "Reasoning",
    "RetryPolicy",
    "Role",
    "Sent",
    "Thinking",
    "ThinkingControl",
    "Ticker",
    "Timeouts",
    "ToolCall",
    "ToolChoice",
    "ToolSpec",
    "dialect_by_owner",
    "estimate_prompt",
    "estimate_tokens",
    "is_loopback",
    "is_private",
    "normalise",
    "profile_for",
]
