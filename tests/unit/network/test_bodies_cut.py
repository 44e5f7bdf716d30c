"""JSON that ends early, bounds, and long strings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from seedream_api.network.bodies import (
    LARGE_BYTES,
    LONG_STRING_BYTES,
    Body,
    read_body,
    read_json,
)
from support.body_kit import read

# ---- JSON that ends early ----


def test_body_json_cut_at_any_byte_is_completed() -> None:
    """Nothing is invented: what is read is a part of what was sent."""
    payload = {"id": "task-1", "data": [{"url": "https://x.example/a.png"}, {"b": [1, 2]}], "z": 9}
    text = json.dumps(payload)
    for length in range(1, len(text)):
        body = read_body(text[:length].encode())
        assert not body.is_whole or not body.values
        for value in body.values:
            assert is_part(value, payload)
    whole_id = text.index(",")
    for length in range(whole_id, len(text)):
        assert read(text[:length])[0]["id"] == "task-1"
    whole_url = text.index("}", whole_id)
    for length in range(whole_url, len(text)):
        assert read(text[:length])[0]["data"][0] == payload["data"][0]


def is_part(value: Any, whole: Any) -> bool:
    if isinstance(value, dict):
        return isinstance(whole, dict) and all(
            name in whole and is_part(value[name], whole[name]) for name in value
        )
    if isinstance(value, list):
        return isinstance(whole, list) and all(map(is_part, value, whole))
    return value == whole


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1', {}),
        ('{"a": 1,', {"a": 1}),
        ('{"a": "b"', {"a": "b"}),
        ('{"a": "b', {}),
        ('{"a": "b", "c', {"a": "b"}),
        ('{"a": "b", "c"', {"a": "b"}),
        ('{"a": "b", "c":', {"a": "b"}),
        ('{"a": {"b": [1, 2', {"a": {"b": [1]}}),
        ('{"a": [{"b": "c"}', {"a": [{"b": "c"}]}),
        ('{"a": [', {"a": []}),
        ('{"a": [{"b": 1}', {"a": [{"b": 1}]}),
        ('{"a": [[1]', {"a": [[1]]}),
        ('{"id": 1, "b": "c]}', {"id": 1}),
        ('[{"a": "b"}, {"c": "d', [{"a": "b"}, {}]),
        ('{"a": tru', {}),
        ('{"a": "b\\', {}),
        ('{"a": "b\\"', {}),
    ],
)
def test_body_json_that_ends_early_keeps_what_was_whole(text: str, value: Any) -> None:
    body = read_body(text.encode())
    assert body.values == (value,) and not body.is_whole
    with pytest.raises(ValueError, match=r"Expecting|nested|Extra|Unterminated|Invalid"):
        read_json(text.encode())
    after = read_body(f'{{"n": 0}} {text}'.encode())
    assert after.values == ({"n": 0}, value) and not after.is_whole


def test_body_json_that_begins_late_is_read_to_its_end() -> None:
    """What surrounds a whole value does not make it torn."""
    assert read('"x"}], {"a": 1}') == [{"a": 1}]


# ---- bounds ----


def test_body_json_nested_too_deeply_is_none() -> None:
    for deep in (b"[" * 200_000, b'{"a":' * 50_000, b"[" * 50_000 + b"]" * 50_000):
        read_body(deep)
        with pytest.raises(ValueError, match=r"Expecting|nested|Extra|Unterminated|Invalid"):
            read_json(deep)


def test_body_json_is_looked_for_only_so_often() -> None:
    assert read("{x} " * 63 + '{"a": 1}')[-1] == {"a": 1}
    assert {"a": 1} not in read("{x} " * 64 + '{"a": 1}')
    assert len(read('{"a": 1} ' * 200)) == 64


def test_body_json_is_ended_only_so_far_before_a_fault() -> None:
    text = '{"id": "task-1", "x": [' + '"a" ' * 24
    assert read(text) == [{"id": "task-1", "x": ["a"]}]
    assert read(text + '"a" ') == []


def test_body_json_torn_after_many_parts_is_read_so_far() -> None:
    assert read("[" + "1," * 60_000) == [[1] * 49_999]


# ---- long strings, which are lifted out ----


LONG = "A" * LARGE_BYTES


def test_long_string_is_lifted_out() -> None:
    body = read_body(json.dumps({"data": [{"b64_json": LONG}], "id": "task-1"}).encode())
    [value] = body.values
    mark = value["data"][0]["b64_json"]
    assert value["id"] == "task-1" and body.is_whole
    assert bytes(body.blobs[mark]) == LONG.encode() and len(body.text) < 200


def test_long_strings_keep_their_order_and_what_is_between() -> None:
    several = [LONG + str(number) for number in range(3)]
    payload = {"a": several[0], "b": "short", "c": [several[1], "", several[2]], "d": 'x "y" \\'}
    body = read_body(json.dumps(payload).encode())
    [value] = body.values
    marks = [value["a"], *value["c"][::2]]
    assert [bytes(body.blobs[mark]).decode() for mark in marks] == several
    assert value["b"] == "short" and value["c"][1] == "" and value["d"] == payload["d"]


@pytest.mark.parametrize("escapes", ['\\"', "\\\\", '\\\\\\"', "\\/"])
def test_long_string_ends_at_its_own_quote(escapes: str) -> None:
    text = '{"a": "' + escapes + LONG + escapes + '", "b": "task-1"}'
    body = read_body(text.encode())
    [value] = body.values
    assert value["b"] == "task-1"
    assert bytes(body.blobs[value["a"]]).decode() == escapes + LONG + escapes


@pytest.mark.parametrize("length", [LONG_STRING_BYTES - 1, LONG_STRING_BYTES])
def test_long_string_has_a_least_length(length: int) -> None:
    assert LONG_STRING_BYTES == 32 * 1024 and LARGE_BYTES == 256 * 1024
    payload = {"a": "A" * length, "b": LONG}
    body = read_body(json.dumps(payload).encode())
    assert len(body.blobs) == (1 if length < LONG_STRING_BYTES else 2)


def test_long_string_of_a_small_body_stays() -> None:
    def sized(size: int) -> dict[str, str]:
        return {"a": "A" * (size - len('{"a": ""}'))}

    small = read_body(json.dumps(sized(LARGE_BYTES - 1)).encode())
    assert small.values == (sized(LARGE_BYTES - 1),) and not small.blobs
    assert read_body(json.dumps(sized(LARGE_BYTES)).encode()).blobs


@pytest.mark.parametrize("bracket", ["{", "["])
def test_long_string_of_json_stays(bracket: str) -> None:
    payload = {"a": bracket + LONG}
    body = read_body(json.dumps(payload).encode())
    assert body.values == (payload,) and not body.blobs


def test_long_string_that_is_cut_is_left_out() -> None:
    text = '{"id": "task-1", "a": "' + LONG + '", "b": "' + LONG
    body = read_body(text.encode())
    assert body.values[0]["id"] == "task-1" and not body.is_whole
    assert bytes(body.blobs[body.values[0]["a"]]).decode() == LONG
    assert "b" not in body.values[0] and body.text.endswith('", "b": "')
    ends_in_escape = read_body(('{"id": "task-1", "a": "' + LONG + '\\"').encode())
    assert ends_in_escape.values == ({"id": "task-1"},) and not ends_in_escape.blobs


def test_long_string_of_two_byte_text_is_read_as_it_is() -> None:
    payload = {"a": LONG}
    for encoding in ("utf-16-le", "utf-16-be"):
        body = read_body(json.dumps(payload).encode(encoding))
        assert body.values == (payload,) and not body.blobs


@pytest.mark.parametrize("number", [199_999, 200_000])
def test_long_string_after_very_many_others_stays(number: int) -> None:
    payload = [""] * number + [LONG]
    body = read_body(json.dumps(payload).encode())
    assert len(body.values[0]) == number + 1 and bool(body.blobs) == (number < 200_000)


def test_long_string_that_is_the_whole_body_is_lifted_out() -> None:
    body = read_body(json.dumps(LONG).encode())
    assert bytes(body.blobs[body.values[0]]).decode() == LONG
    assert "memory" not in repr(body) and Body().is_whole
