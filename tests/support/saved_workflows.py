"""Convert a workflow as the browser saves it to the prompt that the browser would queue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

WIDGETS = {"STRING", "INT", "FLOAT", "BOOLEAN", "COMBO"}
NOTES = {"MarkdownNote", "Note"}
_MISSING = object()


def to_api(workflow: Mapping[str, Any], object_info: Mapping[str, Any]) -> dict[str, Any]:
    """The API form: widget values by the order of the node's inputs, then the links."""
    links = {link[0]: link for link in workflow["links"]}
    prompt: dict[str, Any] = {}
    for node in workflow["nodes"]:
        if node["type"] in NOTES:
            continue
        inputs = _widget_inputs(node, object_info[node["type"]])
        for slot, given in enumerate(node["inputs"]):
            if given.get("link") is not None:
                _, source, output, target, target_slot, _ = links[given["link"]]
                assert (target, target_slot) == (node["id"], slot), "the link names another slot"
                inputs[given["name"]] = [str(source), output]
        prompt[str(node["id"])] = {"class_type": node["type"], "inputs": inputs}
    return prompt


def _widget_inputs(node: Mapping[str, Any], info: Mapping[str, Any]) -> dict[str, Any]:
    values = iter(node["widgets_values"])
    inputs: dict[str, Any] = {}
    for name in _widgets(info, values):
        value = next(values, _MISSING)
        if value is _MISSING:
            break  # an input that is newer than the workflow
        inputs[name] = value
    left = list(values)
    assert left == [], f"{node['type']}: {left} belong to no widget"
    return inputs


def _widgets(info: Mapping[str, Any], values: Iterator[Any]) -> Iterator[str]:
    """Yield the names of inputs that are widgets; skip values of widgets that are not inputs."""
    for group in ("required", "optional"):
        for name, definition in info["input"].get(group, {}).items():
            kind = definition[0]
            options = definition[1] if len(definition) > 1 else {}
            if (not isinstance(kind, list) and kind not in WIDGETS) or options.get("forceInput"):
                continue
            yield name
            if options.get("control_after_generate"):
                assert next(values) == "fixed"
            if options.get("image_upload"):
                assert next(values) == "image"
