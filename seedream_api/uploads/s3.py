"""Upload to any S3-compatible bucket.

The object's name is ``PREFIX`` and a hash of the content. Its URL is a presigned GET that is valid
for ``LIFE_S`` seconds, or is below ``PUBLIC_URL`` if the bucket is public.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..images.encode import EncodedImage
from .bucket import Bucket, BucketFailed, parse_endpoint, parse_host_part
from .http import UPLOAD_TIMEOUT_S, UploadRejected, build_file_name, parse_host
from .target import HostedUrl

if TYPE_CHECKING:
    from ..config.settings import Settings

MAX_RETRIES = 5
RETRY_S = 90.0
_USED_UP = 0.0


class S3Bucket:
    """A bucket that the settings describe.

    Raises:
        ConfigurationError: a setting is invalid, or obstore is not installed.
    """

    name = "s3"
    is_inline = False

    def __init__(self, settings: Settings) -> None:
        self._life_s = settings.number("SEEDREAM_UPLOAD_S3_LIFE_S")
        self._bucket = Bucket(
            settings,
            parse_host_part(settings, "SEEDREAM_UPLOAD_S3_BUCKET"),
            settings.text("SEEDREAM_UPLOAD_S3_PREFIX"),
            timeout_s=UPLOAD_TIMEOUT_S,
            max_retries=MAX_RETRIES,
            retry_s=RETRY_S,
        )
        self._public = parse_endpoint(settings, "SEEDREAM_UPLOAD_S3_PUBLIC_URL")
        bucket = self._bucket
        self.location: str = " ".join(
            (bucket.endpoint, bucket.name, bucket.prefix, self._public)
        ).strip()
        self.hosts: frozenset[str] = frozenset(
            parse_host(url) for url in (bucket.endpoint, self._public) if url
        )

    async def upload(self, encoded: EncodedImage) -> HostedUrl:
        bucket = self._bucket
        name = await asyncio.to_thread(build_file_name, encoded)
        try:
            await bucket.put(name, encoded.data, encoded.media_type)
            if self._public:
                return HostedUrl(f"{self._public}/{quote(bucket.key_of(name))}")
            url = await bucket.sign(name, self._life_s)
        except BucketFailed as error:
            raise UploadRejected(error.reason) from None
        return HostedUrl(url, self._life_s, find_credentials_expiry(url, os.environ))


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
