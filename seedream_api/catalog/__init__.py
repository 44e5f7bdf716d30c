"""List the facts of the models as data: family, fields, tiers, ratios, limits, and their sources.

Node inputs, request validation, tooltips, documentation, the sandbox and the tests all read this
table; no other module repeats its numbers. ``models.json`` has the models of the service's main
page, in the form in which users describe further ones (``SEEDREAM_MODELS``). Every fact has its
source in ``sources`` or beside it.

The main page decides what may be sent. A value that the documentation of Evolink or Ark does not
confirm is listed under ``doubted`` and sent with a note.
"""

from __future__ import annotations

from .entries import EntryError, parse_models
from .known import MAX_REFERENCES, MAX_RESULTS, MODELS, RATIOS
from .limits import (
    AIMED_REFERENCE_BYTES,
    ARK_DOCS,
    EVOLINK_DOCS,
    LINGYA_DOCS,
    MAIN_PAGE,
    MAX_INLINE_BODY_BYTES,
    MAX_REFERENCE_BYTES,
    MAX_REFERENCE_PIXELS,
    MAX_REFERENCE_RATIO,
    MAX_REFERENCE_SIDE,
    MAX_REFERENCES_AND_RESULTS,
    MAX_RESULT_PIXELS,
    MIN_REFERENCE_SIDE,
    NOTED_PROMPT_LENGTH,
    NOTED_REFERENCES,
    OLDER_PAGE,
    Limit,
)
from .model import CHOICES, Family, Model, all_values, of_family
from .offered import OfferedModel, list_missing, match_offered
from .pixels import PIXELS, compute_pixels
from .prompt_count import parse_image_count

__all__ = [
    "AIMED_REFERENCE_BYTES",
    "ARK_DOCS",
    "CHOICES",
    "EVOLINK_DOCS",
    "LINGYA_DOCS",
    "MAIN_PAGE",
    "MAX_INLINE_BODY_BYTES",
    "MAX_REFERENCES",
    "MAX_REFERENCES_AND_RESULTS",
    "MAX_REFERENCE_BYTES",
    "MAX_REFERENCE_PIXELS",
    "MAX_REFERENCE_RATIO",
    "MAX_REFERENCE_SIDE",
    "MAX_RESULTS",
    "MAX_RESULT_PIXELS",
    "MIN_REFERENCE_SIDE",
    "MODELS",
    "NOTED_PROMPT_LENGTH",
    "NOTED_REFERENCES",
    "OLDER_PAGE",
    "PIXELS",
    "RATIOS",
    "EntryError",
    "Family",
    "Limit",
    "Model",
    "OfferedModel",
    "all_values",
    "compute_pixels",
    "list_missing",
    "match_offered",
    "of_family",
    "parse_image_count",
    "parse_models",
]
