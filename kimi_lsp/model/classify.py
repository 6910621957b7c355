"""What an endpoint's refusal means: status, headers and body in, one of our errors out. Pure.

The types and wordings are Moonshot's, as its own clients tell them apart, and those of the gateways and servers that
speak the same API.
"""

import re
from collections.abc import Mapping
from html import unescape

from kimi_lsp.errors import (
    AuthError,
    BadRequestError,
    ContentFilterError,
    EndpointError,
    ModelError,
    OverloadedError,
    QuotaError,
    RateLimitedError,
    UnknownModelError,
)
from kimi_lsp.model.endpoint import Endpoint
from kimi_lsp.model.hosts import host_of, is_within
from kimi_lsp.model.loose import as_object, as_text, parse
from kimi_lsp.model.scrub import scrub

_QUOTA = re.compile(
    r"exceeded your current (token )?quota|check your account balance|insufficient (balance|credits|quota)"
    r"|recharge your account|please recharge|account (is )?in arrears|usage limit|billing cycle",
    re.IGNORECASE,
)
_FILTERED = re.compile(r"considered high risk|content.?filter|content_policy|moderation", re.IGNORECASE)
_TOO_LONG = re.compile(
    r"exceeded model token limit|token length too long|maximum context length|context size", re.IGNORECASE
)
_NO_MODEL = re.compile(r"\bmodel\b", re.IGNORECASE)
_QUOTA_TYPES = frozenset({"exceeded_current_quota_error", "insufficient_quota"})
_BY_STATUS: Mapping[int, type[ModelError]] = {
    401: AuthError,
    402: QuotaError,
    403: AuthError,
    408: OverloadedError,
    409: OverloadedError,
    425: OverloadedError,
}
_TITLE = re.compile(r"<title[^>]*>(.{0,300}?)</title>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_MAX_HTML_CHARS = 8_000


def classify(
    status: int, headers: Mapping[str, str], body: bytes, endpoint: Endpoint, *, retry_after_s: float | None = None
) -> ModelError:
    """The error that an answer other than 2xx stands for.

    The message names the status and what the endpoint says, without account ids and keys. `headers` are looked up in
    lower case.
    """
    kind, said = describe(body, headers.get("content-type", ""), endpoint.key)
    error_class = _class_of(status, kind, said)
    message = f"{endpoint.netloc} answered {status}: {said or 'no message'}"
    if 300 <= status < 400:
        target = host_of(headers.get("location", "")) or "another address"
        message = f"{endpoint.netloc} answered {status}: redirect to {scrub(target, endpoint.key)} refused."
    return error_class(
        message,
        hint=_hint(error_class, kind, said, endpoint),
        status=status,
        kind=kind,
        request_id=request_id(headers),
        retry_after_s=retry_after_s,
    )


def describe(body: bytes, content_type: str, key: str | None) -> tuple[str | None, str]:
    """An error body as its type, if it names one, and one line of text."""
    is_json, payload = parse(body)
    if not is_json:
        text = body.decode("utf-8", "replace")
        if "html" in content_type.lower() or text.lstrip()[:1] == "<":
            return None, scrub(_page(text), key)
        return None, scrub(text, key)
    whole = as_object(payload) or {}
    inner = as_object(whole.get("error")) or whole
    kind = as_text(inner.get("type")) or as_text(inner.get("code"))
    said = next((text for name in ("message", "detail", "error", "msg") if (text := as_text(inner.get(name)))), "")
    kind = None if kind is None or kind == "<nil>" else scrub(kind, key)
    return kind, scrub(said or as_text(payload) or "", key)


def request_id(headers: Mapping[str, str]) -> str | None:
    """The id under which the endpoint knows the call."""
    return next(
        (value for name in ("x-request-id", "x-trace-id", "msh-request-id") if (value := headers.get(name))), None
    )


def _class_of(status: int, kind: str | None, said: str) -> type[ModelError]:
    is_quota = kind in _QUOTA_TYPES or bool(_QUOTA.search(said))
    is_filtered = kind == "content_filter" or (kind != "invalid_request_error" and bool(_FILTERED.search(said)))
    match status:
        case 403 | 429 if is_quota:
            found = QuotaError
        case 400 | 403 | 422 if is_filtered:
            found = ContentFilterError
        case 404:
            is_model = kind in {"resource_not_found_error", "model_not_found"} or bool(_NO_MODEL.search(said))
            found = UnknownModelError if is_model else EndpointError
        case 429:
            is_busy = kind == "engine_overloaded_error" or "overloaded" in said.lower()
            found = OverloadedError if is_busy else RateLimitedError
        case _ if status >= 500:
            found = QuotaError if kind in _QUOTA_TYPES else OverloadedError
        case _:
            found = EndpointError if status < 400 else _BY_STATUS.get(status, BadRequestError)
    return found


def _hint(error_class: type[ModelError], kind: str | None, said: str, endpoint: Endpoint) -> str:
    host = endpoint.host
    if kind == "access_terminated_error" and error_class is AuthError:
        return (
            "A Kimi Code subscription serves Moonshot's own list of coding agents only, and kimi-lsp names itself "
            "honestly. Use a key of the open platform, or a server of your own."
        )
    if error_class is AuthError:
        return _key_hint(host)
    if error_class is QuotaError:
        return "The account has no balance or quota left: recharge it, or wait for the quota's reset."
    if error_class is EndpointError:
        return "Check the base URL: it usually ends in /v1."
    if error_class is BadRequestError and (_TOO_LONG.search(said) or kind == "context_length_exceeded"):
        return "The prompt and the tokens asked for exceed the model's window: audit less at once, or lower max_tokens."
    return ""


def _key_hint(host: str) -> str:
    if is_within(host, "kimi.com"):
        return "This address takes Kimi Code keys only; a key of the open platform belongs to api.moonshot.ai or .cn."
    for here, there in (("moonshot.ai", "moonshot.cn"), ("moonshot.cn", "moonshot.ai")):
        if is_within(host, here):
            return (
                f"Keys of api.{here} and api.{there} are separate: is it a key of the other one? "
                "A Kimi Code key works on neither."
            )
    return "Check the key for this endpoint."


def _page(text: str) -> str:
    """An HTML page in one line: its title, else the beginning of its text."""
    text = text[:_MAX_HTML_CHARS]
    title = _TITLE.search(text)
    words = " ".join(unescape(title.group(1) if title else _TAG.sub(" ", text)).split())
    return f"an HTML page, {words[:120]!r}" if words else "an HTML page"
