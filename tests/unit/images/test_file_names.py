"""Templates of file names: every result is a name that Windows, macOS and Linux allow."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st

from seedream_api import InvalidRequest
from seedream_api.images.file_names import DEFAULT_NAME, format_file_name, to_safe_name

VALUES = {
    "prompt": "A  cat\non the grass, at noon, in a style that nobody knows",
    "model": "Seedream-4.5",
    "seed": 7,
    "n": 2,
    "job": 12,
    "task_id": None,
    "width": 30,
    "height": 20,
}


@pytest.mark.parametrize(
    ("template", "name"),
    [
        (DEFAULT_NAME, "A cat on the grass, at noon, in a style -7-2"),
        ("{model}_{job:05}_{n}", "Seedream-4.5_00012_2"),
        ("{width}x{height}", "30x20"),
        ("{task_id}", "seedream"),
        ("{{braces}} {n}", "{braces} 2"),
        ("plain", "plain"),
    ],
)
def test_file_name_has_the_fields_of_its_template(template: str, name: str) -> None:
    assert format_file_name(template, VALUES) == name


@pytest.mark.parametrize(
    "template",
    ["{other}", "{}", "{0}", "{prompt.__class__}", "{n!r}", "{prompt:d}", "{n", "{n:{seed}}"],
)
def test_file_name_template_with_an_error_is_refused(template: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        format_file_name(template, VALUES)
    assert "{prompt}" in caught.value.message("en") and "{prompt}" in caught.value.message("zh")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ('a<b>:"c|d?e*f\\g', "a_b___c_d_e_f_g"),
        ("CON", "_CON"),
        ("nul.tar", "_nul.tar"),
        ("com¹", "_com¹"),
        ("console", "console"),
        (" .hidden. ", "hidden"),
        ("--help", "help"),
        ("猫在草地上", "猫在草地上"),
        ("a\u202eb\x1b[31m", "ab"),
        ("\ud800", "seedream"),
        ("", "seedream"),
    ],
)
def test_safe_name_of_a_text(text: str, name: str) -> None:
    assert to_safe_name(text) == name


@given(st.text(max_size=300))
def test_safe_name_is_allowed_everywhere(text: str) -> None:
    name = to_safe_name(text)
    assert 0 < len(name.encode()) <= 181
    assert not re.search(r'[<>:"/\\|?*\x00-\x1f]', name) and name == name.strip(" .")
    assert to_safe_name(name) == name
