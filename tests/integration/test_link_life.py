"""How long links last: as a probe learned it, else as the documentation of the family says."""

from __future__ import annotations

import time
from typing import Any

import pytest

from seedream_api.probe.paid import PROMPT
from support.api_client import START
from support.spec_service import KEY, Script, answer_at_once, complete, picture, serving

LIFE_S = 1800
DOCUMENTED_S = {"Seedream-5.0-Lite-Preferential": 2 * 3600, "Seedream-5.0-Lite": 24 * 3600}


def read_expiries(client: Any) -> list[float]:
    """Seconds after the response for which the links of each task last, newest task first."""
    tasks = client.inside("tasks", "--json").json["tasks"]
    return [image["url_expires_at"] - START for task in tasks for image in task["images"]]


@pytest.mark.parametrize("model", DOCUMENTED_S)
def test_links_last_as_long_as_a_probe_learned(
    make_api_client: Any, make_sandbox: Any, model: str
) -> None:
    at_once = model.endswith("Preferential")

    def sign(job: Any) -> Any:
        signed_at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        job.urls = [f"{url}?X-Amz-Date={signed_at}&X-Amz-Expires={LIFE_S}" for url in job.urls]
        for place, url in enumerate(job.urls):
            service.files[url.removeprefix(service.images_url)] = picture(place)
        return answer_at_once(job) if at_once else complete(job)

    with serving() as service:
        client = make_api_client(make_sandbox())
        client.environ |= {"DEEPSPACE_BASE_URL": service.url, "DEEPSPACE_API_KEY": KEY}
        client.generate(model=model, seed=1)
        assert read_expiries(client) == [DOCUMENTED_S[model]]
        service.scripts[PROMPT] = Script(posted=sign) if at_once else Script(looked=[sign])
        client.inside("doctor", "--probe", "--paid", "--yes", "--json")
        client.generate(model=model, seed=2)
        assert read_expiries(client)[0] == pytest.approx(LIFE_S, abs=5)
        client.inside("doctor", "--forget-facts")
        client.generate(model=model, seed=3)
        assert read_expiries(client)[0] == DOCUMENTED_S[model]
