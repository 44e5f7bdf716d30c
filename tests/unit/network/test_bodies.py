"""JSON out of the raw bytes of a response, whatever a gateway did to them."""

from __future__ import annotations

import codecs
import gzip
import json
import zlib
from typing import Any

import pytest

from seedream_api.network.bodies import (
    LARGE_BYTES,
    LONG_STRING_BYTES,
    Body,
    decode_text,
    read_body,
    read_json,
)

PAYLOAD = {"id": "task-1", "data": [{"url": "https://example.com/图.png"}], "n": 1}
TEXT = json.dumps(PAYLOAD, ensure_ascii=False)


def read(body: bytes | str) -> list[Any]:
    return list(read_body(body.encode() if isinstance(body, str) else body).values)


# ---- compression ----


def test_body_that_is_compressed_is_read() -> None:
    plain = TEXT.encode()
    raw = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = raw.compress(plain) + raw.flush()
    headers = {"content-encoding": "deflate"}
    for body, declared in ((gzip.compress(plain), None), (plain, headers), (packed, headers)):
        assert read_body(body, declared).values == (PAYLOAD,)
        assert read_json(body, declared) == PAYLOAD


# ---- text ----


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030"]
)
def test_body_text_is_decoded(encoding: str) -> None:
    payload = {"error": {"message": "参考图片不合规, 请修改"}}
    text = json.dumps(payload, ensure_ascii=False)
    assert read(text.encode(encoding)) == [payload]
    assert read_json(text.encode(encoding)) == payload


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_body_text_with_a_byte_order_mark_is_decoded(mark: bytes, encoding: str) -> None:
    assert decode_text(mark + TEXT.encode(encoding)) == TEXT
    assert decode_text(mark + TEXT.encode(encoding) + b"\xff")[: len(TEXT)] == TEXT


def test_body_text_that_is_cut_or_damaged_is_read() -> None:
    assert decode_text("图图".encode()[:-1]) == "图"
    assert decode_text(b'{"a": "\xff\xff\xff"}') == '{"a": "\ufffd\ufffd\ufffd"}'
    assert decode_text(b'{"a"\x00: 1}\x00') == '{"a": 1}'
    assert decode_text(b'{"a\xff": 1}\x00') == '{"a\ufffd": 1}'
    assert decode_text(b"") == ""
    for encoding in ("utf-16-le", "utf-16-be"):
        assert decode_text('{"\u0400": 1}'.encode(encoding)) == '{"\u0400": 1}'


# ---- what stands around the JSON ----

AROUND = {
    "blanks": (f" \r\n{TEXT}\n\n", 1),
    "comment lines of events": (f": PING\n\n: PING\n\n{TEXT}\n: PING\n", 1),
    "event": (f"event: done\ndata: {TEXT}\n\ndata: [DONE]\n\n", 1),
    "text before": (f"Upstream says: {TEXT}", 1),
    "text after": (f"{TEXT}\nhandled by gw-7", 1),
    "brackets in the text before": (f"[gw-7] {{retry}} {TEXT}", 1),
    "callback": (f"callback({TEXT});", 1),
    "fence": (f"```json\n{TEXT}\n```", 1),
    "warning": (f"<br />\n<b>Warning</b>: x in <b>a.php</b>\n{TEXT}", 1),
    "guard": (f")]}}',\n{TEXT}", 1),
    "two": (f"{TEXT}{TEXT}", 2),
    "lines": (f"{TEXT}\n{TEXT}\n{TEXT}\n", 3),
}


@pytest.mark.parametrize("name", AROUND)
def test_body_json_is_found_among_other_text(name: str) -> None:
    text, count = AROUND[name]
    body = read_body(text.encode())
    found = [value for value in body.values if value == PAYLOAD]
    assert len(found) == count and body.is_whole and body.text == text
    assert name == "event" or name == "guard" or PAYLOAD in body.values


def test_body_json_of_events_is_found_in_order() -> None:
    events = [{"n": number} for number in range(5)]
    text = "".join(f"event: x\ndata: {json.dumps(event)}\n\n" for event in events)
    assert read(text) == events
    assert read_json(text.encode()) == {"n": 0}


@pytest.mark.parametrize("text", ["", "no JSON", "<html></html>", "{", "[", "}{", "\x00", "{]"])
def test_body_without_json_holds_none(text: str) -> None:
    assert read(text) in ([], [{}], [[]])
    with pytest.raises(ValueError, match=r"Expecting|nested|Extra|Unterminated|Invalid"):
        read_json(text.encode())


@pytest.mark.parametrize("text", ["null", "1", '"task-1"', "true", "[]", " {} "])
def test_body_that_is_any_json_value_is_read(text: str) -> None:
    assert read(text) == [json.loads(text)] and read_json(text.encode()) == json.loads(text)


# ---- small faults ----

FAULTS = {
    '{"a": "line\nline\ttab\x01"}': {"a": "line\nline\ttab\x01"},
    '{"a": 1,}': {"a": 1},
    '{"a": [1, 2,],}': {"a": [1, 2]},
    '{"a": True, "b": False, "c": None}': {"a": True, "b": False, "c": None},
    '{"a": True, "b": False, "c": None, "d": null}': {
        "a": True,
        "b": False,
        "c": None,
        "d": None,
    },
    '{"a": undefined}': {"a": None},
    "{'a': 'b', 'c': None, 'd': [1, (2,)]}": {"a": "b", "c": None, "d": [1, (2,)]},
    '{"a": "\\d\\q \\" \\u00e9 \\n"}': {"a": 'dq " é \n'},
    '{"a": "C:\\path\\u12"}': {"a": "C:pathu12"},
    '{"a": "say \\"hi\\"", "b": 1,}': {"a": 'say "hi"', "b": 1},
    '{"a": "\\/ \\\\ \\b\\f\\r\\t", "b": 1,}': {"a": "/ \\ \b\f\r\t", "b": 1},
}


@pytest.mark.parametrize("text", FAULTS)
def test_body_json_with_a_small_fault_is_read(text: str) -> None:
    body = read_body(text.encode())
    [value] = body.values
    assert body.is_whole and value == FAULTS[text]
    assert read_json(f"x {text} x".encode()) == value


def test_body_json_with_a_wrong_bracket_gives_its_inside() -> None:
    assert read('{"a": [1}') == [[1]] or read('{"a": [1}') == []
    assert read('x] {"a": 1}') == [{"a": 1}]
    assert read('{] {"a": 1}') == [{"a": 1}]


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
