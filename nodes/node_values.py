"""The input values of a node, checked before anything is sent or paid.

ComfyUI checks a widget's value and the declared type of a link, but not the value that a link
brings. It silently drops unknown inputs: a reference image under a wrong name would be missing from
a paid request.
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

_QUOTED_LENGTH = 80
"""Characters of a wrong value or name that a message quotes."""
_MIN_SIMILARITY = 0.75
"""The smallest difflib ratio at which one name counts as a typo of another."""
_IMAGE_WORDS = re.compile(
    r"(?:input|init|source|style|start|first|second|last)?"
    r"(?:image|images|img|imgs|picture|pictures|ref|refs|reference|references|url|urls)+"
    r"(?:\d+|[a-d])?"
)
_IMAGE_RANGE = f"images.{IMAGE_NAMES[0]}, ..., images.{IMAGE_NAMES[-1]}"

Check = Callable[[str, Any], object]


def check_prompt(cls: type[io.ComfyNode], given: Mapping[str, Any]) -> tuple[str, ...]:
    """Compare the node's entry in the API prompt with its inputs and with what arrived.

    Returns:
        A note on each unknown input that was probably not meant for this node.

    Raises:
        InvalidRequest: an unknown input has a link or a name like a known one, or a link brought
            nothing.
    """
    prompt: Any = getattr(cls.hidden, "dynprompt", None)
    unique_id = getattr(cls.hidden, "unique_id", None)
    if prompt is None or unique_id is None or not prompt.has_node(unique_id):
        return ()
    entry: dict[str, Any] = prompt.get_node(unique_id)["inputs"]
    names = list_input_names(cls)
    notes: list[str] = []
    for name, value in entry.items():
        if name in names:
            if is_link(value) and _is_missing(_get_arrived(given, name)):
                raise _malformed_error(name, Text("empty_link"), Text("a_value"))
        elif has_link(value, prompt) or (not _is_empty(value) and _guess_name(name, names)):
            right = _guess_name(name, names) or ", ".join(_list_names(names))
            raise InvalidRequest("input_unknown", given=name[:_QUOTED_LENGTH], allowed=right)
        else:
            notes.append(Text("unknown_input", name=name[:_QUOTED_LENGTH]))
    return tuple(notes)


def list_input_names(cls: type[io.ComfyNode]) -> tuple[str, ...]:
    """List the names of the node's inputs as an API prompt has them."""
    # ComfyUI keeps the schema of a node that runs; making another reads the settings again.
    schema: io.Schema = getattr(cls, "SCHEMA", None) or cls.define_schema()
    found = [one.id for one in schema.inputs]
    if "images" in found:  # one growing input here, several inputs in a prompt
        place = found.index("images")
        found[place : place + 1] = [f"images.{name}" for name in IMAGE_NAMES]
    return tuple(found)


def is_link(value: object) -> bool:
    """Tell whether ComfyUI takes the value for a link: a node's id and an output's index."""
    if not isinstance(value, (list, tuple)) or len(cast("Sequence[Any]", value)) != 2:
        return False
    node, output = cast("Sequence[Any]", value)
    return isinstance(node, (str, int)) and isinstance(output, int) and not (
        isinstance(node, bool) or isinstance(output, bool)
    )  # fmt: skip


def has_link(value: object, prompt: Any) -> bool:
    """Tell whether the value contains a link to a node of the prompt, at any depth."""
    if is_link(value):
        node = cast("Sequence[Any]", value)[0]
        return isinstance(node, str) or bool(prompt.has_node(str(node)))
    parts: list[Any] = []
    if isinstance(value, dict):
        parts = list(cast("dict[str, Any]", value).values())
    elif isinstance(value, (list, tuple)):
        parts = list(cast("Sequence[Any]", value))
    return any(has_link(one, prompt) for one in parts)


def _get_arrived(given: Mapping[str, Any], name: str) -> object:
    group, _, part = name.partition(".")
    grown = given.get(group)
    if part and isinstance(grown, dict):
        return cast("dict[str, Any]", grown).get(part)
    return given.get(name)


def _is_missing(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        values = cast("Sequence[Any]", value)
        return not values or any(one is None for one in values)
    return value is None


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, (str, list, dict)) and not value)


def _guess_name(name: str, names: Sequence[str]) -> str | None:
    """Guess the right name of an unknown input; ``None`` if no name is similar."""
    plain = {re.sub(r"[\W_]+", "", one).lower(): one for one in names}
    meant = re.sub(r"[\W_]+", "", name).lower()
    takes_images = f"images.{IMAGE_NAMES[0]}" in names
    if takes_images and _IMAGE_WORDS.fullmatch(meant):
        if "url" in meant and "image_urls" in names:
            return "image_urls"
        number = re.search(r"\d+$", meant)
        place = int(number[0][:9]) if number else 0
        return f"images.image_{place}" if 1 <= place <= len(IMAGE_NAMES) else _IMAGE_RANGE
    close = get_close_matches(meant, plain, n=1, cutoff=_MIN_SIMILARITY)
    return plain[close[0]] if close else None


