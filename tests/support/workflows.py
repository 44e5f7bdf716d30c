"""API-format workflows in few words, and a throwaway pack of nodes that only tests need."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Node = dict[str, Any]
Link = list[Any]

_TOOLTIPS = {"TestFails": {"inputs": {"seconds": {"tooltip": "秒数"}}}}

PAGE: Node = {"extra_pnginfo": {"workflow": {"nodes": []}}}
"""What a page of ComfyUI sends with a prompt, and no other client does."""

TOOLS = "ComfyFixture-Tools"
_TOOLS_SOURCE = '''
import asyncio
import json

import torch

ANY = type("Any", (str,), {"__ne__": lambda self, other: False})("*")


class Texts:
    """A list with one item a line."""
    INPUT_TYPES = classmethod(lambda cls: {"required": {"lines": ("STRING", {"multiline": True})}})
    RETURN_TYPES = ("STRING",)
    OUTPUT_IS_LIST = (True,)
    FUNCTION = "run"

    def run(self, lines):
        return (lines.splitlines(),)


class Text:
    """The text as it is. Another nonce makes ComfyUI run again whatever hangs on it."""
    INPUT_TYPES = classmethod(lambda cls: {
        "required": {"text": ("STRING", {}), "nonce": ("STRING", {})},
    })
    RETURN_TYPES = ("STRING",)
    FUNCTION = "run"

    def run(self, text, nonce):
        return (text,)


class Look:
    """Shows shape, type and the middle pixel of every frame; called once an item of a list."""
    INPUT_TYPES = classmethod(lambda cls: {"required": {"value": (ANY,)}})
    RETURN_TYPES = ()
    FUNCTION = "run"
    OUTPUT_NODE = True

    def run(self, value):
        frames = [f[f.shape[0] // 2, f.shape[1] // 2].flatten().tolist() for f in value]
        seen = {"shape": list(value.shape), "dtype": str(value.dtype), "middles": frames,
                "low": value.min().item(), "high": value.max().item()}
        return {"ui": {"seen": [json.dumps(seen)]}, "result": ()}


class Fails:
    """Raises after a while; its siblings are cancelled then."""
    INPUT_TYPES = classmethod(lambda cls: {"required": {"seconds": ("FLOAT", {"default": 0.5})}})
    RETURN_TYPES = ()
    FUNCTION = "run"
    OUTPUT_NODE = True

    async def run(self, seconds):
        await asyncio.sleep(seconds)
        raise ValueError("a sibling fails, as asked")


VALUES = {
    "None": None, "list": ["a", "b"], "number": 3, "float": 0.5, "dict": {"samples": 1},
    "bytes": b"x", "text": "text", "empty batch": torch.zeros(0, 8, 8, 3),
    "no pixels": torch.zeros(1, 0, 8, 3), "mask": torch.zeros(64, 64),
    "integers": torch.zeros(1, 64, 64, 3, dtype=torch.uint8), "latent": torch.zeros(1, 4, 8, 8),
    "array": torch.zeros(1, 64, 64, 3).numpy(), "nested": [torch.zeros(1, 64, 64, 3)],
}


class Value:
    """What a node of another pack may bring under any type."""
    INPUT_TYPES = classmethod(lambda cls: {
        "required": {"kind": ("STRING", {}), "nonce": ("STRING", {})},
    })
    RETURN_TYPES = (ANY,)
    FUNCTION = "run"

    def run(self, kind, nonce):
        return (VALUES[kind],)


NODE_CLASS_MAPPINGS = {
    "TestValue": Value,
    "TestTexts": Texts, "TestText": Text, "TestLook": Look, "TestFails": Fails,
}
'''


def write_tools(folder: Path) -> Path:
    """Write the throwaway pack into ``folder``; gives it back."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").write_text(_TOOLS_SOURCE, "utf-8")
    locale = folder / "locales" / "zh"
    locale.mkdir(parents=True, exist_ok=True)
    (locale / "nodeDefs.json").write_text(json.dumps(_TOOLTIPS), "utf-8")
    return folder


def evolink(prompt: str | Link, **inputs: Any) -> Node:
    """The cheapest picture: Seedream 4.0 at 1K."""
    given = {"model": "Seedream-4.0", "quality": "1K", **inputs}
    return {"class_type": "SeedreamEvolink", "inputs": {"prompt": prompt, **given}}


def preferential(prompt: str | Link, **inputs: Any) -> Node:
    given = {"model": "Seedream-4.5-Preferential", **inputs}
    return {"class_type": "SeedreamPreferential", "inputs": {"prompt": prompt, **given}}


def seedream_batch(prompts: str | Link, **inputs: Any) -> Node:
    given = {"model": "Seedream-4.0", "quality": "1K", **inputs}
    return {"class_type": "SeedreamBatch", "inputs": {"prompts": prompts, **given}}


def poll(task_id: str | Link, **inputs: Any) -> Node:
    return {"class_type": "SeedreamPollTask", "inputs": {"task_id": task_id, **inputs}}


def load_urls(urls: str | Link, **inputs: Any) -> Node:
    return {"class_type": "SeedreamLoadURLImages", "inputs": {"urls": urls, **inputs}}


def look(node: str, output: int = 0) -> Node:
    return {"class_type": "TestLook", "inputs": {"value": [node, output]}}


def text(text: str, nonce: object) -> Node:
    """A text to link; with a new ``nonce`` nothing that depends on it is in ComfyUI's cache."""
    return {"class_type": "TestText", "inputs": {"text": text, "nonce": str(nonce)}}


def texts(*lines: str) -> Node:
    return {"class_type": "TestTexts", "inputs": {"lines": "\n".join(lines)}}


def fails(seconds: float = 0.5) -> Node:
    return {"class_type": "TestFails", "inputs": {"seconds": seconds}}


def save(node: str, output: int = 0, prefix: str = "comfy") -> Node:
    return {
        "class_type": "SaveImage",
        "inputs": {"images": [node, output], "filename_prefix": prefix},
    }


def show(node: str, output: int) -> Node:
    return {"class_type": "PreviewAny", "inputs": {"source": [node, output]}}


def colour(red: int, green: int, blue: int, side: int = 64, batch: int = 1) -> Node:
    """A picture of one colour."""
    size = {"width": side, "height": side, "batch_size": batch}
    code = red << 16 | green << 8 | blue
    return {"class_type": "EmptyImage", "inputs": {**size, "color": code}}


def batch(one: str, other: str) -> Node:
    return {"class_type": "ImageBatch", "inputs": {"image1": [one, 0], "image2": [other, 0]}}
