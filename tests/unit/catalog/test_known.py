"""The models' facts: complete, within limits, each with its source; the main page's own bodies."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

import seedream_api.catalog as catalog
from seedream_api.catalog import MAIN_PAGE, MODELS, PIXELS, RATIOS, Family, Limit, Model, of_family
from seedream_api.service.references import UrlReference
from seedream_api.service.request import Request
from seedream_api.service.validation import validate_request

PREFERENTIAL = ("Seedream-5.0-Lite-Preferential", "Seedream-4.5-Preferential")
EVOLINK = ("Seedream-5.0-Lite", "Seedream-4.5", "Seedream-4.0")
FACTS = {
    "fields", "sizes", "default_size", "qualities", "default_quality", "prompt_priorities",
    "output_formats", "max_results", "max_references", "sends_n",
}  # fmt: skip


def test_models_are_the_five_of_the_main_page_in_its_order() -> None:
    assert tuple(MODELS) == PREFERENTIAL + EVOLINK
    assert of_family(MODELS, Family.PREFERENTIAL) == PREFERENTIAL
    assert of_family(MODELS, Family.EVOLINK) == EVOLINK
    assert all(model.id == model_id for model_id, model in MODELS.items())


def test_pixel_tables_hold_eleven_ratios_in_each_of_four_tiers() -> None:
    assert tuple(PIXELS) == ("1K", "2K", "3K", "4K")
    for tier in PIXELS.values():
        assert set(tier) == set(RATIOS) - {"auto"} and len(tier) == 11
    assert len(RATIOS) == 12 and RATIOS[:3] == ("16:9", "9:16", "1:1")


@pytest.mark.parametrize("tier", [*PIXELS])
def test_every_size_fits_its_ratio_its_mirror_and_the_cap(tier: str) -> None:
    for ratio, (width, height) in PIXELS[tier].items():
        wide, high = (int(part) for part in ratio.split(":"))
        assert width / height == pytest.approx(wide / high, rel=0.03)
        assert PIXELS[tier][f"{high}:{wide}"] == (height, width)
        assert width * height <= catalog.MAX_RESULT_PIXELS.value
        assert width * height >= (921_600 if tier == "1K" else 3_686_400)
        assert width % 8 == 0 and height % 8 == 0


def test_known_sizes_are_those_of_the_tables() -> None:
    assert PIXELS["1K"]["16:9"] == (1280, 720) and PIXELS["2K"]["16:9"] == (2848, 1600)
    assert PIXELS["3K"]["1:1"] == (3072, 3072) and PIXELS["4K"]["21:9"] == (6240, 2656)
    assert max(max(size) for tier in PIXELS.values() for size in tier.values()) == 6240


def test_limits_are_the_services_with_unit_and_source() -> None:
    limits = {name: value for name, value in vars(catalog).items() if isinstance(value, Limit)}
    assert len(limits) >= 13
    assert all(limit.value > 0 and limit.unit and limit.source for limit in limits.values())
    assert {name: limits[name].value for name in (
        "MAX_REFERENCES", "MAX_RESULTS", "MAX_REFERENCES_AND_RESULTS", "MIN_REFERENCE_SIDE",
        "MAX_REFERENCE_PIXELS", "MAX_REFERENCE_RATIO", "NOTED_PROMPT_LENGTH", "MAX_REFERENCE_BYTES",
    )} == {
        "MAX_REFERENCES": 14, "MAX_RESULTS": 15, "MAX_REFERENCES_AND_RESULTS": 15,
        "MIN_REFERENCE_SIDE": 15, "MAX_REFERENCE_PIXELS": 36_000_000, "MAX_REFERENCE_RATIO": 16,
        "NOTED_PROMPT_LENGTH": 2000, "MAX_REFERENCE_BYTES": 10 * 1024 * 1024,
    }  # fmt: skip


@pytest.mark.parametrize("model", MODELS.values(), ids=str)
def test_every_fact_of_a_model_names_its_source(model: Model) -> None:
    assert {field.name for field in fields(Model)} >= FACTS
    given = {name for name in FACTS if getattr(model, name)}
    told = set(model.sources)
    assert given - told - ({"max_results"} if model.max_results == 1 else set()) == set()
    assert told <= FACTS and all(source.strip() for source in model.sources.values())
    assert model.sources["fields"] == MAIN_PAGE


@pytest.mark.parametrize("model", MODELS.values(), ids=str)
def test_defaults_and_doubted_values_are_allowed(model: Model) -> None:
    assert model.default_size in model.sizes
    assert model.default_quality in (model.qualities or ("",))
    words = {
        "size": model.sizes,
        "quality": model.qualities,
        "prompt_priority": model.prompt_priorities,
        "output_format": model.output_formats,
    }
    for name, allowed in words.items():
        assert bool(allowed) == (name in model.fields)
        assert set(model.doubted.get(name, {})) <= set(allowed)
    assert set(model.doubted) <= set(words)
    assert model.reference_field in model.fields


def test_families_are_distinguished_by_their_fields() -> None:
    for model in MODELS.values():
        sold_sync = model.family is Family.PREFERENTIAL
        assert model.reference_field == ("image" if sold_sync else "image_urls")
        assert model.max_results == (1 if sold_sync else 15)
        assert ("watermark" in model.fields) == ("output_format" in model.fields) == sold_sync
        assert ("n" in model.fields) == ("quality" in model.fields) == (not sold_sync)


# ---- the main page's own examples ----

EXAMPLES: list[dict[str, Any]] = [
    {
        "model": "Seedream-5.0-Lite-Preferential", "prompt": "一只猫在草地上玩耍", "size": "2K",
        "watermark": False,
    },
    {
        "model": "Seedream-4.5-Preferential", "prompt": "一座未来城市夜景,霓虹灯光", "size": "4K",
        "watermark": False, "image": ["https://example.com/ref.png"],
    },
    {
        "model": "Seedream-5.0-Lite", "prompt": "A cat playing on the grass, cinematic lighting",
        "size": "16:9", "quality": "2K", "n": 1,
    },
    {
        "model": "Seedream-4.5", "prompt": "A futuristic city at night with neon lights",
        "size": "16:9", "quality": "4K", "n": 4,
        "image_urls": ["https://example.com/ref1.jpg", "https://example.com/ref2.jpg"],
    },
    {
        "model": "Seedream-4.0", "prompt": "A cat playing on the grass", "size": "16:9",
        "quality": "2K", "n": 4, "prompt_priority": "standard",
    },
]  # fmt: skip


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["model"])
def test_documented_examples_are_sent_exactly(
    example: dict[str, Any],
) -> None:
    wish = dict(example)
    urls = tuple(wish.pop("image", ()) or wish.pop("image_urls", ()))
    request = Request(**wish, references=tuple(UrlReference(url) for url in urls))
    checked = validate_request(request, MODELS)
    body = request.body(checked.model, urls)
    expected = dict(example)
    if checked.model.family is Family.EVOLINK:
        expected["prompt_priority"] = "standard"  # the service's default, always said
    assert body == expected
    assert bool(checked.notes) == (example.get("n", 1) > 1)  # the prompt asks for one image
    order = [name for name in checked.model.fields if name in body]
    assert [*body] == order


def test_bare_request_is_sent_with_the_models_defaults() -> None:
    def body(model_id: str, **wish: Any) -> dict[str, Any]:
        return Request(model=model_id, prompt="a cat", **wish).body(MODELS[model_id], ())

    assert body("Seedream-4.5-Preferential") == {
        "model": "Seedream-4.5-Preferential", "prompt": "a cat", "size": "2K", "watermark": False,
    }  # fmt: skip
    assert body("Seedream-4.0") == {
        "model": "Seedream-4.0", "prompt": "a cat", "size": "1:1", "quality": "2K", "n": 1,
        "prompt_priority": "standard",
    }  # fmt: skip
    full = body("Seedream-5.0-Lite-Preferential", watermark=True, output_format="png", size="4K")
    assert full["watermark"] is True and full["output_format"] == "png" and full["size"] == "4K"


@pytest.mark.parametrize("model_id", [*MODELS])
def test_seed_is_never_sent(model_id: str) -> None:
    request = Request(model=model_id, prompt="a cat", seed=77)
    assert "seed" not in request.body(MODELS[model_id], ("https://example.com/a.png",))
