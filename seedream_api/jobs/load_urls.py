"""Load images from a list of URLs, with one outcome per URL."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..callbacks import call_back, check_callback
from ..downloads.data_uri import is_data_uri, read_data_uri
from ..downloads.downloader import MAX_BYTES
from ..errors import InvalidRequest, LedgerFailed, SeedreamError
from ..messages import text_of
from ..redaction import strip_url_secrets
from .session_base import SessionBase


@dataclass(frozen=True)
class LoadedUrl:
    """The outcome for one URL: a file, or an error."""

    url: str = field(repr=False)
    path: Path | None = None
    error: SeedreamError | None = None
    from_store: bool = False
    """Whether it is a stored result image, which was not downloaded again."""

    @property
    def is_fetched(self) -> bool:
        """Whether the bytes were downloaded now and may differ next time."""
        return self.error is None and not self.from_store and not is_data_uri(self.url)

    @property
    def name(self) -> str:
        """The name for messages: the URL without its signature."""
        return "a data URI" if is_data_uri(self.url) else strip_url_secrets(self.url)


async def load_urls(
    urls: Sequence[str],
    session: SessionBase,
    folder: Path,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[LoadedUrl]:
    """Download every distinct URL once, concurrently; return one outcome per URL, in order.

    Args:
        folder: where the files are written; the caller removes it.
        progress: called with the number of finished URLs and of all distinct URLs.

    Raises:
        InvalidRequest: the list is empty, or the session or the callback cannot be used.
    """
    session.check_usable()
    check_callback(progress)
    wanted = [url.strip() for url in urls if url.strip()]
    if not wanted:
        raise InvalidRequest("no_urls")
    distinct = list(dict.fromkeys(wanted))
    done = 0

    async def load_one(number: int, url: str) -> LoadedUrl:
        nonlocal done
        try:
            loaded = await _load(url, session, folder / str(number))
        except SeedreamError as error:
            loaded = LoadedUrl(url, error=error)
        done += 1
        call_back(progress, done, len(distinct))
        return loaded

    outcomes = await asyncio.gather(*(load_one(i, url) for i, url in enumerate(distinct)))
    by_url = dict(zip(distinct, outcomes, strict=True))
    return [by_url[url] for url in wanted]


async def _load(url: str, session: SessionBase, target: Path) -> LoadedUrl:
    if is_data_uri(url):
        data = await asyncio.to_thread(read_data_uri, url, MAX_BYTES)
        try:
            await asyncio.to_thread(target.write_bytes, data)
        except OSError as error:
            reason = text_of(error)
            raise LedgerFailed("image_unstorable", path=target.parent, reason=reason) from None
        return LoadedUrl(url, path=target)
    ledger, shared = session.ledger, session.resources.shared
    if shared is not None:
        await shared.restore_url(url)
    stored = await ledger.find_stored_image(url)
    if stored is not None and await asyncio.to_thread(session.resources.store.is_intact, stored):
        return LoadedUrl(url, path=stored.file, from_store=True)
    download = await session.resources.downloader.fetch(
        url, target, policy=session.resources.workflow_policy()
    )
    return LoadedUrl(url, path=download.path)
