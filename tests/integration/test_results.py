"""What a result offers: copies, pixels, JSON, pictures in notebooks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from seedream_api import InvalidRequest, Result, ResultUnavailable
from seedream_api.cli.payloads import build_result_payload
from support.api_client import ApiClient


@pytest.fixture
def result(api_client: ApiClient) -> Result:
    return api_client.generate(model="Seedream-4.5", prompt="A cat / on grass", n=2, seed=3)


def test_result_image_is_saved_under_its_template(result: Result, tmp_path: Path) -> None:
    saved = [image.save(tmp_path / "out") for image in result.images]
    names = [f"A cat _ on grass-3-{n}" for n in (1, 2)]
    assert [path.stem for path in saved] == names[: len(saved)]
    assert saved[0].read_bytes() == result.images[0].read_bytes()
    other = result.images[0].save(tmp_path / "out", name="{model}-{job}")
    assert other.stem == f"Seedream-4.5-{result.entry}"
    assert result.images[0].save(tmp_path / "mine.bmp").suffix != ".bmp"


def test_result_image_is_saved_into_a_folder_with_a_dot(result: Result, tmp_path: Path) -> None:
    (tmp_path / "v1.0").mkdir()
    assert result.images[0].save(tmp_path / "v1.0").parent == tmp_path / "v1.0"


def test_result_image_template_with_an_unknown_field_is_refused(
    result: Result, tmp_path: Path
) -> None:
    with pytest.raises(InvalidRequest):
        result.images[0].save(tmp_path / "out", name="{nothing}")
    assert not (tmp_path / "out").exists()


def test_result_image_gives_its_pixels(result: Result) -> None:
    image = result.images[0]
    pixels = image.to_numpy()
    assert pixels.shape == (image.height, image.width, 3) and pixels.dtype == np.uint8
    assert image.to_pil().size == (image.width, image.height)
    assert np.array_equal(np.asarray(image.to_pil()), pixels)


def test_result_image_with_alpha_gives_four_channels(result: Result, tmp_path: Path) -> None:
    file = tmp_path / "alpha.png"
    Image.new("RGBA", (3, 2), (9, 8, 7, 6)).save(file)
    image = type(result.images[0])(file, 0, None, 3, 2, 9, "image/png", "", None)
    assert image.to_numpy().shape == (2, 3, 4) and image.to_pil().mode == "RGBA"
    assert image.to_numpy()[0, 0].tolist() == [9, 8, 7, 6]


def test_result_has_the_json_fields_of_the_command_line(result: Result) -> None:
    paths = [str(image.path) for image in result.images]
    printed = json.loads(json.dumps(build_result_payload(result, paths)))
    found = json.loads(json.dumps(result.to_dict()))
    images = [{name: image[name] for name in printed["images"][0]} for image in found["images"]]
    assert images == printed.pop("images") and printed.pop("error") is None
    assert {name: found[name] for name in printed} == printed


def test_result_is_json_with_what_it_cost(result: Result, api_client: ApiClient) -> None:
    found = json.loads(json.dumps(result.to_dict()))
    assert found["job_id"] == result.entry and found["origin"] == "new"
    assert found["charged_images"] == result.charged_images > 0 and found["may_have_been_charged"]
    assert found["seed"] == 3 and found["task_ids"] == [result.task_id]
    assert found["images"][0]["sha256"] == result.images[0].sha256
    again = api_client.generate(model="Seedream-4.5", prompt="A cat / on grass", n=2, seed=3)
    assert again.to_dict()["origin"] == "stored" and again.to_dict()["charged_images"] == 0


def test_result_shows_its_images_in_a_notebook(result: Result) -> None:
    png = result.images[0]._repr_png_()
    assert png is not None and png.startswith(b"\x89PNG")
    html = result._repr_html_()
    assert html.count("data:image/png;base64,") == len(result.images) and "completed" in html


def test_result_whose_image_was_pruned_still_shows(result: Result) -> None:
    result.images[0].path.unlink()
    assert result.images[0]._repr_png_() is None and "<div>" in result._repr_html_()
    with pytest.raises(ResultUnavailable):
        result.images[0].read_bytes()


def test_result_has_no_link_in_its_repr(result: Result) -> None:
    assert result.urls and not any(url in repr(result) for url in result.urls)


def test_result_whose_prompt_is_not_stored_is_named_otherwise(
    api_client: ApiClient, tmp_path: Path
) -> None:
    off: dict[str, Any] = {"SEEDREAM_STORE_PROMPTS": "off"}
    result = api_client.generate(model="Seedream-4.5", **off)
    assert result.prompt is None and result.images[0].save(tmp_path).stem == "0-1"
