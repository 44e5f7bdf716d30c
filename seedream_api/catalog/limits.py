"""Limits and documents of the service that hold for every model, each with its source."""

from __future__ import annotations

from dataclasses import dataclass

from ..messages import Text

MAIN_PAGE = "https://deepspaceapi.apifox.cn/8692823m0"
OLDER_PAGE = "https://doc.deepspaceai.net/8686316m0"
EVOLINK_DOCS = "https://docs.evolink.ai/en/api-manual/image-series/seedream"
ARK_DOCS = "https://www.volcengine.com/docs/82379/1541523"
LINGYA_DOCS = "https://api.lingyaai.cn/doc/"


@dataclass(frozen=True)
class Limit:
    """A number the service sets, with its unit and source."""

    value: int
    unit: str
    source: str


NOTED_REFERENCES = Limit(10, "images", Text("limit_references", source=OLDER_PAGE))
MAX_REFERENCES_AND_RESULTS = Limit(15, "images", f"{EVOLINK_DOCS}; {ARK_DOCS}")
NOTED_PROMPT_LENGTH = Limit(2000, "characters", Text("limit_prompt", source=EVOLINK_DOCS))
MIN_REFERENCE_SIDE = Limit(15, "pixels", f"{EVOLINK_DOCS}: each side over 14 px")
MAX_REFERENCE_SIDE = Limit(6000, "pixels", f"{EVOLINK_DOCS}: 6000 x 6000")
MAX_REFERENCE_PIXELS = Limit(36_000_000, "pixels", f"{EVOLINK_DOCS}; {ARK_DOCS}")
MAX_REFERENCE_RATIO = Limit(16, "to 1", f"{EVOLINK_DOCS}; {ARK_DOCS}")
AIMED_REFERENCE_BYTES = Limit(4 * 1024 * 1024, "bytes", "Evolink's 413 text: compress to under 4MB")
MAX_REFERENCE_BYTES = Limit(10 * 1024 * 1024, "bytes", f"{EVOLINK_DOCS}; {LINGYA_DOCS}")
MAX_INLINE_BODY_BYTES = Limit(20 * 1024 * 1024, "bytes", "payload caps met at relays: 20 MB")
MAX_RESULT_PIXELS = Limit(16_777_216, "pixels", EVOLINK_DOCS)
