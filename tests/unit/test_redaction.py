"""Nothing secret in what people, logs or histories will see."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedream_api.redaction import HIDDEN, bare_url, scrub

KEY = "sk-AbCdEf1234567890_x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Incorrect API key: {KEY}.", f"Incorrect API key: {HIDDEN}."),
        (f"Authorization: Bearer {KEY}", f"Authorization: Bearer {HIDDEN}"),
        ("bearer eyJhbGciOi.x.y", f"bearer {HIDDEN}"),
        ("no socks5://me:hunter2@p:1080 there", "no socks5://p:1080 there"),
        ("ak-1234567890 and sk-evo-12345678", f"{HIDDEN} and {HIDDEN}"),
        (
            "see https://b.example.com/a.png?X-Amz-Signature=abc&x=1#f now",
            f"see https://b.example.com/a.png?{HIDDEN} now",
        ),
        ("(https://u:p@example.com/a)", "(https://example.com/a)"),
        (
            "图片 https://example.com/a.png?sig=1，无法下载",
            f"图片 https://example.com/a.png?{HIDDEN}，无法下载",
        ),
        ("got data:image/png;base64,iVBORw0KGgo= here", "got data:… here"),
        ("HTTPS://Example.com/A?s=1", f"https://Example.com/A?{HIDDEN}"),
        ("nothing to hide", "nothing to hide"),
        ("task-unified-1757156493-imcg5zqt", "task-unified-1757156493-imcg5zqt"),
    ],
)
def test_secrets_leave_and_the_rest_stays(text: str, expected: str) -> None:
    assert scrub(text) == expected


def test_given_secrets_leave_whatever_their_shape() -> None:
    assert scrub("a hunter2 b hunter2", ("hunter2",)) == f"a {HIDDEN} b {HIDDEN}"
    assert scrub("untouched", ("", "")) == "untouched"


@given(st.text(), st.text(min_size=4, alphabet="abcdefXYZ0189_-"), st.text())
def test_a_given_secret_never_stays(before: str, secret: str, after: str) -> None:
    clean = scrub(before + secret + after, (secret,))
    assert secret not in clean.replace(HIDDEN, "") or secret in scrub(before) + scrub(after)


@given(st.text())
def test_scrubbing_never_fails_and_once_is_enough(text: str) -> None:
    assert scrub(scrub(text)) == scrub(text)


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://example.com/a.png", "https://example.com/a.png"),
        ("https://example.com/a.png?x=1", f"https://example.com/a.png?{HIDDEN}"),
        ("https://user:pass@example.com:8443/a#frag", "https://example.com:8443/a"),
        ("https://[::1", HIDDEN),
    ],
)
def test_a_bare_url_has_no_user_query_or_fragment(url: str, bare: str) -> None:
    assert bare_url(url) == bare
