"""Draws results: scenery, the prompt, what was asked for, and the references in their order.

Everybody must see at a glance that this is no image of the model: every picture says SANDBOX.
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections import OrderedDict
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageOps

from .lettering import Font, fitted, font, showable, text_width
from .scenery import painted

KEPT_PICTURES = 6
AT_ONCE = 2
"""Pictures drawn at the same time: the largest takes about 150 MB while it is drawn."""

_WHITE = (255, 255, 255)
_PALE = (226, 231, 240)
_NIGHT = (10, 12, 22)


@dataclass(frozen=True)
class Picture:
    """All that decides what one result looks like."""

    digest: str
    """SHA-256 of the request."""
    index: int
    """Place in its group, from 0."""
    count: int
    size: tuple[int, int]
    """Width and height in pixels."""
    prompt: str
    caption: str
    """Model, tier and ratio."""
    thumbnails: tuple[bytes, ...]
    """JPEGs of the references, in the request's order."""
    watermark: bool
    output_format: str
    """jpeg or png."""


class Studio:
    """Draws pictures and keeps the last few of them encoded."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Picture, bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._desks = threading.BoundedSemaphore(AT_ONCE)

    def encoded(self, picture: Picture) -> bytes:
        """The picture as a JPEG or PNG file; the same bytes for the same picture."""
        if (known := self._known(picture)) is not None:
            return known
        with self._desks:
            data = self._known(picture) or encoded(drawn(picture), picture.output_format)
        with self._lock:
            self._kept[picture] = data
            while len(self._kept) > KEPT_PICTURES:
                self._kept.popitem(last=False)
        return data

    def _known(self, picture: Picture) -> bytes | None:
        with self._lock:
            if picture in self._kept:
                self._kept.move_to_end(picture)
            return self._kept.get(picture)


def encoded(image: Image.Image, output_format: str) -> bytes:
    """``image`` as the bytes of a JPEG or PNG file; PNG packed lightly, for speed."""
    out = io.BytesIO()
    if output_format == "png":
        image.save(out, "PNG", compress_level=1)
    else:
        image.save(out, "JPEG", quality=88)
    return out.getvalue()


def drawn(picture: Picture) -> Image.Image:
    """The picture as an RGB image of its size."""
    seed = hashlib.sha256(f"{picture.digest}/{picture.index}".encode()).digest()
    image = painted(seed, picture.size)
    page = _Page(image)
    page.mark()
    page.write(picture)
    return image


class _Page:
    """The words on one picture, from the bottom upwards; every length follows the short side."""

    def __init__(self, image: Image.Image) -> None:
        self.image = image
        self.draw = ImageDraw.Draw(image, "RGBA")
        self.width, self.height = image.size
        self.unit = max(min(image.size) / 100, (image.size[0] + image.size[1]) / 340)
        self.margin = round(5 * self.unit)
        self._gap = round(1.4 * self.unit)

    def mark(self) -> None:
        """SANDBOX, in a light pill at the top left."""
        letters = font("SANDBOX", round(3.2 * self.unit))
        text = " ".join("SANDBOX")
        pad = round(1.5 * self.unit)
        height = round(3.2 * self.unit) + 2 * pad
        width = round(text_width(text, letters)) + 4 * pad
        box = (self.margin, self.margin, self.margin + width, self.margin + height)
        pen = max(round(self.unit / 4), 1)
        self.draw.rounded_rectangle(box, height // 2, (*_NIGHT, 120), (*_WHITE, 170), pen)
        spot = (box[0] + 2 * pad, box[1] + height / 2)
        self.draw.text(spot, text, font=letters, fill=_WHITE, anchor="lm")

    def write(self, picture: Picture) -> None:
        """Prompt, caption, number and references over a shade that makes them legible."""
        letters_high = round(5.2 * self.unit)
        room = self.width - 2 * self.margin
        lines, letters = fitted(showable(picture.prompt), letters_high, room, 4)
        pitch = round(letters.size * 1.32)
        side, columns = self._strip(len(picture.thumbnails))
        rows = -(-len(picture.thumbnails) // max(columns, 1))
        strip = rows * (side + self._gap) - self._gap if rows else 0
        small_high = round(2.7 * self.unit)
        block = (
            pitch * len(lines)
            + round(small_high * 2.3)
            + strip
            + (round(2.6 * self.unit) if strip else 0)
        )
        top = self.height - self.margin - block
        self._shade(top - round(9 * self.unit))
        y = top
        for line in lines:
            self._text((self.margin, y), line, letters)
            y += pitch
        y += round(small_high * 0.9)
        self._captions(picture, y, small_high)
        if strip:
            self._references(picture.thumbnails, self.height - self.margin - strip, side, columns)

    def _captions(self, picture: Picture, y: int, high: int) -> None:
        size = f"{picture.size[0]} × {picture.size[1]}"
        left = f"{picture.caption}   {size}"
        right = f"image {picture.index + 1} of {picture.count}"
        if picture.watermark:
            right += "   ·   AI generated"  # Where Ark puts its own mark.
        room = self.width - 2 * self.margin - round(3 * self.unit)
        letters = font(left, high)
        while high > 9 and text_width(left + right, letters) > room:
            high = round(high * 0.92) if high > 12 else 9
            letters = font(left, high)
        self._text((self.margin, y), left, letters, _PALE)
        x = self.width - self.margin - round(text_width(right, letters))
        self._text((x, y), right, letters, _PALE)

    def _text(
        self, spot: tuple[int, int], text: str, letters: Font, fill: tuple[int, ...] = _WHITE
    ) -> None:
        self.draw.text(spot, text, font=letters, fill=fill)

    def _strip(self, references: int) -> tuple[int, int]:
        """Side of a thumbnail in pixels, and how many stand in a row; two rows sooner than tiny."""
        for columns in (references, (references + 1) // 2):
            room = self.width - 2 * self.margin - self._gap * (columns - 1)
            side = min(round(15 * self.unit), max(room // max(columns, 1), 8))
            if side >= 8 * self.unit:
                break
        return side, columns

    def _references(self, thumbnails: tuple[bytes, ...], top: int, side: int, columns: int) -> None:
        """The references from left to right, each with its number."""
        corner = max(side // 9, 1)
        mask = Image.new("L", (side, side))
        ImageDraw.Draw(mask).rounded_rectangle((0, 0, side - 1, side - 1), corner, fill=255)
        for place, data in enumerate(thumbnails):
            x = self.margin + place % columns * (side + self._gap)
            y = top + place // columns * (side + self._gap)
            thumbnail = Image.open(io.BytesIO(data)).convert("RGB")
            square = ImageOps.fit(thumbnail, (side, side))
            self.image.paste(square, (x, y), mask)
            box = (x, y, x + side - 1, y + side - 1)
            pen = max(round(self.unit / 5), 1)
            self.draw.rounded_rectangle(box, corner, outline=(*_WHITE, 200), width=pen)
            self._badge(str(place + 1), (x, y), max(side // 3, 8))

    def _badge(self, text: str, corner: tuple[int, int], side: int) -> None:
        x, y = corner
        inset = max(side // 8, 1)
        box = (x + inset, y + inset, x + inset + side, y + inset + side)
        self.draw.ellipse(box, fill=(*_NIGHT, 190))
        letters = font(text, max(round(side * 0.6), 6))
        middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        self.draw.text(middle, text, font=letters, fill=_WHITE, anchor="mm")

    def _shade(self, top: int) -> None:
        """Darken from ``top`` downwards, first softly, then enough for white letters."""
        top = max(top, 0)
        high = self.height - top
        if high <= 0:
            return
        ramp = Image.linear_gradient("L").point([min(round(v * 2.1), 196) for v in range(256)])
        mask = ramp.resize((1, high)).resize((self.width, high), Image.Resampling.NEAREST)
        self.image.paste(_NIGHT, (0, top, self.width, self.height), mask)
