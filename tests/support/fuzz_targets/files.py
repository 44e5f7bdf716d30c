"""What people write or provide: files of settings, models and prices, commands, images."""

from __future__ import annotations

import shlex
from io import BytesIO
from pathlib import Path

from PIL import Image

from seedream_api.cli.parser import build_parser
from seedream_api.config import settings as config
from seedream_api.images import decode, header, media_types
from seedream_api.service import client
from seedream_api.uploads import image_host

from .. import response_shapes
from ..byte_random import Dice
from ..input_mutations import ODD_TEXTS, as_bytes, mutated, mutated_bytes, mutated_text
from .checks import ours, settings_of

# ---- files that people write ----


def settings_files(dice: Dice, folder: Path) -> None:
    home = folder / "settings"
    home.mkdir(exist_ok=True)
    path = home / "settings.json"
    path.write_bytes(as_bytes(mutated(response_shapes.SETTINGS_FILE, dice), dice))
    with ours():
        settings = settings_of(home)
        assert settings.address.startswith(("http", "sandbox"))
        for name, setting in config.SETTINGS.items():
            if setting.default.replace(".", "").isdigit():
                assert settings.number(name) >= 0
        assert isinstance(settings.allowed_hosts, frozenset)
        with ours():
            settings.key.get_secret_value()
        image_host.HttpHost(client.SeedreamClient(settings))


def models_files(dice: Dice, folder: Path) -> None:
    path = folder / "models.json"
    path.write_bytes(as_bytes(mutated(response_shapes.MODELS_FILE, dice), dice))
    with ours():
        assert settings_of(folder / "none", SEEDREAM_MODELS=str(path)).models


def prices_files(dice: Dice, folder: Path) -> None:
    path = folder / "prices.json"
    path.write_bytes(as_bytes(mutated(response_shapes.PRICES_FILE, dice), dice))
    with ours():
        prices = settings_of(folder / "none", SEEDREAM_PRICES=str(path)).prices
        price = prices.find("Seedream-4.5", {"quality": "2K"}, 3)
        assert price is None or 0 <= price.of(15) < 10**8


def environments(dice: Dice, folder: Path) -> None:
    names = list(config.SETTINGS)
    values = {dice.pick(names): mutated_text(dice.pick(ODD_TEXTS), dice).replace("\0", "")
              for _ in range(1 + dice.below(4))}  # fmt: skip
    values.pop("SEEDREAM_HOME", None)
    with ours():
        settings_of(folder / "none", **values)


def command_lines(dice: Dice, folder: Path) -> None:
    words = shlex.split(dice.pick(response_shapes.COMMANDS))
    for _ in range(1 + dice.below(3)):
        place = dice.below(len(words) + 1)
        words[place : place + dice.below(2)] = [dice.pick([*ODD_TEXTS, *words, dice.text(9)])]
    if any(word.startswith(("-h", "--h", "--v")) for word in words):
        return  # these show a text and end
    with ours():  # also no SystemExit, of which --json could say nothing
        build_parser().parse_args(words)


# ---- pictures ----


_KINDS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")


def _sound(kind: str) -> bytes:
    file = BytesIO()
    Image.linear_gradient("L").resize((40, 30)).convert("RGB").save(file, kind)
    return file.getvalue()


_SOUND = {kind: _sound(kind) for kind in _KINDS}


def picture_files(dice: Dice, folder: Path) -> None:
    data = mutated_bytes(_SOUND[dice.pick(_KINDS)], dice)
    media_types.media_type_of(data[:512])
    media_types.kind_of(data[:512])
    media_types.describe_head(data[: media_types.HEAD_BYTES])
    header.jpeg_scans(data)
    header.webp_canvas(data[:512])
    path = folder / "picture"
    path.write_bytes(data)
    kind = media_types.media_type_of(data[:512])
    if kind:
        media_types.is_cut(path, kind, length_known=False)
    with ours():
        decode.probe(data, name="it", max_pixels=1 << 20)
    with ours():
        found = decode.decode(data, name="it", max_pixels=1 << 20)
        assert found.pixels.size <= 3 << 20
