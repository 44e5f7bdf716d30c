"""What users request during a soak, and how they proceed, chosen with a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TRIES = 5
"""How often a persistent user tries one intent."""
MODELS = (
    "Seedream-5.0-Lite-Preferential", "Seedream-4.5-Preferential",
    "Seedream-5.0-Lite", "Seedream-4.5", "Seedream-4.0",
)  # fmt: skip
ODD_WORDS = ("[blocked]", "[moderated]", "[fails]", "[mixed sizes]")
"""Words of the sandbox: a prompt with one of them is refused, fails, or gives unequal images."""


@dataclass
class Intent:
    """What one user wants, and what has been done about it."""

    number: int
    request: dict[str, Any]
    picture: str | None
    tries: int = 0
    forgotten: int = 0
    """How often its owner deliberately let it be paid for again."""
    task_id: str | None = None
    statuses: list[str] = field(default_factory=list[str])

    @property
    def prompt(self) -> str:
        return str(self.request["prompt"])


def intents(seed: int, count: int, pictures: tuple[Path, ...]) -> Iterator[Intent]:
    """Yield ``count`` different requests of both families."""
    for number in range(count):
        dice = random.Random(f"{seed} intent {number}")
        model = MODELS[number % len(MODELS)]
        of_words = dice.random() < 0.12
        prompt = f"a cat, wish {number}" + (f" {dice.choice(ODD_WORDS)}" if of_words else "")
        request: dict[str, Any] = {"model": model}
        if model.endswith("Preferential"):
            request |= {"output_format": dice.choice((None, "png", "jpeg"))}
        else:
            request |= {"quality": "1K", "size": dice.choice(("1:1", "16:9", "9:16"))}
            if dice.random() < 0.3:
                request["n"] = dice.choice((2, 3))
                prompt = f"{request['n']} images of {prompt}"
        with_picture = pictures and dice.random() < 0.15
        picture = str(dice.choice(pictures)) if with_picture else None
        yield Intent(number, {**request, "prompt": prompt}, picture)


def call_for(intent: Intent, dice: random.Random) -> dict[str, Any]:
    """What its owner does next about it."""
    intent.tries += 1
    wait, timeout_s = dice.random() > 0.08, 0.15 if dice.random() < 0.05 else None
    options = {"wait": wait, "timeout_s": timeout_s, "number": intent.number}
    if intent.task_id and dice.random() < 0.5:
        return {"do": "collect", "task_id": intent.task_id, **options}
    return {"do": "generate", "request": intent.request, "picture": intent.picture, **options}


def next_call(
    intent: Intent, outcome: dict[str, Any], dice: random.Random
) -> dict[str, Any] | None:
    """What its owner does after that outcome; None: is content, or gives up."""
    status = outcome["status"]
    intent.statuses.append(status)
    intent.task_id = outcome.get("task_id") or intent.task_id
    if status in ("completed", "partial"):
        # Some want to see it again: the stored result.
        return call_for(intent, dice) if dice.random() < 0.05 else None
    if intent.tries >= TRIES:
        return None
    if status == "unknown" and outcome.get("entry") and dice.random() < 0.4:
        return {"do": "forget", "entry": outcome["entry"], "number": intent.number}
    content = {"refused": 0.5, "failed": 0.5, "unknown": 0.6}.get(status, 0.1)
    return None if dice.random() < content else call_for(intent, dice)
