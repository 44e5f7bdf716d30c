"""Any S3-compatible bucket, by obstore: one wheel without dependencies, asynchronous, MIT licence,
built for CPython 3.10-3.13 and Windows, where boto3 brings 16 MB and minio three native wheels.

Credentials come as obstore finds them: ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY`` and
``AWS_SESSION_TOKEN`` of the environment, a web identity, or the machine's role. The object is named
by its content below ``PREFIX``. Its URL is a presigned GET that lives for ``LIFE_S`` seconds, or
lies below ``PUBLIC_URL`` where a bucket is public.

Without ``ENDPOINT`` it is AWS, with the bucket in the host's name. An endpoint is asked in path
style, ``https://endpoint/bucket/key``, unless its host begins with the bucket's name already or is
of a provider that takes that style only.
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
from ..network.proxies import proxy_for
from ..redaction import HiddenTexts, bare_address, redact
from . import HostedUrl
from .http import UPLOAD_TIMEOUT_S, UploadRejected, host_of, name_of

if TYPE_CHECKING:
    from obstore.store import ClientConfig

    from ..config.settings import Settings

REQUIREMENT = "obstore>=0.9,<1"
MAX_RETRIES = 5
"""By the library itself, after network failures, 429 and 5xx: a PUT of one key may be repeated."""
_VIRTUAL_ONLY = ("aliyuncs.com", "myqcloud.com", "volces.com")
"""OSS, COS and TOS refuse the bucket in the path."""
_HOST_PART = re.compile(r"[A-Za-z0-9._-]*")
_CODE = re.compile(r"<Code>([\w.-]{1,80})</Code>")
_MESSAGE = re.compile(r"<Message>([^<]{1,200})</Message>")
_USED_UP = 0.0


class S3Bucket:
    """One bucket.

    Raises:
        ConfigurationError: an address is none, or the library is not installed.
    """

    name = "s3"
    is_inline = False

    def __init__(self, settings: Settings) -> None:
        self._bucket = _name(settings, "SEEDREAM_UPLOAD_S3_BUCKET")
        self._region = _name(settings, "SEEDREAM_UPLOAD_S3_REGION")
        self._prefix = settings.text("SEEDREAM_UPLOAD_S3_PREFIX").strip("/")
        self._life_s = settings.number("SEEDREAM_UPLOAD_S3_LIFE_S")
        self._chosen_proxy = settings.proxy
        given = _address(settings, "SEEDREAM_UPLOAD_S3_ENDPOINT")
        self._public = _address(settings, "SEEDREAM_UPLOAD_S3_PUBLIC_URL")
        self._endpoint, self._virtual = endpoint_of(given, self._bucket, self._region)
        self.location = " ".join((self._endpoint, self._bucket, self._prefix, self._public)).strip()
        self.hosts = frozenset(host_of(url) for url in (self._endpoint, self._public) if url)
        self._store: Any = None
        if importlib.util.find_spec("obstore") is None:
            raise ConfigurationError("no_s3_library", python=sys.executable, package=REQUIREMENT)

    async def upload(self, encoded: EncodedImage) -> HostedUrl:
        await asyncio.to_thread(_import_library)
        import obstore
        from obstore.exceptions import BaseError

        name = await asyncio.to_thread(name_of, encoded)
        key = f"{self._prefix}/{name}" if self._prefix else name
        try:
            store = self._store = self._store or await asyncio.to_thread(self._open)
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
            return HostedUrl(url, self._life_s, credentials_end(url, os.environ))
        except (BaseError, OSError, ValueError) as error:
            raise UploadRejected(_reason(str(error), self._bucket)) from None

    def _open(self) -> Any:
        from obstore.store import S3Store

        options: ClientConfig = {"allow_http": True, "timeout": f"{UPLOAD_TIMEOUT_S:g}s"}
        proxy = proxy_for(self._endpoint, self._chosen_proxy)
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


def credentials_end(url: str, environ: Mapping[str, str]) -> float | None:
    """Find when a signed URL dies with the temporary credentials that signed it.

    Args:
        environ: may say so in ``AWS_CREDENTIAL_EXPIRATION``, which the AWS command line exports.
            Where it does not, the URL counts as used up: the picture is put there again.

    Returns:
        Wall-clock seconds; ``None`` for credentials without an end.
    """
    if "x-amz-security-token=" not in url.lower():
        return None
    if not any(environ.get(name) for name in ("AWS_SESSION_TOKEN", "AWS_TOKEN")):
        return _USED_UP  # they are of the machine's role
    text = environ.get("AWS_CREDENTIAL_EXPIRATION", "").strip().replace("Z", "+00:00")
    try:
        end = datetime.fromisoformat(text)
    except ValueError:
        return _USED_UP
    return (end if end.tzinfo else end.replace(tzinfo=timezone.utc)).timestamp()


def _import_library() -> None:
    """It is optional, and only who uses it pays for its import."""
    importlib.import_module("obstore.store")


def endpoint_of(given: str, bucket: str, region: str) -> tuple[str, bool]:
    """The endpoint to ask, and whether the bucket stands in its host's name."""
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


def _name(settings: Settings, name: str) -> str:
    """A bucket or region: part of the host's name, so it must not end that name."""
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


def _address(settings: Settings, name: str) -> str:
    text = settings.text(name).rstrip("/")
    try:
        parts = urlsplit(text)
        fine = not text or (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and "@" not in parts.netloc
            and not parts.query
            and not parts.fragment
        )
    except ValueError:
        fine = False
    if not fine:
        raise ConfigurationError(
            "bad_setting",
            name=name,
            given=bare_address(text),
            origin=settings.values[name].origin,
            allowed=Text("url_without_login"),
        )
    return text


def _reason(text: str, bucket: str) -> str:
    """A bucket's refusal in one line; obstore's own text goes on for pages."""
    code, message = _CODE.search(text), _MESSAGE.search(text)
    if code is None:
        first = text.partition("\n")[0]
        return redact(first.rpartition(" - ")[2] or first, _secrets())[:300]
    said = f"{code[1]}: {message[1]}" if message else code[1]
    if code[1] == "NoSuchBucket":
        said = Text("s3_no_bucket", bucket=bucket, said=said)
    elif code[1] in ("InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied"):
        said = Text("s3_credentials", said=said)
    return rewrite(said, lambda text: redact(text, _secrets()))


def _secrets() -> HiddenTexts:
    return HiddenTexts(os.environ.get(name, "") for name in STORAGE_SECRETS)
