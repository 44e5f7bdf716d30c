"""Nothing secret in what people, logs or histories will see."""

from __future__ import annotations

import json
import traceback
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from seedream_api import redaction
from seedream_api.config.settings import load_settings
from seedream_api.errors import ConfigurationError, OutcomeUnknown, SeedreamError
from seedream_api.redaction import REDACTED, bare_address, redact, strip_url_secrets

KEY = "sk-AbCdEf1234567890_x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Incorrect API key: {KEY}.", f"Incorrect API key: {REDACTED}."),
        (f"Authorization: Bearer {KEY}", f"Authorization: Bearer {REDACTED}"),
        ("bearer eyJhbGciOi.x.y", f"bearer {REDACTED}"),
        ("no socks5://me:hunter2@p:1080 there", "no socks5://p:1080 there"),
        ("ak-1234567890 and sk-evo-12345678", f"{REDACTED} and {REDACTED}"),
        (
            "see https://b.example.com/a.png?X-Amz-Signature=abc&x=1#f now",
            f"see https://b.example.com/a.png?{REDACTED} now",
        ),
        ("(https://u:p@example.com/a)", "(https://example.com/a)"),
        (
            "图片 https://example.com/a.png?sig=1，无法下载",
            f"图片 https://example.com/a.png?{REDACTED}，无法下载",
        ),
        ("got data:image/png;base64,iVBORw0KGgo= here", "got data:… here"),
        ("HTTPS://Example.com/A?s=1", f"https://Example.com/A?{REDACTED}"),
        ("nothing to hide", "nothing to hide"),
        ("task-unified-1757156493-imcg5zqt", "task-unified-1757156493-imcg5zqt"),
    ],
)
def test_secrets_leave_and_the_rest_stays(text: str, expected: str) -> None:
    assert redact(text) == expected


def test_given_secrets_leave_whatever_their_shape() -> None:
    assert redact("a hunter2 b hunter2", ("hunter2",)) == f"a {REDACTED} b {REDACTED}"
    assert redact("untouched", ("", "")) == "untouched"


@given(st.text(), st.text(min_size=4, alphabet="abcdefXYZ0189_-"), st.text())
def test_given_secret_never_stays(before: str, secret: str, after: str) -> None:
    clean = redact(before + secret + after, (secret,))
    assert secret not in clean.replace(REDACTED, "") or secret in redact(before) + redact(after)


@given(st.text())
def test_scrubbing_never_fails_and_once_is_enough(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://example.com/a.png", "https://example.com/a.png"),
        ("https://example.com/a.png?x=1", f"https://example.com/a.png?{REDACTED}"),
        ("https://user:pass@example.com:8443/a#frag", "https://example.com:8443/a"),
        ("https://[::1", REDACTED),
    ],
)
def test_bare_url_has_no_user_query_or_fragment(url: str, bare: str) -> None:
    assert strip_url_secrets(url) == bare


# ---- passwords of any letters ----

LETTERS = "aZ9/#?@:%+=&~!*'();,.[]{}|^`<> \\\"é"


@pytest.mark.parametrize("scheme", ["http", "https", "socks5", "socks", "chevereto+https"])
@pytest.mark.parametrize("letter", LETTERS)
def test_password_is_hidden_whatever_its_letters(scheme: str, letter: str) -> None:
    for secret in (f"hunter{letter}22xyz", f"{letter}hunter22", f"hunter22{letter}"):
        address = f"{scheme}://me:{secret}@proxy.example:3128/up"
        assert "hunter" not in bare_address(address) and "22xyz" not in bare_address(address)
        if secret[0] != " ":  # in running text the address ends there
            assert "hunter" not in redact(f"via {address} now")


@pytest.mark.parametrize(
    "text", ["me:hunter22@proxy.example:1", "hunter22@p", "http://me:hunter22"]
)
def test_password_without_scheme_or_host_is_hidden(text: str) -> None:
    assert "hunter22" not in bare_address(text)


def test_image_name_with_at_sign_stays_readable() -> None:
    assert (
        strip_url_secrets("https://example.com/a@2x.png?s=1")
        == f"https://example.com/a@2x.png?{REDACTED}"
    )


def test_scrub_takes_linear_time() -> None:
    for piece in ("http://a:b", "http://", "data:", "a.b@", "x:y "):
        redact(piece * 40_000)


# ---- known secrets ----


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_known", set[str]())


