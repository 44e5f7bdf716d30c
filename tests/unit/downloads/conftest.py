"""The downloader and the server that it downloads from."""

from support.download_kit import fetch as fetch, serve as serve
