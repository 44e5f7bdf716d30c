"""Upload to any S3-compatible bucket with obstore.

obstore is asynchronous and a single wheel without dependencies (MIT licence, CPython 3.10-3.13,
Windows included), while boto3 installs 16 MB and minio three native wheels. It finds the
credentials: ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY`` and ``AWS_SESSION_TOKEN`` in the
environment, a web identity, or the machine's role.

The object's name is ``PREFIX`` and a hash of the content. Its URL is a presigned GET that is valid
for ``LIFE_S`` seconds, or is below ``PUBLIC_URL`` if the bucket is public.

Without ``ENDPOINT``, the bucket is on AWS and part of the host name. With one, the path style
``https://endpoint/bucket/key`` is used, unless the host already begins with the bucket's name or
belongs to a provider that requires the bucket in the host name.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from ..config.settings import STORAGE_SECRETS
from ..errors import ConfigurationError
from ..images.encode import EncodedImage
from ..messages import Text, rewrite
from ..network.proxies import find_proxy
from ..redaction import HiddenTexts, bare_address, redact
from .http import UPLOAD_TIMEOUT_S, UploadRejected, build_file_name, parse_host
from .target import HostedUrl

if TYPE_CHECKING:
    from obstore.store import ClientConfig

    from ..config.settings import Settings

REQUIREMENT = "obstore>=0.9,<1"
MAX_RETRIES = 5
"""By obstore, after network failures, 429 and 5xx: a PUT of the same key may be repeated."""
_VIRTUAL_ONLY = ("aliyuncs.com", "myqcloud.com", "volces.com")
"""OSS, COS and TOS reject the bucket in the path."""
_HOST_PART = re.compile(r"[A-Za-z0-9._-]*")
_CODE = re.compile(r"<Code>([\w.-]{1,80})</Code>")
_MESSAGE = re.compile(r"<Message>([^<]{1,200})</Message>")
_USED_UP = 0.0


class S3Bucket:
    """A bucket that the settings describe.

    Raises:
        ConfigurationError: a setting is invalid, or obstore is not installed.
    """

    name = "s3"
    is_inline = False

    def __init__(self, settings: Settings) -> None:
        self._bucket = _parse_host_part(settings, "SEEDREAM_UPLOAD_S3_BUCKET")
        self._region = _parse_host_part(settings, "SEEDREAM_UPLOAD_S3_REGION")
        self._prefix = settings.text("SEEDREAM_UPLOAD_S3_PREFIX").strip("/")
        self._life_s = settings.number("SEEDREAM_UPLOAD_S3_LIFE_S")
        self._chosen_proxy = settings.proxy
        given = _parse_address(settings, "SEEDREAM_UPLOAD_S3_ENDPOINT")
        self._public = _parse_address(settings, "SEEDREAM_UPLOAD_S3_PUBLIC_URL")
        self._endpoint, self._virtual = resolve_endpoint(given, self._bucket, self._region)
        self.location: str = " ".join(
            (self._endpoint, self._bucket, self._prefix, self._public)
        ).strip()
        self.hosts: frozenset[str] = frozenset(
            parse_host(url) for url in (self._endpoint, self._public) if url
        )
        self._store: Any = None
        if importlib.util.find_spec("obstore") is None:
            raise ConfigurationError("no_s3_library", python=sys.executable, package=REQUIREMENT)

    async def upload(self, encoded: EncodedImage) -> HostedUrl:
        await asyncio.to_thread(_import_library)
        import obstore
        from obstore.exceptions import BaseError

        name = await asyncio.to_thread(build_file_name, encoded)
        key = f"{self._prefix}/{name}" if self._prefix else name
        try:
            store = self._store = self._store or await asyncio.to_thread(self._open_store)
            await obstore.put_async(
                store,
                key,
                encoded.data,
                attributes={"Content-Type": encoded.media_type},
                use_multipart=False,
            )
            if self._public:
                return HostedUrl(f"{self._public}/{quote(key)}")
            life = timedelta(seconds=self._life_s)
            url = await obstore.sign_async(store, "GET", key, life)
            return HostedUrl(url, self._life_s, find_credentials_expiry(url, os.environ))
        except (BaseError, OSError, ValueError) as error:
            raise UploadRejected(_describe_error(str(error), self._bucket)) from None

    def _open_store(self) -> Any:
        from obstore.store import S3Store

        options: ClientConfig = {"allow_http": True, "timeout": f"{UPLOAD_TIMEOUT_S:g}s"}
        proxy = find_proxy(self._endpoint, self._chosen_proxy)
        if proxy is not None:
            options["proxy_url"] = proxy
        return S3Store(
            self._bucket,
            endpoint=self._endpoint,
            region=self._region,
            virtual_hosted_style_request=self._virtual,
            client_options=options,
            retry_config={"max_retries": MAX_RETRIES, "retry_timeout": timedelta(seconds=90)},
        )


def find_credentials_expiry(url: str, environ: Mapping[str, str]) -> float | None:
    """Find when a signed URL expires with the temporary credentials that signed it.

    Args:
        environ: may contain ``AWS_CREDENTIAL_EXPIRATION``, which the AWS command line exports.
            Without it, the URL counts as expired, and the image is uploaded again next time.

    Returns:
        Wall-clock seconds; ``None`` if the credentials do not expire.
    """
    if "x-amz-security-token=" not in url.lower():
        return None
    if not any(environ.get(name) for name in ("AWS_SESSION_TOKEN", "AWS_TOKEN")):
        return _USED_UP  # credentials of the machine's role
    text = environ.get("AWS_CREDENTIAL_EXPIRATION", "").strip().replace("Z", "+00:00")
    try:
        end = datetime.fromisoformat(text)
    except ValueError:
        return _USED_UP
    return (end if end.tzinfo else end.replace(tzinfo=timezone.utc)).timestamp()


def _import_library() -> None:
    """Import obstore, which is optional, only when it is used."""
    importlib.import_module("obstore.store")


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


def _parse_host_part(settings: Settings, name: str) -> str:
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


def _parse_address(settings: Settings, name: str) -> str:
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
