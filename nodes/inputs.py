"""Inputs and outputs that several nodes share, built from the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from comfy_api.latest import io

from ..seedream_api.catalog import (
    MAX_REFERENCES,
    MAX_RESULTS,
    MODELS,
    Family,
    Model,
    all_values,
    of_family,
)
from ..seedream_api.config.settings import load_settings
from ..seedream_api.errors import SeedreamError
from .host.newer import ADVANCED
from .web.settings import find_home_folder, log

CATEGORY = "Seedream"
FITS = ("pad", "crop", "stretch")
SELDOM_CHANGED = ("output_format", "prompt_priority")
IMAGE_NAMES = tuple(f"image_{number}" for number in range(1, MAX_REFERENCES.value + 1))
OWN_VALUES = "seedream_models"
"""The option of a combo that lists the values of each added model, for ``web/added_models.js``."""
MAX_SEED = 2**53 - 1
"""The largest integer that a browser represents exactly."""


def list_models(family: Family) -> list[Model]:
    """List the models of a family, with those that ``SEEDREAM_MODELS`` adds."""
    try:
        models = load_settings(find_home_folder()).models
    except SeedreamError as error:
        # The pack must load; a node that runs reports the same error.
        log.warning("%s", error)
        models = MODELS
    return [models[model_id] for model_id in of_family(models, family)]


def widget_defaults(family: Family) -> Mapping[str, Any]:
    """Return what the widgets of a generator have before a user changes them."""
    first = MODELS[of_family(MODELS, family)[0]]
    return {
        "size": first.default_size,
        "quality": first.default_quality,
        "n": 1,
        "prompt_priority": next(iter(first.prompt_priorities), None),
    }


def drop_unused_defaults(given: Mapping[str, Any], model: Model | None) -> dict[str, Any]:
    """Leave out the fields that the model does not have and that the user did not change.

    A widget always has a value; only one that the user chose is refused.
    """
    if model is None:
        return dict(given)
    defaults = widget_defaults(model.family)
    return {
        name: value
        for name, value in given.items()
        if name in model.fields or name not in defaults or value != defaults[name]
    }


def prompt_input() -> io.Input:
    return io.String.Input(
        "prompt",
        multiline=True,
        tooltip="What the image shows, in any language. A connected list of prompts runs the node "
        "once per item: each item is a paid call.",
    )


def model_input(models: Sequence[Model]) -> io.Input:
    ids = [model.id for model in models]
    return io.Combo.Input("model", options=ids, tooltip="The model to use.")


def choice_input(
    models: Sequence[Model],
    name: str,
    tooltip: str,
    *,
    before: Sequence[str] = (),
    default: str = "",
    **more: Any,
) -> io.Input:
    """Build a combo with every value that any model takes.

    Args:
        models: those of one family; see :func:`list_models`.
        name: a key of ``CHOICES``.
        before: values that the node itself adds.
        default: by default that of the service's own models.
        more: further arguments of the combo.
    """
    own = _find_own_values(models, name)
    takes = [f"{model_id}: {', '.join(values) or 'not used'}." for model_id, values in own.items()]
    made = io.Combo.Input(
        name,
        options=[*before, *all_values(models, name)],
        default=default or widget_defaults(models[0].family)[name],
        optional=True,
        tooltip=" ".join([tooltip, *takes]),
        **more,
        **(ADVANCED if name in SELDOM_CHANGED else {}),
    )
    if own:  # older hosts have no argument for it
        made.extra_dict = {OWN_VALUES: own}
    return made


def _find_own_values(models: Sequence[Model], name: str) -> dict[str, list[str]]:
    """Find the values of models that the catalogue does not have, or has with other values."""
    return {
        model.id: list(model.allowed_values(name))
        for model in models
        if model.id not in MODELS
        or model.allowed_values(name) != MODELS[model.id].allowed_values(name)
    }


def seed_input() -> io.Input:
    return io.Int.Input(
        "seed",
        default=0,
        min=0,
        max=MAX_SEED,
        optional=True,
        # A string, because None or False would change the number of widgets on older hosts.
        control_after_generate=cast("Any", "fixed"),
        tooltip="Not sent, because the service has no seed. The same inputs and seed return the "
        "stored result at no cost; another seed pays for a new one.",
    )


def images_input(
    tooltip: str = "Reference images; every frame of a batch is one, at most "
    f"{MAX_REFERENCES.value} with image_urls. A connected list runs the node once per item: to use "
    "several results as reference images of one call, connect the images output (a batch), not "
    "image_list.",
) -> io.Input | list[io.Input]:
    """Build growing IMAGE inputs; on a host without those, as many optional ones."""
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
        tooltip="URLs of reference images, one per line; the service downloads them. They come "
        "after the connected images.",
        **ADVANCED,
    )


def count_input(tooltip: str) -> io.Input:
    return io.Int.Input(
        "n", default=1, min=1, max=MAX_RESULTS.value, optional=True, tooltip=tooltip
    )


def fit_input() -> io.Input:
    return io.Combo.Input(
        "fit",
        options=list(FITS),
        default="pad",
        optional=True,
        tooltip="How images of different sizes become one batch at the largest width and height. "
        "pad: not scaled, centred on black; crop: scaled to cover, cut at the centre; stretch: "
        "scaled to that size. image_list always has the original sizes.",
        **ADVANCED,
    )


def profile_input() -> io.Input:
    return io.String.Input(
        "profile",
        default="",
        optional=True,
        tooltip="The name of a saved key and its address; empty: the default. Profiles are added "
        "in Settings > Seedream; a workflow contains only the name.",
        **ADVANCED,
    )


HIDDEN = (io.Hidden.unique_id, io.Hidden.dynprompt, io.Hidden.extra_pnginfo)
"""What every node receives besides its inputs: its id, the prompt as it was sent, and the metadata
that nodes write into images; only a page sends the workflow along in it."""


def wait_input(tooltip: str) -> io.Input:
    return io.Boolean.Input("wait", default=True, optional=True, tooltip=tooltip, **ADVANCED)


def flatten(*groups: io.Input | list[io.Input]) -> list[io.Input]:
    """Put single inputs and groups of inputs into one list."""
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
        tooltip="Each image at its own size. Connected nodes run once per image.",
    )


def masks_output() -> io.Output:
    return io.Mask.Output(
        "out_masks",
        display_name="masks",
        tooltip="1 - alpha of each image [B, H, W], in the geometry of images; zeros if an image "
        "has no transparency.",
    )


def text_output(name: str, tooltip: str) -> io.Output:
    return io.String.Output(f"out_{name}", display_name=name, tooltip=tooltip)


def urls_output() -> io.Output:
    return text_output("urls", "The service's URLs of the results, one per line.")


def task_id_output() -> io.Output:
    return text_output("task_id", "The task IDs, one per line, for Poll Task.")


def report_output() -> io.Output:
    return text_output("report", "What was done and what may have been charged, as JSON.")
