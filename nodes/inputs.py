"""Inputs and outputs that several nodes share, made from the catalogue."""

from __future__ import annotations

from typing import Any, cast

from comfy_api.latest import io

from ..seedream_api.catalog import MAX_REFERENCES, Family, of_family
from ..seedream_api.config.settings import load_settings
from ..seedream_api.errors import SeedreamError
from .web.settings import home_folder, log

CATEGORY = "Seedream"
FITS = ("pad", "crop", "stretch")
IMAGE_NAMES = tuple(f"image_{number}" for number in range(1, MAX_REFERENCES.value + 1))
MAX_SEED = 2**53 - 1
"""The largest whole number that a browser keeps exact."""


def model_ids(family: Family) -> list[str]:
    """The models of a family, with those that ``SEEDREAM_MODELS`` adds."""
    try:
        return list(of_family(load_settings(home_folder()).models, family))
    except SeedreamError as error:
        # The pack must load; the same error is told when a node runs.
        log.warning("%s", error)
        from ..seedream_api.catalog import MODELS

        return list(of_family(MODELS, family))


def prompt_input() -> io.Input:
    return io.String.Input(
        "prompt",
        multiline=True,
        tooltip="What the picture shows, in any language. A list of prompts linked here runs the "
        "node once an item: so many paid calls.",
    )


def model_input(family: Family) -> io.Input:
    return io.Combo.Input("model", options=model_ids(family), tooltip="The model to use.")


def seed_input() -> io.Input:
    return io.Int.Input(
        "seed",
        default=0,
        min=0,
        max=MAX_SEED,
        optional=True,
        # The string: older hosts take any value here, and None or False changes the widget count.
        control_after_generate=cast("Any", "fixed"),
        tooltip="Not sent: the service has no seed. The same inputs and seed give the stored "
        "result at once and free; another seed pays for a new one.",
    )


def images_input(
    tooltip: str = "Reference images; every frame of a batch is one, at most 14 with image_urls. A "
    "list linked here runs the node once an item: to use several results as references of one "
    "call, link the images output (a batch), not image_list.",
) -> io.Input | list[io.Input]:
    """Up to fourteen growing IMAGE inputs; on a host without them, as many optional ones."""
    autogrow: Any = getattr(io, "Autogrow", None)
    if autogrow is not None:
        template = autogrow.TemplateNames(io.Image.Input("image"), names=list(IMAGE_NAMES), min=0)
        return autogrow.Input("images", template=template, optional=True, tooltip=tooltip)
    return [
        io.Image.Input(f"images.{name}", display_name=name, optional=True, tooltip=tooltip)
        for name in IMAGE_NAMES
    ]


def image_urls_input() -> io.Input:
    return io.String.Input(
        "image_urls",
        default="",
        multiline=True,
        optional=True,
        tooltip="Reference images by address, one a line; the service fetches them itself. They "
        "come after the connected images.",
    )


def fit_input() -> io.Input:
    return io.Combo.Input(
        "fit",
        options=list(FITS),
        default="pad",
        optional=True,
        tooltip="How images of different sizes become one batch at the largest width and height. "
        "pad: untouched, centred on black; crop: scaled to cover, centre cut; stretch: resampled. "
        "image_list always holds the native sizes.",
    )


HIDDEN = (io.Hidden.unique_id, io.Hidden.dynprompt)
"""What every node is told besides its inputs: its id, and the prompt as it was sent."""


def wait_input(tooltip: str) -> io.Input:
    return io.Boolean.Input("wait", default=True, optional=True, tooltip=tooltip)


def inputs_of(*groups: io.Input | list[io.Input]) -> list[io.Input]:
    """Single inputs and groups of them as one list."""
    return [one for group in groups for one in (group if isinstance(group, list) else [group])]


def images_output() -> io.Output:
    return io.Image.Output(
        "out_images",
        display_name="images",
        tooltip="All images as one batch [B, H, W, 3] at the largest width and height; see fit.",
    )


def image_list_output() -> io.Output:
    return io.Image.Output(
        "out_image_list",
        display_name="image_list",
        is_output_list=True,
        tooltip="Each image at its own size. What is linked here runs once an image.",
    )


def text_output(name: str, tooltip: str) -> io.Output:
    return io.String.Output(f"out_{name}", display_name=name, tooltip=tooltip)


def urls_output() -> io.Output:
    return text_output("urls", "Where the service keeps the results, one address a line.")


def task_id_output() -> io.Output:
    return text_output("task_id", "The task's id, one a line; Poll Task fetches it again.")


def report_output() -> io.Output:
    return text_output("report", "What was done and what it may have cost, as JSON.")
