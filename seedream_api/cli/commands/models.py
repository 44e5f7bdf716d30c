"""``models``: list every model and what it accepts."""

from __future__ import annotations

import argparse
from typing import Any

from ...catalog import Model
from ..arguments import add_output
from ..output import Outcome
from ..parser import Parser


def add_arguments(parser: Parser) -> None:
    add_output(parser)


def run(arguments: argparse.Namespace) -> Outcome:
    from ..session import open_settings

    models = [_model_json(model) for model in open_settings(arguments).models.values()]
    lines = [
        f"{model['id']}  ({model['family']})  size: {', '.join(model['sizes'])}"
        + (f"  quality: {', '.join(model['qualities'])}" if model["qualities"] else "")
        for model in models
    ]
    return Outcome({"models": models}, lines, 0)


def _model_json(model: Model) -> dict[str, Any]:
    return {
        "id": model.id,
        "family": model.family.value,
        "fields": list(model.fields),
        "sizes": list(model.sizes),
        "default_size": model.default_size,
        "qualities": list(model.qualities),
        "default_quality": model.default_quality,
        "prompt_priorities": list(model.prompt_priorities),
        "output_formats": list(model.output_formats),
        "max_results": model.max_results,
        "doubted": {name: dict(values) for name, values in model.doubted.items()},
        "sources": dict(model.sources),
    }
