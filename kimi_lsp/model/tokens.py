"""A guess at token counts where nobody counted: for reserves, slices and streams that end without usage."""

import json

from kimi_lsp.model.request import ChatRequest

UNITS_PER_TOKEN = 7  # estimates count in sevenths of a token, so that the parts of a text add up to the whole
_UNITS_PER_ASCII_CHAR = 2  # 3.5 characters a token
_UNITS_PER_OTHER_CHAR = 7  # a Chinese character costs 0.5 to 1 token, a rare script or an emoji more
_TOKENS_PER_MESSAGE = 8  # role markers and separators of the chat template


def estimate_tokens(text: str) -> int:
    """Tokens of a text, rounded up: 3.5 ASCII characters a token, one token for each other character.

    On source code it lies within about a third of the real count; on Chinese text it is high rather than low.
    """
    return tokens_of(weigh(text))


def weigh(text: str) -> int:
    """The same estimate in sevenths of a token."""
    if text.isascii():
        return len(text) * _UNITS_PER_ASCII_CHAR
    ascii_chars = len(text.encode("ascii", "ignore"))
    return ascii_chars * _UNITS_PER_ASCII_CHAR + (len(text) - ascii_chars) * _UNITS_PER_OTHER_CHAR


def tokens_of(weight: int) -> int:
    """A weight in tokens, rounded up."""
    return -(-weight // UNITS_PER_TOKEN)


def estimate_prompt(request: ChatRequest) -> int:
    """Tokens of all that a request brings along: messages, echoed reasoning, tools, schema and the template around."""
    texts: list[str] = []
    for message in request.messages:
        texts += (message.content, message.reasoning or "")
        texts += (call.name + call.arguments for call in message.tool_calls)
    for tool in request.tools:
        texts += (tool.name, tool.description, json.dumps(tool.parameters))
    if request.schema is not None:
        texts.append(json.dumps(request.schema.schema))
    return tokens_of(sum(map(weigh, texts))) + len(request.messages) * _TOKENS_PER_MESSAGE
