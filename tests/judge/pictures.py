"""Small images to be paid for, all different, and the ways in which text can carry one."""

from __future__ import annotations

import base64
import io
from functools import cache

from PIL import Image

COUNT = 8


@cache
def picture(number: int) -> bytes:
    """The bytes of image ``number``, and a few behind its end, which are legal."""
    data = whole(number)
    # They make sure that base64 needs padding.
    return data + b"\xfb\xff\xfe" + b"\0" * ((1 - len(data) - 3) % 3)


@cache
def whole(number: int) -> bytes:
    """Image ``number`` up to its own end: PNG for even numbers, JPEG for odd ones."""
    image = Image.new("RGB", (16, 16), (30 * number, 200 - 20 * number, 90))
    # Bytes in which base64 needs "+", "/" and padding.
    image.putpixel((number, 3), (255, 251, 255))
    held = io.BytesIO()
    image.save(held, format_of(number).upper())
    return held.getvalue()


def format_of(number: int) -> str:
    return "jpeg" if number % 2 else "png"


def path(number: int) -> str:
    """Where the judge's server serves it."""
    return f"/img/{number}.{format_of(number)}"


def standard(number: int) -> str:
    """Padded base64."""
    return base64.b64encode(picture(number)).decode()


def unpadded(number: int) -> str:
    return standard(number).rstrip("=")


def urlsafe(number: int) -> str:
    return base64.urlsafe_b64encode(picture(number)).decode()


def wrapped(number: int) -> str:
    """Base64 in lines of 76 letters, as MIME has it."""
    return base64.encodebytes(picture(number)).decode()


BY_PATH = {path(number): picture(number) for number in range(COUNT)}
