"""What the environment says of a provider: its key, its address, and where its models run."""

from typing import Any

import pytest

from metaspo import ModelSpec
from metaspo.domain.errors import ModelError
from metaspo.models.addresses import address_of, check_key, is_loopback, key_of, key_variable
from metaspo.models.priced import priced
from metaspo.models.provider_places import PLACES
from metaspo.models.providers import identity_of

KEY = "qx7-5up3r-9f2c81d7e6"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for place in PLACES.values():
        for name in (*place.keys, *place.addresses, *place.others):
            monkeypatch.delenv(name, raising=False)


def spec(text: str) -> ModelSpec:
    return ModelSpec.parse(text)


@pytest.mark.parametrize("provider", [name for name, place in PLACES.items() if place.keys])
def test_a_key_that_is_not_there_names_the_providers_variable(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = PLACES[provider].keys[0]
    with pytest.raises(ModelError, match=f"^{provider}:m needs a key: set the environment variable {name}, or name another"):
        check_key(spec(f"{provider}:m"))
    monkeypatch.setenv(name, KEY)
    assert key_of(spec(f"{provider}:m")) == KEY


def test_the_first_variable_that_is_set_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    assert key_variable(spec("google_genai:m")) == "GEMINI_API_KEY"
    monkeypatch.setenv("GOOGLE_API_KEY", KEY)
    assert key_variable(spec("google_genai:m")) == "GOOGLE_API_KEY"
    assert key_variable(spec("google_genai:m,api_key_env=MINE")) == "MINE"


@pytest.mark.parametrize("text", ["ollama:m", "bedrock_converse:m", "google_vertexai:m", "google_genai:m,options.project=p"])
def test_some_want_no_key(text: str) -> None:
    check_key(spec(text))


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1:9", "http://127.0.0.1:9"),
        ("0.0.0.0", "http://0.0.0.0:11434"),
        ("box", "http://box:11434"),
        ("[::1]", "http://[::1]:11434"),
        ("[::1]:9", "http://[::1]:9"),
        ("https://ollama.example/", "https://ollama.example"),
        ("", "http://127.0.0.1:11434"),
    ],
)
def test_ollama_is_where_its_own_variable_says(host: str, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", host)
    assert address_of(spec("ollama:m")) == address
    assert address_of(spec("ollama:m,base_url=http://h:1")) == "http://h:1"


def test_an_address_with_a_secret_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "https://user:hunter2secret@host")
    with pytest.raises(ModelError, match="the environment variable ANTHROPIC_BASE_URL cannot be used") as caught:
        address_of(spec("anthropic:m"))
    assert "hunter2secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("anthropic:m", "ANTHROPIC_API_URL", "http://127.0.0.1:9"),
        ("google_genai:m", "GOOGLE_GEMINI_BASE_URL", "http://127.0.0.1:9"),
        ("google_genai:m", "GOOGLE_GENAI_USE_VERTEXAI", "true"),
        ("google_genai:m,options.vertexai=true", "GOOGLE_CLOUD_PROJECT", "mine"),
        ("ollama:m", "OLLAMA_HOST", "box:1"),
        ("azure_openai:m", "AZURE_OPENAI_ENDPOINT", "https://mine.openai.azure.com"),
        ("azure_openai:m", "OPENAI_API_VERSION", "2024-10-21"),
        ("bedrock_converse:m", "AWS_REGION", "eu-west-1"),
        ("groq:m", "GROQ_API_BASE", "http://127.0.0.1:9"),
    ],
)
def test_where_a_model_is_makes_another_model(text: str, name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before: dict[str, Any] = identity_of(spec(text))
    monkeypatch.setenv(name, value)
    assert identity_of(spec(text)) != before
    for key in (key for place in PLACES.values() for key in place.keys):
        monkeypatch.setenv(key, KEY)
    assert KEY not in str(identity_of(spec(text)))


def test_what_does_not_count_makes_no_other_model(monkeypatch: pytest.MonkeyPatch) -> None:
    before = identity_of(spec("google_genai:m")), identity_of(spec("anthropic:m"))
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "mine")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", PLACES["anthropic"].home + "/")
    assert (identity_of(spec("google_genai:m")), identity_of(spec("anthropic:m,concurrency=3,timeout=9"))) == before


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("ollama:m", 0),
        ("ollama:m,base_url=http://box:11434", None),
        ("ollama:gpt-oss:120b-cloud", None),
        ("groq:no-such", None),
    ],
)
def test_an_ollama_on_this_machine_is_free(text: str, price: float | None) -> None:
    assert priced(spec(text)).input_price == price


@pytest.mark.parametrize(
    ("address", "here"), [("http://127.0.0.1:1", True), ("http://localhost/v1", True), ("http://10.0.0.1", False), ("", False)]
)
def test_this_machine_is_told_from_others(address: str, here: bool) -> None:
    assert is_loopback(address) is here
