"""What a refusal means, what may be seen of it, and whether to ask again."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_lsp.errors import (
    AuthError,
    BadRequestError,
    ContentFilterError,
    EndpointError,
    ModelError,
    OverloadedError,
    QuotaError,
    RateLimitedError,
    StreamError,
    UnknownModelError,
)
from kimi_lsp.model import Endpoint, RetryPolicy, profile_for
from kimi_lsp.model.classify import classify
from kimi_lsp.model.retry import retry_after_s
from kimi_lsp.model.scrub import scrub

KEY = "sk-" + "0123456789abcdef"


def refusal(status: int, body: object, base_url: str = "https://api.moonshot.ai/v1", **headers: str) -> ModelError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    endpoint = Endpoint(base_url, "kimi-k2.6", profile_for("kimi-k2.6", base_url), KEY)
    return classify(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw, endpoint)


def typed(kind: str | None, message: str) -> dict[str, object]:
    return {"error": {"type": kind, "message": message}}


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, typed("invalid_request_error", "invalid temperature"), BadRequestError),
        (400, typed("content_filter", "The request was rejected"), ContentFilterError),
        (400, typed(None, "The request was rejected because it was considered high risk"), ContentFilterError),
        (400, typed("invalid_request_error", "moderation of tools is illegal"), BadRequestError),
        (401, typed("invalid_authentication_error", "Invalid Authentication"), AuthError),
        (401, {"error": "Unauthorized"}, AuthError),
        (402, typed(None, "Insufficient credits"), QuotaError),
        (403, typed("permission_denied_error", "The API you are accessing is not open"), AuthError),
        (403, typed("access_terminated_error", "currently only available for Coding Agents"), AuthError),
        (403, typed("access_terminated_error", "You've reached your weekly (7-day) usage limit."), QuotaError),
        (403, typed(None, "flagged by moderation"), ContentFilterError),
        (404, typed("resource_not_found_error", "Not found the model x or Permission denied"), UnknownModelError),
        (404, {"object": "error", "message": "The model `x` does not exist.", "code": 404}, UnknownModelError),
        (404, {"detail": "Not Found"}, EndpointError),
        (404, b"404 page not found", EndpointError),
        (413, typed(None, "Request exceeds the maximum size"), BadRequestError),
        (422, {"detail": [{"msg": "x"}]}, BadRequestError),
        (408, b"", OverloadedError),
        (429, typed("engine_overloaded_error", "The engine is currently overloaded"), OverloadedError),
        (429, typed(None, "Model is overloaded"), OverloadedError),
        (429, typed("rate_limit_reached_error", "request reached TPM rate limit"), RateLimitedError),
        (429, b"Too Many Requests", RateLimitedError),
        (429, typed("exceeded_current_quota_error", "anything"), QuotaError),
        (
            429,
            typed("rate_limit_reached_error", "is suspended due to insufficient balance, please recharge"),
            QuotaError,
        ),
        (429, typed(None, "check your account balance"), QuotaError),
        (429, typed("insufficient_quota", ""), QuotaError),
        (500, typed("server_error", "x"), OverloadedError),
        (500, typed("<nil>", "upstream error"), OverloadedError),
        (502, b"<html><title>Bad Gateway</title></html>", OverloadedError),
        (529, b"", OverloadedError),
        (307, b"", EndpointError),
        (418, b"\xff\xfe", BadRequestError),
        (400, [1], BadRequestError),
        (400, {"error": {"message": {"nested": 1}}}, BadRequestError),
    ],
)
def test_each_refusal_is_its_own_error(status: int, body: object, expected: type[ModelError]) -> None:
    error = refusal(status, body)
    assert type(error) is expected
    assert error.status == status
    assert error.message.startswith(f"api.moonshot.ai answered {status}: ")


def test_a_refusal_keeps_its_type_and_id() -> None:
    error = refusal(500, typed("server_error", "x"), x_request_id="r1")
    assert (error.kind, error.request_id) == ("server_error", "r1")
    assert refusal(500, typed("<nil>", "x")).kind is None


def test_a_refusal_does_not_tell_who_the_account_is() -> None:
    uid, key_id = "d0e1f2a3b4c5", "ak-" + "f00dfeed1234"
    error = refusal(
        429,
        typed(
            "rate_limit_reached_error",
            f"Your account {uid}<{key_id}> request reached TPM rate limit, current:5, limit:4",
        ),
    )
    assert (
        error.message == "api.moonshot.ai answered 429: Your account request reached TPM rate limit, current:5, limit:4"
    )
    assert KEY not in refusal(401, typed("x", f"Incorrect API key provided: {KEY}")).line


def test_a_page_is_summed_up() -> None:
    page = b"<!doctype html><html><head><title>\n 502 Bad\n Gateway &amp; co</title></head><body>" + b"x" * 50_000
    assert refusal(502, page).message == "api.moonshot.ai answered 502: an HTML page, '502 Bad Gateway & co'"
    bare = b"<html><script>evil()</script><body>Blocked by <b>policy</b></body></html>"
    assert refusal(403, bare).message.endswith("an HTML page, 'Blocked by policy'")


def test_a_redirect_names_the_host_and_nothing_of_the_path() -> None:
    error = refusal(302, b"", location="https://login.example/sso?token=abc")
    assert error.message == "api.moonshot.ai answered 302: redirect to login.example refused."


@pytest.mark.parametrize(
    ("status", "kind", "message", "base_url", "hint"),
    [
        (401, "x", "", "https://api.moonshot.ai/v1", "api.moonshot.cn"),
        (401, "x", "", "https://api.moonshot.cn/v1", "api.moonshot.ai"),
        (401, "x", "", "https://api.kimi.com/coding/v1", "Kimi Code keys only"),
        (401, "x", "", "https://gateway.example/v1", "Check the key"),
        (
            403,
            "access_terminated_error",
            "only available for Coding Agents",
            "https://api.kimi.com/coding/v1",
            "honestly",
        ),
        (429, "exceeded_current_quota_error", "", "https://api.moonshot.ai/v1", "recharge"),
        (404, None, "page not found", "https://api.moonshot.ai", "/v1"),
        (400, None, "Your request exceeded model token limit : 262144", "https://api.moonshot.ai/v1", "less at once"),
    ],
)
def test_a_refusal_says_what_to_do(status: int, kind: str | None, message: str, base_url: str, hint: str) -> None:
    assert hint in refusal(status, typed(kind, message), base_url).hint


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Your account is suspended", "Your account is suspended"),
        ("account org-abcdef123<ak-abcdef12> hit", "account hit"),
        ("key " + "sk-" + "abcdef123456 and ak-" + "qwerty99", "key … and …"),
        ("uid=12345678 user_id: abcd1234", "uid=… user_id: …"),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer …"),
        (f"you sent {KEY}!", "you sent …!"),
        ("two\n\nlines\tonly", "two lines only"),
        ("risk-taking task-force-one desk-tops", "risk-taking task-force-one desk-tops"),
    ],
)
def test_messages_are_cleaned(text: str, clean: str) -> None:
    assert scrub(text, KEY) == clean


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_key_never_survives(before: str, after: str) -> None:
    assert KEY not in scrub(f"{before}{KEY}{after}", KEY)


def test_messages_are_short_and_quickly_cleaned() -> None:
    assert len(scrub("account " * 100_000)) == 500
    assert len(scrub("<" * 1_000_000)) == 500


def test_only_what_may_pass_is_tried_again() -> None:
    assert RateLimitedError("x").retryable
    assert OverloadedError("x", status=503).retryable
    assert EndpointError("no connection").retryable
    assert not EndpointError("a page", status=200).retryable
    for kind in (AuthError, BadRequestError, ContentFilterError, QuotaError, StreamError, UnknownModelError):
        assert not kind("x").retryable


def delays(error: ModelError, policy: RetryPolicy | None = None, jitter: float = 0.0) -> list[float | None]:
    chosen = policy or RetryPolicy()
    found: list[float | None] = []
    elapsed = 0.0
    for attempt in range(1, chosen.max_attempts + 1):
        found.append(chosen.delay_s(error, attempt=attempt, elapsed_s=elapsed, jitter=jitter))
        elapsed += found[-1] or 0.0
    return found


def test_the_wait_doubles_up_to_its_cap_and_then_it_gives_up() -> None:
    assert delays(OverloadedError("x"), RetryPolicy(max_attempts=7)) == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, None]


def test_jitter_shortens_a_guess_and_lengthens_a_promise() -> None:
    assert delays(OverloadedError("x"), jitter=1.0)[0] == 0.375
    assert delays(OverloadedError("x", retry_after_s=4.0), jitter=1.0)[0] == 5.0


def test_who_is_told_when_waits_that_long_or_gives_up() -> None:
    assert delays(RateLimitedError("x", retry_after_s=20.0))[0] == 20.0
    assert delays(RateLimitedError("x", retry_after_s=0.0))[0] == 0.5
    assert delays(RateLimitedError("x", retry_after_s=121.0))[0] is None
    assert delays(RateLimitedError("x", retry_after_s=100.0)) == [100.0, None, None, None]


def test_a_quota_is_never_tried_again_whatever_is_asked() -> None:
    assert delays(QuotaError("x", retry_after_s=1.0)) == [None] * 4


NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Tue, 24 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Tue, 24 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "Tue, 24 Nov 2026 12:00:30 -0000"}, 30.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "Tue, 99 Nov 99999 12:00:30 GMT"}, None),
        ({}, None),
    ],
)
def test_a_wait_is_read_in_seconds_or_as_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers, NOW) == seconds


@given(st.text(max_size=40))
def test_no_header_whatever_raises(value: str) -> None:
    assert (retry_after_s({"retry-after": value}, NOW) or 0.0) >= 0.0


KEYS = st.sampled_from(["error", "type", "code", "message", "detail"])
BODIES = st.recursive(st.none() | st.text(), lambda inner: st.dictionaries(KEYS, inner) | st.lists(inner))


@given(st.integers(300, 599), st.binary(max_size=80) | BODIES, st.text(alphabet="htps:/[]@#a.\u2100", max_size=20))
def test_no_answer_whatever_raises(status: int, body: object, location: str) -> None:
    assert refusal(status, body, location=location).status == status
