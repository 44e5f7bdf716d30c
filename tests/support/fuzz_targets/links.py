"""URLs and data URIs."""

from __future__ import annotations

import asyncio
from pathlib import Path

from seedream_api import redaction
from seedream_api.downloads import downloader
from seedream_api.downloads.data_uri import read_data_uri
from seedream_api.network import url_guard

from .. import response_shapes
from ..byte_random import Dice
from ..input_mutations import mutated_text
from .checks import SECRETS, ours


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
