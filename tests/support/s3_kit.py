"""A bucket of the tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from seedream_api import pixels_reference
from support.s3_server import S3Server

MODEL = "Seedream-4.0"


def pixels(colour: str = "red") -> Any:
    return pixels_reference(np.asarray(Image.new("RGB", (32, 24), colour)), colour)


def make_bucket(server: S3Server, name: str) -> None:
    import boto3

    client = boto3.client("s3", endpoint_url=server.url, region_name="us-east-1")
    client.create_bucket(Bucket=name)
    client.close()


def bucket(server: S3Server, **settings: str) -> dict[str, str]:
    base = {"ENDPOINT": server.url, "BUCKET": "pics", **settings}
    return {
        "SEEDREAM_UPLOAD": "s3",
        **{f"SEEDREAM_UPLOAD_S3_{name}": value for name, value in base.items()},
    }