def load(home: Path, **environ: str) -> None:
    load_settings(environ={"SEEDREAM_HOME": str(home), **environ})


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("DEEPSPACE_API_KEY", "relay|0123456789", "relay|0123456789"),
        ("SEEDREAM_UPLOAD_EVOLINK_KEY", "evo.0123456789", "evo.0123456789"),
        ("SEEDREAM_PROXY", "http://me:p%40ssword@p:1", "p@ssword"),
        ("HTTPS_PROXY", "http://me:pass/word@p:1", "pass/word"),
        ("AWS_SESSION_TOKEN", "FwoGZXIvYXdzEBYa", "FwoGZXIvYXdzEBYa"),
    ],
)
def test_echoed_secret_is_in_no_error(home: Path, name: str, value: str, secret: str) -> None:
    load(home, **{name: value})
    error = OutcomeUnknown(
        "outcome_unknown",
        entry=1,
        request_id=f"req-{secret}",
        task_id=secret,
        reason=f"no {secret}",
    )
    assert secret not in str(error) + json.dumps(error.to_record())
    assert f"req-{REDACTED}" == error.request_id


def test_escape_codes_are_in_no_error() -> None:
    said = "\x1b[31mred\x1b]8;;http://x\x07link \x9b1mbold \u202egnp"
    error = OutcomeUnknown("outcome_unknown", entry=1, request_id="\x1b[2Jid", reason=said)
    assert not set(str(error)) & set("\x1b\x9b\x07\u202e") and error.request_id == "id"


KEYS = ["sk-AbCdEf1234567890AbCdEf", "relay|key-0123456789"]


def shown_frames(error: BaseException) -> str:
    frames = traceback.TracebackException.from_exception(error, capture_locals=True)
    inside = [frame for frame in frames.stack if "/seedream_api/" in frame.filename]
    return "".join(f"{frame.name} {frame.locals}" for frame in inside) + str(error)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "other",
    [
        {"DEEPSPACE_BASE_URL": "ftp://nowhere"},
        {"SEEDREAM_TIMEOUT_S": "soon"},
        {"SEEDREAM_PROXY": "http://me:{key}@:1"},
        {"SEEDREAM_UPLOAD_S3_BUCKET": "{key}"},
        {"SEEDREAM_MODELS": "x {key}"},
        {"DEEPSPACE_BASE_URL": "{key}"},
    ],
)
def test_key_is_in_no_local_of_a_traceback(home: Path, key: str, other: dict[str, str]) -> None:
    environ = {name: value.format(key=key) for name, value in other.items()}
    with pytest.raises(ConfigurationError) as caught:
        load(home, DEEPSPACE_API_KEY=key, **environ)
    assert key not in shown_frames(caught.value)
    home.mkdir(exist_ok=True)
    saved = {"DEEPSPACE_API_KEY": key, **environ}
    (home / "settings.json").write_text(json.dumps(saved))
    with pytest.raises(ConfigurationError) as caught:
        load(home)
    assert key not in shown_frames(caught.value)


@pytest.mark.parametrize("text", ['{{"DEEPSPACE_API_KEY": "{key}"', '["{key}"]', '"{key}"'])
def test_key_in_broken_file_is_in_no_traceback(home: Path, text: str) -> None:
    home.mkdir()
    (home / "settings.json").write_text(text.format(key=KEYS[1]))
    with pytest.raises(ConfigurationError) as caught:
        load(home)
    assert KEYS[1] not in shown_frames(caught.value)


@pytest.mark.parametrize(
    "name", ["DEEPSPACE_BASE_URL", "SEEDREAM_UPLOAD_S3_BUCKET", "SEEDREAM_PROXY"]
)
def test_key_in_another_setting_is_refused_with_a_hint(home: Path, name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(home, **{name: KEYS[0]})
    assert caught.value.key == "key_in_other_setting" and KEYS[0] not in str(caught.value)
    assert name in str(caught.value) and "DEEPSPACE_API_KEY" in str(caught.value)


@pytest.mark.parametrize(
    "key",
    [
        '"{key}"',
        "'{key}'",
        "`{key}`",
        "<{key}>",
        "“{key}”",
        "Bearer {key}",
        "{key},",
        "sk-abc***xyz",
    ],
)
def test_key_with_what_is_not_part_of_it_is_refused(home: Path, key: str) -> None:
    given = key.format(key=KEYS[0])
    settings = load_settings(environ={"SEEDREAM_HOME": str(home), "DEEPSPACE_API_KEY": given})
    with pytest.raises(SeedreamError) as caught:
        _ = settings.key
    assert caught.value.key == "bad_key" and KEYS[0] not in shown_frames(caught.value)
    assert "without quotes" in str(caught.value)


@pytest.mark.parametrize("quote", ["'", '"'])
def test_quoted_setting_is_refused_with_a_hint(home: Path, quote: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(home, DEEPSPACE_BASE_URL=f"{quote}https://example.com{quote}")
    assert caught.value.key == "quoted_setting"
