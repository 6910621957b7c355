"""The limiter, the balance, the prefix cache and the token counts: deterministic, on a clock the test turns."""

from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.json_value import Json
from tests.fakes.kimi import FakeKimi
from tests.fakes.limits import TIERS, Limits
from tests.fakes.script import Gate, Script
from tests.fakes.tokens import CACHE_BLOCK_TOKENS, CACHE_TTL_S, common_prefix, count
from tests.fakes_tests.client import ask, client, error_of, headers, hello, raw


@dataclass
class Clock:
    """A clock that stands until it is turned."""

    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s


def limited(limits: Limits, clock: Clock) -> FakeKimi:
    kimi = FakeKimi(limits=limits, clock=clock)
    kimi.respond(lambda _: Script(content="fine"))
    return kimi


def test_the_fourth_request_in_a_minute_is_refused_until_the_first_is_a_minute_old() -> None:
    clock = Clock()
    with limited(Limits(requests_per_minute=3), clock) as kimi:
        remaining: list[str] = []
        for _ in range(3):
            remaining.append(ask(kimi).headers["x-ratelimit-remaining"])
            clock.now_s += 10
        refused = ask(kimi)
        assert remaining == ["2", "1", "0"]
        assert error_of(refused)[:2] == (429, "rate_limit_reached_error")
        assert "request reached RPM rate limit, current:4, limit:3" in error_of(refused)[2]
        assert (refused.headers["retry-after"], refused.headers["x-ratelimit-limit"]) == ("30", "3")
        assert refused.headers["x-ratelimit-reset"] == "30"
        clock.now_s += 29
        assert ask(kimi).status_code == 429
        clock.now_s += 1
        assert ask(kimi).status_code == 200


def test_a_request_is_charged_its_prompt_and_its_answer_limit_up_front() -> None:
    clock = Clock()
    with limited(Limits(tokens_per_minute=2100), clock) as kimi:
        assert ask(kimi, max_completion_tokens=1000).status_code == 200
        assert ask(kimi, max_completion_tokens=1000).status_code == 200
        message = error_of(ask(kimi, max_completion_tokens=1000))[2]
        prompt = count('{"content":"hello","role":"user"}')
        assert f"TPM rate limit, current:{3 * (1000 + prompt)}, limit:2100" in message
        assert ask(kimi, max_completion_tokens=50).status_code == 200  # a refused request is not charged


def test_a_days_tokens_come_back_only_after_a_day() -> None:
    clock = Clock()
    with limited(Limits(tokens_per_day=1500), clock) as kimi:
        assert ask(kimi).status_code == 200
        clock.now_s += 3600
        assert ask(kimi).headers["retry-after"] == str(23 * 3600)
        clock.now_s += 23 * 3600
        assert ask(kimi).status_code == 200


def test_a_second_request_at_once_is_refused_on_the_smallest_tier() -> None:
    gate = Gate()
    with FakeKimi(limits=TIERS[0]) as kimi:
        kimi.enqueue(Script(content="slow", gate=gate), Script(content="next"))
        url = f"{kimi.base_url}/chat/completions"
        body: Json = {"model": "kimi-k2.6", "stream": True, **hello()}
        with client() as http, http.stream("POST", url, json=body, headers=headers(kimi)) as first:
            assert "max organization concurrency" in error_of(ask(kimi))[2]
            gate.open()
            first.read()
        kimi.wait_for(lambda k: k.running == 0)
        assert ask(kimi).status_code == 200


def test_a_client_that_leaves_frees_its_place() -> None:
    with FakeKimi(limits=Limits(concurrency=1)) as kimi:
        kimi.enqueue(Script(content="slow", gate=Gate()), Script(content="next"))
        assert raw(kimi, quiet_s=0.05).ending == "open"
        kimi.wait_for(lambda k: k.running == 0)
        assert ask(kimi).status_code == 200


def test_without_limits_no_limit_is_told(kimi: FakeKimi) -> None:
    kimi.enqueue(Script(content="x"))
    assert not any(name.startswith("x-ratelimit") for name in ask(kimi).headers)


