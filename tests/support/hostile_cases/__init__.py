"""Hostile and odd files, servers, addresses and names, each with its error.

One entry is one case: what it is, how it is served, the key of the error it must end with, and
words that the error must contain. All of it is refused; what is odd but valid is in the tests of
decoding.
"""

from __future__ import annotations

from ..hostile_server import answer, redirect
from .case import MAX_BYTES, Case
from .files import FILES
from .links import DATA, NAMES, PROXIED, REDIRECTS, URLS
from .servers import SERVERS

__all__ = ["GALLERY", "MAX_BYTES", "Case"]

GALLERY: tuple[Case, ...] = (
    *(Case(f"file: {name}", key, words, [answer(data, "Content-Type: image/png")])
      for name, data, key, words in FILES),
    *(Case(f"server: {name}", key, words, scripts) for name, scripts, key, words in SERVERS),
    *(Case(f"redirect: {name}", key, words, [redirect(location)])
      for name, location, key, words in REDIRECTS),
    *(Case(f"address: {name}", key, words, url=url) for name, url, key, words in URLS),
    *(Case(f"name: {name}", key, words, scripts, names=names)
      for name, names, scripts, key, words in NAMES),
    *(Case(f"proxy: {name}", key, words, scripts, url, proxied=True)
      for name, url, scripts, key, words in PROXIED),
    *(Case(f"data URI: {name}", key, words, url=url) for name, url, key, words in DATA),
)  # fmt: skip
