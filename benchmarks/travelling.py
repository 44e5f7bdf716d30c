"""Results that arrive and references that leave, beside ComfyUI's own helpers and the floor.

    python benchmarks/travelling.py [--rounds 3] [--comfyui PATH]

The same files on the same server, with a latency of 100 ms per request; every row in a new process,
in turns. Ratios hold on other machines; times do not. Ends with 1 where a bound is broken.

The floor of results: all files downloaded in parallel and kept in memory, decoded on two threads,
and brought from uint8 to float32 in one pass into fresh memory. It runs no Python while it decodes,
so its stall is what the machine itself adds: measure where that is small.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from measuring import MIB, Measured, in_its_own_process, measured, tell
from photographs import jpeg, picture
from pictures import ROOT, ours
from PIL import Image

RESULTS, SIDE = 15, 4096
REFERENCES, REFERENCE_SIDE = 14, 2048
OUTPUT_BYTES = RESULTS * SIDE * SIDE * 3 * 4
MOST_BYTES = OUTPUT_BYTES * 8 // 3
"""What ComfyUI's helpers take: four channels, in a list and in a batch."""
Work = Callable[[], Awaitable[Any]]


# ---- results ----


def equal_urls(host: str) -> list[str]:
    return [f"{host}/result_{number}.jpg" for number in range(RESULTS)]


def unequal_urls(host: str) -> list[str]:
    return [*equal_urls(host)[:-1], f"{host}/smaller.jpg"]


@contextlib.asynccontextmanager
async def session_of(host: str, folder: Path) -> Any:
    """A session that may reach the host, and uploads to it."""
    config, sessions = ours("seedream_api.config.settings"), ours("seedream_api.jobs.session")
    settings = config.load_settings(
        folder,
        environ={
            "SEEDREAM_HOME": str(folder / "home"),
            "DEEPSPACE_BASE_URL": host,
            "DEEPSPACE_API_KEY": "sk-benchmark",
            "SEEDREAM_ALLOW_HOSTS": host.removeprefix("http://"),
            "SEEDREAM_UPLOAD": "http",
            "SEEDREAM_UPLOAD_HTTP_URL": f"{host}/upload",
        },
    )
    async with sessions.Session(settings) as session:
        yield session


def load(urls: list[str], session: Any, folder: Path) -> Work:
    load_urls, to_tensors = (
        ours("seedream_api.jobs.load_urls").load_urls,
        ours("nodes.tensors").to_tensors,
    )

    async def work() -> Any:
        loaded = await load_urls(urls, session, folder)
        paths, names = [one.path for one in loaded], [one.name for one in loaded]
        made = await asyncio.to_thread(to_tensors, paths, fit="pad", names=names)
        assert made.images.shape == (RESULTS, SIDE, SIDE, 3) and not made.failures
        return made

    return work


def results_ours(host: str, session: Any, folder: Path) -> Work:
    return load(equal_urls(host), session, folder)


def unequal_ours(host: str, session: Any, folder: Path) -> Work:
    return load(unequal_urls(host), session, folder)


def results_comfyui(host: str, session: Any, folder: Path) -> Work:
    import torch

    download = comfyui_helpers().download_url_to_image_tensor

    async def work() -> Any:  # as nodes_bytedance.py does
        batch = torch.cat([await download(url) for url in equal_urls(host)])
        assert batch.shape[:3] == (RESULTS, SIDE, SIDE)
        return batch

    return work


def results_floor(host: str, session: Any, folder: Path) -> Work:
    def fetched(url: str) -> bytes:
        with urllib.request.urlopen(url) as answer:  # noqa: S310
            return answer.read()

    def whole() -> Any:
        batch = np.empty((RESULTS, SIDE, SIDE, 3), np.float32)
        white = np.float32(1 / 255)

        def decoded(number: int) -> None:
            pixels = np.asarray(Image.open(BytesIO(files[number])))
            np.multiply(pixels, white, out=batch[number], dtype=np.float32)

        with ThreadPoolExecutor(RESULTS) as pool:
            files = list(pool.map(fetched, equal_urls(host)))
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(decoded, range(RESULTS)))
        return batch

    return lambda: asyncio.to_thread(whole)


# ---- references ----


def batch_of_references() -> Any:
    import torch

    pixels = np.stack([picture(REFERENCE_SIDE, number) for number in range(REFERENCES)])
    return torch.from_numpy(pixels.astype(np.float32) / 255)


def references_ours(host: str, session: Any, folder: Path) -> Work:
    to_pixels = ours("nodes.tensors").to_pixels
    pixels_reference = ours("seedream_api.service.references").pixels_reference
    upload_references = ours("seedream_api.jobs.upload_references").upload_references
    batch = batch_of_references()

    async def work() -> Any:
        frames = await asyncio.to_thread(to_pixels, batch)
        pictures = [pixels_reference(one, "a frame") for one in frames]
        sent = await upload_references(pictures, session)
        assert len({one.url for one in sent}) == REFERENCES
        return sent

    return work


