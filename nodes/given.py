"""What a node was given, read back and checked before anything is sent or paid.

ComfyUI checks a widget's value and the declared type of a link, not what a link brings. It drops
inputs that a node does not have without a word: a reference under a wrong name would be missing
from a picture that is paid for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, cast

import torch
from comfy_api.latest import io

from ..seedream_api.errors import InvalidRequest
from ..seedream_api.messages import Text
from .inputs import IMAGE_NAMES
from .tensors import frame_count, image_problem

_SHOWN = 80
"""Characters of a wrong value or name that a message quotes."""
_CLOSE = 0.75
"""How alike two names must be, by difflib's ratio, for one to be taken for the other."""
_IMAGE_WORDS = re.compile(
    r"(?:input|init|source|style|start|first|second|last)?"
    r"(?:image|images|img|imgs|picture|pictures|ref|refs|reference|references|url|urls)+"
    r"(?:\d+|[a-d])?"
)
_IMAGE_RANGE = f"images.{IMAGE_NAMES[0]}, ..., images.{IMAGE_NAMES[-1]}"

Check = Callable[[str, Any], None]


def check_prompt(cls: type[io.ComfyNode], given: Mapping[str, Any]) -> tuple[str, ...]:
    """Compare the node's entry in the API prompt with its inputs and with what arrived.

    Returns:
        A note on each unknown input that cannot have been meant for this node.

    Raises:
        InvalidRequest: a link stands, or seems to be meant, under a name that the node does not
            have, or a link brought nothing.
    """
    prompt: Any = getattr(cls.hidden, "dynprompt", None)
    unique_id = getattr(cls.hidden, "unique_id", None)
    if prompt is None or unique_id is None or not prompt.has_node(unique_id):
        return ()
    entry: dict[str, Any] = prompt.get_node(unique_id)["inputs"]
    names = input_names(cls)
    notes: list[str] = []
    for name, value in entry.items():
        if name in names:
            if is_link(value) and _brings_nothing(_arrived(given, name)):
                raise _malformed(name, Text("empty_link"), Text("a_value"))
        elif holds_link(value, prompt) or (not _is_empty(value) and _resembled(name, names)):
            right = _resembled(name, names) or ", ".join(_spelled_out(names))
            raise InvalidRequest("input_unknown", given=name[:_SHOWN], allowed=right)
        else:
            notes.append(Text("unknown_input", name=name[:_SHOWN]))
    return tuple(notes)


def input_names(cls: type[io.ComfyNode]) -> tuple[str, ...]:
    """The names of the node's inputs as an API prompt spells them."""
    found = [one.id for one in cls.define_schema().inputs]
    if "images" in found:  # a growing input is one here, and fourteen in a prompt
        place = found.index("images")
        found[place : place + 1] = [f"images.{name}" for name in IMAGE_NAMES]
    return tuple(found)


def is_link(value: object) -> bool:
    """Whether ComfyUI takes the value for a link: a node's id and an output's number."""
    if not isinstance(value, (list, tuple)) or len(cast("Sequence[Any]", value)) != 2:
        return False
    node, output = cast("Sequence[Any]", value)
    return isinstance(node, (str, int)) and isinstance(output, int) and not (
        isinstance(node, bool) or isinstance(output, bool)
    )  # fmt: skip


def holds_link(value: object, prompt: Any) -> bool:
    """Whether a link to a node of the prompt stands in the value, at any depth."""
    if is_link(value):
        node = cast("Sequence[Any]", value)[0]
        return isinstance(node, str) or bool(prompt.has_node(str(node)))
    parts: list[Any] = []
    if isinstance(value, dict):
        parts = list(cast("dict[str, Any]", value).values())
    elif isinstance(value, (list, tuple)):
        parts = list(cast("Sequence[Any]", value))
    return any(holds_link(one, prompt) for one in parts)


def _arrived(given: Mapping[str, Any], name: str) -> object:
    group, _, part = name.partition(".")
    grown = given.get(group)
    if part and isinstance(grown, dict):
        return cast("dict[str, Any]", grown).get(part)
    return given.get(name)


def _brings_nothing(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        values = cast("Sequence[Any]", value)
        return not values or any(one is None for one in values)
    return value is None


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, (str, list, dict)) and not value)


