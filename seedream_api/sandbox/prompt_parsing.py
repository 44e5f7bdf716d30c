"""Read from a prompt what the model would: which aspect ratio, which outcome.

In the real service the model reads the prompt: the Preferential family has no field for the aspect
ratio (Ark, method 1). Here a regular expression does it.
"""

from __future__ import annotations

import re
from collections.abc import Collection

BLOCKED = "[blocked]"
"""In a prompt: the relay's own word filter rejects it."""
MODERATED = "[moderated]"
"""In a prompt: the model's moderation rejects it."""
FAILS = "[fails]"
"""In a prompt: the model fails."""
MIXED_SIZES = "[mixed sizes]"
"""In a prompt: the images of one group differ in size, as they may in the real service."""

_RATIO = re.compile(r"(?<![\d:：.])(\d{1,2})\s*[:：比]\s*(\d{1,2})(?![\d:：])")


def parse_ratio(prompt: str, known: Collection[str], default: str = "1:1") -> str:
    """Return the first of the ``known`` ratios in the prompt, else ``default``."""
    for found in _RATIO.finditer(prompt):
        ratio = f"{int(found.group(1))}:{int(found.group(2))}"
        if ratio in known:
            return ratio
    return default
