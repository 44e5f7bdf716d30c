"""Read what saved workflows depend on from /object_info, and find what breaks them.

``python tests/support/node_contract.py < object_info.json > node_contract.json`` freezes it for a
release.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

_PLAIN = ("default", "min", "max", "multiline", "control_after_generate")
_COUNTED = ("category", "display_name", "output_node", "api_node")


def contract_of(object_info: Mapping[str, Any]) -> dict[str, Any]:
    """Our nodes, without tooltips; growing inputs spelt out, as older hosts have them."""
    return {
        name: {
            **{field: info[field] for field in _COUNTED},
            "required": _inputs(info["input"].get("required", {})),
            "optional": _inputs(info["input"].get("optional", {})),
            "outputs": [
                list(output)
                for output in zip(
                    info["output_name"], info["output"], info["output_is_list"], strict=True
                )
            ],
        }
        for name, info in object_info.items()
        if name.startswith("Seedream")
    }


def _inputs(given: Mapping[str, Any]) -> list[list[Any]]:
    found: list[list[Any]] = []
    for name, (kind, options) in given.items():
        if kind == "COMFY_AUTOGROW_V3":
            template = options["template"]
            assert template["min"] == 0
            assert [item[0] for item in template["input"]["required"].values()] == ["IMAGE"]
            found += [[f"{name}.{one}", "IMAGE", {}] for one in template["names"]]
            continue
        known = {field: options[field] for field in _PLAIN if field in options}
        if kind == "COMBO":
            known["options"] = options["options"]
        found.append([name, kind, known])
    return found


def broken(frozen: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What breaks workflows: anything but new nodes, and inputs and outputs added at the end."""
    found: list[str] = []
    for name, old in frozen.items():
        new = now.get(name)
        if new is None:
            found.append(f"{name} is gone")
            continue
        found += [
            f"{name}: {field}"
            for field in old
            if field not in ("optional", "outputs") and new[field] != old[field]
        ]
        if new["outputs"][: len(old["outputs"])] != old["outputs"]:
            found.append(f"{name}: outputs")
        kept = new["optional"][: len(old["optional"])]
        found += [
            f"{name}: input {before[0]}"
            for place, before in enumerate(old["optional"])
            if kept[place : place + 1] != [before]
        ]
    return found


def frozen_text(contract: Mapping[str, Any]) -> str:
    """As JSON with an input or output a line, so that a change is a line of a diff."""

    def field(name: str, value: Any) -> str:
        if not isinstance(value, list):
            return f'  "{name}": {json.dumps(value)}'
        lines = ",\n   ".join(json.dumps(item) for item in value)
        return f'  "{name}": [\n   {lines}\n  ]'

    nodes = [
        f' "{name}": {{\n' + ",\n".join(field(*item) for item in node.items()) + "\n }"
        for name, node in contract.items()
    ]
    return "{\n" + ",\n".join(nodes) + "\n}\n"


if __name__ == "__main__":
    sys.stdout.write(frozen_text(contract_of(json.load(sys.stdin))))
