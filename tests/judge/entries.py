"""Result entries: every form in which one image, one error or nothing at all is written down."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from . import pictures
from .facts import Content, Facts
from .wire import BASE, HOST


def image_forms(number: int) -> dict[str, Any]:
    """The forms that are documented or were seen: each has to be delivered."""
    path = pictures.path(number)
    url = BASE + path
    plain, uri = pictures.standard(number), f"data:image/{pictures.format_of(number)};base64,"
    return {
        "url": {"url": url},
        "url beside empty fields": {"url": url, "b64_json": "", "revised_prompt": ""},
        "image_url": {"image_url": url},
        "image": {"image": url},
        "uri": {"uri": url},
        "string": url,
        "nested list": [{"url": url}],
        "url in a list": {"url": [url]},
        "Markdown": {"url": f"![image]({url})"},
        "backticks": {"url": f"`{url}`"},
        "relative": {"url": path},
        "without scheme": {"url": f"//{HOST}{path}"},
        "b64_json": {"b64_json": plain},
        "b64": {"b64": plain},
        "image of base64": {"image": plain},
        "base64 in url": {"url": plain},
        "unpadded": {"b64_json": pictures.unpadded(number)},
        "urlsafe": {"b64_json": pictures.urlsafe(number)},
        "urlsafe unpadded": {"b64_json": pictures.urlsafe(number).rstrip("=")},
        "data URI": {"url": uri + plain},
        "data URI in b64_json": {"b64_json": uri + plain},
        "capital data URI": {"url": "DATA:" + uri[5:] + plain},
        "bytes beside a dead link": {"url": f"{BASE}/gone/{number}.png", "b64_json": plain},
        "bytes beside a link": {"url": url, "b64_json": plain},
        "null url beside bytes": {"url": None, "b64_json": plain},
    }


def odd_image_forms(number: int) -> dict[str, Any]:
    """Plausible forms that no document shows: never free."""
    url = BASE + pictures.path(number)
    return {
        "url object": {"image_url": {"url": url}},
        "link in text": {"url": f"Here is your image: {url}"},
        "Markdown string": f"![image]({url})",
        "angle brackets": {"url": f"<{url}>"},
        "HTML": {"url": f'<img src="{url}">'},
        "blanks around": {"url": f" {url}\n"},
        "no leading slash": {"url": pictures.path(number)[1:]},
        "MIME lines": {"b64_json": pictures.wrapped(number)},
        "capital scheme": {"url": url.replace("http:", "HTTP:")},
        "other name": {"output_url": url},
        "file object": {"file": {"download_url": url}},
        "content list": {"content": [{"type": "image_url", "image_url": {"url": url}}]},
        "index and url": {"index": 0, "image": {"url": url, "width": 16, "height": 16}},
    }


VOID: tuple[Any, ...] = (
    {"url": None}, {"url": ""}, {"url": "   "}, {"url": []}, {"url": {}}, {"b64_json": ""},
    {"b64_json": None}, {"image": None}, {}, None, [], "", {"index": 0},
    {"url": "", "b64_json": ""},
)  # fmt: skip
"""Entries in which there is nothing at all."""
STRANGE: tuple[Any, ...] = (
    {"url": "oss://bucket/x.png"}, {"url": "s3://b/x"}, {"url": 7}, {"url": False}, {"url": "null"},
    {"url": "http://"}, {"url": "about:blank"}, {"url": "pending"}, {"b64_json": "!!!"}, 0, True,
    {"revised_prompt": "a cat"}, {"url": "file:///tmp/x.png"}, {"size": "2048x2048", "url": None},
    {"asset_id": "a-1"}, {"url": ["oss://b/x.png"]}, "oss://b/x.png", {"b64_json": "bm8gaW1hZ2U="},
)  # fmt: skip
"""Entries that hold something, and no image that a reader can find."""
UNREADABLE = VOID + STRANGE
"""Entries without an image to be found, and without an error of the service."""

ENTRY_ERRORS: tuple[Any, ...] = (
    {"error": {"code": "OutputImageSensitiveContentDetected", "message": "blocked"}},
    {"error": {"code": "InternalServiceError", "message": "the image was not made"}, "url": ""},
    {"error": "this image was not made"},
)


@st.composite
def entries(draw: st.DrawFn) -> Content:
    """A list of one to four result entries."""
    found: list[Any] = []
    images: list[int] = []
    odd: list[int] = []
    unreadable = strange = errors = False
    for number in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(("image", "image", "unreadable", "odd image", "error")))
        if kind == "image":
            found.append(draw(st.sampled_from(list(image_forms(number).values()))))
            images.append(number)
        elif kind == "odd image":
            found.append(draw(st.sampled_from(list(odd_image_forms(number).values()))))
            odd.append(number)
        elif kind == "unreadable":
            is_strange = draw(st.booleans())
            found.append(draw(st.sampled_from(STRANGE if is_strange else VOID)))
            unreadable, strange = True, strange or is_strange
        else:
            found.append(draw(st.sampled_from(ENTRY_ERRORS)))
            errors = True
    facts = Facts(
        images=tuple(images),
        odd_images=tuple(odd),
        unreadable=unreadable,
        strange=strange,
        entry_errors=errors,
    )
    return Content(found, facts)


@st.composite
def whole_entries(draw: st.DrawFn) -> Content:
    """One to four images, every one in a form that has to be read."""
    count = draw(st.integers(1, 4))
    found = [draw(st.sampled_from(list(image_forms(n).values()))) for n in range(count)]
    return Content(found, Facts(images=tuple(range(count))))
