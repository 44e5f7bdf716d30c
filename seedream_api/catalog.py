"""List the facts of the models as data: family, fields, tiers, ratios, limits, and their sources.

Node inputs, request validation, tooltips, documentation, the sandbox and the tests all read this
table; no other module repeats its numbers. Every fact has its source in ``sources`` or beside it.

The main page decides what may be sent. A value that the documentation of Evolink or Ark does not
confirm is listed under ``doubted`` and sent with a note.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import Any, cast

from .messages import Text

MAIN_PAGE = "https://deepspaceapi.apifox.cn/8692823m0"
OLDER_PAGE = "https://doc.deepspaceai.net/8686316m0"
EVOLINK_DOCS = "https://docs.evolink.ai/en/api-manual/image-series/seedream"
ARK_DOCS = "https://www.volcengine.com/docs/82379/1541523"
LINGYA_DOCS = "https://api.lingyaai.cn/doc/"


class Family(str, Enum):
    """The two products under which the service sells Seedream at one address."""

    PREFERENTIAL = "preferential"
    """灵芽: one call, whose response contains the result URLs."""
    EVOLINK = "evolink"
    """The response contains a task id, and the task is polled."""


@dataclass(frozen=True)
class Limit:
    """A number the service sets, with its unit and source."""

    value: int
    unit: str
    source: str


MAX_REFERENCES = Limit(14, "images", f"{EVOLINK_DOCS}; {ARK_DOCS} (older pages: 10)")
NOTED_REFERENCES = Limit(10, "images", Text("limit_references", source=OLDER_PAGE))
MAX_REFERENCES_AND_RESULTS = Limit(15, "images", f"{EVOLINK_DOCS}; {ARK_DOCS}")
MAX_RESULTS = Limit(15, "images", MAIN_PAGE)
NOTED_PROMPT_LENGTH = Limit(2000, "characters", Text("limit_prompt", source=EVOLINK_DOCS))
MIN_REFERENCE_SIDE = Limit(15, "pixels", f"{EVOLINK_DOCS}: each side over 14 px")
MAX_REFERENCE_SIDE = Limit(6000, "pixels", f"{EVOLINK_DOCS}: 6000 x 6000")
MAX_REFERENCE_PIXELS = Limit(36_000_000, "pixels", f"{EVOLINK_DOCS}; {ARK_DOCS}")
MAX_REFERENCE_RATIO = Limit(16, "to 1", f"{EVOLINK_DOCS}; {ARK_DOCS}")
AIMED_REFERENCE_BYTES = Limit(4 * 1024 * 1024, "bytes", "Evolink's 413 text: compress to under 4MB")
MAX_REFERENCE_BYTES = Limit(10 * 1024 * 1024, "bytes", f"{EVOLINK_DOCS}; {LINGYA_DOCS}")
MAX_INLINE_BODY_BYTES = Limit(20 * 1024 * 1024, "bytes", "payload caps met at relays: 20 MB")
MAX_RESULT_PIXELS = Limit(16_777_216, "pixels", EVOLINK_DOCS)

RATIOS: tuple[str, ...] = (
    "16:9", "9:16", "1:1", "auto", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "21:9", "9:21",
)  # fmt: skip
"""Aspect ratios of the Evolink family; the first three are named by the main page."""

PIXELS: Mapping[str, Mapping[str, tuple[int, int]]] = MappingProxyType({
    "1K": MappingProxyType({
        "1:1": (1024, 1024), "2:3": (832, 1248), "3:2": (1248, 832), "3:4": (864, 1152),
        "4:3": (1152, 864), "4:5": (896, 1120), "5:4": (1120, 896), "9:16": (720, 1280),
        "16:9": (1280, 720), "21:9": (1512, 648), "9:21": (648, 1512),
    }),
    "2K": MappingProxyType({
        "1:1": (2048, 2048), "2:3": (1664, 2496), "3:2": (2496, 1664), "3:4": (1728, 2304),
        "4:3": (2304, 1728), "4:5": (1792, 2240), "5:4": (2240, 1792), "9:16": (1600, 2848),
        "16:9": (2848, 1600), "21:9": (3136, 1344), "9:21": (1344, 3136),
    }),
    "3K": MappingProxyType({
        "1:1": (3072, 3072), "2:3": (2496, 3744), "3:2": (3744, 2496), "3:4": (2592, 3456),
        "4:3": (3456, 2592), "4:5": (2688, 3360), "5:4": (3360, 2688), "9:16": (2304, 4096),
        "16:9": (4096, 2304), "21:9": (4704, 2016), "9:21": (2016, 4704),
    }),
    "4K": MappingProxyType({
        "1:1": (4096, 4096), "2:3": (3328, 4992), "3:2": (4992, 3328), "3:4": (3520, 4704),
        "4:3": (4704, 3520), "4:5": (3584, 4480), "5:4": (4480, 3584), "9:16": (3040, 5504),
        "16:9": (5504, 3040), "21:9": (6240, 2656), "9:21": (2656, 6240),
    }),
})  # fmt: skip
"""Width and height in pixels by tier and ratio (Evolink's tables). Results may differ by a little:
older tables name other sizes, so nothing may rely on an exact size of a result."""


@dataclass(frozen=True)
class Model:
    """One model as the service sells it."""

    id: str
    family: Family
    fields: tuple[str, ...]
    """Names of the body fields that the main page lists for it, in its order."""
    sizes: tuple[str, ...]
    default_size: str
    sources: Mapping[str, str]
    """Where each fact comes from, by field name."""
    qualities: tuple[str, ...] = ()
    default_quality: str = ""
    prompt_priorities: tuple[str, ...] = ()
    output_formats: tuple[str, ...] = ()
    max_results: int = 1
    doubted: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    """By field: values that the main page allows and another source does not confirm, and why."""

    @property
    def reference_field(self) -> str:
        """The body field that carries reference images."""
        return "image" if self.family is Family.PREFERENTIAL else "image_urls"


_EVOLINK_FIELDS = ("model", "prompt", "size", "quality", "n", "image_urls", "prompt_priority")
_NO_1K = {"1K": Text("doubt_1k", source=EVOLINK_DOCS)}
_NO_FAST = {"fast": Text("doubt_fast", source=EVOLINK_DOCS)}


def _preferential(model_id: str, doubted: Mapping[str, Mapping[str, str]]) -> Model:
    return Model(
        id=model_id,
        family=Family.PREFERENTIAL,
        fields=("model", "prompt", "size", "image", "watermark", "output_format"),
        sizes=("2K", "4K"),
        default_size="2K",
        output_formats=("png", "jpeg"),
        doubted=doubted,
        sources={
            "fields": MAIN_PAGE,
            "sizes": MAIN_PAGE,
            "output_formats": MAIN_PAGE,
            "default_size": f"{ARK_DOCS}: 2048x2048",
            "max_results": "relays drop group fields; the main page lists no n here",
        },
    )


def _evolink(model_id: str, doubted: Mapping[str, Mapping[str, str]]) -> Model:
    return Model(
        id=model_id,
        family=Family.EVOLINK,
        fields=_EVOLINK_FIELDS,
        sizes=RATIOS,
        default_size="1:1",
        qualities=("1K", "2K", "4K"),
        default_quality="2K",
        prompt_priorities=("standard", "fast"),
        max_results=MAX_RESULTS.value,
        doubted=doubted,
        sources={
            "fields": MAIN_PAGE,
            "sizes": f"{MAIN_PAGE} names 16:9, 9:16, 1:1; the others: {EVOLINK_DOCS}",
            "default_size": "the pack's choice; Evolink's own default is auto",
            "qualities": MAIN_PAGE,
            "default_quality": EVOLINK_DOCS,
            "prompt_priorities": MAIN_PAGE,
            "max_results": MAIN_PAGE,
        },
    )


MODELS: Mapping[str, Model] = MappingProxyType(
    {
        model.id: model
        for model in (
            _preferential("Seedream-5.0-Lite-Preferential", {}),
            _preferential(
                "Seedream-4.5-Preferential",
                {"output_format": {"png": Text("doubt_png", source=ARK_DOCS)}},
            ),
            _evolink("Seedream-5.0-Lite", {"quality": _NO_1K, "prompt_priority": _NO_FAST}),
            _evolink("Seedream-4.5", {"quality": _NO_1K, "prompt_priority": _NO_FAST}),
            _evolink("Seedream-4.0", {}),
        )
    }
)
"""The five models of the main page, by id, in its order."""


def of_family(models: Mapping[str, Model], family: Family) -> tuple[str, ...]:
    """Return the ids of one family, in catalogue order."""
    return tuple(model.id for model in models.values() if model.family is family)


def with_added_models(entries: Any) -> Mapping[str, Model]:
    """Return the catalogue plus models from the file that ``SEEDREAM_MODELS`` names.

    Each entry is ``{"id": ..., "family": "preferential" | "evolink", "like": <known id>}``;
    the default of ``like`` is the family's first model.

    Raises:
        ValueError: not a list of entries, an entry lacks its id, its family or ``like`` is unknown,
            or they disagree.
    """
    if not isinstance(entries, list) or not all(
        isinstance(entry, dict) for entry in cast("list[Any]", entries)
    ):
        raise ValueError(Text("not_list_of_objects"))
    models = dict(MODELS)
    for entry in cast("list[dict[str, Any]]", entries):
        model_id = entry.get("id")
        if not isinstance(model_id, str) or not model_id.strip():
            raise ValueError(Text("entry_without_id", entry=repr(dict(entry))))
        families = [family.value for family in Family]
        if entry.get("family") not in families:
            given = repr(entry.get("family"))
            raise ValueError(Text("bad_family", model=model_id, given=given, allowed=families))
        family = Family(entry["family"])
        like = entry.get("like") or of_family(MODELS, family)[0]
        if not isinstance(like, str) or like not in MODELS or MODELS[like].family is not family:
            allowed = ", ".join(of_family(MODELS, family))
            raise ValueError(Text("bad_like", model=model_id, given=repr(like), allowed=allowed))
        models[model_id] = replace(MODELS[like], id=model_id)
    return MappingProxyType(models)
