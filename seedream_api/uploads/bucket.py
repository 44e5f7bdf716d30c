"""An S3-compatible bucket, used through obstore.

obstore is asynchronous and a single wheel without dependencies (MIT licence, CPython 3.10-3.13,
Windows included), while boto3 installs 16 MB and minio three native wheels. It finds the
credentials: ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY`` and ``AWS_SESSION_TOKEN`` in the
environment, a web identity, or the machine's role.

Without ``SEEDREAM_UPLOAD_S3_ENDPOINT``, the bucket is on AWS and part of the host name. With one,
the path style ``https://endpoint/bucket/key`` is used, unless the host already begins with the
bucket's name or belongs to a provider that requires the bucket in the host name.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..config.settings import STORAGE_SECRETS
from ..errors import ConfigurationError
from ..messages import Text, rewrite, text_of
from ..network.proxies import find_proxy
from ..redaction import HiddenTexts, bare_address, redact

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

    from ..config.settings import Settings

REQUIREMENT = "obstore>=0.9,<1"
_VIRTUAL_ONLY = ("aliyuncs.com", "myqcloud.com", "volces.com")
"""OSS, COS and TOS reject the bucket in the path."""
_HOST_PART = re.compile(r"[A-Za-z0-9._-]*")
_CODE = re.compile(r"<Code>([\w.-]{1,80})</Code>")
_MESSAGE = re.compile(r"<Message>([^<]{1,200})</Message>")


class BucketFailed(Exception):
    """The bucket cannot be used now; the text is redacted and can be shown to users."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Bucket:
    """A bucket at the endpoint of the settings.

    Args:
        name: of the bucket.
        prefix: of every key; may be empty.
        timeout_s: seconds for one HTTP request.
        max_retries: by obstore, after network failures, 429 and 5xx: each operation here may be
            repeated.
        retry_s: after so many seconds an operation is not repeated again.

    Raises:
        ConfigurationError: a setting is invalid, or obstore is not installed. Every operation
            raises it too, if obstore cannot be imported.
    """

    def __init__(
        self,
        settings: Settings,
        name: str,
        prefix: str,
        *,
        timeout_s: float,
        max_retries: int,
        retry_s: float,
    ) -> None:
        self.name = name
        self.prefix = prefix.strip("/")
        self._region = parse_host_part(settings, "SEEDREAM_UPLOAD_S3_REGION")
        given = parse_endpoint(settings, "SEEDREAM_UPLOAD_S3_ENDPOINT")
        self.endpoint, self._virtual = resolve_endpoint(given, name, self._region)
        self._chosen_proxy = settings.proxy
        self._timeout_s = timeout_s
        self._retries: RetryConfig = {
            "max_retries": max_retries,
            "retry_timeout": timedelta(seconds=retry_s),
        }
        self._store: Any = None
        if importlib.util.find_spec("obstore") is None:
            raise ConfigurationError("no_s3_library", python=sys.executable, package=REQUIREMENT)

    def key_of(self, name: str) -> str:
        return f"{self.prefix}/{name}" if self.prefix else name

    async def put(self, name: str, data: bytes, media_type: str) -> None:
        """Store an object, or replace it.

        Raises:
            BucketFailed: the bucket does not have it.
        """
        await self._open()
        import obstore

        with self._described_errors():
            await obstore.put_async(
                self._store,
                self.key_of(name),
                data,
                attributes={"Content-Type": media_type} if media_type else None,
                use_multipart=False,
            )

    async def get(self, name: str, size: int) -> bytes | None:
        """Read an object of ``size`` bytes; ``None`` where there is none of this size.

        Raises:
            BucketFailed: the bucket cannot be read.
        """
        await self._open()
        import obstore

        with self._described_errors():
            try:
                found = await obstore.get_async(self._store, self.key_of(name))
            except FileNotFoundError as error:
                if "NoSuchBucket" in str(error):
                    raise
                return None
            if found.meta["size"] != size:
                return None
            return bytes(await found.bytes_async())

    async def delete(self, name: str) -> None:
        """Delete an object.

        Raises:
            BucketFailed: the bucket refuses it.
        """
        await self._open()
        import obstore

        with self._described_errors():
            await obstore.delete_async(self._store, self.key_of(name))

    async def sign(self, name: str, life_s: float) -> str:
        """Build a URL with which anyone can read an object for ``life_s`` seconds.

        Raises:
            BucketFailed: there are no credentials.
        """
        await self._open()
        import obstore

        with self._described_errors():
            life = timedelta(seconds=life_s)
            return await obstore.sign_async(self._store, "GET", self.key_of(name), life)

    async def _open(self) -> None:
        if self._store is None:
            await asyncio.to_thread(_import_library)
            with self._described_errors():
                self._store = await asyncio.to_thread(self._make_store)

    def _make_store(self) -> Any:
        from obstore.store import S3Store

        options: ClientConfig = {"allow_http": True, "timeout": f"{self._timeout_s:g}s"}
        proxy = find_proxy(self.endpoint, self._chosen_proxy)
        if proxy is not None:
            options["proxy_url"] = proxy
        return S3Store(
            self.name,
            endpoint=self.endpoint,
            region=self._region,
            virtual_hosted_style_request=self._virtual,
            client_options=options,
            retry_config=self._retries,
        )

    @contextmanager
    def _described_errors(self) -> Generator[None]:
        """Convert the errors of the block, which imported the library before."""
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, OSError, ValueError) as error:
            raise BucketFailed(_describe_error(str(error), self.name)) from None


