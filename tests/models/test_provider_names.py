"""Providers' names: ours, LangChain's, and those that are near one."""

import sys

import pytest
from langchain.chat_models import base

from metaspo import ModelSpec, compat
from metaspo.domain.errors import ModelError
from metaspo.models.provider_names import LANGCHAINS, OURS, checked_provider


def test_the_list_is_that_of_the_langchain_installed() -> None:
    assert {*base._BUILTIN_PROVIDERS} - {"openai"} <= {*LANGCHAINS}
    assert not {*OURS} & {*LANGCHAINS}


def test_what_a_later_langchain_knows_is_a_provider_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(base._BUILTIN_PROVIDERS, "brandnew", ("langchain_brandnew", "ChatBrandnew", base._call))
    assert ModelSpec.parse("brandnew:m-1").provider == "brandnew"


@pytest.mark.parametrize(
    ("written", "near"),
    [
        ("antropic", "anthropic"), ("Anthropic", "anthropic"), ("google-genai", "google_genai"), ("mistral", "mistralai"),
        ("olama", "ollama"), ("bedrock-converse", "bedrock_converse"), ("claude", "anthropic"), ("gemini", "google_genai"),
        ("azure", "azure_openai"), ("opnai", "openai"), ("servr", "server"), ("vlm", "vllm"),
    ],
)  # fmt: skip
def test_an_unknown_provider_is_told_the_nearest_and_all(written: str, near: str) -> None:
    with pytest.raises(ModelError) as caught:
        ModelSpec.parse(f"{written}:some-model")
    said = str(caught.value)
    assert f"did you mean {near}?" in said and "\n" not in said
    assert all(name in said for name in (*OURS, *LANGCHAINS))


def test_a_provider_like_no_other_is_told_all() -> None:
    with pytest.raises(ValueError, match="of this name; it is one of openai, server"):
        checked_provider("zzz")


@pytest.mark.parametrize("block", [{"provider": 3, "name": "m"}, {"provider": None, "name": "m"}, {"name": "m"}])
def test_a_provider_that_is_no_text_is_one_sentence(block: dict[str, object]) -> None:
    with pytest.raises(ModelError, match=r"^model 'm': provider(: | is missing)") as caught:
        ModelSpec.parse(block)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("bedrock_converse:anthropic.claude-x-v1:0", "anthropic.claude-x-v1:0"),
        ("ollama:llama3.2:3b", "llama3.2:3b"),
        ("ollama:hf.co/org/model:Q4_K_M,options.num_ctx=4096", "hf.co/org/model:Q4_K_M"),
        ("fireworks:accounts/fireworks/models/x", "accounts/fireworks/models/x"),
    ],
)
def test_names_may_hold_colons(text: str, name: str) -> None:
    spec = ModelSpec.parse(text)
    assert spec.name == name and ModelSpec.parse(str(spec)) == spec


def test_the_private_list_is_where_it_was() -> None:
    assert "anthropic" in compat.langchain_providers()
    kind = compat.langchain_class("anthropic")
    assert kind is sys.modules["langchain_anthropic"].ChatAnthropic
    with pytest.raises(ImportError, match="pip install langchain-groq"):
        compat.langchain_class("groq")
