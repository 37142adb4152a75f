"""What a spec may say to a provider, and what it may not."""

from typing import Any

import pytest

from metaspo import ModelSpec
from metaspo.domain.errors import ModelError


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("bedrock_converse:m:0,options.region_name=eu-west-1", {"region_name": "eu-west-1"}),
        ("google_vertexai:m,options.project=p,options.location=us", {"project": "p", "location": "us"}),
        ("azure_openai:m,options.api_version=2024-10-21", {"api_version": "2024-10-21"}),
        ("azure_openai:m,options.api_version=2024-10-21-preview", {"api_version": "2024-10-21-preview"}),
        ("ollama:m,options.num_ctx=4096,options.reasoning=true", {"num_ctx": 4096, "reasoning": True}),
        ("anthropic:m,options.thinking.type=enabled,options.thinking.budget_tokens=2000",
         {"thinking": {"type": "enabled", "budget_tokens": 2000}}),
        ("azure_openai:m,options.model_kwargs.prompt_cache_key=k", {"model_kwargs": {"prompt_cache_key": "k"}}),
        ("bedrock:m,options.credentials_profile_name=work", {"credentials_profile_name": "work"}),
    ],
)  # fmt: skip
def test_options_are_plain_data(text: str, options: dict[str, Any]) -> None:
    spec = ModelSpec.parse(text)
    assert spec.options == options
    assert ModelSpec.parse(str(spec)) == spec == ModelSpec.model_validate_json(spec.model_dump_json())


SECRETS = [
    {"api_key": "hunter2secret"},
    {"anthropic_api_key": "hunter2secret"},
    {"aws_access_key_id": "hunter2secret"},
    {"aws_secret_access_key": "hunter2secret"},
    {"aws_session_token": "hunter2secret"},
    {"azure_ad_token": "hunter2secret"},
    {"password": "hunter2secret"},
    {"credentials": {"client": "hunter2secret"}},
    {"default_headers": {"x-api-key": "hunter2secret"}},
    {"default_headers": {"Authorization": "Bearer hunter2secret"}},
    {"model_kwargs": [{"deep": {"secret": "hunter2secret"}}]},
    {"client_args": {"proxy": "http://user:hunter2secret@host:1"}},
    {"user": "sk-hunter2secret1234567890"},
]


@pytest.mark.parametrize("options", SECRETS, ids=lambda options: next(iter(options)))
def test_secrets_are_refused_and_not_repeated(options: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="a key among them") as caught:
        ModelSpec.parse({"provider": "anthropic", "name": "m", "options": options})
    assert "hunter2secret" not in str(caught.value)


def test_a_key_of_this_process_is_refused_whatever_it_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "qx7-5up3r-9f2c81d7e6")
    with pytest.raises(ModelError, match="a key among them"):
        ModelSpec.parse({"provider": "anthropic", "name": "m", "options": {"user": ["qx7-5up3r-9f2c81d7e6"]}})


@pytest.mark.parametrize(
    "name", ["max_retries", "retries", "callbacks", "cache", "rate_limiter", "streaming", "disable_streaming", "n"]
)
@pytest.mark.parametrize("deep", [False, True])
def test_what_the_ledger_does_is_no_option(name: str, deep: bool) -> None:
    options = {"model_kwargs": {name: 3}} if deep else {name: 3}
    with pytest.raises(ModelError, match=f"options: {name} is nothing to set here"):
        ModelSpec.parse({"provider": "anthropic", "name": "m", "options": options})


@pytest.mark.parametrize(
    ("name", "setting"),
    [("temperature", "temperature"), ("max_output_tokens", "max_tokens"), ("num_predict", "max_tokens"), ("seed", "seed"),
     ("azure_endpoint", "base_url"), ("top_p", "top_p"), ("model", "name"), ("request_timeout", "timeout")],
)  # fmt: skip
@pytest.mark.parametrize("deep", [False, True])
def test_what_every_spec_has_is_no_option(name: str, setting: str, deep: bool) -> None:
    options = {"model_kwargs": {name: 1}} if deep else {name: 1}
    with pytest.raises(ModelError, match=f"write {setting}=... without options"):
        ModelSpec.parse({"provider": "google_genai", "name": "m", "options": options})


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"a": object()}, "options: hold object"),
        ({"a": "x\x1b[2J"}, "cannot be seen"),
        ("text", "options: "),
        ([1], "options: "),
    ],
)
def test_what_is_no_plain_data_is_one_sentence(options: Any, says: str) -> None:
    with pytest.raises(ModelError) as caught:
        ModelSpec.parse({"provider": "ollama", "name": "m", "options": options})
    assert says in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("provider", ["openai", "vllm", "local", "scripted", "object"])
def test_options_are_for_langchains_providers(provider: str) -> None:
    with pytest.raises(ModelError, match="options are for LangChain's providers"):
        ModelSpec.parse({"provider": provider, "name": "m:f", "options": {"a": 1}})
