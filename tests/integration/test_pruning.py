"""The store of images: its size, and what is removed from it."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from seedream_api import Request, generate
from support.fake_service import ExpiredLink
from support.sample_requests import NOW_5

DAY = 86_400.0


def generated(api_client: Any, prompt: str, age_s: float = 0.0, **fields: Any) -> list[Path]:
    """The stored files of a request that was delivered so long ago."""
    api_client.clock.at = time.time() - age_s
    result = api_client.generate(prompt=prompt, **fields)
    return [image.path for image in result.images]


def undelivered(api_client: Any, entry: int) -> None:
    with sqlite3.connect(api_client.home / "ledger.sqlite") as db:
        db.execute("UPDATE requests SET delivered_at = NULL WHERE id = ?", (entry,))
    db.close()


def test_sizes_of_the_store(api_client: Any) -> None:
    prompt = "2 images of a cat"  # with another seed the sandbox draws the same: one file each
    files = {path for seed in (1, 2) for path in generated(api_client, prompt, seed=seed, n=2)}
    assert len(files) == 2
    size = sum(path.stat().st_size for path in files)
    ran = api_client.inside("tasks", "--json", SEEDREAM_STORE_GB="3")
    assert ran.json["store"] == {
        "bytes": size, "limit_bytes": 3_000_000_000, "path": str(api_client.home)
    }  # fmt: skip
    assert f"Store: {size / 1e6:.1f} MB of 3 GB" in api_client.inside(
        "tasks", SEEDREAM_STORE_GB="3"
    ).out  # fmt: skip


def test_pruning_by_age_takes_old_delivered_images_only(api_client: Any) -> None:
    [old] = generated(api_client, "old", 40 * DAY)
    [younger] = generated(api_client, "younger", 20 * DAY)
    [never] = generated(api_client, "never delivered", 40 * DAY)
    undelivered(api_client, 3)
    ran = api_client.inside("tasks", "--prune", "--older-than", "30", "--json")
    assert ran.code == 0 and ran.json["pruned"]["images"] == 1 and ran.json["pruned"]["bytes"] > 0
    assert not old.exists() and younger.exists() and never.exists()
    assert len(ran.json["tasks"]) == 3  # rows stay
    said = api_client.inside("tasks", "--prune", "--older-than", "10").out
    assert "1 images" in said and not younger.exists() and never.exists()
    # A pruned result is fetched again, and not paid for again.
    assert generated(api_client, "old") == [old] and old.exists() and api_client.sent == 3


@pytest.mark.parametrize("ahead", [2 * DAY, 400 * DAY])
def test_prune_removes_images_of_a_clock_that_was_ahead(api_client: Any, ahead: float) -> None:
    [early] = generated(api_client, "delivered while the clock was ahead", -ahead)
    [fresh] = generated(api_client, "delivered now")
    ran = api_client.inside("tasks", "--prune", "--keep-gb", "0", "--json")
    assert ran.json["pruned"]["images"] == 1 and not early.exists() and fresh.exists()
    assert api_client.generate(prompt="delivered while the clock was ahead").images
    assert early.exists() and api_client.sent == 2


def test_prune_removes_orphans_dated_ahead(api_client: Any) -> None:
    [known] = generated(api_client, "known")
    orphan = known.with_name("orphan.png")
    orphan.write_bytes(b"x")
    os.utime(orphan, (api_client.clock() + 400 * DAY,) * 2)
    assert api_client.inside("tasks", "--prune", "--json").code == 0
    assert known.exists() and not orphan.exists()


def test_pruning_by_size_takes_the_longest_delivered_first(api_client: Any) -> None:
    files = [generated(api_client, f"cat {days}", days * DAY)[0] for days in (3, 9, 6)]
    size = sum(path.stat().st_size for path in files)
    keep = (size - 1) / 1e9
    ran = api_client.inside("tasks", "--prune", "--keep-gb", f"{keep:.9f}", "--json")
    assert [path.exists() for path in files] == [True, False, True]
    assert ran.json["store"]["bytes"] == size - ran.json["pruned"]["bytes"]
    api_client.inside("tasks", "--prune", "--keep-gb", f"{files[0].stat().st_size / 1e9:.9f}")
    assert [path.exists() for path in files] == [True, False, False]


def test_pruning_spares_what_is_unfinished_or_just_delivered(api_client: Any) -> None:
    api_client.sandbox.faults.push("image", ExpiredLink(410), times=3)
    [part] = generated(api_client, "2 images of a cat", 40 * DAY, n=2)
    assert api_client.states == ["answered"]  # the other image is still to be fetched
    [fresh] = generated(api_client, "fresh")
    ran = api_client.inside("tasks", "--prune", "--keep-gb", "0", "--older-than", "0", "--json")
    assert ran.json["pruned"]["images"] == 0 and part.exists() and fresh.exists()
    whole = generated(api_client, "2 images of a cat", n=2)
    assert len(whole) == 2 and part in whole and api_client.sent == 2


def test_orphan_removed_by_other_process_is_ignored(api_client: Any) -> None:
    """The images are paid for and stored by then: tidying up may not keep them from anybody."""
    folder = api_client.home / "images" / "ab"
    folder.mkdir(parents=True)
    (folder / "gone.png").symlink_to(folder / "nowhere")  # listed, and not there when looked at
    [image] = generated(api_client, "cat", SEEDREAM_STORE_GB="0.01", model="Seedream-4.0")
    weighing(api_client, 10**9)
    assert image.exists() and api_client.inside("tasks", "--prune").code == 0


def weighing(api_client: Any, size: int) -> None:
    """Let every stored image count for so many bytes."""
    with sqlite3.connect(api_client.home / "ledger.sqlite") as db:
        db.execute("UPDATE images SET bytes = ?", (size,))
    db.close()


def test_store_is_pruned_to_its_limit_with_a_note(api_client: Any) -> None:
    files = [generated(api_client, f"cat {days}", days * DAY)[0] for days in (3, 9, 6)]
    weighing(api_client, 6_000_000)
    api_client.clock.at = time.time()
    assert api_client.generate(prompt="dog").notes == () and all(path.exists() for path in files)
    result = api_client.generate(prompt="cow", SEEDREAM_STORE_GB="0.01")
    assert [path.exists() for path in files] == [True, False, False]
    [note] = [note for note in result.notes if "SEEDREAM_STORE_GB" in note]
    assert "removed 2 delivered images, 12 MB" in note and result.images[0].path.exists()


def test_store_is_weighed_again_only_when_enough_came(api_client: Any) -> None:
    weighed: list[int] = []

    async def road(session: Any) -> None:
        weigh = session.ledger.sum_stored_bytes
        session.ledger.sum_stored_bytes = lambda: weighed.append(1) or weigh()
        for seed in range(3):
            await generate(Request(model=NOW_5, prompt="A cat", seed=seed), session)
        assert len(weighed) == 1
        limit = session.settings.number("SEEDREAM_STORE_GB") * 1e9
        for part in (0.006, 0.006, 0.006):
            await session.resources.prune_if_needed(int(limit * part))
        assert len(weighed) == 2

    api_client.run(road)


@pytest.mark.parametrize(
    "words",
    [["--older-than", "1"], ["--keep-gb", "1"], ["--prune", "--keep-gb", "-1"],
     ["--prune", "--older-than", "nan"], ["--prune", "--export", "x"]],
)  # fmt: skip
def test_pruning_is_never_meant_by_half_a_command(api_client: Any, words: list[str]) -> None:
    [file] = generated(api_client, "old", 400 * DAY)
    ran = api_client.inside("tasks", *words)
    assert ran.code == 2 and words[-2] in ran.err and file.exists()
