"""The models of the service's main page, read from ``models.json``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .entries import parse_models
from .limits import ARK_DOCS, EVOLINK_DOCS, MAIN_PAGE, Limit
from .model import Family, Model, of_family

MODELS: Mapping[str, Model] = parse_models(
    Path(__file__).with_name("models.json").read_text(encoding="utf-8")
)
"""The five models of the main page, by id, in its order."""

MAX_REFERENCES = Limit(
    max(model.max_references for model in MODELS.values()),
    "images",
    f"{EVOLINK_DOCS}; {ARK_DOCS} (older pages: 10)",
)
MAX_RESULTS = Limit(max(model.max_results for model in MODELS.values()), "images", MAIN_PAGE)
RATIOS = MODELS[of_family(MODELS, Family.EVOLINK)[0]].sizes
"""Aspect ratios of the Evolink family; the first three are named by the main page."""
