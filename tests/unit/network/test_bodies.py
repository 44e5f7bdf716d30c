"""JSON out of the raw bytes of a response, whatever a gateway did to them."""

from __future__ import annotations

import codecs
import gzip
import json
import zlib

import pytest

from seedream_api.network.bodies import (
    decode_text,
    read_body,
    read_json,
)
from support.body_kit import read

PAYLOAD = {"id": "task-1", "data": [{"url": "https://example.com/图.png"}], "n": 1}


TEXT = json.dumps(PAYLOAD, ensure_ascii=False)


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
