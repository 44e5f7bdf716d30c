"""Where a key may be sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from seedream_api import (
    Request,
    generate,
)
from support.fake_service import (
    Json,
    RedirectTo,
)
from support.late_faults import NOW_5, failed


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_key_follows_no_redirect(
    api_client: Any, make_sandbox: Callable[..., Any], code: int
) -> None:
    other = make_sandbox()
    path = "/v1/images/generations"
    api_client.sandbox.faults.push("generate", RedirectTo(f"{other.url}{path}", code))
    failed(api_client)
    api_client.sandbox.faults.push("task", RedirectTo(f"{other.url}/v1/images/Seedream/a", code))
    assert api_client.generate(seed=1).images
    assert other.requests == [] and api_client.sent == 2


def test_downloads_carry_no_key_wherever_they_lead(
    api_client: Any, make_sandbox: Callable[..., Any], make_api_client: Callable[..., Any]
) -> None:
    other = make_sandbox()
    url = make_api_client(other).generate(model=NOW_5, seed=5).urls[0]
    before = len(other.requests)
    api_client.sandbox.faults.push("image", RedirectTo(url))
    assert api_client.generate(model=NOW_5).images  # led there
    api_client.sandbox.faults.push("generate", Json({"data": [{"url": f"{url}?a"}]}))
    assert api_client.generate(model=NOW_5, seed=1).images  # named there
    fetched = [
        r for r in (*other.requests[before:], *api_client.sandbox.requests) if r.method == "GET"
    ]
    assert len(fetched) == 3
    assert all("authorization" not in request.headers for request in fetched)


def test_upload_that_is_led_elsewhere_is_refused(
    api_client: Any, make_sandbox: Callable[..., Any]
) -> None:
    import numpy as np

    from seedream_api import UploadFailed, pixels_reference

    other = make_sandbox()
    api_client.sandbox.faults.push(
        "upload", RedirectTo(f"{other.url}/sandbox/images", 307), times=99
    )
    with pytest.raises(UploadFailed):
        api_client.generate(pixels_reference(np.zeros((20, 20, 3), np.uint8), "black"))
    assert other.requests == [] and api_client.sent == 0 and api_client.states == ["withdrawn"]


def test_two_fetches_of_equal_images_are_one_file(api_client: Any) -> None:
    async def road(session: Any) -> Any:

        wishes = (Request(model=NOW_5, prompt="A cat", seed=seed) for seed in range(3))
        return await asyncio.gather(*(generate(wish, session) for wish in wishes))

    results = api_client.run(road)
    assert len({result.images[0].path for result in results}) == 1 and api_client.sent == 3