def _resembled(name: str, names: Sequence[str]) -> str | None:
    """The right spelling of what is probably meant, ``None`` where nothing is."""
    plain = {re.sub(r"[\W_]+", "", one).lower(): one for one in names}
    meant = re.sub(r"[\W_]+", "", name).lower()
    takes_images = f"images.{IMAGE_NAMES[0]}" in names
    if takes_images and _IMAGE_WORDS.fullmatch(meant):
        if "url" in meant and "image_urls" in names:
            return "image_urls"
        number = re.search(r"\d+$", meant)
        place = int(number[0][:9]) if number else 0
        return f"images.image_{place}" if 1 <= place <= len(IMAGE_NAMES) else _IMAGE_RANGE
    close = get_close_matches(meant, plain, n=1, cutoff=_CLOSE)
    return plain[close[0]] if close else None


def _spelled_out(names: Sequence[str]) -> list[str]:
    """The names in a sentence, the fourteen images as a range."""
    short = [_IMAGE_RANGE if name == f"images.{IMAGE_NAMES[0]}" else name for name in names]
    return [name for name in short if name not in {f"images.{one}" for one in IMAGE_NAMES}]


# --- values -------------------------------------------------------------------------------------


def widget_value(given: Mapping[str, Any], name: str, default: Any, check: Check) -> Any:
    """The value of an optional input; an API prompt may leave it out.

    Raises:
        InvalidRequest: ``check`` refuses it.
    """
    value = given.get(name)
    if value is None:
        return default
    check(name, value)
    return value


def first_value(given: Mapping[str, Any], name: str, default: Any, check: Check) -> Any:
    """The same in a node that takes its inputs as lists: each is checked, the first counts.

    Raises:
        InvalidRequest: ``check`` refuses one of them.
    """
    values = [value for value in given.get(name) or () if value is not None]
    for value in values:
        check(name, value)
    return values[0] if values else default


def one_of(*words: str) -> Check:
    """A check that the value is one of the words."""

    def check(name: str, value: Any) -> None:
        if not isinstance(value, str) or value not in words:
            raise _malformed(name, Text("value_is", value=_shown(value)), ", ".join(words))

    return check


def number_within(low: float, high: float) -> Check:
    """A check that the value is a number within these bounds."""

    def check(name: str, value: Any) -> None:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not low <= value <= high:
            allowed = Text("number_range", low=f"{low:g}", high=f"{high:.0f}")
            raise _malformed(name, Text("value_is", value=_shown(value)), allowed)

    return check


def is_switch(name: str, value: Any) -> None:
    """A check that the value is true or false."""
    if not isinstance(value, bool):
        raise _malformed(name, Text("value_is", value=_shown(value)), Text("true_or_false"))


def text_of(name: str, value: Any) -> str:
    """A text as it is; ``None`` is an empty one.

    Raises:
        InvalidRequest: it is something else.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _malformed(name, Text("value_is", value=_shown(value)), Text("a_text"))
    return value


def non_blank_lines(text: str) -> list[str]:
    """The lines of a text that hold anything."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def lines_of_all(name: str, values: Any) -> list[str]:
    """The lines of every text in a list, as a node that takes lists is given it.

    Raises:
        InvalidRequest: one of them is something else.
    """
    listed = cast("list[Any]", values) if isinstance(values, list) else [values]
    return [line for value in listed for line in non_blank_lines(text_of(name, value))]


def connected_images(given: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What is linked to the image inputs in their order, ``image_10`` after ``image_9``; unchecked.

    Growing inputs arrive as ``images={"image_1": ...}``, plain ones as ``{"images.image_1": ...}``;
    bypassed and muted ones are missing or ``None``.
    """
    arrived = ((name, _arrived(given, f"images.{name}")) for name in IMAGE_NAMES)
    return [(name, value) for name, value in arrived if value is not None]


def checked_image(name: str, value: Any) -> torch.Tensor:
    """An IMAGE with at least one frame.

    Raises:
        InvalidRequest: it is something else.
    """
    problem = image_problem(value)
    if problem is None and frame_count(value) == 0:
        problem = Text("empty_batch")
    if problem:
        raise _malformed(f"images.{name}", problem, Text("an_image"))
    return value


def images_of(given: Mapping[str, Any]) -> list[tuple[str, torch.Tensor]]:
    """The linked IMAGEs of a generator, in the order of their inputs.

    Raises:
        InvalidRequest: one is no usable IMAGE.
    """
    return [(name, checked_image(name, value)) for name, value in connected_images(given)]


def _malformed(name: str, reason: str, allowed: str) -> InvalidRequest:
    return InvalidRequest("input_malformed", field=name, reason=reason, allowed=allowed)


def _shown(value: object) -> str:
    """A wrong value for a message: short ones whole, of others the type."""
    if isinstance(value, (str, int, float, bool)):
        text = repr(value)
        return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return type(value).__name__
