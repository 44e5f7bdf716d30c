"""The service's rules: its routes, who may use them, and what they return."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote, urlsplit

from ..catalog import MAX_REFERENCE_BYTES, Family
from .accounts import parse_key, unknown_key
from .exchange import HttpRequest, Refusal, Reply, json_reply, not_found, relay_refusal
from .generation import Generation, SandboxConfig
from .image_host import PREFIX as IMAGES, ImageHost
from .prompt_parsing import BLOCKED
from .references import make_thumbnails
from .request_fields import find_model, parse_fields
from .results import PREFIX as RESULTS, Results
from .tasks import TaskStore

GENERATE = "/v1/images/generations"
TASKS = "/v1/images/Seedream/"
UPLOAD = "/sandbox/images"

MAX_BODY_BYTES = 25 * 1024 * 1024
"""Largest generation request in bytes; over it: 413. No relay publishes its own limit."""

SMALL_BODY_BYTES = 1024 * 1024
"""The same with the simulation ``small-bodies``."""
_CLOSED: Mapping[str, frozenset[str]] = MappingProxyType({
    "models": frozenset({"no-models-list"}),
    "usage": frozenset({"no-balance", "dashboard-balance"}),
    "granted": frozenset({"no-balance"}),
    "billed": frozenset({"no-balance"}),
})  # fmt: skip
"""The simulations that close a route."""
_USAGE_UNITS = 50_000
"""Quota units of one image; stock new-api counts 500 000 per dollar."""
_GRANTED_UNITS = 1_000 * _USAGE_UNITS
_UNITS_PER_AMOUNT = 500_000

_EXACT_PATHS = {
    ("POST", GENERATE): "generate",
    ("POST", UPLOAD): "upload",
    ("GET", "/v1/models"): "models",
    ("GET", "/api/usage/token"): "usage",
    ("GET", "/api/usage/token/"): "usage",
    ("GET", "/dashboard/billing/subscription"): "granted",
    ("GET", "/dashboard/billing/usage"): "billed",
}


class Service:
    """Responds to requests; knows nothing of sockets."""

    def __init__(self, folder: Path, config: SandboxConfig, address: Callable[[], str]) -> None:
        self._config = config
        self._address = address
        self.store: TaskStore = TaskStore(folder)
        self.results: Results = Results(self.store)
        self.generation: Generation = Generation(self.store, self.results, config, address)
        self._image_host = ImageHost(folder / "images")
        self._public_routes: dict[str, Callable[[HttpRequest], Reply]] = {
            "image": self._serve_result,
            "reference": lambda request: self._image_host.serve(urlsplit(request.path).path),
            "unknown": _reject_unknown,
        }
        self._account_routes: dict[str, Callable[[HttpRequest, str], Reply]] = {
            "generate": self._generate,
            "task": self._poll,
            "upload": lambda request, key: self._image_host.upload(request.body, address()),
            "models": lambda request, key: self._list_models(),
            "usage": lambda request, key: self._report_usage(key),
            "granted": lambda request, key: self._report_granted(key),
            "billed": lambda request, key: self._report_billed(key),
        }

    def find_route(self, method: str, target: str) -> str:
        """Return the route of a request; ``unknown`` if the service does not have it."""
        path = urlsplit(target).path
        if (method, path) in _EXACT_PATHS:
            route = _EXACT_PATHS[method, path]
            is_closed = bool(_CLOSED.get(route, frozenset()) & self._config.simulated)
            return "unknown" if is_closed else route
        task_id = path.removeprefix(TASKS)
        if method == "GET" and task_id != path and task_id and "/" not in task_id:
            return "task"
        if method in ("GET", "HEAD") and path.startswith(RESULTS):
            return "image"
        if method in ("GET", "HEAD") and path.startswith(IMAGES):
            return "reference"
        return "unknown"

    def body_limit(self, route: str) -> int:
        """Return the most bytes that a body on ``route`` may have."""
        if route == "upload":
            return MAX_REFERENCE_BYTES.value
        return SMALL_BODY_BYTES if "small-bodies" in self._config.simulated else MAX_BODY_BYTES

    def respond(self, route: str, request: HttpRequest) -> Reply:
        """Return the service's reply to a request on ``route``."""
        try:
            if route in self._public_routes:
                return self._public_routes[route](request)
            key = parse_key(request.headers)
            if key not in self._config.accounts:
                raise unknown_key(key)
            return self._account_routes[route](request, key)
        except Refusal as refusal:
            return refusal.reply

    def _generate(self, request: HttpRequest, key: str) -> Reply:
        """Check in the order of a relay: its own checks, the balance, then the upstream's."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise relay_refusal(
                400, "Content-Type must be application/json", code="invalid_request"
            )
        if request.json is None:
            raise relay_refusal(400, "invalid JSON in request body", code="bad_request_body")
        model = find_model(request.json, self._config.models)
        body: dict[str, Any] = request.json
        if BLOCKED in body["prompt"]:
            # Stock new-api uses 500 for its own refusals.
            message = "用户敏感词检测失败: sensitive words detected"
            raise relay_refusal(500, message, code="sensitive_words_detected")
        self._config.accounts[key].check_balance()
        asked = parse_fields(body, model, strict=self._config.strict)
        address = self._address()
        thumbnails = make_thumbnails(
            asked,
            lambda url: self._image_host.read_own_url(url, address),
            takes_inline=self._takes_inline(model.family),
        )
        return self.generation.submit(asked, request, thumbnails, key)

    def _takes_inline(self, family: Family) -> bool:
        simulated = self._config.simulated
        if family is Family.EVOLINK:
            return "inline-evolink" in simulated
        return "no-inline" not in simulated

    def _poll(self, request: HttpRequest, key: str) -> Reply:
        task_id = unquote(urlsplit(request.path).path.removeprefix(TASKS))
        return self.generation.poll(task_id, key)

    def _serve_result(self, request: HttpRequest) -> Reply:
        task, index = self.results.find(request.path)
        if task.id.startswith("task-") and self.generation.progress(task).status != "completed":
            raise not_found()
        return self.results.serve(request.path, task, index)

    def _list_models(self) -> Reply:
        """Return the shape of new-api's ``controller/model.go``."""
        data = [
            {"id": name, "object": "model", "created": 1626777600, "owned_by": "custom",
             "supported_endpoint_types": ["image-generation"]}
            for name in dict.fromkeys(model.sent_id for model in self._config.models.values())
        ]  # fmt: skip
        return json_reply({"success": True, "object": "list", "data": data})

    def _report_usage(self, key: str) -> Reply:
        """Return the shape of https://docs.newapi.pro/api/token-usage, with a boolean ``code``."""
        used, left = self._count_units(key)
        name = self._config.accounts[key].name
        data: dict[str, Any] = {
            "object": "token_usage", "name": name, "total_granted": used + left,
            "total_used": used, "total_available": left, "unlimited_quota": False,
            "model_limits": {}, "model_limits_enabled": False, "expires_at": 0,
        }  # fmt: skip
        return json_reply({"code": True, "message": "ok", "data": data})

    def _report_granted(self, key: str) -> Reply:
        """Return the shape of new-api's ``controller/billing.go``."""
        limit = sum(self._count_units(key)) / _UNITS_PER_AMOUNT
        return json_reply({
            "object": "billing_subscription", "has_payment_method": True, "soft_limit_usd": limit,
            "hard_limit_usd": limit, "system_hard_limit_usd": limit, "access_until": 0,
        })  # fmt: skip

    def _report_billed(self, key: str) -> Reply:
        used, _ = self._count_units(key)
        return json_reply({"object": "list", "total_usage": 100 * used / _UNITS_PER_AMOUNT})

    def _count_units(self, key: str) -> tuple[int, int]:
        """Return the quota units that are used, and those that are left."""
        used = self.generation.images_made * _USAGE_UNITS
        is_open = self._config.accounts[key].balance == "ok"
        return used, max(0, _GRANTED_UNITS - used) if is_open else 0


def _reject_unknown(request: HttpRequest) -> Reply:
    message = f"Invalid URL ({request.method} {urlsplit(request.path).path})"
    raise relay_refusal(404, message, kind="invalid_request_error")
