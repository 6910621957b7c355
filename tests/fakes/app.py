"""From a recorded request to the reply it gets. The order of the checks is Moonshot's; no socket is known here."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from tests.fakes.dialects import Answer, Profile, models_body
from tests.fakes.faults import Account, Fault, FaultKind, Problem, problem_of
from tests.fakes.json_value import Json, JsonObject, compact
from tests.fakes.limits import Limiter
from tests.fakes.models import Family, Model
from tests.fakes.plan import Send, Stall, Step, shaped, stream, whole
from tests.fakes.record import Recorded
from tests.fakes.script import Gate, Script
from tests.fakes.tokens import Counts, PrefixCache, count, prompt_of
from tests.fakes.validation import Chat, check

EVENT_STREAM = "text/event-stream; charset=utf-8"
HTML_PAGE = (
    b"<!doctype html><html><head><title>Sign in</title></head><body><h1>Sign in to continue</h1></body></html>\n"
)


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Reply:
    """What to send. `body_size` None: chunked. `has_head` False: not even a status line. `on_end` runs exactly once."""

    status: int
    headers: Sequence[tuple[str, str]]
    steps: Iterable[Step]
    body_size: int | None
    delay_s: float = 0.0
    first_delay_s: float = 0.0
    gate: Gate | None = None
    has_head: bool = True
    on_end: Callable[[], None] = _nothing


@dataclass(slots=True)
class Scripts:
    """The queue of scripts and the function that answers when it is empty. Filled from the test's thread."""

    responder: Callable[[Recorded], Script] | None = None
    _queue: deque[Script] = field(default_factory=deque[Script])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, scripts: Iterable[Script]) -> None:
        """Append answers for the requests to come."""
        with self._lock:
            self._queue.extend(scripts)

    def next(self, request: Recorded) -> Script | None:
        """The script for a request that passed all checks."""
        with self._lock:
            if self._queue:
                return self._queue.popleft()
            responder = self.responder
        return responder(request) if responder else None

    def __len__(self) -> int:
        with self._lock:
            return len(self._queue)


