"""The task panel with 10,000 tasks in a real browser: opening, scrolling, searching.

    python benchmarks/task_panel.py [--tasks 10000]

A frame's work is what the page's main thread does for it: scripts, styles, layout and paint; the
wait for the next screen refresh does not count. Every round scrolls over the same rows, and of each
frame the quietest round counts, since other programs' use of the processor only ever adds. Exits
with 1 where the panel does not open in a second, a frame of scrolling takes over 16 ms, or a search
shows its result over 200 ms after the end of typing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# After the script's own folder, and not the pack's root: its nodes/ would hide ComfyUI's.
sys.path.append(str(ROOT / "tests"))

OPENED_MS, FRAME_MS, SEARCHED_MS, TYPING_MS = 1_000.0, 16.0, 200.0, 200.0
ROUNDS, FRAMES = 8, 150
_OPEN = """async (button) => {
  const frame = () => new Promise(requestAnimationFrame);
  const begun = performance.now();
  document.querySelector(button).click();
  while (!document.querySelector("#seedream-tasks .seedream-task[data-id]")) await frame();
  return performance.now() - begun;
}"""
_SCROLL = """async ([frames, by]) => {
  const frame = () => new Promise(requestAnimationFrame);
  const list = document.querySelector("#seedream-tasks .seedream-list");
  list.scrollTop = 0;
  await frame();
  await frame();
  const took = [];
  for (let at = 0; at < frames; at += 1) {
    list.scrollTop += by;
    took.push(await new Promise((done) => requestAnimationFrame(() => {
      const begun = performance.now();
      // A message arrives after the frame that this callback belongs to is painted.
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => done(performance.now() - begun);
      port2.postMessage(0);
    })));
  }
  return took;
}"""
_SEARCH = """async (words) => {
  const frame = () => new Promise(requestAnimationFrame);
  const field = document.querySelector("#seedream-search");
  const rows = () => [...document.querySelectorAll("#seedream-tasks .seedream-task[data-id]")];
  const begun = performance.now();
  field.value = words;
  field.dispatchEvent(new Event("input"));
  const last = words.split(" ").at(-1);
  while (rows().length !== 1 || !rows()[0].textContent.includes(last)) await frame();
  return performance.now() - begun;
}"""


def load_client() -> None:
    """Import the client from the pack's root without putting that on ``sys.path``."""
    import importlib.util

    file = ROOT / "seedream_api" / "__init__.py"
    spec = importlib.util.spec_from_file_location("seedream_api", file)
    assert spec is not None and spec.loader is not None
    sys.modules["seedream_api"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


def scroll(page: Any, by: int) -> list[float]:
    """Scroll ``by`` pixels a frame; gives the sorted work of the frames in milliseconds."""
    rounds = [page.evaluate(_SCROLL, [FRAMES, by]) for _ in range(ROUNDS)]
    return sorted(map(min, zip(*rounds, strict=True)))


def measure(page: Any, tasks: int) -> dict[str, float]:
    """Measure the quietest of several rounds in an open page, in milliseconds."""
    from support.canvas import TASKS_BUTTON

    opened: list[float] = []
    for number in range(ROUNDS):
        if number:
            page.locator(TASKS_BUTTON).click()
            page.locator("#seedream-tasks").wait_for(state="detached")
        opened.append(page.evaluate(_OPEN, TASKS_BUTTON))
    slow, fast = scroll(page, 40), scroll(page, 2_000)
    searched = [page.evaluate(_SEARCH, f"many x{tasks // 3 + number}") for number in range(ROUNDS)]
    return {
        "opened": min(opened),
        "frame": max(slow),
        "median frame": slow[len(slow) // 2],
        "fast frame": max(fast),
        "median fast frame": fast[len(fast) // 2],
        "searched": min(searched) - TYPING_MS,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=10_000)
    tasks = parser.parse_args().tasks
    load_client()
    from playwright.sync_api import sync_playwright

    from support.browser_server import NEWEST, RETURNING, open_site
    from support.browsers import ARGUMENTS, find_chromium
    from support.canvas import Canvas
    from support.page_log import Watch
    from support.task_rows import fill_ledger

    with tempfile.TemporaryDirectory() as folder, open_site(NEWEST, Path(folder)) as site:
        site.begin(**RETURNING)
        site.sign_in()
        fill_ledger(site.comfy.home, tasks)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=find_chromium(), args=list(ARGUMENTS)
            )
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            canvas = Canvas(page, site.url, Path(folder), site.frontend, Watch(site.url))
            canvas.open()
            found = measure(page, tasks)
            browser.close()
    for name, ms in found.items():
        print(f"{name}: {ms:.1f} ms")
    bounds = {
        "opened": OPENED_MS, "frame": FRAME_MS, "fast frame": FRAME_MS, "searched": SEARCHED_MS,
    }  # fmt: skip
    return int(any(found[name] >= bound for name, bound in bounds.items()))


if __name__ == "__main__":
    sys.exit(main())