def references_comfyui(host: str, session: Any, folder: Path) -> Work:
    upload = comfyui_helpers(host).upload_images_to_comfyapi
    names = ("auth_token_comfy_org", "api_key_comfy_org", "comfy_usage_source", "unique_id")
    node = SimpleNamespace(hidden=SimpleNamespace(**dict.fromkeys(names)))
    batch = batch_of_references()

    async def work() -> Any:
        urls = await upload(node, batch, max_images=REFERENCES, wait_label=None)
        assert len(set(urls)) == REFERENCES
        return urls

    return work


def comfyui_helpers(host: str = "") -> Any:
    """ComfyUI's own ``comfy_api_nodes.util``, which needs the modules that a start brings."""
    sys.path[:0] = [os.environ["COMFYUI_PATH"], str(ROOT / "tests")]
    from support import stub_modules

    stub_modules.install()
    from comfy.cli_args import args

    args.cpu = True
    args.comfy_api_base = host
    # In main.py's order: comfy/ has a utils.py too.
    importlib.import_module("utils.extra_config")
    importlib.import_module("server")
    return importlib.import_module("comfy_api_nodes.util")


RESULT_ROWS = (results_ours, results_comfyui, results_floor, unequal_ours)
ROWS = (*RESULT_ROWS, references_ours, references_comfyui)


# ---- the table ----


def run_one(name: str, host: str) -> None:
    row = next(row for row in ROWS if row.__name__ == name)

    async def whole(folder: Path) -> Measured:
        async with session_of(host, folder) as session:
            work = row(host, session, folder)
            return await measured(work, needs=MOST_BYTES if row in RESULT_ROWS else MIB * 1024)

    with tempfile.TemporaryDirectory() as folder:
        tell(asyncio.run(whole(Path(folder))))


@contextlib.contextmanager
def distant_host(folder: Path) -> Iterator[str]:
    for number in range(RESULTS):
        (folder / f"result_{number}.jpg").write_bytes(jpeg(picture(SIDE, number)))
    (folder / "smaller.jpg").write_bytes(jpeg(picture(SIDE, RESULTS)[: SIDE - 8]))
    script = Path(__file__).with_name("distant_host.py")
    server = subprocess.Popen(  # noqa: S603
        [sys.executable, str(script), str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert server.stdin and server.stdout
    try:
        yield server.stdout.readline().strip()
    finally:
        server.stdin.close()
        server.wait()


def best(rounds: list[Measured]) -> Measured:
    """The least of each figure: whatever else the machine does only ever adds."""
    return Measured(
        min(one.seconds for one in rounds),
        min(one.growth for one in rounds),
        min(one.stall_s for one in rounds),
    )


def judged(found: dict[str, Measured]) -> list[tuple[str, float, float]]:
    """What is promised, what was found, and its bound."""
    results, theirs, floor = (found[f"results_{one}"] for one in ("ours", "comfyui", "floor"))
    references, their_references = found["references_ours"], found["references_comfyui"]
    return [
        ("results: time, of ComfyUI's", results.seconds / theirs.seconds, 0.4),
        ("results: memory, of ComfyUI's", results.growth / theirs.growth, 0.6),
        ("results: time, of the floor's", results.seconds / floor.seconds, 1.25),
        ("results: memory, of the output", results.growth / OUTPUT_BYTES, 1.3),
        ("unequal: memory, of the output", found["unequal_ours"].growth / OUTPUT_BYTES, 2.3),
        ("references: time, of ComfyUI's", references.seconds / their_references.seconds, 0.25),
        (
            "longest stall of the loop, in s",
            max(found[f"{one}_ours"].stall_s for one in ("results", "unequal", "references")),
            0.05,
        ),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--row", nargs=2, metavar=("NAME", "HOST"), help="measure this one here")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--comfyui", default=os.environ.get("COMFYUI_PATH"), metavar="PATH")
    arguments = parser.parse_args()
    os.environ["COMFYUI_PATH"] = arguments.comfyui or str(ROOT / ".dev" / "comfyui")
    if arguments.row:
        run_one(*arguments.row)
        return 0
    rounds: dict[str, list[Measured]] = {row.__name__: [] for row in ROWS}
    with tempfile.TemporaryDirectory() as folder, distant_host(Path(folder)) as host:
        for _ in range(arguments.rounds):
            for name, runs in rounds.items():
                runs.append(in_its_own_process(Path(__file__), "--row", name, host))
    found = {name: best(runs) for name, runs in rounds.items()}
    print(
        f"{RESULTS} JPEGs of {SIDE} x {SIDE} to one batch of {OUTPUT_BYTES // MIB} MiB; "
        f"{REFERENCES} references of {REFERENCE_SIDE} x {REFERENCE_SIDE} to URLs\n\n"
        f"{'':22}{'s':>8}{'MiB peak':>10}{'ms stall':>10}"
    )
    for name, one in found.items():
        print(f"{name:22}{one.seconds:8.2f}{one.growth // MIB:10}{one.stall_s * 1000:10.0f}")
    print()
    broken = 0
    for promise, ratio, bound in judged(found):
        broken += ratio > bound
        print(f"{promise:36}{ratio:7.3f} {'<=' if ratio <= bound else '> '} {bound:g}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
