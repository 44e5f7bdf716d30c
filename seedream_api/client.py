"""SeedreamClient: what the service can do. It knows nothing of records, stores or references."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any
from urllib.parse import quote

from .answers import Answer, read_answer
from .checks import check_reachable, check_request, checked_task_id
from .config import Settings
from .errors import (
    ApiRefused,
    AuthenticationFailed,
    InvalidRequest,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    ReadFailed,
    TaskNotFound,
)
from .limits import Gate
from .models import Request, Task
from .polling import Pace, wait_for_task
from .redaction import scrub
from .references import UrlReference
from .refusals import may_repeat, read_refusal
from .retries import CONNECTING, NO_CHANNEL, RATE_LIMITED, Patience, Policy, retry_after_s
from .transport import HttpAnswer, Transport

GENERATE_PATH = "/v1/images/generations"
TASK_PATH = "/v1/images/Seedream/"
POLL_TIMEOUT_S = 30.0


async def _nothing() -> None:
    pass


@dataclass(frozen=True)
class SubmitHooks:
    """What a caller writes down around the paid moment.

    Args:
        before_first_byte: awaited immediately before the first byte leaves; if it raises, nothing
            is sent.
        not_accepted: awaited when the service surely did not accept the request and it will be sent
            again after a pause.
    """

    before_first_byte: Callable[[], Awaitable[None]] = _nothing
    not_accepted: Callable[[], Awaitable[None]] = _nothing


class SeedreamClient:
    """The service at one address with one key; an async context manager for one event loop.

    Args:
        settings: as :func:`seedream_api.load_settings` gives them.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        transport: Transport | None = None,
    ) -> None:
        self.settings = settings
        self.transport = transport or Transport(settings.proxy)
        self._clock = clock
        self._sleep = sleep
        self._gate = Gate(int(settings.number("SEEDREAM_MAX_SUBMITS")), clock=clock, sleep=sleep)
        self._sandbox: Any = None
        self._base_url = settings.address

    async def __aenter__(self) -> SeedreamClient:
        if self.settings.is_built_in_sandbox:
            from .sandbox import Sandbox  # only who uses it pays for its import

            self._sandbox = Sandbox(self.settings.home, models=self.settings.models)
            await asyncio.to_thread(self._sandbox.start)
            self._base_url = self._sandbox.url
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.transport.close()
        if self._sandbox is not None:
            await asyncio.to_thread(self._sandbox.stop)

    @property
    def base_url(self) -> str:
        """Where requests go; of the built-in sandbox the address it runs at."""
        return self._base_url

    def headers(self) -> dict[str, str]:
        """The header that carries the key, to this address only."""
        return {"Authorization": f"Bearer {self.settings.key.get_secret_value()}"}

    async def submit(
        self,
        request: Request,
        reference_urls: tuple[str, ...] | None = None,
        *,
        idempotency_key: str | None = None,
        hooks: SubmitHooks | None = None,
        read_timeout_s: float | None = None,
    ) -> Answer:
        """Send a request that is paid for, once; again only where it surely was not accepted.

        Args:
            reference_urls: the references as they travel; by default those that are URLs already.

        Raises:
            InvalidRequest: a value is not allowed.
            ApiRefused: the service said no; nothing was charged.
            NotSent: the service could not be reached.
            OutcomeUnknown: sent, and what became of it cannot be known.
        """
        model = check_request(request, self.settings.models).model
        check_reachable(request.references, self.settings)
        body = request.body(model, _urls(request) if reference_urls is None else reference_urls)
        headers = self.headers()
        headers["Idempotency-Key"] = idempotency_key or f"seedream-{uuid.uuid4().hex}"
        timeout_s = read_timeout_s or self.settings.number("SEEDREAM_TIMEOUT_S")
        hooks = hooks or SubmitHooks()
        patience = Patience(self._clock)
        while True:
            pause = await self._one_attempt(body, headers, timeout_s, hooks, patience)
            if isinstance(pause, Answer):
                return pause
            await self._sleep(pause)

    async def _one_attempt(
        self,
        body: dict[str, Any],
        headers: dict[str, str],
        timeout_s: float,
        hooks: SubmitHooks,
        patience: Patience,
    ) -> Answer | float:
        """The answer, or how long to wait before the next attempt."""
        try:
            async with self._gate.place():
                answer = await self.transport.post_once(
                    self.base_url + GENERATE_PATH,
                    body=body,
                    headers=headers,
                    read_timeout_s=timeout_s,
                    before_first_byte=hooks.before_first_byte,
                )
        except NotSent:
            pause = patience.pause(CONNECTING)
            if pause is None:
                raise
            return pause
        outcome = self._read(answer)
        if isinstance(outcome, Answer):
            return outcome
        policy = _policy(outcome)
        if policy is None:
            raise outcome
        pause = patience.pause(policy, retry_after_s(answer.headers, time.time()))
        if pause is None:
            outcome.values["waited"] = patience.waited_s(policy)
            raise type(outcome)(outcome.key, request_id=outcome.request_id, **outcome.values)
        await hooks.not_accepted()
        if isinstance(outcome, RateLimited):
            self._gate.hold_back(pause)
        return pause

    def _read(self, answer: HttpAnswer) -> Answer | ApiRefused:
        """What an answer to a paid request means.

        Raises:
            OutcomeUnknown: it cannot be told.
        """
        payload = _payload(answer)
        read = replace(read_answer(payload), request_id=answer.request_id)
        if 200 <= answer.status < 300:
            if read.has_images or (read.task_id and read.error is None):
                return read
            error = read.error or next((item.error for item in read.items if item.error), None)
            if error is not None:
                refusal = self._refusal(200, {"error": vars(error)}, answer)
                if refusal is not None:
                    return refusal
            if read.names_results:
                return read
        else:
            refusal = self._refusal(answer.status, payload, answer)
            if refusal is not None:
                return refusal
        said = f"an answer that cannot be read, HTTP {answer.status}"
        if read.error is not None:
            said = f"HTTP {answer.status}: {read.error}"
        unknown = OutcomeUnknown(
            "outcome_unknown",
            request_id=answer.request_id,
            reason=self.scrub(said),
            entry="ID",
        )
        unknown.hint = read.task_id
        raise unknown

    def _refusal(self, http: int, payload: Any, answer: HttpAnswer) -> ApiRefused | None:
        return read_refusal(http, payload, request_id=answer.request_id, secrets=(self._secret(),))

    async def get_task(self, task_id: str) -> Task:
        """One look at a task; free.

        Raises:
            TaskNotFound: the service does not know it (404).
            AuthenticationFailed: the key may not read it.
            ReadFailed: no usable answer this time.
            NotSent: the service could not be reached.
        """
        task_id = checked_task_id(task_id)
        answer = await self.transport.ask(
            f"{self.base_url}{TASK_PATH}{quote(task_id, safe='')}",
            headers=self.headers(),
            timeout_s=POLL_TIMEOUT_S,
        )
        payload = _payload(answer)
        read = read_answer(payload)
        if 200 <= answer.status < 300:
            task = read.as_task(task_id)
            if task is not None:
                return task
        refusal = self._refusal(answer.status, payload, answer)
        reason = str(refusal.values["reason"]) if refusal else f"HTTP {answer.status}"
        if answer.status == 404 or (read.error and read.error.code == "resource_not_found"):
            raise TaskNotFound("task_not_found", task_id=task_id, reason=reason)
        if isinstance(refusal, AuthenticationFailed):
            raise refusal
        failed = ReadFailed("read_failed", task_id=task_id, reason=reason)
        failed.retry_after_s = retry_after_s(answer.headers, time.time())
        raise failed

    async def wait(
        self,
        task_id: str,
        *,
        timeout_s: float | None = None,
        pace: Pace | None = None,
        age_s: float = 0.0,
        on_look: Callable[[Task], None] = lambda task: None,
    ) -> Task:
        """Look at a task until it is completed or failed; see :func:`polling.wait_for_task`."""

        async def look() -> Task:
            return await self.get_task(task_id)

        return await wait_for_task(
            look,
            task_id=task_id,
            pace=pace or Pace(),
            timeout_s=timeout_s or self.settings.number("SEEDREAM_TIMEOUT_S"),
            clock=self._clock,
            sleep=self._sleep,
            age_s=age_s,
            on_look=on_look,
        )

    def _secret(self) -> str:
        return self.settings.key.get_secret_value()

    def scrub(self, text: str) -> str:
        """The service's words without the key and without signed URLs."""
        return scrub(text, (self._secret(),))


def _payload(answer: HttpAnswer) -> Any:
    try:
        return answer.json()
    except ValueError:
        return answer.body[:2_000].decode("utf-8", "replace")


def _policy(refusal: ApiRefused) -> Policy | None:
    if not may_repeat(refusal):
        return None
    return RATE_LIMITED if isinstance(refusal, RateLimited) else NO_CHANNEL


def _urls(request: Request) -> tuple[str, ...]:
    urls = tuple(ref.url for ref in request.references if isinstance(ref, UrlReference))
    if len(urls) != len(request.references):
        raise InvalidRequest(
            "value_malformed",
            field="references",
            given="images",
            reason="the bare client does not upload",
            allowed="references by URL; generate takes images too",
        )
    return urls
