"""The service's list of models, matched with the known ones."""

from __future__ import annotations

import json

import pytest

from seedream_api.catalog import MODELS, list_missing, match_offered, parse_models
from support.paths import PACK_ROOT

EXAMPLE = (PACK_ROOT / "docs" / "examples" / "models.json").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("Seedream-5.0-Pro", "Seedream-5.0-Lite"),
        ("doubao-seedream-4-5-251128", "Seedream-4.5"),
        ("Seedream-4.6", "Seedream-4.5"),
        ("Seedream-5.5-Preferential", "Seedream-4.5-Preferential"),
        ("seedream-5-0-flash-260915", "Seedream-5.0-Lite"),
    ],
)
def test_unknown_model_is_suggested_like_the_nearest(name: str, like: str) -> None:
    (offered,) = match_offered([name], MODELS)
    assert offered.known_as == () and offered.suggestion and offered.suggestion["like"] == like
    made = parse_models(json.dumps([offered.suggestion]), MODELS)[name]
    nearest = MODELS[like]
    assert (made.fields, made.sizes, made.max_results) == (
        nearest.fields, nearest.sizes, nearest.max_results
    )  # fmt: skip


def test_known_models_are_found_by_the_name_that_is_sent() -> None:
    models = parse_models(EXAMPLE, MODELS)
    offered = match_offered(["Seedream-5.5", "gpt-image-2", "Seedream-4.0"], models)
    assert [(one.id, one.known_as) for one in offered] == [
        ("Seedream-5.5", ("Seedream-5.5", "Seedream-5.5-Cutout")),
        ("Seedream-4.0", ("Seedream-4.0",)),
    ]
    assert "Seedream-4.5" in list_missing(["Seedream-5.5"], models)
    assert "Seedream-5.5-Cutout" not in list_missing(["Seedream-5.5"], models)
