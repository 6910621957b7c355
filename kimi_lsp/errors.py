"""The one tree of errors that cross a boundary. Analysis does not raise: it returns notices."""

from typing import ClassVar


class KimiError(Exception):
    """Something a user can act on. `code` is stable and dotted; the message is one line; `hint` says what to do."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(" ".join(message.split()))
        self.hint = hint

    @property
    def message(self) -> str:
        """The one-line message, without the hint."""
        return str(self.args[0])

    @property
    def line(self) -> str:
        """Message and hint as one line, as a face prints it."""
        return f"{self.message} {self.hint}".strip()


class UsageError(KimiError):
    """A call that cannot be carried out as it was written: a missing path, an unknown lane or revision."""

    code = "usage"


class ConfigError(KimiError):
    """A configuration that does not say what it means: unknown key, wrong type, a project file that loosens."""

    code = "config"


class ConsentError(KimiError):
    """Nobody has agreed that this project's text goes to this endpoint."""

    code = "consent.missing"


class StoreError(KimiError):
    """The state directory cannot be used."""

    code = "store"


class BudgetError(KimiError):
    """The estimate does not fit under a ceiling; the message names the ceiling."""

    code = "budget.exceeded"


class TokenBudgetError(BudgetError):
    """The same where the ceiling is one of tokens."""

    code = "budget.tokens_exceeded"


class LeakError(KimiError):
    """A request body still held a secret after redaction; it was not sent."""

    code = "redaction.leak"


class InternalError(KimiError):
    """A defect of ours. It costs the unit or the lane it happened in, never the audit."""

    code = "internal"


class ModelError(KimiError):
    """A model call failed. `retry_after_s` says when to ask again, where the endpoint said so."""

    code = "model.error"

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        status: int | None = None,
        kind: str | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status  # HTTP status, where one was answered
        self.kind = kind  # the endpoint's own error type, verbatim
        self.request_id = request_id
        self.retry_after_s = retry_after_s

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later."""
        return False


class AuthError(ModelError):
    """401, or 403: the key or the account may not do this."""

    code = "model.auth"


class UnknownModelError(ModelError):
    """404: the endpoint has no such model for this key."""

    code = "model.unknown"


class BadRequestError(ModelError):
    """400, 413, 422: the endpoint refused the request itself."""

    code = "model.bad_request"


class ContentFilterError(ModelError):
    """The endpoint's own filter refused the text; the unit is not reviewed."""

    code = "model.filtered"


class QuotaError(ModelError):
    """The account has no balance or quota left. Never retried; it ends the run."""

    code = "model.quota"


class RateLimitedError(ModelError):
    """429: too many requests or tokens a minute."""

    code = "model.rate_limited"

    @property
    def retryable(self) -> bool:
        """It may."""
        return True


class OverloadedError(ModelError):
    """429 engine_overloaded or 5xx: the endpoint is busy or broken."""

    code = "model.overloaded"

    @property
    def retryable(self) -> bool:
        """It may."""
        return True


class EndpointError(ModelError):
    """No connection, a timeout before the first byte, or an answer that is no chat completion (HTML, a redirect)."""

    code = "model.endpoint"

    @property
    def retryable(self) -> bool:
        """Only where nobody answered: an endpoint that answers with a page or a redirect will do so again."""
        return self.status is None


class StreamError(ModelError):
    """The stream broke after it had begun: cut, stalled, over the size cap, or an in-band error. What came is kept."""

    code = "model.stream"
