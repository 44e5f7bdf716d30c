"""The client of the service: submit a request, poll a task. It keeps no state on disk."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Container
from types import TracebackType
from typing import Any
from urllib.parse import quote

from ..config.settings import Settings
from ..errors import ApiRefused, InvalidRequest, NotSent, RateLimited
from ..kept_response import KeptResponse
from ..messages import Text
from ..network.clock import REAL, Clock
from ..network.retry import (
    CONNECTING,
    NO_CHANNEL,
    RATE_LIMITED,
    RetryBudget,
    RetryPolicy,
    parse_retry_after,
)
from ..network.throttle import Throttle
from ..network.transport import HttpResponse, Transport
from ..redaction import Hidden, HiddenTexts, redact
from .failures import parse_submission, to_poll_failure
from .polling import PollSchedule, wait_for_task, wait_limit_s
from .reading import parse_http_response, parse_off_loop
from .references import UrlReference
from .refusals import is_retryable
from .request import Request
from .responses import ServiceResponse
from .result_items import ItemReader
from .submit_hooks import SubmitHooks
from .task import Task, to_task
from .validation import validate_reference_urls, validate_request

log: logging.Logger = logging.getLogger("seedream")

GENERATE_PATH = "/v1/images/generations"
TASK_PATH = "/v1/images/Seedream/"
POLL_TIMEOUT_S = 30.0
TORN_POLLS = 3
"""How many polls in a row may return an incomplete response."""
SILENCE_S = 300.0
"""Seconds without a response after which a paid request no longer blocks other requests."""


class SeedreamClient:
    """A client for one address and one key; an async context manager for one event loop.

    Args:
        settings: the result of :func:`seedream_api.load_settings`.
        transport: by default one with the proxy of ``settings``.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock = REAL,
        transport: Transport | None = None,
    ) -> None:
        self.settings = settings
        self.transport: Transport = transport or Transport(settings.proxy)
        self._clock = clock
        self._throttle = Throttle(int(settings.number("SEEDREAM_MAX_SUBMITS")), clock=clock)
        self._sandbox: Any = None
        self._base_url = settings.address

    async def __aenter__(self) -> SeedreamClient:
        if self.settings.is_built_in_sandbox:
            from ..sandbox.shared import acquire_sandbox  # imported only when it is used

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
        """The address that requests are sent to; for the built-in sandbox, its local address."""
        return self._base_url

    def headers(self) -> Hidden:
        """Return the header that carries the key; send it to ``base_url`` only."""
        return Hidden(Authorization=f"Bearer {self.settings.key.get_secret_value()}")

    async def submit(
        self,
        request: Request,
        reference_urls: tuple[str, ...] | None = None,
        *,
        idempotency_key: str | None = None,
        hooks: SubmitHooks | None = None,
        read_timeout_s: float | None = None,
    ) -> ServiceResponse:
        """Send a paid request once; send it again only if it definitely was not accepted.

        Args:
            reference_urls: the URLs or data URIs to send; by default those of the references,
                which must then all be URLs.
            idempotency_key: by default a random one.
            read_timeout_s: seconds to wait for the response; by default ``SEEDREAM_TIMEOUT_S``.

        Raises:
            InvalidRequest: a value is not allowed.
            ApiRefused: the service refused the request; nothing was charged.
            NotSent: the service could not be reached.
            OutcomeUnknown: the request was sent, and its outcome cannot be determined.
        """
        model = validate_request(request, self.settings.models).model
        validate_reference_urls(request.references, self.settings)
        sent = _get_reference_urls(request) if reference_urls is None else reference_urls
        body = request.body(model, sent)
        headers = self.headers()
        headers["Idempotency-Key"] = idempotency_key or f"seedream-{uuid.uuid4().hex}"
        timeout_s = wait_limit_s(read_timeout_s, self.settings.number("SEEDREAM_TIMEOUT_S"))
        hooks = hooks or SubmitHooks()
        budget = RetryBudget(self._clock)
        while True:
            outcome = await self._attempt(body, headers, timeout_s, hooks, budget, sent)
            if isinstance(outcome, ServiceResponse):
                return outcome
            log.info("the request was not accepted; sending it again in %.1f s", outcome)
            await self._clock.sleep(outcome)

    async def _attempt(
        self,
        body: dict[str, Any],
        headers: Hidden,
        timeout_s: float,
        hooks: SubmitHooks,
        budget: RetryBudget,
        sent: tuple[str, ...],
    ) -> ServiceResponse | float:
        """Send the request once; return the response, or the seconds until the next attempt."""
        try:
            response = await self._post(body, headers, timeout_s, hooks)
        except NotSent:
            pause = budget.next_delay(CONNECTING)
            if pause is None:
                raise
            return pause
        outcome = parse_submission(await self._read(response, sent), self._secrets())
        if isinstance(outcome, ServiceResponse):
            return outcome
        outcome.retry_after_s = parse_retry_after(response.headers, time.time())
        policy = _select_retry_policy(outcome)
        if policy is None:
            raise outcome
        pause = budget.next_delay(policy, outcome.retry_after_s)
        if pause is None:
            raise outcome.after(budget.elapsed_s(policy))
        await hooks.not_accepted()
        if isinstance(outcome, RateLimited):
            self._throttle.pause_for(pause)
        return pause

    async def _post(
        self, body: dict[str, Any], headers: Hidden, timeout_s: float, hooks: SubmitHooks
    ) -> HttpResponse:
        is_recorded = False

        async def before_first_byte() -> None:
            nonlocal is_recorded
            await hooks.before_first_byte()
            is_recorded = True

        try:
            async with self._throttle.slot(at_most_s=SILENCE_S, on_wait=hooks.waiting) as slot:
                hooks.admitted(slot)
                return await self.transport.post_once(
                    self.base_url + GENERATE_PATH,
                    body=body,
                    headers=headers,
                    read_timeout_s=timeout_s,
                    before_first_byte=before_first_byte,
                )
        except NotSent:
            if is_recorded:
                await hooks.not_accepted()
            raise

    def reread(self, kept: KeptResponse, sent: Container[str] = ()) -> ServiceResponse:
        """Parse a kept response with the parser of this version.

        Args:
            sent: URLs of the request's references, which are not results.
        """
        cut = kept.note or (Text("too_long_to_keep") if kept.truncated else None)
        response = HttpResponse(kept.status or 0, {}, kept.body, cut)
        return parse_http_response(response, self._build_reader(sent), self._secret())

    async def _read(self, response: HttpResponse, sent: tuple[str, ...] = ()) -> ServiceResponse:
        return await parse_off_loop(response, self._build_reader(sent), self._secret())

    def _build_reader(self, sent: Container[str]) -> ItemReader:
        return ItemReader(self.base_url, sent=sent)

    async def get_task(self, task_id: str) -> Task:
        """Poll a task once; polls are free.

        Args:
            task_id: the id as the service returned it; any characters are allowed.

        Raises:
            TaskNotFound: the service does not know the task.
            AuthenticationFailed: the key may not read the task.
            ReadFailed: this poll returned no usable response.
            NotSent: the service could not be reached.
        """
        if not task_id.strip("."):  # "." and ".." are path segments even when quoted
            raise InvalidRequest("task_id_malformed", given=task_id)
        url = f"{self.base_url}{TASK_PATH}{quote(task_id, safe='', errors='replace')}"
        polls_left = TORN_POLLS
        while True:
            response = await self.transport.ask(
                url, headers=self.headers(), timeout_s=POLL_TIMEOUT_S
            )
            read, polls_left = await self._read(response), polls_left - 1
            log.debug("polled task %s: HTTP %s", task_id, response.status)
            if read.is_whole or not polls_left:
                break
        task = to_task(read, task_id, read.http)
        if task is not None:
            return task
        raise to_poll_failure(read, response.headers, task_id=task_id, secrets=self._secrets())

    async def wait(
        self,
        task_id: str,
        *,
        timeout_s: float | None = None,
        schedule: PollSchedule | None = None,
        age_s: float = 0.0,
        on_poll: Callable[[Task], None] = lambda task: None,
    ) -> Task:
        """Poll a task until it is completed or failed; see :func:`polling.wait_for_task`."""

        async def poll() -> Task:
            return await self.get_task(task_id)

        return await wait_for_task(
            poll,
            task_id=task_id,
            schedule=schedule or PollSchedule(),
            timeout_s=wait_limit_s(timeout_s, self.settings.number("SEEDREAM_TIMEOUT_S")),
            clock=self._clock,
            age_s=age_s,
            on_poll=on_poll,
        )

    def _secret(self) -> str:
        return self.settings.key.get_secret_value()

    def _secrets(self) -> HiddenTexts:
        return HiddenTexts((self._secret(),))

    def redact(self, text: str) -> str:
        """Remove the key and signed URLs from a text of the service."""
        return redact(text, self._secrets())


def _select_retry_policy(refusal: ApiRefused) -> RetryPolicy | None:
    if not is_retryable(refusal):
        return None
    return RATE_LIMITED if isinstance(refusal, RateLimited) else NO_CHANNEL


def _get_reference_urls(request: Request) -> tuple[str, ...]:
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
