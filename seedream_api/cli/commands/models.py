"""``models``: list every model and what it accepts; with ``--live`` those of the service."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...catalog import Model, OfferedModel, list_missing, match_offered
from ...messages import Text, localize
from ..arguments import add_output, add_profile
from ..output import Outcome
from ..parser import Parser, help_text

if TYPE_CHECKING:
    from ...config.settings import Settings


def add_arguments(parser: Parser) -> None:
    parser.add_argument("--live", action="store_true", help=help_text("live"))
    add_profile(parser)
    add_output(parser)


def run(arguments: argparse.Namespace) -> Outcome:
    from ..session import open_settings

    settings = open_settings(arguments)
    if arguments.live:
        import asyncio

        return asyncio.run(_run_live(settings))
    models = [_model_json(model) for model in settings.models.values()]
    lines = [
        f"{model['id']}  ({model['family']})  size: {', '.join(model['sizes'])}"
        + (f"  quality: {', '.join(model['qualities'])}" if model["qualities"] else "")
        for model in models
    ]
    return Outcome({"models": models}, lines, 0)


async def _run_live(settings: Settings) -> Outcome:
    """Match the service's own list with the known models."""
    from ...service.client import SeedreamClient
    from ...service.model_list import list_offered_models

    models = [_model_json(model) for model in settings.models.values()]
    async with SeedreamClient(settings) as client:
        listed = await list_offered_models(client)
    payload: dict[str, Any] = {"models": models, "offered": None, "missing": None}
    if not listed:
        return Outcome(payload, [localize(Text("live_none"))], 0)
    offered = match_offered(listed, settings.models)
    missing = list_missing(listed, settings.models)
    payload["offered"] = [
        {"id": one.id, "known_as": list(one.known_as), "suggestion": one.suggestion}
        for one in offered
    ]
    payload["missing"] = list(missing)
    lines = [line for one in offered for line in _describe_offered(one)]
    if missing:
        lines.append(localize(Text("live_missing", ids=", ".join(missing))))
    return Outcome(payload, lines, 0)


def _describe_offered(offered: OfferedModel) -> list[str]:
    if offered.suggestion is not None:
        said = Text("live_new", id=offered.id, like=offered.suggestion["like"])
        return [localize(said), json.dumps(offered.suggestion, ensure_ascii=False, indent=1)]
    if offered.known_as == (offered.id,):
        return [localize(Text("live_known", id=offered.id))]
    return [localize(Text("live_known_as", id=offered.id, ids=", ".join(offered.known_as)))]


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
        "max_references": model.max_references,
        "max_results": model.max_results,
        "sends_n": model.sends_n,
        "extra": dict(model.extra),
        "alpha": model.alpha,
        "prices": dict(model.prices) if isinstance(model.prices, Mapping) else model.prices,
        "doubted": {name: dict(values) for name, values in model.doubted.items()},
        "sources": dict(model.sources),
    }
