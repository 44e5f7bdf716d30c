"""The rows of the task panel in a page."""

from __future__ import annotations

from playwright.sync_api import Locator

TASK = ".seedream-list [role=option][data-id]"


def task(panel: Locator, words: str) -> Locator:
    return panel.locator(TASK).filter(has_text=words)
