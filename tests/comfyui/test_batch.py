"""Seedream Batch: many paid requests in one run, in order, and reruns that send what is missing."""

from __future__ import annotations

import json
from typing import Any

from support import workflows
from support.comfy_fixture import ComfyFixture, seen, shown
from support.pack_routes import ask


def graph(prompts: str, **inputs: Any) -> dict[str, Any]:
    """A batch, its image list, its task ids and its report."""
    return {
        "1": workflows.seedream_batch(prompts, **inputs),
        "2": workflows.look("1", 1),
        "3": workflows.show("1", 3),
        "4": workflows.show("1", 4),
    }


def prompts_sent(comfy: ComfyFixture, prompt: str) -> list[str]:
    return [str(post.json["prompt"]) for post in comfy.posts(prompt)]


def test_rows_become_images_in_order_and_are_paid_once(comfy: ComfyFixture, prompt: str) -> None:
    lines = "\n".join(f"{prompt} {word}" for word in ("red", "green", "blue"))
    outcome = comfy.run(graph(lines))
    report = json.loads(shown(outcome, "4"))
    assert report["status"] == "completed" and report["failed"] == 0
    assert [row["prompt"] for row in report["rows"]] == lines.splitlines()
    assert report["may_have_been_charged_images"] == 3 and len(seen(outcome, "2")) == 3
    assert len(shown(outcome, "3").splitlines()) == 3
    said = outcome.texts("1")
    assert any("3 to send, at most 3 images charged" in text for text in said)
    assert "3 charged" in said[-1] and "images" not in outcome.outputs["1"]
    again = comfy.run(graph(f"{lines}\n{prompt} white"))
    assert json.loads(shown(again, "4"))["may_have_been_charged_images"] == 1
    page = comfy.server.wait(comfy.server.queue(graph(lines), workflows.PAGE))
    [sheet] = json.loads(page.outputs["1"]["seedream"][0])["pictures"]
    assert sheet["type"] == "temp", "one contact sheet, not a preview per image"
    assert len(prompts_sent(comfy, prompt)) == 4


def test_failed_row_has_its_reason_and_no_image(comfy: ComfyFixture, prompt: str) -> None:
    lines = f"{prompt} one\n{prompt} two [moderated]\n{prompt} three"
    outcome = comfy.run(graph(lines))
    report = json.loads(shown(outcome, "4"))
    assert [row["images"] for row in report["rows"]] == [1, 0, 1]
    assert "content" in report["rows"][1]["reason"] and report["rows"][1]["reason_zh"]
    assert report["status"] == "partial" and len(seen(outcome, "2")) == 2
    before = len(prompts_sent(comfy, prompt))
    comfy.run(graph(lines))
    assert prompts_sent(comfy, prompt)[before:] == [f"{prompt} two [moderated]"], "only the missing"


def test_batch_counts_rows_that_may_have_been_charged(comfy: ComfyFixture, prompt: str) -> None:
    from support.fake_service import DropAfterReceipt

    comfy.run({"1": workflows.seedream_batch(f"{prompt} one"), "2": workflows.look("1", 1)})
    comfy.sandbox.faults.push("generate", DropAfterReceipt())
    outcome = comfy.run(graph(f"{prompt} one\n{prompt} two"))
    [summary] = map(json.loads, outcome.outputs["1"]["seedream"])
    assert (summary["charged"], summary["unclear"], summary["failed"]) == (0, 1, 1)
    assert outcome.texts("1")[-1].startswith("1 image · 1 failed · 0 charged · 1 failed row")


def test_failure_ends_the_node_where_it_shall(comfy: ComfyFixture, prompt: str) -> None:
    lines = f"{prompt} one\n{prompt} two [moderated]"
    assert "moderation" in comfy.fail(graph(lines, on_error="fail"))
    assert "moderation" in comfy.fail(graph(f"{prompt} [moderated]"))


