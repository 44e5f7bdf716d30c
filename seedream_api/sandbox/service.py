"""The service's rules: what it has, who may ask, and who answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from .accounts import Account, key_in, unknown_key
from .checks import check_fields, model_of
from .faults import Fault
from .files_api import UPLOAD as FILES, FilesApi
from .image_host import PATHS as HOSTS, PictureHosts
from .images import PREFIX as IMAGES, ImageHost
from .journal import TakenRequest
from .orders import Orders, Terms
from .references import thumbnails_of
from .replies import Refusal, Reply, json_reply, relay_refusal
from .results import PREFIX as RESULTS, Results, not_found, place_in
from .shelf import PREFIX as HOSTED, Shelf
from .tasks import RecordStore

GENERATE = "/v1/images/generations"
TASKS = "/v1/images/Seedream/"
UPLOAD = "/sandbox/images"

BLOCKED = "[blocked]"
"""In a prompt: the relay's own word filter refuses it."""

_USAGE_UNITS = 50_000
"""Quota units of one image; stock new-api counts 500 000 to the dollar."""

_EXACT = {
    ("POST", GENERATE): "generate",
    ("POST", UPLOAD): "upload",
    ("GET", "/v1/models"): "models",
    ("GET", "/api/usage/token"): "usage",
    ("GET", "/api/usage/token/"): "usage",
    ("POST", FILES): "files",
    **{("POST", path): "host" for path in HOSTS},
}
_OPEN = frozenset({"image", "reference", "hosted", "files", "host", "unknown"})


def route_of(method: str, target: str) -> str:
    """The route that a request belongs to; ``unknown`` for what the service does not have."""
    path = urlsplit(target).path
    if (method, path) in _EXACT:
        return _EXACT[method, path]
    task_id = path.removeprefix(TASKS)
    if method == "GET" and task_id != path and task_id and "/" not in task_id:
        return "task"
    for prefix, route in ((RESULTS, "image"), (IMAGES, "reference"), (HOSTED, "hosted")):
        if method in ("GET", "HEAD") and path.startswith(prefix):
            return route
    return "unknown"


class Service:
    """Answers requests; knows nothing of sockets."""

    def __init__(
        self,
        folder: Path,
        terms: Terms,
        accounts: Mapping[str, Account],
        address: Callable[[], str],
    ) -> None:
        self._terms = terms
        self._accounts = accounts
        self._address = address
        self._store = RecordStore(folder)
        self._results = Results(folder, self._store, terms.link_life_s, terms.now)
        self._host = ImageHost(folder / "images")
        self._shelf = Shelf(address, terms.now)
        self.files = FilesApi(self._shelf)
        self._picture_hosts = PictureHosts(self._shelf)
        self.orders = Orders(self._store, self._results, terms, address)

    def answer(self, route: str, request: TakenRequest, fault: Fault | None) -> Reply:
        """The service's answer; ``fault`` may mark the task or group that is made or looked at."""
        try:
            if route in _OPEN:
                return self._open_answer(route, request)
            key = key_in(request.headers)
            if key not in self._accounts:
                raise unknown_key(key)
            if route == "generate":
                return self._generate(request, key, fault)
            if route == "task":
                task_id = unquote(urlsplit(request.path).path.removeprefix(TASKS))
                return self.orders.task(task_id, key, fault)
            if route == "upload":
                return self._host.upload(request.body, self._address())
            return self._models() if route == "models" else self._usage(key)
        except Refusal as refusal:
            return refusal.reply

    def _open_answer(self, route: str, request: TakenRequest) -> Reply:
        """What needs no key of the service: images by their URL, hosts with keys of their own, and
        the 404 of everything else."""
        path = urlsplit(request.path).path
        if route == "files":
            return self.files.upload(request)
        if route == "host":
            return self._picture_hosts.upload(path, request)
        if route == "hosted":
            return self._shelf.serve(path.removeprefix(HOSTED), request.headers)
        if route == "image":
            return self._image(request)
        if route == "reference":
            return self._host.serve(path.removeprefix(IMAGES), request.headers)
        message = f"Invalid URL ({request.method} {path})"
        raise relay_refusal(404, message, kind="invalid_request_error")

    def _generate(self, request: TakenRequest, key: str, fault: Fault | None) -> Reply:
        """In the order of a relay: its own checks, the balance, then the upstream's checks."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise relay_refusal(
                400, "Content-Type must be application/json", code="invalid_request"
            )
        if request.json is None:
            raise relay_refusal(400, "invalid JSON in request body", code="bad_request_body")
        model = model_of(request.json, self._terms.models)
        body: dict[str, Any] = request.json
        if BLOCKED in body["prompt"]:
            # 500 is what stock new-api makes of a refusal of its own.
            message = "用户敏感词检测失败: sensitive words detected"
            raise relay_refusal(500, message, code="sensitive_words_detected")
        self._accounts[key].check_balance()
        order = check_fields(body, model, strict=self._terms.strict)
        thumbnails = thumbnails_of(order, lambda url: self._host.own_image(url, self._address()))
        return self.orders.place(order, body, thumbnails, key, fault)

    def _image(self, request: TakenRequest) -> Reply:
        place = place_in(request.path)
        record = self._store.get(place.record_id) if place else None
        if place is None or record is None:
            raise not_found()
        if record.id.startswith("task-") and self.orders.look(record).status != "completed":
            raise not_found()
        return self._results.serve(record, place, request.path, request.headers)

    def _models(self) -> Reply:
        """The shape of new-api's ``controller/model.go``."""
        data = [
            {"id": name, "object": "model", "created": 1626777600, "owned_by": "custom",
             "supported_endpoint_types": ["image-generation"]}
            for name in self._terms.models
        ]  # fmt: skip
        return json_reply({"success": True, "object": "list", "data": data})

    def _usage(self, key: str) -> Reply:
        """The shape of https://docs.newapi.pro/api/token-usage; ``code`` is a boolean there."""
        account = self._accounts[key]
        used = self.orders.images_made * _USAGE_UNITS
        left = 1_000 * _USAGE_UNITS if account.balance == "ok" else 0
        data: dict[str, Any] = {
            "object": "token_usage", "name": account.name, "total_granted": used + left,
            "total_used": used, "total_available": left, "unlimited_quota": False,
            "model_limits": {}, "model_limits_enabled": False, "expires_at": 0,
        }  # fmt: skip
        return json_reply({"code": True, "message": "ok", "data": data})
