"""Draw result images: flat shapes, the prompt, what was requested, and the references in order.

Every image has a SANDBOX mark, so that it cannot be mistaken for one of the model's.
"""

from __future__ import annotations

import base64
import colorsys
import hashlib
import io
import threading
from functools import lru_cache
from random import Random

from PIL import Image, ImageDraw, ImageOps

from .tasks import StoredTask
from .text import Font, fit_text, load_font, measure, to_displayable

CACHED_IMAGES = 6
MAX_CONCURRENT = 2
"""Images drawn at the same time: the largest takes about 150 MB."""
_SHAPE_SIDE = 640
"""Shapes are drawn at this long side and enlarged, which is fast and smooths their edges."""
_WHITE = (255, 255, 255)


class Renderer:
    """Draws result images and keeps the last few files."""

    def __init__(self) -> None:
        self._slots = threading.BoundedSemaphore(MAX_CONCURRENT)
        self._render = lru_cache(CACHED_IMAGES)(_encode)

    def render(self, task: StoredTask, index: int, ratio: str, size: tuple[int, int]) -> bytes:
        """Return one image of a task as a JPEG or PNG file; the same bytes every time.

        Args:
            index: the image's place in its group, from 0.
            size: width and height in pixels.
        """
        with self._slots:
            return self._render(task, index, ratio, size)


def _encode(task: StoredTask, index: int, ratio: str, size: tuple[int, int]) -> bytes:
    out = io.BytesIO()
    image = _Page(task, index, size).draw(ratio)
    if task.extension == "png":
        image.save(out, "PNG", compress_level=1)  # For speed.
    else:
        image.save(out, "JPEG", quality=88)
    return out.getvalue()


class _Page:
    """One image; all lengths are multiples of ``unit``, about a percent of the short side."""

    def __init__(self, task: StoredTask, index: int, size: tuple[int, int]) -> None:
        self.task, self.index, self.size = task, index, size
        self.width, self.height = size
        self.unit = max(min(size) / 100, sum(size) / 340)
        self.margin = self._px(5)
        self.room = self.width - 2 * self.margin
        seed = hashlib.sha256(f"{task.digest}/{index}".encode()).digest()
        self.random = Random(seed)  # noqa: S311  (equal requests need equal images)
        self.hue = self.random.random()
        self.image = self._draw_shapes()
        self.pen = ImageDraw.Draw(self.image)

    def draw(self, ratio: str) -> Image.Image:
        """Draw everything and return the image."""
        prompt, font = fit_text(to_displayable(self.task.prompt), self._px(5.2), self.room, 4)
        side, columns = self._size_thumbnails()
        rows = -(-len(self.task.references) // max(columns, 1))
        pitch, strip = round(font.size * 1.32), rows * (side + self._px(1.4))
        top = self.height - self.margin - strip - self._px(6) - pitch * len(prompt)
        self.pen.rectangle((0, top - self.margin, *self.size), self._color(0.16, 0.45))
        self._draw_mark()
        for number, line in enumerate(prompt):
            self.pen.text((self.margin, top + number * pitch), line, _WHITE, font)
        self._draw_caption(ratio, self.height - self.margin - strip - self._px(4.5))
        self._draw_thumbnails(self.height - self.margin - strip + self._px(1.4), side, columns)
        if self.task.is_transparent:
            self.image.putalpha(self._draw_outline(top - self.margin))
        return self.image

    def _px(self, units: float) -> int:
        return max(round(units * self.unit), 1)

    def _color(self, lightness: float, saturation: float, shift: float = 0) -> tuple[int, ...]:
        color = colorsys.hls_to_rgb((self.hue + shift) % 1, lightness, saturation)
        return tuple(round(part * 255) for part in color)

    def _draw_shapes(self) -> Image.Image:
        """Draw a sun over three hills in neighbouring hues."""
        shrink = min(_SHAPE_SIDE / max(self.size), 1.0)
        width, height = (max(round(side * shrink), 1) for side in self.size)
        image = Image.new("RGB", (width, height), self._color(0.8, 0.7))
        pen, short, chance = ImageDraw.Draw(image), min(width, height), self.random.uniform
        x, y = width * chance(0.3, 0.8), height * chance(0.2, 0.35)
        radius = short * chance(0.1, 0.2)
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), self._color(0.95, 0.8, 0.1))
        for layer in range(3):
            x, radius = width * chance(-0.1, 1.1), max(width, height) * chance(0.5, 0.8)
            y = height * (0.4 + 0.16 * layer) + radius
            box = (x - 1.6 * radius, y - radius, x + 1.6 * radius, y + radius)
            pen.ellipse(box, self._color(0.66 - 0.13 * layer, 0.5, -0.04 * (layer + 1)))
        return image.resize(self.size, Image.Resampling.BICUBIC)

    def _draw_outline(self, top: int) -> Image.Image:
        """Draw the alpha of a cut-out: an oval above ``top``, the text below it, and the mark."""
        alpha = Image.new("L", self.size, 0)
        pen = ImageDraw.Draw(alpha)
        pen.ellipse((self.width // 8, self.margin, self.width * 7 // 8, top), 255)
        pen.rectangle((0, top, *self.size), 255)
        pen.rectangle((0, 0, self._px(40), self._px(12)), 255)
        return alpha

    def _draw_mark(self) -> None:
        font, x, y = load_font("", self._px(3.2)), self.margin, self.margin
        right = x + round(measure("S A N D B O X", font)) + self._px(6)
        box = (x, y, right, y + self._px(6.2))
        self.pen.rounded_rectangle(box, self._px(3.1), self._color(0.16, 0.45))
        middle = ((x + right) / 2, y + self._px(3.1))
        self.pen.text(middle, "S A N D B O X", _WHITE, font, "mm")

    def _draw_caption(self, ratio: str, y: int) -> None:
        task = self.task
        left = f"{task.model}   {task.tier}   {ratio}   {self.width} × {self.height}"
        right = f"image {self.index + 1} of {task.count}"
        if task.watermark:
            right += "   ·   AI generated"  # Where Ark puts its own mark.
        size = self._px(2.7)
        while size > 9 and measure(left + right, load_font(left, size)) > self.room - self._px(3):
            size -= 1
        font, color = load_font(left, size), self._color(0.85, 0.4)
        self.pen.text((self.margin, y), left, color, font)
        self.pen.text((self.margin + self.room, y), right, color, font, "ra")

    def _size_thumbnails(self) -> tuple[int, int]:
        """Return the side in pixels and the number per row; two rows if one makes them tiny."""
        count, side, columns = len(self.task.references), 0, 0
        for columns in (count, (count + 1) // 2):
            fits = (self.room - self._px(1.4) * (columns - 1)) // max(columns, 1)
            side = min(self._px(15), max(fits, 8))
            if side >= 8 * self.unit:
                break
        return side, columns

    def _draw_thumbnails(self, top: int, side: int, columns: int) -> None:
        """Draw the references from left to right, each with its number."""
        font: Font = load_font("", max(side // 5, 6))
        for index, data in enumerate(self.task.references):
            row, column = divmod(index, columns)
            x, y = (start + step * (side + self._px(1.4))
                    for start, step in ((self.margin, column), (top, row)))  # fmt: skip
            thumbnail = Image.open(io.BytesIO(base64.b64decode(data)))
            self.image.paste(ImageOps.fit(thumbnail, (side, side)), (x, y))
            badge = side // 3
            self.pen.rectangle((x, y, x + badge, y + badge), self._color(0.16, 0.45))
            self.pen.text((x + badge / 2, y + badge / 2), str(index + 1), _WHITE, font, "mm")
