"""Everything that can go wrong with an endpoint on purpose: kinds, their parameters, and the error answers."""

import enum
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime


class FaultKind(enum.Enum):
    """What goes wrong. `Fault` carries where and with what."""

    # the connection, after `at` events
    RESET = enum.auto()  # TCP RST
    HANG_UP = enum.auto()  # FIN without the last HTTP chunk
    NO_DONE = enum.auto()  # a clean end without [DONE]; without `at` only [DONE] is missing
    TORN_EVENT = enum.auto()  # a clean end in the middle of a line
    STALL = enum.auto()  # nothing more, connection open
    SILENCE = enum.auto()  # not even a response head
    # inside the stream, after `at` events
    MALFORMED_JSON = enum.auto()
    INVALID_UTF8 = enum.auto()
    EMPTY_DATA = enum.auto()  # `event: x` and an empty `data:`
    ERROR_OBJECT = enum.auto()  # data: {"error":{...}}, then the end
    ERROR_TEXT = enum.auto()  # data: {"error":"..."}, then the end
    NULL_CHOICES = enum.auto()
    COMMENTS = enum.auto()  # `: keepalive` before every event
    # the shape of the answer
    SPLIT_CHARACTER = enum.auto()  # a chunk border inside every multi-byte character
    SPLIT_NEWLINE = enum.auto()  # CRLF lines, a chunk border inside every CRLF
    EMPTY_LENGTH = enum.auto()  # empty content, finish_reason length
    UNKNOWN_FINISH = enum.auto()
    FILTERED_FINISH = enum.auto()  # finish_reason content_filter
    TOOLS_INTERLEAVED = enum.auto()
    TOOLS_NAME_LAST = enum.auto()
    TOOLS_NO_INDEX = enum.auto()
    # another answer altogether
    HTML = enum.auto()  # 200 text/html
    PLAIN_JSON = enum.auto()  # 200 application/json although a stream was asked for
    EMPTY_STREAM = enum.auto()  # 200 text/event-stream without one event
    REDIRECT = enum.auto()  # 307 to the second listener
    UNAUTHORISED = enum.auto()
    FORBIDDEN = enum.auto()
    AGENTS_ONLY = enum.auto()
    WEEKLY_LIMIT = enum.auto()
    UNKNOWN_MODEL = enum.auto()
    TOO_LARGE = enum.auto()
    HIGH_RISK = enum.auto()
    RATE_LIMITED = enum.auto()
    OVERLOADED = enum.auto()
    QUOTA = enum.auto()
    SUSPENDED = enum.auto()
    SERVER_ERROR = enum.auto()
    BAD_GATEWAY = enum.auto()  # HTML from a proxy
    UNAVAILABLE = enum.auto()
    GATEWAY_TIMEOUT = enum.auto()
    NIL_TYPE = enum.auto()  # a gateway's {"type":"<nil>"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `at`: events sent before it. `retry_after`: seconds, or the header's text verbatim, or no header."""

    kind: FaultKind
    at: int | None = None
    retry_after: int | str | None = None
    text: str | None = None  # another message, finish reason or error text than the usual one

    def after(self, default: int = 0) -> int:
        """Events before the fault."""
        return default if self.at is None else self.at


@dataclass(frozen=True, slots=True)
class Problem:
    """An error answer: status, the endpoint's error type, its message. `kind` None: the key is left out."""

    status: int
    kind: str | None
    message: str
    retry_after: int | str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """Who a rate limit message names. Made up, and shaped like the real ones, so that a test can look for a leak."""

    uid: str = "cr" + "7fake0uid0account42"
    access_key: str = "ak-" + "fake9access0key77"


def problem_of(fault: Fault, account: Account, model: str) -> Problem | None:
    """The error answer of a status fault (types and wording: Moonshot's documentation and clients); else None."""
    known = _PROBLEMS.get(fault.kind)
    if known is None:
        return None
    status, kind, message = known
    text = fault.text or message.format(uid=account.uid, ak=account.access_key, model=model)
    return Problem(status, kind, text, fault.retry_after)


def http_date(in_s: float) -> str:
    """The time so many seconds from now as an HTTP date."""
    return format_datetime(datetime.now(UTC) + timedelta(seconds=in_s), usegmt=True)


_PROBLEMS: dict[FaultKind, tuple[int, str | None, str]] = {
    FaultKind.UNAUTHORISED: (401, "invalid_authentication_error", "Invalid Authentication"),
    FaultKind.FORBIDDEN: (403, "permission_denied_error", "The API you are accessing is not open"),
    FaultKind.AGENTS_ONLY: (
        403,
        "access_terminated_error",
        (
            "Kimi For Coding is currently only available for Coding Agents such as Kimi CLI, Claude Code, Roo Code, "
            "Kilo Code, etc."
        ),
    ),
    FaultKind.WEEKLY_LIMIT: (403, "access_terminated_error", "You've reached your weekly (7-day) usage limit."),
    FaultKind.UNKNOWN_MODEL: (
        404,
        "resource_not_found_error",
        "Not found the model {model} or Permission denied",
    ),
    FaultKind.TOO_LARGE: (413, None, "Request exceeds the maximum size"),
    FaultKind.HIGH_RISK: (400, "content_filter", "The request was rejected because it was considered high risk"),
    FaultKind.RATE_LIMITED: (
        429,
        "rate_limit_reached_error",
        "Your account {uid}<{ak}> request reached TPM rate limit, current:512000, limit:500000",
    ),
    FaultKind.OVERLOADED: (
        429,
        "engine_overloaded_error",
        "The engine is currently overloaded, please try again later",
    ),
    FaultKind.QUOTA: (
        429,
        "exceeded_current_quota_error",
        "You exceeded your current token quota: 1500000, please check your account balance",
    ),
    FaultKind.SUSPENDED: (
        429,
        "exceeded_current_quota_error",
        (
            "Your account {uid}<{ak}> is suspended due to insufficient balance, please recharge your account "
            "or check your plan"
        ),
    ),
    FaultKind.SERVER_ERROR: (500, "server_error", "The server had an error while processing your request"),
    FaultKind.UNAVAILABLE: (503, "server_unavailable", "The server is temporarily unavailable"),
    FaultKind.GATEWAY_TIMEOUT: (504, "server_error", "The server did not answer in time"),
    FaultKind.NIL_TYPE: (500, "<nil>", "upstream error"),
}
