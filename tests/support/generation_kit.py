"""Requests of the tests of generation."""

from __future__ import annotations

import io

import pytest
from PIL import Image

NOW_5, NOW_45 = "Seedream-5.0-Lite-Preferential", "Seedream-4.5-Preferential"


LATER_5, LATER_45, LATER_40 = "Seedream-5.0-Lite", "Seedream-4.5", "Seedream-4.0"


BOTH = pytest.mark.parametrize("model", [NOW_5, LATER_40])


def picture(colour: str = "red", kind: str = "PNG", mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, (32, 24), colour).save(out, kind)
    return out.getvalue()