def _list_names(names: Sequence[str]) -> list[str]:
    """List the names for a message, with the images as a range."""
    short = [_IMAGE_RANGE if name == f"images.{IMAGE_NAMES[0]}" else name for name in names]
    return [name for name in short if name not in {f"images.{one}" for one in IMAGE_NAMES}]


# --- values -------------------------------------------------------------------------------------


def widget_value(given: Mapping[str, Any], name: str, default: Any, check: Check) -> Any:
    """Return the value of an optional input; an API prompt may omit it.

    Raises:
        InvalidRequest: ``check`` rejects it.
    """
    value = given.get(name)
    if value is None:
        return default
    check(name, value)
    return value


def first_value(given: Mapping[str, Any], name: str, default: Any, check: Check) -> Any:
    """Do the same in a node that takes its inputs as lists: check each, use the first.

    Raises:
        InvalidRequest: ``check`` rejects one of them.
    """
    values = [value for value in given.get(name) or () if value is not None]
    for value in values:
        check(name, value)
    return values[0] if values else default


def check_one_of(*words: str) -> Check:
    """Make a check that the value is one of the words."""

    def check(name: str, value: Any) -> None:
        if not isinstance(value, str) or value not in words:
            raise _malformed_error(name, Text("value_is", value=_quote(value)), ", ".join(words))

    return check


def check_number(low: float, high: float) -> Check:
    """Make a check that the value is a number within these bounds."""

    def check(name: str, value: Any) -> None:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not low <= value <= high:
            allowed = Text("number_range", low=f"{low:g}", high=f"{high:.0f}")
            raise _malformed_error(name, Text("value_is", value=_quote(value)), allowed)

    return check


def check_switch(name: str, value: Any) -> None:
    """Check that the value is true or false."""
    if not isinstance(value, bool):
        raise _malformed_error(name, Text("value_is", value=_quote(value)), Text("true_or_false"))


def check_text(name: str, value: Any) -> str:
    """Return a text unchanged; ``None`` becomes an empty one.

    Raises:
        InvalidRequest: it is something else.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _malformed_error(name, Text("value_is", value=_quote(value)), Text("a_text"))
    return value


def non_blank_lines(text: str) -> list[str]:
    """Split a text into its lines, without blank ones."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def collect_lines(name: str, values: Any) -> list[str]:
    """Collect the lines of every text in the list that a node with list inputs receives.

    Raises:
        InvalidRequest: one of them is something else.
    """
    listed = cast("list[Any]", values) if isinstance(values, list) else [values]
    return [line for value in listed for line in non_blank_lines(check_text(name, value))]


def find_connected_images(given: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Find the unchecked links of the image inputs, in order: ``image_10`` after ``image_9``.

    Growing inputs arrive as ``images={"image_1": ...}``, plain ones as ``{"images.image_1": ...}``;
    bypassed and muted ones are missing or ``None``.
    """
    arrived = ((name, _get_arrived(given, f"images.{name}")) for name in IMAGE_NAMES)
    return [(name, value) for name, value in arrived if value is not None]


def check_image(name: str, value: Any) -> torch.Tensor:
    """Check that a value is an IMAGE with at least one frame, and return it.

    Raises:
        InvalidRequest: it is something else.
    """
    problem = image_problem(value)
    if problem is None and frame_count(value) == 0:
        problem = Text("empty_batch")
    if problem:
        raise _malformed_error(f"images.{name}", problem, Text("an_image"))
    return value


def collect_images(given: Mapping[str, Any]) -> list[tuple[str, torch.Tensor]]:
    """Collect the linked IMAGEs of a generator, in the order of their inputs.

    Raises:
        InvalidRequest: one is not a usable IMAGE.
    """
    return [(name, check_image(name, value)) for name, value in find_connected_images(given)]


def _malformed_error(name: str, reason: str, allowed: str) -> InvalidRequest:
    return InvalidRequest("input_malformed", field=name, reason=reason, allowed=allowed)


def _quote(value: object) -> str:
    """Quote a wrong value in a message: a short one in full, otherwise its type."""
    if isinstance(value, (str, int, float, bool)):
        text = repr(value)
        return text if len(text) <= _QUOTED_LENGTH else f"{text[:_QUOTED_LENGTH]}..."
    return type(value).__name__