@dataclass(slots=True)
class App:
    """One endpoint: its dialect, its account, its memory of prompts."""

    profile: Profile
    models: Mapping[str, Model]
    key: str | None
    scripts: Scripts
    limiter: Limiter
    cache: PrefixCache
    account: Account
    balance_usd: Decimal
    max_body_bytes: int
    allowed_headers: frozenset[str] | None
    elsewhere: Callable[[], str]  # the URL of the second listener

    def reply(self, request: Recorded) -> Reply:
        """Check a request and word its reply. Never waits."""
        routes = {
            ("GET", "/v1/models"): self._models,
            ("POST", "/v1/chat/completions"): self._chat,
        }
        if self.profile.is_moonshot:
            routes[("POST", "/v1/tokenizers/estimate-token-count")] = self._estimate
            routes[("GET", "/v1/users/me/balance")] = self._balance
        route = routes.get((request.method, request.path))
        if route is None:
            known = any(path == request.path for _, path in routes)
            missing = Problem(405 if known else 404, "resource_not_found_error", "The requested URL was not found")
            return self._refuse(request, missing)
        problem = self._authorise(request)
        return self._refuse(request, problem) if problem else route(request)

    def _authorise(self, request: Recorded) -> Problem | None:
        sent = request.header("authorization")
        if self.key is not None and sent != f"Bearer {self.key}":
            if sent is None:
                return Problem(401, "invalid_authentication_error", "Invalid Authentication")
            return Problem(401, "incorrect_api_key_error", "Incorrect API key provided")
        stray = request.header_names - self.allowed_headers if self.allowed_headers is not None else frozenset[str]()
        if stray:
            message = f"headers that are not on the allow-list: {', '.join(sorted(stray))}"
            return Problem(400, "invalid_request_error", message)
        if (request.header("content-encoding") or "identity") != "identity":  # nobody could search it for secrets
            return Problem(415, "invalid_request_error", "Invalid request: the body must not be compressed")
        if len(request.body) > self.max_body_bytes:
            return Problem(413, None, "Request exceeds the maximum size")
        return None

    def _models(self, request: Recorded) -> Reply:
        return self._json(request, 200, models_body(self.profile, list(self.models.values())))

    def _balance(self, request: Recorded) -> Reply:
        total = float(self.balance_usd)
        data: JsonObject = {"available_balance": total, "voucher_balance": 0.0, "cash_balance": total}
        return self._json(request, 200, {"code": 0, "data": data, "scode": "0x0", "status": True})

    def _estimate(self, request: Recorded) -> Reply:
        found = self._read(request)
        if isinstance(found, Problem):
            return self._refuse(request, found)
        return self._json(request, 200, {"data": {"total_tokens": count(prompt_of(found.body))}})

    def _read(self, request: Recorded) -> Chat | Problem:
        """The body of a request that names a model: JSON, then the model table."""
        try:
            body = request.json
        except ValueError:
            return Problem(400, "invalid_request_error", "Invalid request: the body is not valid JSON")
        if not isinstance(body, dict):
            return Problem(400, "invalid_request_error", "Invalid request: the body must be an object")
        name = body.get("model")
        model = self.models.get(name) if isinstance(name, str) else None
        if self.profile.takes_any_model:
            model = next(iter(self.models.values()), None)
        if model is None:
            message = f"The model `{name}` does not exist."
            if self.profile.is_moonshot:
                message = f"Not found the model {name} or Permission denied"
            return Problem(404, "resource_not_found_error", message)
        return Chat(body, model)

    def _chat(self, request: Recorded) -> Reply:
        chat = self._read(request)
        if isinstance(chat, Problem):
            return self._refuse(request, chat)
        if self.profile.is_moonshot:
            problem = check(chat)
        else:
            no_messages = Problem(400, "invalid_request_error", "messages must be a non-empty array")
            problem = None if chat.messages else no_messages
        if problem:
            return self._refuse(request, problem)
        problem = self.limiter.admit(chat.prompt_tokens + chat.max_tokens)
        if problem:
            return self._refuse(request, problem)
        if self.balance_usd <= 0:
            self.limiter.leave()
            quota = problem_of(Fault(FaultKind.SUSPENDED), self.account, chat.model.id)
            assert quota is not None
            return self._refuse(request, quota)
        try:
            script = self.scripts.next(request)
        except BaseException:
            self.limiter.leave()
            raise
        if script is None:
            self.limiter.leave()
            message = f"FakeKimi has no script for request #{request.number} (model {chat.model.id}): enqueue one"
            return self._refuse(request, Problem(500, "missing_script", message))
        return self._answer(request, chat, script)

    def _answer(self, request: Recorded, chat: Chat, script: Script) -> Reply:
        """The scripted answer, or the fault that takes its place."""
        script = shaped(script)
        fault = script.fault
        problem = problem_of(fault, self.account, chat.model.id) if fault else None
        if problem:
            self.limiter.leave()
            return self._refuse(request, problem, script)
        answer = Answer(
            self.profile,
            chat.model.id,
            script,
            self._counts(chat, script),
            request.number,
            wants_usage_chunk=chat.wants_usage_chunk,
        )
        if fault and fault.kind is FaultKind.SILENCE:
            return Reply(0, (), (Stall(),), 0, has_head=False, on_end=self.limiter.leave)
        body, kind, status, more = self._instead(request, fault)
        if body is not None:
            return self._plain(request, status, kind, body, script, more)
        if not chat.wants_stream or (fault and fault.kind is FaultKind.PLAIN_JSON):
            body, steps = whole(answer)
            return self._paced(request, script, "application/json; charset=utf-8", steps, len(body))
        steps = () if fault and fault.kind is FaultKind.EMPTY_STREAM else stream(answer)
        return self._paced(request, script, EVENT_STREAM, steps, None)

    def _instead(
        self, request: Recorded, fault: Fault | None
    ) -> tuple[bytes | None, str, int, Sequence[tuple[str, str]]]:
        """A body of another kind: (body or None, content type, status, headers)."""
        match fault.kind if fault else None:
            case FaultKind.HTML:
                return HTML_PAGE, "text/html; charset=utf-8", 200, ()
            case FaultKind.BAD_GATEWAY:
                return HTML_PAGE.replace(b"Sign in", b"502 Bad Gateway"), "text/html", 502, ()
            case FaultKind.REDIRECT:
                return b"", "text/plain", 307, (("location", self.elsewhere() + request.target),)
            case _:
                return None, "", 0, ()

    def _counts(self, chat: Chat, script: Script) -> Counts:
        """The tokens of the answer: the script's word, else counted."""
        prompt = prompt_of(chat.body)
        hit = self.cache.hit(chat.model.id, prompt)
        cached = hit if script.cached_tokens is None else script.cached_tokens
        total = count(prompt) if script.prompt_tokens is None else script.prompt_tokens
        reasoning = count(script.reasoning) if script.reasoning_tokens is None else script.reasoning_tokens
        said = reasoning + count(script.content) + sum(count(call.name + call.arguments) for call in script.tool_calls)
        writes = chat.model.family is Family.K3 and chat.body.get("prompt_cache_options") is not None
        return Counts(
            prompt=total,
            completion=said if script.completion_tokens is None else script.completion_tokens,
            cached=cached,
            reasoning=reasoning,
            cache_write=max(total - cached, 0) if writes else 0,
        )

    def _paced(
        self, request: Recorded, script: Script, kind: str, steps: Iterable[Step], body_size: int | None
    ) -> Reply:
        return Reply(
            200,
            self._headers(request, kind, script),
            steps,
            body_size,
            delay_s=script.delay_s,
            first_delay_s=script.first_delay_s,
            gate=script.gate,
            on_end=self.limiter.leave,
        )

    def _plain(
        self,
        request: Recorded,
        status: int,
        kind: str,
        body: bytes,
        script: Script,
        more: Sequence[tuple[str, str]],
    ) -> Reply:
        headers = [*self._headers(request, kind, script), *more]
        delay_s = script.first_delay_s
        return Reply(
            status,
            headers,
            (Send(body),),
            len(body),
            first_delay_s=delay_s,
            gate=script.gate,
            on_end=self.limiter.leave,
        )

    def _json(self, request: Recorded, status: int, value: Json, script: Script | None = None) -> Reply:
        body = compact(value).encode()
        headers = self._headers(request, "application/json; charset=utf-8", script or Script())
        return Reply(status, headers, (Send(body),), len(body))

    def _refuse(self, request: Recorded, problem: Problem, script: Script | None = None) -> Reply:
        request.problem = problem.message
        reply = self._json(request, problem.status, self.profile.error_body(problem), script)
        retry = () if problem.retry_after is None else (("retry-after", str(problem.retry_after)),)
        return Reply(reply.status, [*reply.headers, *retry], reply.steps, reply.body_size)

    def _headers(self, request: Recorded, kind: str, script: Script) -> list[tuple[str, str]]:
        """The headers of every answer; those of the script come last."""
        return [
            ("content-type", kind),
            ("x-request-id", f"req-{request.number:08x}"),
            ("x-trace-id", f"trace-{request.number:08x}"),
            *self.limiter.headers(),
            *script.headers.items(),
        ]
