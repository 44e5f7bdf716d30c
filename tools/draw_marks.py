"""Draw the pack's icon and banner for the Registry: ``python tools/draw_marks.py``.

Both are drawn four times as large and reduced, so that every edge is smooth.
"""

from __future__ import annotations

import math
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

DOCS = Path(__file__).resolve().parent.parent / "docs"
SCALE = 4
ICON = (400, 400)
BANNER = (1260, 540)  # 21:9
NIGHT, DAWN = (18, 24, 43), (52, 40, 92)
SEED, LEAF, LIGHT = (255, 196, 87), (104, 214, 160), (245, 247, 255)

Point = tuple[float, float]


def ground(size: tuple[int, int]) -> Image.Image:
    """A dusk from dark blue to violet, from the upper left to the lower right."""
    slope = Image.linear_gradient("L").rotate(45, expand=True).crop((90, 90, 270, 270))
    return Image.composite(
        Image.new("RGB", size, DAWN), Image.new("RGB", size, NIGHT), slope.resize(size)
    )


def leaf(root: Point, length: float, width: float, angle: float) -> list[Point]:
    """A pointed leaf that leaves ``root`` at ``angle`` degrees from straight up."""
    turn = math.radians(angle)
    outline: list[Point] = []
    for side in (1, -1):
        steps = range(41) if side == 1 else range(40, -1, -1)
        for step in steps:
            along = step / 40
            across = side * width * math.sin(math.pi * along**0.8)
            x = across * math.cos(turn) + along * length * math.sin(turn)
            y = across * math.sin(turn) - along * length * math.cos(turn)
            outline.append((root[0] + x, root[1] + y))
    return outline


def sprout(draw: ImageDraw.ImageDraw, centre: Point, size: float) -> None:
    """A seed that grows into a frame of dots: one seed, many pictures."""
    x, y = centre
    for step in range(12):
        turn = math.radians(step * 30 - 90)
        at = (x + 0.44 * size * math.cos(turn), y + 0.44 * size * math.sin(turn))
        radius = size * (0.026 if step % 3 else 0.04)
        fill = LIGHT if step % 3 else SEED
        draw.ellipse((at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius), fill=fill)
    root = (x, y + 0.1 * size)
    draw.line((x, y + 0.18 * size, *root), fill=LEAF, width=round(0.035 * size))
    draw.polygon(leaf(root, 0.36 * size, 0.085 * size, -38), fill=LEAF)
    draw.polygon(leaf(root, 0.36 * size, 0.085 * size, 38), fill=LEAF)
    seed = (x - 0.12 * size, y + 0.13 * size, x + 0.12 * size, y + 0.29 * size)
    draw.ellipse(seed, fill=SEED)


def reduced(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image.resize(size, Image.Resampling.LANCZOS)


def icon() -> Image.Image:
    size = ICON[0] * SCALE
    image = ground((size, size))
    sprout(ImageDraw.Draw(image), (size / 2, size / 2), size * 0.92)
    return reduced(image, ICON)


def banner() -> Image.Image:
    width, height = BANNER[0] * SCALE, BANNER[1] * SCALE
    image = ground((width, height))
    draw = ImageDraw.Draw(image)
    sprout(draw, (height * 0.52, height / 2), height * 0.8)
    left = height * 1.02
    title = ImageFont.load_default(size=118 * SCALE)
    small = ImageFont.load_default(size=37 * SCALE)
    draw.text((left, height * 0.42), "Seedream", font=title, fill=LIGHT, anchor="ls")
    lines = ("for ComfyUI, through DeepSpaceAPI", "Every image paid for once, none lost.")
    for number, (line, fill) in enumerate(zip(lines, (LIGHT, SEED), strict=True)):
        at = (left + 8 * SCALE, height * (0.58 + 0.13 * number))
        draw.text(at, line, font=small, fill=fill, anchor="ls")
    return reduced(image, BANNER)


if __name__ == "__main__":
    for name, image in (("icon", icon()), ("banner", banner())):
        image.quantize(256, dither=Image.Dither.NONE).save(DOCS / f"{name}.png", optimize=True)
