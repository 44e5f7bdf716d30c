"""All settings: name, default, and allowed values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..messages import Text

DEFAULT_ADDRESS = "https://api.deepspaceai.net"

_ON_OFF = ("on", "off")


@dataclass(frozen=True)
class Setting:
    """A setting: its default and allowed values (words, a range of numbers, or any text)."""

    name: str
    default: str
    words: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    secret: bool = False

    def allows(self, text: str) -> bool:
        """Tell whether ``text`` is one of the words, a number in the range, or needs no check."""
        if self.words:
            return text in self.words
        if self.low is None or self.high is None:
            return True
        try:
            return self.low <= float(text) <= self.high
        except ValueError:
            return False

    def describe_allowed(self) -> str:
        if self.words:
            return ", ".join(self.words)
        if self.low is not None:
            return Text("number_range", low=f"{self.low:g}", high=f"{self.high:g}")
        return Text("a_text")


SETTINGS: Mapping[str, Setting] = {
    setting.name: setting
    for setting in (
        Setting("DEEPSPACE_BASE_URL", DEFAULT_ADDRESS),
        Setting("DEEPSPACE_API_KEY", "", secret=True),
        Setting("SEEDREAM_TIMEOUT_S", "1800", low=1, high=604_800),
        Setting("SEEDREAM_MAX_SUBMITS", "4", low=1, high=64),
        Setting("SEEDREAM_MAX_DOWNLOADS", "8", low=1, high=64),
        Setting("SEEDREAM_LEDGER", "", secret=True),
        Setting("SEEDREAM_STORE", ""),
        Setting("SEEDREAM_STORE_GB", "20", low=0.01, high=100_000),
        Setting("SEEDREAM_PARTIAL", "keep", words=("keep", "fail")),
        Setting("SEEDREAM_REUSE", "on", words=_ON_OFF),
        Setting("SEEDREAM_STORE_PROMPTS", "on", words=_ON_OFF),
        Setting("SEEDREAM_RECOVER", "on", words=_ON_OFF),
        Setting("SEEDREAM_KEEP_REFERENCES", "on", words=_ON_OFF),
        Setting("SEEDREAM_RECEIPTS", "on", words=_ON_OFF),
        Setting("SEEDREAM_MODELS", ""),
        Setting("SEEDREAM_PRICES", ""),
        Setting("SEEDREAM_LIMIT_RUN", ""),
        Setting("SEEDREAM_LIMIT_DAY", ""),
        Setting("SEEDREAM_LIMIT_MONTH", ""),
        Setting("SEEDREAM_UPLOAD", "auto", words=("auto", "inline", "s3", "evolink", "http")),
        Setting("SEEDREAM_VERIFY_UPLOADS", "on", words=_ON_OFF),
        Setting("SEEDREAM_UPLOAD_S3_ENDPOINT", ""),
        Setting("SEEDREAM_UPLOAD_S3_BUCKET", ""),
        Setting("SEEDREAM_UPLOAD_S3_REGION", "us-east-1"),
        Setting("SEEDREAM_UPLOAD_S3_PREFIX", "seedream"),
        Setting("SEEDREAM_UPLOAD_S3_PUBLIC_URL", ""),
        Setting("SEEDREAM_UPLOAD_S3_LIFE_S", "86400", low=1, high=604_800),
        Setting("SEEDREAM_UPLOAD_EVOLINK_KEY", "", secret=True),
        Setting("SEEDREAM_UPLOAD_HTTP_URL", ""),
        Setting("SEEDREAM_UPLOAD_HTTP_FIELD", ""),
        Setting("SEEDREAM_UPLOAD_HTTP_HEADERS", "", secret=True),
        Setting("SEEDREAM_UPLOAD_HTTP_FIELDS", "", secret=True),
        Setting("SEEDREAM_UPLOAD_HTTP_RESULT", ""),
        Setting("SEEDREAM_PROXY", ""),
        Setting("SEEDREAM_ALLOW_HOSTS", ""),
    )
}
"""All settings by name, in the order of ``doctor``."""
