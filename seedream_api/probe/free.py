"""The part of a probe that sends only GETs, and so costs nothing."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ..catalog import match_offered
from ..config.facts import StatedShape
from ..errors import AuthenticationFailed, SeedreamError
from ..messages import Text
from ..network.transport import HttpResponse
from ..redaction import redact
from ..service.balance import get_balance
from ..service.client import TASK_PATH, SeedreamClient
from ..service.model_list import MODELS_PATH, list_offered_models
from ..service.stated_errors import find_fallback_error, parse_error
from .report import ProbeReport

UNKNOWN_MODEL, UNKNOWN_TASK = "seedream-of-no-version", "task-000000000000"
_LONGEST = 200
_UNKNOWN_KEY = 401


async def probe_free(client: SeedreamClient) -> ProbeReport:
    """Ask for models, balance, and the errors of an unknown model and an unknown task.

    Raises:
        AuthenticationFailed: the service does not know the key.
    """
    report = ProbeReport()
    await _probe_models(client, report)
    await _probe_balance(client, report)
    for name, path in (
        ("unknown_model", f"{MODELS_PATH}/{UNKNOWN_MODEL}"),
        ("unknown_task", f"{TASK_PATH}{UNKNOWN_TASK}"),
    ):
        await _probe_error(client, report, name, path)
    return report


async def _probe_models(client: SeedreamClient, report: ProbeReport) -> None:
    question = Text("ask_models")
    try:
        offered = await list_offered_models(client)
    except SeedreamError as error:
        if isinstance(error, AuthenticationFailed) and error.http_status == _UNKNOWN_KEY:
            raise
        report.leave_open(question, error.summary_text)
        return
    report.offered = offered
    report.learn("lists_models", bool(offered))
    if not offered:
        report.settle(question, Text("found_closed"))
        return
    count = len(match_offered(offered, client.settings.models))
    report.settle(question, Text("found_models", count=count))


async def _probe_balance(client: SeedreamClient, report: ProbeReport) -> None:
    question = Text("ask_balance")
    try:
        balance = await get_balance(client)
    except SeedreamError as error:
        report.leave_open(question, error.summary_text)
        return
    is_stated = balance.is_unlimited or balance.left is not None
    report.learn("states_balance", is_stated)
    report.settle(question, Text("yes") if is_stated else Text("found_closed"))


async def _probe_error(client: SeedreamClient, report: ProbeReport, name: str, path: str) -> None:
    question = Text(f"ask_{name}")
    try:
        response = await client.transport.ask(client.base_url + path, headers=client.headers())
    except SeedreamError as error:
        report.leave_open(question, error.summary_text)
        return
    shape = describe_shape(response, client)
    label = ", ".join(filter(None, (shape.code, shape.type))) or Text("no_reason")
    text = Text("found_shape", status=shape.http_status, label=label, said=shape.message)
    if response.status in (401, 403) or response.status >= 500:
        report.leave_open(question, text, shape)
        return
    report.learn(name, asdict(shape))
    report.settle(question, text, shape)


def describe_shape(response: HttpResponse, client: SeedreamClient) -> StatedShape:
    """Describe how the service states an error, without secrets."""
    try:
        body: Any = response.json()
    except ValueError:
        body = response.body[: _LONGEST * 4].decode("utf-8", "replace")
    error = parse_error(body) or find_fallback_error(body)
    secrets = (client.settings.key.get_secret_value(),)
    return StatedShape(
        http_status=response.status,
        code=redact(error.code, secrets)[:_LONGEST],
        type=redact(error.type, secrets)[:_LONGEST],
        message=redact(error.message, secrets)[:_LONGEST],
    )
