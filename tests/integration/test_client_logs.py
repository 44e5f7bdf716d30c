"""What the client logs: each step at DEBUG, each wait at INFO, and nothing secret."""

from __future__ import annotations

import logging

import pytest

from support.api_client import ApiClient
from support.fake_service import rate_limited


def logged(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "seedream" and record.levelno == level
    ]


def test_logs_name_each_step_and_each_wait(
    api_client: ApiClient, caplog: pytest.LogCaptureFixture
) -> None:
    api_client.sandbox.faults.push("generate", rate_limited())
    with caplog.at_level(logging.DEBUG, "seedream"):
        made = api_client.generate(model="Seedream-4.5", prompt="A cat that is secret")
    steps, waits = logged(caplog, logging.DEBUG), logged(caplog, logging.INFO)
    for state in ("sending", "intended", "accepted", "completed"):
        assert f"job {made.entry}: recorded as {state}" in steps
    assert any(f"polled task {made.task_id}: HTTP 200" in step for step in steps)
    assert any("sending it again in" in wait for wait in waits)
    assert any(f"waiting for task {made.task_id}" in wait for wait in waits)


def test_logs_hold_neither_key_nor_prompt_nor_link(
    api_client: ApiClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "seedream"):
        made = api_client.generate(model="Seedream-4.5", prompt="A cat that is secret")
    text = "\n".join(logged(caplog, logging.DEBUG) + logged(caplog, logging.INFO))
    assert text and made.urls
    for secret in (api_client.environ["DEEPSPACE_API_KEY"], "secret", *made.urls):
        assert secret not in text
