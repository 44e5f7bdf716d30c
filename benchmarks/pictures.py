"""Decoding and encoding beside the ways of other packs, and beside the floor.

    python benchmarks/pictures.py

Every row is measured in a new process, so that its peak memory is known. Ratios hold on other
machines; times do not.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
from photographs import drawn
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
PICTURES, SIDE, REFERENCE_SIDE = 4, 4096, 2048
MIB = 1024 * 1024


def encoded(pixels: npt.NDArray[np.uint8], kind: str, **options: Any) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def ours(module: str) -> ModuleType:
    """A module of the pack, without its ``__init__``, which needs ComfyUI."""
    for name, folder in (("pack", ROOT), ("pack.nodes", ROOT / "nodes")):
        package = ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package
    return importlib.import_module(f"pack.{module}")


# ---- what is measured: each gives the work, with its imports and inputs ready ----


def decode_like_peers(files: list[bytes]) -> Callable[[], Any]:
    import torch

    def one(file: bytes) -> torch.Tensor:
        pixels = np.array(Image.open(BytesIO(file)).convert("RGB")).astype(np.float32) / 255.0
        return torch.from_numpy(pixels)[None]

    return lambda: torch.cat([one(file) for file in files])


def decode_ours(files: list[bytes]) -> Callable[[], Any]:
    to_tensors = ours("nodes.tensors").to_tensors
    return lambda: to_tensors(files, fit="pad", names=[str(n) for n in range(len(files))])


def decode_floor(files: list[bytes]) -> Callable[[], Any]:
    """Pillow's decoding alone, one after another, and the memory of the result alone."""
    return lambda: [
        np.zeros((len(files), SIDE, SIDE, 3), np.float32).fill(0.5),
        *(Image.open(BytesIO(file)).load() for file in files),
    ]


def png_like_peers(pixels: npt.NDArray[np.uint8]) -> Callable[[], bytes]:
    return lambda: encoded(pixels, "PNG")


def png_fast_pillow(pixels: npt.NDArray[np.uint8]) -> Callable[[], bytes]:
    return lambda: encoded(pixels, "PNG", compress_level=1)


def webp_lossless(pixels: npt.NDArray[np.uint8]) -> Callable[[], bytes]:
    return lambda: encoded(pixels, "WEBP", lossless=True, method=0, quality=0)


def encode_ours_lossless(pixels: npt.NDArray[np.uint8]) -> Callable[[], bytes]:
    encode = ours("seedream_api.images.encode").encode
    return lambda: encode(pixels, aim_bytes=64 * MIB, cap_bytes=64 * MIB).data


def encode_ours(pixels: npt.NDArray[np.uint8]) -> Callable[[], bytes]:
    encode = ours("seedream_api.images.encode").encode
    return lambda: encode(pixels).data


def encode_floor(pixels: npt.NDArray[np.uint8]) -> Callable[[], bytes]:
    """One JPEG at the quality that ours chooses for this picture."""
    return lambda: encoded(pixels, "JPEG", quality=95, subsampling=0)


DECODING = (decode_like_peers, decode_ours, decode_floor)
ENCODING = (
    *(png_like_peers, png_fast_pillow, webp_lossless),
    *(encode_ours_lossless, encode_ours, encode_floor),
)


# ---- measuring ----


def resident() -> int:
    """Bytes of memory in use by this process."""
    import psutil

    return psutil.Process().memory_info().rss


def measure(row: Callable[[Any], Callable[[], Any]], given: Any, rounds: int) -> dict[str, float]:
    """Best time of ``rounds`` and the growth of memory in the first."""
    work = row(given)
    before = peak = resident()
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.001):
            peak = max(peak, resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    times: list[float] = []
    for number in range(rounds):
        start = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - start)
        if number == 0:
            done.set()
            watcher.join()
        size = len(result) if isinstance(result, bytes) else 0
        del result
    return {"seconds": min(times), "growth": peak - before, "size": size}


def run_one(name: str, rounds: int) -> None:
    row = next(row for row in (*DECODING, *ENCODING) if row.__name__ == name)
    if row in DECODING:
        given: Any = [encoded(drawn(SIDE, n), "JPEG", quality=95) for n in range(PICTURES)]
    else:
        given = drawn(REFERENCE_SIDE)
    print(json.dumps(measure(row, given, rounds)))


def in_its_own_process(row: Callable[..., Any], rounds: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--row", row.__name__, "--rounds", str(rounds)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return json.loads(answer.stdout)


def table(title: str, rows: tuple[Callable[..., Any], ...], rounds: int) -> None:
    print(f"\n{title}\n{'':22}{'ms':>8}{'x peers':>9}{'MiB peak':>10}{'MiB file':>10}")
    base = 0.0
    for row in rows:
        found = in_its_own_process(row, rounds)
        base = base or found["seconds"]
        print(
            f"{row.__name__:22}{found['seconds'] * 1000:8.0f}{found['seconds'] / base:9.2f}"
            f"{found['growth'] / MIB:10.0f}{found['size'] / MIB:10.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--row", help="measure this one here")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.row:
        run_one(arguments.row, arguments.rounds)
        return
    result = PICTURES * SIDE * SIDE * 3 * 4 // MIB
    table(
        f"{PICTURES} JPEGs of {SIDE} x {SIDE} -> one float32 batch ({result} MiB)",
        DECODING,
        arguments.rounds,
    )
    table(f"One photo of {REFERENCE_SIDE} x {REFERENCE_SIDE} -> a file", ENCODING, arguments.rounds)


if __name__ == "__main__":
    main()
