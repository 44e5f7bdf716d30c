"""Feed nonsense to every reader of foreign input: only our own errors may be raised."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import shlex
import socket
import sqlite3
import threading
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

from PIL import Image

from seedream_api import errors, redaction
from seedream_api.cli.parser import build_parser
from seedream_api.config import limits, settings as config
from seedream_api.downloads import downloader, transfer
from seedream_api.downloads.data_uri import read_data_uri
from seedream_api.images import decode, header, media_types
from seedream_api.ledger import ledger as ledgers, states
from seedream_api.network import retry, transport, url_guard
from seedream_api.service import (
    client,
    failures,
    reading,
    refusals,
    responses,
    result_items,
    verdicts,
)
from seedream_api.service.task import to_task
from seedream_api.uploads import evolink, http, image_host

from . import response_shapes
from .byte_random import Dice
from .input_mutations import (
    NAMES,
    ODD_TEXTS,
    ODD_VALUES,
    as_bytes,
    mutated,
    mutated_bytes,
    mutated_text,
)

SECRET = "sk-secret-0123456789"
SECRETS = redaction.HiddenTexts((SECRET,))
STATUSES = (200, 200, 201, 204, 400, 401, 403, 404, 408, 413, 429, 500, 502, 503, 999)
PATIENCE_S = 20.0
"""For a response on loopback; everything ends long before."""
Target = Callable[[Dice, Path], None]


def told(error: BaseException) -> None:
    """Every error of ours can be shown, in both languages, and without the key."""
    if isinstance(error, errors.SeedreamError):
        for language in ("en", "zh"):
            assert SECRET not in error.message(language), "the key is shown"
    assert SECRET not in str(error), "the key is shown"


@contextlib.contextmanager
def ours() -> Any:
    try:
        yield
    except (errors.SeedreamError, http.UploadRejected, transfer.RetryDownload) as error:
        told(error)


def settings_of(folder: Path, **environ: str) -> Any:
    return config.load_settings(environ={"SEEDREAM_HOME": str(folder), **environ})


def _client(folder: Path) -> Any:
    return client.SeedreamClient(settings_of(
        folder / "client", DEEPSPACE_API_KEY=SECRET, DEEPSPACE_BASE_URL="https://api.example.com",
        SEEDREAM_UPLOAD_EVOLINK_KEY=SECRET, SEEDREAM_UPLOAD_HTTP_URL="imgbb",
    ))  # fmt: skip


# ---- responses of the service and the hosts ----


def answer_bodies(dice: Dice, folder: Path) -> None:
    body = as_bytes(mutated(dice.pick(response_shapes.ANSWERS), dice), dice)
    headers = {dice.pick(["x-request-id", "retry-after", "retry-after-ms"]): dice.pick(ODD_TEXTS)}
    answer = transport.HttpResponse(dice.pick(STATUSES), headers, body)
    read = reading.parse_http_response(
        answer, result_items.ItemReader("https://service.example"), SECRET
    )
    to_task(read, "task-1", answer.status)
    assert isinstance(read.has_images, bool)
    assert not (verdicts.judge_submission(read) is verdicts.Verdict.REFUSED and read.has_images)
    refusal = failures.to_refusal(read, SECRETS)
    told(refusal)
    refusals.is_retryable(refusal)
    told(failures.to_poll_failure(read, headers, task_id="task-1", secrets=SECRETS))
    retry.parse_retry_after(headers, 1e9)
    with ours():
        failures.parse_submission(read, SECRETS)


def hosts_answers(dice: Dice, folder: Path) -> None:
    body = as_bytes(mutated(dice.pick(response_shapes.ANSWERS), dice), dice)
    answer = transport.HttpResponse(dice.pick(STATUSES), {}, body)
    asked = _client(folder)
    try:
        parsed: Any = answer.json()
    except ValueError:
        parsed = None
    with ours():
        placed = evolink.EvolinkFiles(asked)._parse_upload(parsed, answer, SECRET)
        assert placed.url.startswith(("http://", "https://"))
    with ours():
        path = ".".join(dice.pick([*NAMES, "0", "1"]) for _ in range(1 + dice.below(4)))
        http.parse_result_url(image_host._get_at_path(parsed, path), answer, SECRETS)
    http.describe_response(answer, SECRETS)


def download_headers(dice: Dice, folder: Path) -> None:
    """Read the headers of a response, as a hostile server writes them."""
    names = ("content-length", "content-range", "content-encoding", "etag", "last-modified",
             "retry-after")  # fmt: skip
    headers = {dice.pick(names): dice.pick([*ODD_TEXTS, "bytes 5-9/10", "bytes */10", '"tag"'])
               for _ in range(dice.below(5))}  # fmt: skip

    async def chunks() -> Any:
        yield dice.raw(60)

    part: Any = SimpleNamespace(size=dice.below(12), received=dice.below(12), head=dice.raw(40))

    async def emptied() -> None:
        part.size = part.received = 0

    part.empty = emptied
    job = transfer.Transfer(
        "https://x.example/a", url_guard.FetchPolicy(), 1000, part, validator='"tag"'
    )
    said = transport.StreamedResponse(
        dice.pick([200, 203, 206, 304, 404, 416, 429]), headers, chunks()
    )

    async def judged() -> None:
        job.check_response(said)
        await job.begin(said)

    with ours():
        asyncio.run(judged())


# ---- addresses ----


def urls(dice: Dice, folder: Path) -> None:
    text = mutated_text(dice.pick(response_shapes.URLS), dice)
    redaction.strip_url_secrets(text)
    redaction.redact(text, SECRETS)
    url_guard.parse_ip_literal(text)
    with ours():
        checked = url_guard.check_url(text, field="urls")
        assert checked == url_guard.check_url(checked, field="urls"), "two spellings of one URL"
        host = checked.split("/")[2]
        url_guard.FetchPolicy(frozenset({host})).allows(host, 80)
        guarded(checked)
    with ours():
        downloader._redirect_target("https://x.example/a/b", text)


def guarded(url: str) -> None:
    """Wherever the name leads, no address off the public internet is given to connect to."""

    async def not_behind_tun() -> bool:
        return False

    found = asyncio.run(url_guard.resolve_checked(
        url, url_guard.FetchPolicy(), resolver=lambda host, port: ["127.0.0.1"], proxied=False,
        fake_range_ok=not_behind_tun,
    ))  # fmt: skip
    assert found is not None and found != "127.0.0.1", "a private address may be connected to"


def data_uris(dice: Dice, folder: Path) -> None:
    with ours():
        read_data_uri(mutated_text(response_shapes.URLS[5], dice), 2_000)


# ---- files that people write ----


def settings_files(dice: Dice, folder: Path) -> None:
    home = folder / "settings"
    home.mkdir(exist_ok=True)
    path = home / "settings.json"
    path.write_bytes(as_bytes(mutated(response_shapes.SETTINGS_FILE, dice), dice))
    with ours():
        settings = settings_of(home)
        assert settings.address.startswith(("http", "sandbox"))
        for name, setting in config.SETTINGS.items():
            if setting.default.replace(".", "").isdigit():
                assert settings.number(name) >= 0
        assert isinstance(settings.allowed_hosts, frozenset)
        with ours():
            settings.key.get_secret_value()
        image_host.HttpHost(client.SeedreamClient(settings))


def models_files(dice: Dice, folder: Path) -> None:
    path = folder / "models.json"
    path.write_bytes(as_bytes(mutated(response_shapes.MODELS_FILE, dice), dice))
    with ours():
        assert settings_of(folder / "none", SEEDREAM_MODELS=str(path)).models


def prices_files(dice: Dice, folder: Path) -> None:
    path = folder / "prices.json"
    path.write_bytes(as_bytes(mutated(response_shapes.PRICES_FILE, dice), dice))
    with ours():
        prices = settings_of(folder / "none", SEEDREAM_PRICES=str(path)).prices
        price = prices.find("Seedream-4.5", {"quality": "2K"}, 3)
        assert price is None or 0 <= price.of(15) < 10**8


def environments(dice: Dice, folder: Path) -> None:
    names = list(config.SETTINGS)
    values = {dice.pick(names): mutated_text(dice.pick(ODD_TEXTS), dice).replace("\0", "")
              for _ in range(1 + dice.below(4))}  # fmt: skip
    values.pop("SEEDREAM_HOME", None)
    with ours():
        settings_of(folder / "none", **values)


def command_lines(dice: Dice, folder: Path) -> None:
    words = shlex.split(dice.pick(response_shapes.COMMANDS))
    for _ in range(1 + dice.below(3)):
        place = dice.below(len(words) + 1)
        words[place : place + dice.below(2)] = [dice.pick([*ODD_TEXTS, *words, dice.text(9)])]
    if any(word.startswith(("-h", "--h", "--v")) for word in words):
        return  # these show a text and end
    with ours():  # also no SystemExit, of which --json could say nothing
        build_parser().parse_args(words)


# ---- pictures ----

_KINDS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")


def _sound(kind: str) -> bytes:
    file = BytesIO()
    Image.linear_gradient("L").resize((40, 30)).convert("RGB").save(file, kind)
    return file.getvalue()


_SOUND = {kind: _sound(kind) for kind in _KINDS}


def picture_files(dice: Dice, folder: Path) -> None:
    data = mutated_bytes(_SOUND[dice.pick(_KINDS)], dice)
    media_types.media_type_of(data[:512])
    media_types.kind_of(data[:512])
    media_types.describe_head(data[: media_types.HEAD_BYTES])
    header.jpeg_scans(data)
    header.webp_canvas(data[:512])
    path = folder / "picture"
    path.write_bytes(data)
    kind = media_types.media_type_of(data[:512])
    if kind:
        media_types.is_cut(path, kind, length_known=False)
    with ours():
        decode.probe(data, name="it", max_pixels=1 << 20)
    with ours():
        found = decode.decode(data, name="it", max_pixels=1 << 20)
        assert found.pixels.size <= 3 << 20


# ---- the record ----

_COLUMNS = (
    "state", "fingerprint", "family", "model", "address", "key_print", "prompt", "fields", "refs",
    "seed", "asked", "notes", "task_id", "error", "created_at", "sent_at", "accepted_at",
    "answered_at", "finished_at", "delivered_at", "profile", "run", "currency", "image_price",
    "references_price", "charged_images",
)  # fmt: skip
_IMAGE_COLUMNS = ("url", "sha256", "file", "bytes", "media_type", "width", "height", "error")


_LIMITS = limits.Limits(day=limits.parse_limit("9 CNY"), month=limits.parse_limit("9"))


def ledger_rows(dice: Dice, folder: Path) -> None:
    ledger = _ledger(folder)
    changed = {dice.pick(_COLUMNS): _cell(dice) for _ in range(1 + dice.below(3))}
    images = {dice.pick(_IMAGE_COLUMNS): _cell(dice) for _ in range(dice.below(3))}
    uploads = {"notes": _cell(dice)} if dice.one_in(3) else {}
    _restore(ledger)
    with ledger.database.write(durable=False):
        for table, cells in (("requests", changed), ("images", images), ("uploads", uploads)):
            for name, value in cells.items():
                with contextlib.suppress(sqlite3.IntegrityError):
                    ledger.database.execute(f"UPDATE {table} SET {name} = ?", (value,))  # noqa: S608
    looks: tuple[Callable[[], Any], ...] = (
        ledger.list_records, lambda: ledger.find_record("task-1"),
        lambda: ledger.list_images(1), ledger.list_stored_files,
        lambda: ledger.find_stored_image("https://x.example/a.png"), ledger.sum_stored_bytes,
        lambda: ledger.typical_seconds("Seedream-4.0"),
        lambda: ledger.find_upload("sha256:1", "s3", "place"),
        lambda: ledger.summarize_usage(since=0.0, by="day").to_json(),
        lambda: ledger.list_spending(_LIMITS, "run", sandbox=False),
    )  # fmt: skip
    for look in looks:
        with ours():
            look()


def _cell(dice: Dice) -> Any:
    match dice.below(4):
        case 0:
            return as_bytes(mutated(dice.pick(response_shapes.ANSWERS), dice), dice).decode(
                "utf-8", "replace"
            )
        case 1:
            return dice.raw(20)
        case 2:
            return dice.pick(ODD_TEXTS).replace("\ud800", "?")
        case _:
            value = dice.pick(ODD_VALUES)
            fits = value is None or isinstance(value, (float, bool))
            return value if fits or (isinstance(value, int) and abs(value) < 2**62) else str(value)


_ledgers: dict[Path, Any] = {}


def _ledger(folder: Path) -> Any:
    if folder in _ledgers and _ledgers[folder].is_unusable:
        _ledgers.pop(folder).close()  # the last case broke it, and it was kept aside
    if folder not in _ledgers:
        ledger = _ledgers[folder] = ledgers.SyncLedger(folder / "ledger")
        ledger.claim_task("https://api.example.com", "task-1", states.key_fingerprint(SECRET))
    return _ledgers[folder]


def _restore(ledger: Any) -> None:
    with ledger.database.write(durable=False):
        ledger.database.execute("DELETE FROM images")
        ledger.database.execute("DELETE FROM uploads")
        ledger.database.execute("DELETE FROM requests WHERE id > 1")
        sound = {
            "state": "answered", "address": "https://api.example.com", "task_id": "task-1",
            "fields": "{}", "refs": "[]", "notes": "[]", "created_at": 1.0, "error": None,
            "seed": "0", "asked": 1, "sent_at": 1.0, "currency": "CNY", "image_price": 250_000,
            "references_price": 0, "charged_images": None,
        }  # fmt: skip
        setting = ", ".join(f"{name} = ?" for name in sound)
        ledger.database.execute(
            f"UPDATE requests SET {setting} WHERE id = 1",  # noqa: S608
            tuple(sound.values()),
        )
        ledger.database.execute(
            "INSERT INTO images (request, position, url) VALUES (1, 0, 'https://x.example/a.png')"
        )
        upload = ("sha256:1", "s3", "place", "https://x", 9e9, 1, 1, "image/png", 1, 1, "[]", 1)
        ledger.database.execute(f"INSERT INTO uploads VALUES ({', '.join('?' * 12)})", upload)  # noqa: S608


def close_ledgers() -> None:
    for ledger in _ledgers.values():
        ledger.close()
    _ledgers.clear()


# ---- HTTP over real sockets ----


class Wire:
    """A server on loopback that sends given bytes to every client and closes."""

    def __init__(self) -> None:
        self.said = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.settimeout(PATIENCE_S)
                received = b""
                while b"\r\n\r\n" not in received:
                    piece = connection.recv(65536)
                    if not piece:
                        break
                    received += piece
                connection.sendall(self.said)


_wires: list[Wire] = []


def wire_answers(dice: Dice, folder: Path) -> None:
    if not _wires:
        _wires.append(Wire())
    body = as_bytes(mutated(dice.pick(response_shapes.ANSWERS), dice), dice)
    head = dice.pick(response_shapes.HTTP_HEADS).format(length=len(body)).encode()
    _wires[0].said = mutated_bytes(head, dice) + body if dice.below(3) else head + body
    asyncio.run(_asked(_wires[0].url))


async def _asked(url: str) -> None:
    async def moment() -> None:
        pass

    asking = transport.Transport()
    try:
        with ours():
            _understood(await asking.ask(url, timeout_s=PATIENCE_S))
        with ours():
            await asking.post_once(
                url, body={}, headers={}, read_timeout_s=PATIENCE_S, before_first_byte=moment
            )
        with ours():
            async with asking.open(url, headers={}, read_timeout_s=PATIENCE_S) as answer:
                async for _ in answer.chunks:
                    pass
    finally:
        await asking.close()


# ---- sizes that a short run leaves out ----


def heavy_cases() -> list[tuple[str, bytes]]:
    """Bodies of 100 MB and what unpacks to more, as a server sends them."""
    packed = gzip.compress(b'{"data":"' + bytes(400 << 20), 1)
    bodies = {
        "a text of 100 MB": b'{"data":"' + b"a" * (100 << 20) + b'"}',
        "ten million results": b'{"data":[' + b'"",' * 10_000_000 + b'""]}',
        "fifty million brackets": b"[" * 50_000_000,
        "a number of 20 million digits": b'{"id":' + b"1" * 20_000_000 + b"}",
    }
    head = "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{}\r\n"
    said = [(name, head.format(len(body), "").encode() + body) for name, body in bodies.items()]
    unpacks = head.format(len(packed), "Content-Encoding: gzip\r\n").encode() + packed
    return [*said, ("400 MB inside gzip", unpacks)]


def heavy(said: bytes) -> None:
    """Give one large response to every reader of responses."""
    if not _wires:
        _wires.append(Wire())
    _wires[0].said = said
    asyncio.run(_asked(_wires[0].url))
    body = said.partition(b"\r\n\r\n")[2]
    if not body.startswith(b"\x1f\x8b"):
        _understood(transport.HttpResponse(200, {}, body))


def _understood(answer: transport.HttpResponse) -> responses.ServiceResponse:
    return reading.parse_http_response(answer, result_items.ItemReader(), SECRET)


TARGETS: Mapping[str, Target] = MappingProxyType({
    target.__name__: target
    for target in (
        answer_bodies, hosts_answers, download_headers, urls, data_uris, settings_files,
        models_files, prices_files, environments, command_lines, picture_files, ledger_rows,
        wire_answers,
    )
})  # fmt: skip


def run(target: Target, data: bytes, folder: Path) -> None:
    """One case; whatever comes out of it is a defect."""
    target(Dice(data), folder)


def seeds() -> list[bytes]:
    """What coverage-guided runs begin with."""
    return [json.dumps(shape).encode() for shape in response_shapes.ANSWERS] + [
        bytes(64),
        bytes(range(256)),
    ]
