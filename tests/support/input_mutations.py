"""Change JSON and plain texts in every way in which a peer or a person gets them wrong."""

from __future__ import annotations

import copy
import gzip
import json
from typing import Any

from .byte_random import Dice

ODD_TEXTS = (
    "", " ", "0", "-1", "null", "true", "NaN", "\0", "\ud800", "\u202e", "𝕏" * 99, "a" * 9_000,
    "http://127.0.0.1/", "data:image/png;base64,AAAA", "https://x.example/a.png?sig=secret",
    "{}", "[]", "{n}", "{reason}", "%s%n", "../../etc/passwd", "completed", "failed", "task-1",
    "1e999", "١٢٣", "2026-01-27T00:00:00Z", "-0", "0x10", "iVBORw0KGgo",
)  # fmt: skip
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**64), 10**400, 0.0, -0.0, 1e308, float("nan"),
    float("inf"), float("-inf"), [], {}, [[]], [None], [{}], {"": None}, {"url": {}}, [[["url"]]],
)  # fmt: skip
NAMES = (
    "id", "task_id", "status", "data", "results", "result_data", "images", "url", "image_url",
    "b64_json", "error", "code", "message", "type", "msg", "detail", "success", "progress",
    "output", "request_id", "expires_at", "result", "",
)  # fmt: skip
DEPTHS = (2, 30, 900, 3_000, 60_000)


def mutated(document: Any, dice: Dice) -> Any:
    """``document`` with one to six changes anywhere in it."""
    changed = copy.deepcopy(document)
    for _ in range(1 + dice.below(6)):
        changed = _changed(changed, dice)
    return changed


def _changed(value: Any, dice: Dice) -> Any:
    """One change, here or further down."""
    if isinstance(value, dict) and value and dice.below(4):
        key = dice.pick(sorted(value, key=str))
        match dice.below(6):
            case 0:
                del value[key]
            case 1:
                value[dice.pick(NAMES)] = value.pop(key)
            case 2:
                value[dice.pick(NAMES)] = copy.deepcopy(value[key])
            case _:
                value[key] = _changed(value[key], dice)
        return value
    if isinstance(value, list) and value and dice.below(4):
        place = dice.below(len(value))
        if dice.one_in(4):
            return value * (1 + dice.below(4))  # sizes have their own cases
        value[place] = _changed(value[place], dice)
        return value
    return _other(value, dice)


def _other(value: Any, dice: Dice) -> Any:
    match dice.below(7):
        case 0:
            return [value]
        case 1:
            return {dice.pick(NAMES): value}
        case 2:
            return dice.text(40)
        case 3:
            return str(value)
        case 4:
            return dice.pick(ODD_TEXTS)
        case _:
            return copy.deepcopy(dice.pick(ODD_VALUES))


def as_bytes(document: Any, dice: Dice) -> bytes:
    """Encode it as JSON, perhaps damaged in transit."""
    text = json.dumps(document, ensure_ascii=bool(dice.below(2)))
    data = text.encode("utf-8", "surrogatepass")
    match dice.below(16):
        case 0:
            return data[: dice.below(len(data) + 1)]
        case 1:
            at = dice.below(len(data) + 1)
            return data[:at] + dice.raw(8) + data[at:]
        case 2:
            return text.encode(dice.pick(["utf-16", "utf-32", "utf-8-sig", "utf-7"]), "replace")
        case 3:
            depth = dice.pick(DEPTHS)
            return dice.pick([b"[", b'{"data":', b'[{"error":']) * depth + data
        case 4:
            depth = dice.pick(DEPTHS)
            return b'{"data":' * depth + data + b"}" * depth
        case 5:
            return data.replace(b"{", b'{"id":1,"status":"failed","id":"x",', 1 + dice.below(3))
        case 6:
            return gzip.compress(data)
        case 7:
            return dice.raw(200)
        case 8:
            return data + data
        case _:
            return data


def mutated_text(text: str, dice: Dice) -> str:
    """``text`` with one to five changes."""
    for _ in range(1 + dice.below(5)):
        at, until = sorted((dice.below(len(text) + 1), dice.below(len(text) + 1)))
        match dice.below(5):
            case 0:
                text = text[:at] + text[until:]
            case 1:
                text = text[:at] + text[at:until] * (1 + dice.below(50)) + text[until:]
            case 2:
                text = text[:at] + dice.pick(ODD_TEXTS) + text[at:]
            case _:
                text = text[:at] + dice.text(6) + text[at + dice.below(3) :]
    return text


def mutated_bytes(data: bytes, dice: Dice) -> bytes:
    """``data`` with one to eight changes."""
    changed = bytearray(data)
    for _ in range(1 + dice.below(8)):
        at = dice.below(len(changed) + 1)
        match dice.below(5):
            case 0:
                del changed[at:]
            case 1:
                del changed[at : at + 1 + dice.below(40)]
            case 2:
                changed[at:at] = dice.raw(20)
            case 3:
                changed[at : at + 4] = dice.pick(
                    [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff"]
                )
            case _:
                changed[at : at + 1] = bytes([dice.below(256)])
    return bytes(changed)
