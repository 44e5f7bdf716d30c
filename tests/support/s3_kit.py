"""A bucket of the tests."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import numpy as np
from PIL import Image

from seedream_api import pixels_reference
from support.s3_server import S3Server

MODEL = "Seedream-4.0"


def pixels(colour: str = "red") -> Any:
    return pixels_reference(np.asarray(Image.new("RGB", (32, 24), colour)), colour)


@contextmanager
def _client(server: S3Server) -> Generator[Any]:
    import boto3

    client = boto3.client("s3", endpoint_url=server.url, region_name="us-east-1")
    yield client
    client.close()


def make_bucket(server: S3Server, name: str) -> None:
    with _client(server) as client:
        client.create_bucket(Bucket=name)


def read_objects(server: S3Server, prefix: str) -> dict[str, bytes]:
    """Read the objects of the bucket ``pics`` below a prefix, by their whole names."""
    with _client(server) as client:
        found = client.list_objects_v2(Bucket="pics", Prefix=f"{prefix}/").get("Contents", ())
        return {
            one["Key"]: client.get_object(Bucket="pics", Key=one["Key"])["Body"].read()
            for one in found
        }


def write_object(server: S3Server, name: str, data: bytes) -> None:
    with _client(server) as client:
        client.put_object(Bucket="pics", Key=name, Body=data)


def shared_store(server: S3Server, prefix: str, bucket: str = "pics") -> dict[str, str]:
    """Settings of a store that machines share, below a prefix of one test."""
    return {
        "SEEDREAM_STORE": f"s3://{bucket}/{prefix}",
        "SEEDREAM_UPLOAD_S3_ENDPOINT": server.url,
    }


def bucket(server: S3Server, **settings: str) -> dict[str, str]:
    base = {"ENDPOINT": server.url, "BUCKET": "pics", **settings}
    return {
        "SEEDREAM_UPLOAD": "s3",
        **{f"SEEDREAM_UPLOAD_S3_{name}": value for name, value in base.items()},
    }