def _import_library() -> None:
    """Import obstore, which is optional, only when it is used.

    Raises:
        ConfigurationError: it cannot be imported.
    """
    try:
        importlib.import_module("obstore.store")
    except ImportError as error:
        raise ConfigurationError(
            "broken_s3_library",
            reason=text_of(error),
            python=sys.executable,
            package=REQUIREMENT,
        ) from None


def resolve_endpoint(given: str, bucket: str, region: str) -> tuple[str, bool]:
    """Return the endpoint, and whether its host name contains the bucket."""
    if not given:
        ending = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        if "." in bucket:  # its name would not match the certificate
            return f"https://s3.{region}.{ending}", False
        return f"https://{bucket}.s3.{region}.{ending}", True
    parts = urlsplit(given)
    host = parts.hostname or ""
    if host.startswith(f"{bucket.lower()}."):
        return given, True
    if any(host.endswith(f".{ending}") for ending in _VIRTUAL_ONLY):
        return parts._replace(netloc=f"{bucket}.{parts.netloc}").geturl(), True
    return given, False


def parse_host_part(settings: Settings, name: str) -> str:
    """Read a bucket or region; it becomes part of a host name, so it may contain no separator."""
    text = settings.text(name)
    if _HOST_PART.fullmatch(text) is None:
        raise ConfigurationError(
            "bad_setting",
            name=name,
            given=text,
            origin=settings.values[name].origin,
            allowed=Text("host_name_characters"),
        )
    return text


def parse_endpoint(settings: Settings, name: str) -> str:
    """Read an http or https address without a login, or an empty text."""
    text = settings.text(name).rstrip("/")
    try:
        parts = urlsplit(text)
        is_valid = not text or (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and "@" not in parts.netloc
            and not parts.query
            and not parts.fragment
        )
    except ValueError:
        is_valid = False
    if not is_valid:
        raise ConfigurationError(
            "bad_setting",
            name=name,
            given=bare_address(text),
            origin=settings.values[name].origin,
            allowed=Text("url_without_login"),
        )
    return text


def _describe_error(text: str, bucket: str) -> str:
    """Describe a bucket's error in one line; obstore's text is pages long."""
    code, message = _CODE.search(text), _MESSAGE.search(text)
    if code is None:
        first = text.partition("\n")[0]
        return redact(first.rpartition(" - ")[2] or first, _collect_secrets())[:300]
    said = f"{code[1]}: {message[1]}" if message else code[1]
    if code[1] == "NoSuchBucket":
        said = Text("s3_no_bucket", bucket=bucket, said=said)
    elif code[1] in ("InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied"):
        said = Text("s3_credentials", said=said)
    return rewrite(said, lambda text: redact(text, _collect_secrets()))


def _collect_secrets() -> HiddenTexts:
    return HiddenTexts(os.environ.get(name, "") for name in STORAGE_SECRETS)