def test_table_sets_fields_per_row(comfy: ComfyFixture, prompt: str) -> None:
    table = (
        f'prompt,model,size,n,seed\n"{prompt}, wide",,16:9,,5\n'
        f'"2 images of {prompt}",,,2,\n{prompt} now,Seedream-4.5-Preferential,2K,,\n'
    )
    outcome = comfy.run(graph(table, quality=""))
    bodies = sorted((post.json for post in comfy.posts(prompt)), key=lambda body: body["model"])
    assert [(body["model"], body["size"]) for body in bodies] == [
        ("Seedream-4.0", "16:9"), ("Seedream-4.0", "1:1"), ("Seedream-4.5-Preferential", "2K"),
    ] or [body["size"] for body in bodies[:2]] == ["1:1", "16:9"]  # fmt: skip
    assert [row["images"] for row in json.loads(shown(outcome, "4"))["rows"]] == [1, 2, 1]


def test_mistakes_are_named_and_nothing_is_sent(comfy: ComfyFixture, prompt: str) -> None:
    table = f"prompt,size,ref\n{prompt} a,9:99,\n{prompt} b,,/etc/hostname\n"
    said = comfy.fail(graph(table))
    assert "row 2, ref" in said and "a workflow must not read files" in said
    said = comfy.fail(graph(f"prompt,size\n{prompt} a,9:99\n{prompt} b,1:1\n"))
    assert "row 1, size" in said and "第 1 行 size" in said
    assert comfy.posts(prompt) == []


def test_connected_images_are_references_of_every_row(comfy: ComfyFixture, prompt: str) -> None:
    lines = f"{prompt} a\n{prompt} b"
    inputs = {"model": "Seedream-4.5-Preferential", "quality": "", "images.image_1": ["5", 0]}
    comfy.run({**graph(lines, **inputs), "5": workflows.colour(200, 30, 30)})
    assert [len(post.json["image"]) for post in comfy.posts(prompt)] == [1, 1]


def test_quote_counts_what_is_not_stored(comfy: ComfyFixture, prompt: str) -> None:
    def quote(lines: str, **inputs: Any) -> dict[str, Any]:
        given = workflows.seedream_batch(lines, **inputs)["inputs"]
        body = {"class_type": "SeedreamBatch", "inputs": given}
        return ask(comfy.server, "/quote", body).json()

    comfy.run({"1": workflows.seedream_batch(f"{prompt} a"), "2": workflows.look("1", 1)})
    stored = quote(f"{prompt} a")
    assert (stored["images"], stored["state"]) == (0, "completed")
    assert quote(f"{prompt} a\n{prompt} b\n{prompt} c", n=2)["images"] == 6
    assert quote(f"{prompt} a\n{prompt} b")["images"] == 1
    linked = quote(f"{prompt} a\n{prompt} b", **{"images.image_1": ["9", 0]})
    assert (linked["images"], linked["linked"]) == (2, True)
    assert quote(f"{prompt} a\n{prompt} b", n=["9", 0])["images"] == 30
    assert quote(f"prompt,n\n{prompt} a,2\n{prompt} b,\n", n=["9", 0])["images"] == 17
    assert "9:99" in quote(f"prompt,size\n{prompt},9:99\n")["error"]["en"]


def test_rows_of_a_quote_with_links_are_checked(comfy: ComfyFixture, prompt: str) -> None:
    def quote(lines: str, **inputs: Any) -> dict[str, Any]:
        given = workflows.seedream_batch(lines, quality=["9", 0], **inputs)["inputs"]
        answer = ask(comfy.server, "/quote", {"class_type": "SeedreamBatch", "inputs": given})
        assert answer.status == 200, answer.body
        return answer.json()

    for count in (0, -3):
        assert "row 1, n" in quote(f"prompt,n\n{prompt} a,{count}\n")["error"]["en"]
        assert "input n" in quote(f"{prompt} a", n=count, model=["9", 0])["error"]["en"]
    assert "9:99" in quote(f"prompt,size\n{prompt},9:99\n")["error"]["en"]
    told = quote(f"prompt,n\n{prompt} a,3\n{prompt} b,\n", n=2, model=["9", 0])
    assert (told["images"], told["cost"]["estimated"]) == (5, None)
