"""Rows of a batch: CSV, JSON Lines and prompts; every mistake with its row and column."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from seedream_api.errors import InvalidRequest
from seedream_api.jobs.batch_rows import (
    COLUMNS,
    BatchInvalid,
    check_rows,
    parse_csv,
    parse_json_lines,
    parse_prompts,
    read_rows,
)
from seedream_api.messages import to_chinese
from seedream_api.service.references import PictureReference, UrlReference
from seedream_api.service.request import Request

HEAD = "prompt,model\n"


def mistakes_of(text: str) -> list[tuple[int, str]]:
    with pytest.raises(BatchInvalid) as caught:
        parse_json_lines(text) if text.startswith("{") else parse_csv(text)
    assert caught.value.exit_code == 2 and "Nothing was charged" in str(caught.value)
    return [(one.row, one.column) for one in caught.value.mistakes]


def test_csv_row_has_every_column() -> None:
    [row] = parse_csv(
        ",".join(COLUMNS)
        + '\n"A cat, sitting",Seedream-4.5,16:9,2K,3, a.png | https://e.com/b ,-7,'
        "standard,png,yes,first\n"
    )
    assert row.fields == {
        "prompt": "A cat, sitting", "model": "Seedream-4.5", "size": "16:9", "quality": "2K",
        "n": 3, "seed": -7, "prompt_priority": "standard", "output_format": "png",
        "watermark": True,
    }  # fmt: skip
    assert row.refs == ("a.png", "https://e.com/b") and row.name == "first"


def test_empty_cell_is_not_given() -> None:
    [row] = parse_csv("prompt,model,n,watermark\nA cat,Seedream-4.5, ,\n")
    assert row.fields == {"prompt": "A cat", "model": "Seedream-4.5"}


def test_json_lines_take_typed_values() -> None:
    first, second = parse_json_lines(
        '{"prompt": "一只猫", "model": "m", "n": 2, "watermark": false, "ref": ["a.png"]}\n\n'
        '{"prompt": "a dog", "model": "m", "size": null}\n'
    )
    assert (first.fields["n"], first.fields["watermark"], first.refs) == (2, False, ("a.png",))
    assert second.number == 2 and "size" not in second.fields


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{HEAD},m\nA cat,\n", [(1, "prompt"), (2, "model")]),
        ("prompt,model,colour\na,m,red\n", [(1, "colour")]),
        ("prompt,model,n,seed,watermark\na,m,two,1.5,maybe\n",
         [(1, "n"), (1, "seed"), (1, "watermark")]),
        ("prompt,model,name\na,m,x\nb,m,x\n", [(2, "name")]),
        (f"{HEAD}a,m,more\n", [(1, "")]),
        (f'{HEAD}"a,m\n', [(1, "")]),
        ('{"prompt": "a", "model": "m", "n": 1.0}\n{"prompt": 5, "model": "m"}',
         [(1, "n"), (2, "prompt")]),
        ('{"prompt": "a", "model": "m"}\n[1]\n{x', [(2, ""), (3, "")]),
    ],
)  # fmt: skip
def test_mistake_names_row_and_column(text: str, expected: list[tuple[int, str]]) -> None:
    assert mistakes_of(text) == expected


def test_mistakes_are_in_both_languages_and_cut() -> None:
    with pytest.raises(BatchInvalid) as caught:
        parse_csv(f"{HEAD}" + "a,\n" * 30)
    assert len(caught.value.mistakes) == 30
    assert "row 1, model: it is missing" in caught.value.message("en")
    assert "第 1 行 model" in caught.value.message("zh")
    assert "and 10 more" in caught.value.message("en")
    assert "另有 10 处" in str(to_chinese(caught.value.values["reason"]))


@pytest.mark.parametrize("text", ["", HEAD])
def test_batch_without_rows_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="no rows"):
        parse_csv(text)


def test_prompts_are_lines_or_a_table() -> None:
    defaults = {"model": "Seedream-4.5", "n": 2}
    lines = parse_prompts("A cat, in rain\n\n  A dog\n", defaults)
    assert [row.fields["prompt"] for row in lines] == ["A cat, in rain", "A dog"]
    assert lines[0].fields["model"] == "Seedream-4.5" and lines[0].fields["n"] == 2
    [row] = parse_prompts("prompt,n\nA cat,4\n", defaults)
    assert row.fields == {"prompt": "A cat", "model": "Seedream-4.5", "n": 4}


def test_file_is_read_by_its_kind(tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    table.write_text(f"\ufeff{HEAD}一只猫,m\n", "utf-8")
    lines = tmp_path / "rows.jsonl"
    lines.write_text('{"prompt": "一只猫", "model": "m"}\n', "utf-8")
    assert read_rows(table) == read_rows(lines)
    table.write_bytes(b"\xff\xfe\x00")
    for path in (table, tmp_path / "none.csv"):
        with pytest.raises(InvalidRequest, match=path.name):
            read_rows(path)


def test_references_are_relative_to_the_table(tmp_path: Path) -> None:
    Image.new("RGB", (32, 24), "red").save(tmp_path / "a.png")
    [row] = parse_csv("prompt,model,ref\na,m,a.png|https://e.com/b c.png\n")
    file, url = row.build_request(tmp_path).references
    assert isinstance(file, PictureReference) and file.width == 32
    assert isinstance(url, UrlReference) and url.url == "https://e.com/b%20c.png"


def test_checks_of_requests_name_their_column(tmp_path: Path) -> None:
    rows = parse_csv("prompt,model,ref,size\na,m,none.png,\nb,m,,2K\nc,m,,9K\n")

    def check(request: Request) -> None:
        if request.size == "9K":
            raise InvalidRequest(
                "value_malformed", field="size", given="9K", reason="no", allowed=""
            )

    with pytest.raises(BatchInvalid) as caught:
        check_rows(rows, tmp_path, check)
    assert [(one.row, one.column) for one in caught.value.mistakes] == [(1, "ref"), (3, "size")]
