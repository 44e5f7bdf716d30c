"""Every shape of response of the service, similar services, and hosts of references."""

from __future__ import annotations

from typing import Any

_PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNoaGgAAAMEAYFL09IQAAAAAElFTkSuQmCC"
)

ANSWERS: tuple[Any, ...] = (
    {"created": 1757156493, "id": "task-unified-1", "model": "seedream-4.0", "status": "pending",
     "object": "image.generation.task", "progress": 0, "task_info": {"can_cancel": True}},
    {"id": "task-1", "status": "processing", "progress": 40.5},
    {"id": "task-1", "status": "completed", "progress": 100,
     "results": ["https://cdn.example/a.png?sig=x", "https://cdn.example/b.png"]},
    {"id": "task-1", "status": "failed",
     "error": {"code": "content_policy_violation", "message": "blocked", "type": "task_error"}},
    {"model": "doubao", "created": 1, "data": [{"url": "https://cdn.example/a.png", "size": "1x1"}],
     "usage": {"generated_images": 1}},
    {"created": 1, "data": [{"b64_json": _PIXEL}, {"error": {"code": "X", "message": "no"}}]},
    {"code": 0, "msg": "success", "data": {"task_id": "t-1", "status": "succeeded",
     "result_data": [{"image_url": "https://cdn.example/a.png"}]}},
    {"success": True, "data": {"data": {"id": "task-1", "output": {"images": ["https://x"]}}}},
    {"error": {"code": "insufficient_user_quota", "message": "额度不足", "type": "new_api_error"}},
    {"error": {"code": 429, "message": "slow down", "param": None, "fallback_suggestion": "wait"}},
    {"error": "text alone", "message": "and more"},
    {"code": "invalid_request", "message": "size", "data": None},
    {"success": False, "message": "无权限", "detail": [{"loc": ["body", "n"], "msg": "too many"}]},
    {"success": True, "code": 200, "msg": "success", "data": {"file_url": "https://f.example/a.png",
     "download_url": "https://f.example/d", "expires_at": "2026-01-27T00:00:00Z"}},
    {"data": {"url": "https://i.example/a.png", "links": {"url": "https://i.example/a.png"}},
     "success": True, "status": 200, "image": {"url": "https://i.example/a.png"}},
    [], "text", None, 7,
)  # fmt: skip

SETTINGS_FILE: Any = {
    "DEEPSPACE_API_KEY": "sk-secret", "key_address": "https://api.deepspaceai.net",
    "DEEPSPACE_BASE_URL": "https://api.deepspaceai.net", "SEEDREAM_TIMEOUT_S": 1800,
    "SEEDREAM_MAX_SUBMITS": "4", "SEEDREAM_STORE_GB": 20.5, "SEEDREAM_REUSE": "on",
    "SEEDREAM_UPLOAD": "http", "SEEDREAM_UPLOAD_HTTP_URL": "imgbb",
    "SEEDREAM_UPLOAD_HTTP_HEADERS": {"X-API-Key": "abcdef"},
    "SEEDREAM_UPLOAD_HTTP_FIELDS": '{"key": "abcdef"}', "SEEDREAM_UPLOAD_S3_BUCKET": "pics",
    "SEEDREAM_UPLOAD_S3_ENDPOINT": "https://s3.example", "SEEDREAM_ALLOW_HOSTS": "nas.lan, a:80",
}  # fmt: skip

MODELS_FILE: Any = [
    {"id": "Seedream-6.0", "family": "evolink", "like": "Seedream-4.5"},
    {"id": "Mine", "family": "preferential", "like": "Seedream-4.5-Preferential"},
]

PRICES_FILE: Any = {
    "currency": "CNY",
    "models": {"Seedream-4.5": {"2K": "0.25", "reference": "0.06"}, "Seedream-4.0": "0.2"},
}

URLS = (
    "https://cdn.example.com/a.png?X-Amz-Signature=abc#part", "http://127.0.0.1:8188/view",
    "http://[::ffff:127.0.0.1]:80/", "http://2130706433/", "https://例え.jp/絵.png",
    "data:image/png;base64," + _PIXEL, "//host/path", "HTTP://USER:pw@Host.Example:99999/%2e%2e/",
    "http://xn--nxasmq6b/", "http://[fe80::1%25eth0]/", "http://a..b/", "http://0x7f.1/\\@evil/",
)  # fmt: skip

COMMANDS = (
    "generate --model Seedream-4.5 --prompt cat --size 16:9 --quality 2K --n 3 --seed 7 --json",
    "generate --model Seedream-5.0-Lite-Preferential --prompt x --ref a.png --ref https://x.example",
    "generate --prompt x --output-format png --watermark --timeout 30 --no-wait --out pictures",
    "poll task-1 task-2 --timeout 1e3 --no-wait --json",
    "tasks --resume 12 --json",
    "tasks --forget task-9",
    "download https://x.example/a.png data:image/png;base64,AAAA --out . --json",
    "models --json",
    "doctor --json",
    "sandbox --port 0 --strict",
)

HTTP_HEADS = (
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n",
    "HTTP/1.1 429 Too Many\r\nRetry-After: 1\r\nContent-Length: {length}\r\n\r\n",
    "HTTP/1.1 503 Busy\r\nConnection: close\r\n\r\n",
    "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {length}\r\n\r\n",
    "HTTP/1.0 200 OK\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nContent-Length: 5\r\n\r\n",
    # What two readers of one stream may read in two ways.
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, identity\r\n\r\n{length:x};a=b\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: +{length}\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: {length}, {length}\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX-Folded: a\r\n Content-Length: 5\r\nContent-Length: {length}\r\n\r\n",
    "HTTP/1.1 200 OK\nContent-Length: {length}\n\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{{}}"
    "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n",
)
