"""Keys are found whole and in parts, however they are written; all else stays as it is."""

import base64
import json
from urllib.parse import quote

import pytest

from metaspo.domain.errors import ModelError
from metaspo.domain.redaction import hold, holds_key, redact, reply_without_keys, without_keys

KEY = 'Zq9+se/cret"v&alue=7431'


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHAT_I_CALL_IT", KEY)
    hold("WHAT_I_CALL_IT")


@pytest.mark.parametrize(
    "form",
    [
        KEY,
        quote(KEY, safe=""),
        json.dumps(KEY)[1:-1],
        base64.b64encode(KEY.encode()).decode().rstrip("=")[:-1],
        base64.b64encode(b"u:" + KEY.encode()).decode(),
        base64.b64encode(b"us:" + KEY.encode()).decode(),
        base64.b64encode(b"use:" + KEY.encode()).decode(),
        KEY.encode().hex(),
    ],
)
def test_a_key_is_found_in_every_form(form: str) -> None:
    said = without_keys(f"the request with <{form}> was refused")
    assert "***" in said and form[4:-4] not in said and said.startswith("the request with <")
    assert holds_key(f"x {form} y") and not holds_key(said)
    assert form[4:-4] not in redact(f"x {form}") and form[4:-4] not in str(ModelError(f"x {form}"))


@pytest.mark.parametrize("part", [KEY[:6], KEY[:9], KEY[-6:], KEY[-12:], KEY[5:14], f"{KEY[:7]}...{KEY[-7:]}"])
def test_parts_of_a_key_are_found_too(part: str) -> None:
    said = redact(f"Incorrect key ({part}) was given")
    assert part not in said and KEY[:6] not in said and KEY[-6:] not in said
    assert said.startswith("Incorrect key (") and said.endswith("was given")


def test_a_key_that_a_cut_would_split_is_gone_before_it() -> None:
    for start in range(270, 301):
        assert KEY[:6] not in redact("x" * start + KEY)[:300]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer ***"),
        ("authorization: Basic dXNlcjpwYXNz==", "authorization: Basic ***"),
        ('{"api_key": "hunter2secret", "n": 1}', '{"api_key": "***", "n": 1}'),
        ("x-api-key: hunter2secret", "x-api-key: ***"),
        ("at https://user:hunter2secret@host/v1", "at https://***@host/v1"),
        ("at https://host/v1?sig=hunter2secret now", "at https://host/v1?*** now"),
        ("at https://host/v1#hunter2secret now", "at https://host/v1#*** now"),
        ("got gsk_abcdefgh12345678ijkl", "got ***"),
    ],
)
def test_what_looks_like_a_key_in_words_of_others_is_taken_out(text: str, left: str) -> None:
    assert redact(text) == left


def test_words_that_are_no_keys_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "ollama")
    monkeypatch.setenv("SSH_KEY", "/home/somebody/key1")
    for text in ("write key=value, such as iterations=5", "local ollama at /home/somebody/key1", "sk-learn is a library"):
        assert without_keys(text) == text


def test_a_reply_loses_whole_keys_alone() -> None:
    assert reply_without_keys(f"echo {KEY}, {KEY[:9]}, password: x") == f"echo ***, {KEY[:9]}, password: x"