def test_an_account_without_balance_gets_a_quota_error_before_any_script(kimi: FakeKimi) -> None:
    kimi.enqueue(Script(content="x"))
    kimi.balance_usd = Decimal(0)
    assert error_of(ask(kimi))[:2] == (429, "exceeded_current_quota_error")
    kimi.balance_usd = Decimal(1)
    assert ask(kimi).status_code == 200


def cached(kimi: FakeKimi, system: str, user: str, model: str = "kimi-k2.6") -> tuple[int, int]:
    """(cached, prompt) tokens of a request."""
    kimi.enqueue(Script(content="x"))
    messages: list[Json] = [{"role": "system", "content": system}, {"role": "user", "content": user}]
    usage = ask(kimi, {"messages": messages}, model=model, max_completion_tokens=100).json()["usage"]
    return usage["cached_tokens"], usage["prompt_tokens"]


def test_a_shared_prefix_is_cached_in_blocks_of_256_tokens(kimi: FakeKimi) -> None:
    prefix = "rules " * 1000  # 6,000 characters, 1,714 tokens
    assert cached(kimi, prefix, "first file")[0] == 0
    hit, prompt = cached(kimi, prefix, "second file")
    assert hit == 6 * CACHE_BLOCK_TOKENS < prompt
    assert cached(kimi, "x" + prefix, "third file")[0] == 0


def test_the_same_prompt_again_is_cached_whole(kimi: FakeKimi) -> None:
    cached(kimi, "rules " * 100, "file")
    hit, prompt = cached(kimi, "rules " * 100, "file")
    assert hit == prompt


def test_generation_parameters_are_no_part_of_the_cached_prompt_and_tools_are(kimi: FakeKimi) -> None:
    kimi.respond(lambda _: Script(content="x"))
    body = hello("x" * 4000)
    tool: Json = {"type": "function", "function": {"name": "scan", "parameters": {"type": "object"}}}
    ask(kimi, body, max_completion_tokens=100)
    same = ask(kimi, body, max_completion_tokens=999, stop="end").json()["usage"]
    other = ask(kimi, body, tools=[tool]).json()["usage"]
    assert same["cached_tokens"] == same["prompt_tokens"]
    assert other["cached_tokens"] == 0


def test_the_cache_forgets_and_does_not_mix_models() -> None:
    clock = Clock()
    prefix = "rules " * 1000
    with FakeKimi(clock=clock, models=["kimi-k2.6", "kimi-k2.7-code"]) as kimi:
        cached(kimi, prefix, "a")
        assert cached(kimi, prefix, "b", "kimi-k2.7-code")[0] == 0
        clock.now_s += CACHE_TTL_S + 1
        assert cached(kimi, prefix, "c")[0] == 0


def test_a_billed_cache_write_is_told_when_k3_is_asked_for_it() -> None:
    with FakeKimi("moonshot-k3") as kimi:
        kimi.respond(lambda _: Script(content="x"))
        usage = ask(kimi, prompt_cache_options={"ttl": "5m"}).json()["usage"]
        assert usage["prompt_tokens_details"] == {"cache_write_tokens": usage["prompt_tokens"]}
        assert "prompt_tokens_details" not in ask(kimi).json()["usage"]


def test_the_token_estimate_is_the_prompt_that_is_billed(kimi: FakeKimi) -> None:
    kimi.enqueue(Script(content="x"))
    body: Json = {"model": "kimi-k2.6", **hello("How many tokens?")}
    with client() as http:
        url = f"{kimi.base_url}/tokenizers/estimate-token-count"
        estimate = http.post(url, json=body, headers=headers(kimi)).json()["data"]["total_tokens"]
    assert estimate == ask(kimi, hello("How many tokens?")).json()["usage"]["prompt_tokens"]


@given(st.text("ab", max_size=40), st.text("ab", max_size=40))
def test_the_common_prefix_is_the_longest(left: str, right: str) -> None:
    length = common_prefix(left, right)
    assert left[:length] == right[:length]
    assert length == min(len(left), len(right)) or left[length] != right[length]


@pytest.mark.parametrize(("characters", "tokens"), [(0, 0), (1, 1), (3, 1), (4, 2), (7, 2), (3500, 1000)])
def test_three_and_a_half_characters_are_a_token(characters: int, tokens: int) -> None:
    assert count("x" * characters) == tokens
