"""The art behind the words: a soft gradient and a few large translucent shapes, all from a hash.

Painted small and enlarged: that is fast, and it is what makes the edges soft.
"""

from __future__ import annotations

import colorsys
import math
from random import Random

from PIL import Image, ImageDraw, ImageFilter

SMALL_SIDE = 640
"""Pixels of the long side while painting."""

Colour = tuple[int, int, int]
Point = tuple[float, float]


def painted(seed: bytes, size: tuple[int, int]) -> Image.Image:
    """An RGB picture of ``size`` pixels, the same for the same ``seed``."""
    chance = Random(seed)  # noqa: S311  (a drawing, and it must come out alike every time)
    shrink = min(SMALL_SIDE / max(size), 1.0)
    small = (max(round(size[0] * shrink), 1), max(round(size[1] * shrink), 1))
    colours = _palette(chance)
    image = _gradient(chance, colours, small)
    shapes = chance.choice((_hills, _orbs, _ribbons))
    shapes(ImageDraw.Draw(image, "RGBA"), chance, colours, small)
    image = image.filter(ImageFilter.GaussianBlur(1.0))
    return image.resize(size, Image.Resampling.BILINEAR)


def _palette(chance: Random) -> tuple[Colour, Colour, Colour]:
    """Light, middle and deep, from neighbouring hues with one step aside."""
    hue = chance.random()
    step = chance.choice((-1, 1)) * chance.uniform(0.07, 0.16)
    return (
        _colour(hue + step, chance.uniform(0.74, 0.82), 0.75),
        _colour(hue, chance.uniform(0.52, 0.6), 0.6),
        _colour(hue - 2 * step, chance.uniform(0.24, 0.3), 0.5),
    )


def _colour(hue: float, lightness: float, saturation: float) -> Colour:
    red, green, blue = colorsys.hls_to_rgb(hue % 1.0, lightness, saturation)
    return round(red * 255), round(green * 255), round(blue * 255)


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _gradient(
    chance: Random, colours: tuple[Colour, Colour, Colour], size: tuple[int, int]
) -> Image.Image:
    light, middle, deep = colours
    seeds = Image.new("RGB", (3, 3))
    for row, (above, below) in enumerate(((light, middle), (light, middle), (middle, deep))):
        for column in range(3):
            seeds.putpixel((column, row), _mixed(above, below, chance.uniform(0.05, 0.85)))
    return seeds.resize(size, Image.Resampling.BICUBIC)


def _disc(draw: ImageDraw.ImageDraw, centre: Point, radius: float, fill: tuple[int, ...]) -> None:
    x, y = centre
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)


def _hills(
    draw: ImageDraw.ImageDraw,
    chance: Random,
    colours: tuple[Colour, Colour, Colour],
    size: tuple[int, int],
) -> None:
    """A sun and ridges, the nearer the deeper."""
    width, height = size
    light, middle, deep = colours
    sun = (width * chance.uniform(0.25, 0.75), height * chance.uniform(0.24, 0.36))
    radius = min(size) * chance.uniform(0.1, 0.15)
    for growth, alpha in ((2.6, 22), (2.0, 28), (1.5, 38), (1.0, 225)):
        _disc(draw, sun, radius * growth, (*_mixed(light, (255, 255, 255), 0.7), alpha))
    ridges = 5
    for ridge in range(ridges):
        share = ridge / (ridges - 1)
        base = height * (0.46 + 0.11 * ridge)
        line = _wave(chance, size, base, height * chance.uniform(0.04, 0.075))
        tint = _mixed(_mixed(light, middle, 0.7), deep, share)
        draw.polygon([*line, (width, height), (0, height)], fill=(*tint, 205))


def _orbs(
    draw: ImageDraw.ImageDraw,
    chance: Random,
    colours: tuple[Colour, Colour, Colour],
    size: tuple[int, int],
) -> None:
    """Large discs over one another, some of them rings."""
    tints = (*colours, (255, 255, 255))
    for number in range(9):
        centre = (size[0] * chance.uniform(0.02, 0.98), size[1] * chance.uniform(0.02, 0.9))
        radius = min(size) * chance.uniform(0.1, 0.38)
        tint = chance.choice(tints)
        if number % 3 == 2:
            box = (centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius)
            draw.ellipse(box, outline=(*_mixed(tint, (255, 255, 255), 0.5), 110), width=5)
        else:
            _disc(draw, centre, radius, (*tint, chance.randint(48, 92)))


def _ribbons(
    draw: ImageDraw.ImageDraw,
    chance: Random,
    colours: tuple[Colour, Colour, Colour],
    size: tuple[int, int],
) -> None:
    """Broad waving bands from edge to edge."""
    height = size[1]
    for band in range(7):
        top = height * (0.04 + 0.125 * band + chance.uniform(-0.03, 0.03))
        upper = _wave(chance, size, top, height * chance.uniform(0.04, 0.1))
        lower = _wave(chance, size, top + height * chance.uniform(0.1, 0.24), height * 0.06)
        tint = _mixed(chance.choice(colours), (255, 255, 255), chance.choice((0.0, 0.25)))
        draw.polygon([*upper, *reversed(lower)], fill=(*tint, chance.randint(62, 120)))


def _wave(chance: Random, size: tuple[int, int], base: float, swing: float) -> list[Point]:
    width = size[0]
    slow, fast = chance.uniform(0.6, 1.5), chance.uniform(1.8, 3.4)
    first, second = chance.uniform(0, math.tau), chance.uniform(0, math.tau)
    return [
        (x, base + swing * (math.sin(math.tau * slow * x / width + first)
                            + 0.4 * math.sin(math.tau * fast * x / width + second)))
        for x in range(0, width + 5, 5)
    ]  # fmt: skip
