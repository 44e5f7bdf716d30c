"""Verdicts on responses."""

from __future__ import annotations

import json
from typing import Any

from seedream_api.network.transport import HttpResponse
from seedream_api.service.reading import parse_http_response
from seedream_api.service.responses import ServiceResponse
from seedream_api.service.result_items import ItemReader
from seedream_api.service.verdicts import (
    Verdict,
    judge_submission,
)

BASE = "https://api.example.com"


URL = "https://example.com/image.png"


MADE, ACCEPTED, REFUSED, EMPTY, UNKNOWN = (
    Verdict.MADE, Verdict.ACCEPTED, Verdict.REFUSED, Verdict.EMPTY, Verdict.UNKNOWN,
)  # fmt: skip


def respond(payload: Any, http: int = 200, **fields: Any) -> ServiceResponse:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return parse_http_response(HttpResponse(http, {}, body, **fields), ItemReader(BASE), "")


def judge(payload: Any, http: int = 200, **fields: Any) -> Verdict:
    return judge_submission(respond(payload, http, **fields))
