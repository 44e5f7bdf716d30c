"""SeedreamClient: what the service can do. It knows nothing of records, stores or references."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Container
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import quote

from ..config.settings import Settings
from ..errors import ApiRefused, InvalidRequest, NotSent, RateLimited
from ..messages import Text
from ..network.retry import (
    CONNECTING,
    NO_CHANNEL,
    RATE_LIMITED,
    RetryBudget,
    RetryPolicy,
    retry_after_s,
)
from ..network.throttle import Slot, Throttle
from ..network.transport import HttpResponse, Transport
from ..redaction import redact
from .failures import to_poll_failure, to_refusal, to_unknown
from .models import Request, Task
from .polling import PollSchedule, wait_for_task, wait_limit_s
from .reading import parse_http_response, parse_off_loop
from .references import UrlReference
from .refusals import is_retryable
from .responses import ServiceResponse
from .result_items import ItemReader
from .validation import validate_reference_urls, validate_request
from .verdicts import Verdict, judge_submission

GENERATE_PATH = "/v1/images/generations"
TASK_PATH = "/v1/images/Seedream/"
POLL_TIMEOUT_S = 30.0
TORN_POLLS = 3
"""How often a task is polled at once while its response ends early."""
SILENCE_S = 300.0
"""A paid request without a response for this long no longer keeps others from being sent."""


async def _nothing() -> None:
    pass


def _ignore(place: Slot) -> None:
    pass


@dataclass(frozen=True)
class SubmitHooks:
    """What a caller writes down around the paid moment.

    Args:
        before_first_byte: awaited immediately before the first byte leaves; if it raises, nothing
            is sent.
        not_accepted: awaited when the service surely did not accept the request and it will be sent
            again after a pause.
        admitted: gets the place that this request takes among those sent at the same time; a caller
            that leaves releases it while the response is still waited for.
    """

    before_first_byte: Callable[[], Awaitable[None]] = _nothing
    not_accepted: Callable[[], Awaitable[None]] = _nothing
    admitted: Callable[[Slot], None] = _ignore


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
        self._throttle = Throttle(
            int(settings.number("SEEDREAM_MAX_SUBMITS")), clock=clock, sleep=sleep
        )
        self._sandbox: Any = None
        self._base_url = settings.address

    async def __aenter__(self) -> SeedreamClient:
        if self.settings.is_built_in_sandbox:
            from ..sandbox.shared import acquire_sandbox  # only who uses it pays for its import

            home, models = self.settings.home, self.settings.models
            self._sandbox = await asyncio.to_thread(acquire_sandbox, home, models)
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
            from ..sandbox.shared import release_sandbox

            sandbox, self._sandbox = self._sandbox, None
            await asyncio.to_thread(release_sandbox, sandbox)

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
    ) -> ServiceResponse:
        """Send a request that is paid for, once; again only where it surely was not accepted.

        Args:
            reference_urls: the references as they travel; by default those that are URLs already.

        Raises:
            InvalidRequest: a value is not allowed.
            ApiRefused: the service said no; nothing was charged.
            NotSent: the service could not be reached.
            OutcomeUnknown: sent, and what became of it cannot be known.
        """
        model = validate_request(request, self.settings.models).model
        validate_reference_urls(request.references, self.settings)
        sent = _urls(request) if reference_urls is None else reference_urls
        body = request.body(model, sent)
        headers = self.headers()
        headers["Idempotency-Key"] = idempotency_key or f"seedream-{uuid.uuid4().hex}"
        timeout_s = wait_limit_s(read_timeout_s, self.settings.number("SEEDREAM_TIMEOUT_S"))
        hooks = hooks or SubmitHooks()
        budget = RetryBudget(self._clock)
        while True:
            pause = await self._one_attempt(body, headers, timeout_s, hooks, budget, sent)
            if isinstance(pause, ServiceResponse):
                return pause
            await self._sleep(pause)

    async def _one_attempt(
        self,
        body: dict[str, Any],
        headers: dict[str, str],
        timeout_s: float,
        hooks: SubmitHooks,
        budget: RetryBudget,
        sent: tuple[str, ...],
    ) -> ServiceResponse | float:
        """The answer, or how long to wait before the next attempt."""
        is_noted = False

        async def before_first_byte() -> None:
            nonlocal is_noted
            await hooks.before_first_byte()
            is_noted = True

        try:
            async with self._throttle.slot(at_most_s=SILENCE_S) as place:
                hooks.admitted(place)
                response = await self.transport.post_once(
                    self.base_url + GENERATE_PATH,
                    body=body,
                    headers=headers,
                    read_timeout_s=timeout_s,
                    before_first_byte=before_first_byte,
                )
        except NotSent:
            if is_noted:
                await hooks.not_accepted()
            pause = budget.next_delay(CONNECTING)
            if pause is None:
                raise
            return pause
        outcome = self._judge(await self._read(response, sent))
        if isinstance(outcome, ServiceResponse):
            return outcome
        policy = _policy(outcome)
        if policy is None:
            raise outcome
        pause = budget.next_delay(policy, retry_after_s(response.headers, time.time()))
        if pause is None:
            raise outcome.after(budget.waited_s(policy))
        await hooks.not_accepted()
        if isinstance(outcome, RateLimited):
            self._throttle.pause_for(pause)
        return pause

    def _judge(self, read: ServiceResponse) -> ServiceResponse | ApiRefused:
        """What a response to a paid request means.

        Raises:
            OutcomeUnknown: it cannot be told.
        """
        verdict = judge_submission(read)
        if verdict is Verdict.REFUSED:
            return to_refusal(read, self._secret())
        if verdict is Verdict.UNKNOWN:
            raise to_unknown(read, self._secret())
        return read

    def reread(self, http: int, body: bytes, sent: Container[str] = ()) -> ServiceResponse:
        """Read a response that was kept, with the reader of this version."""
        return parse_http_response(HttpResponse(http, {}, body), self._reader(sent), self._secret())

    async def _read(self, response: HttpResponse, sent: tuple[str, ...] = ()) -> ServiceResponse:
        return await parse_off_loop(response, self._reader(sent), self._secret())

    def _reader(self, sent: Container[str]) -> ItemReader:
        return ItemReader(self.base_url, sent=sent)

    async def get_task(self, task_id: str) -> Task:
        """Poll a task once; free.

        Args:
            task_id: the service's own id, whatever characters it has.

        Raises:
            TaskNotFound: the service does not know it.
            AuthenticationFailed: the key may not read it.
            ReadFailed: no usable response this time.
            NotSent: the service could not be reached.
        """
        if not task_id.strip("."):  # steps of a path, which no quoting hides
            raise InvalidRequest("task_id_malformed", given=task_id)
        url = f"{self.base_url}{TASK_PATH}{quote(task_id, safe='', errors='replace')}"
        looks_left = TORN_POLLS
        while True:
            response = await self.transport.ask(
                url, headers=self.headers(), timeout_s=POLL_TIMEOUT_S
            )
            read, looks_left = await self._read(response), looks_left - 1
            if read.is_whole or not looks_left:
                break
        task = read.as_task(task_id, read.http)
        if task is not None:
            return task
        raise to_poll_failure(read, response.headers, task_id=task_id, secret=self._secret())

    async def wait(
        self,
        task_id: str,
        *,
        timeout_s: float | None = None,
        schedule: PollSchedule | None = None,
        age_s: float = 0.0,
        on_poll: Callable[[Task], None] = lambda task: None,
    ) -> Task:
        """Look at a task until it is completed or failed; see :func:`polling.wait_for_task`."""

        async def look() -> Task:
            return await self.get_task(task_id)

        return await wait_for_task(
            look,
            task_id=task_id,
            schedule=schedule or PollSchedule(),
            timeout_s=wait_limit_s(timeout_s, self.settings.number("SEEDREAM_TIMEOUT_S")),
            clock=self._clock,
            sleep=self._sleep,
            age_s=age_s,
            on_poll=on_poll,
        )

    def _secret(self) -> str:
        return self.settings.key.get_secret_value()

    def redact(self, text: str) -> str:
        """The service's words without the key and without signed URLs."""
        return redact(text, (self._secret(),))


def _policy(refusal: ApiRefused) -> RetryPolicy | None:
    if not is_retryable(refusal):
        return None
    return RATE_LIMITED if isinstance(refusal, RateLimited) else NO_CHANNEL


def _urls(request: Request) -> tuple[str, ...]:
    urls = tuple(ref.url for ref in request.references if isinstance(ref, UrlReference))
    if len(urls) != len(request.references):
        raise InvalidRequest(
            "value_malformed",
            field="references",
            given="images",
            reason=Text("client_does_not_upload"),
            allowed=Text("references_by_url"),
        )
    return urls
