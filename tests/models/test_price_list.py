"""The list of prices: what it holds, for which models and addresses it counts, and a person's own file before it."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import Field

from metaspo.domain.errors import ConfigError
from metaspo.models.price_list import LIST, list_price
from metaspo.models.priced import price_says, priced
from metaspo.models.spec import ModelSpec

LISTED: dict[str, Any] = yaml.safe_load(LIST.read_text(encoding="utf-8"))


def found(text: str) -> tuple[float | None, ...] | None:
    price = list_price(ModelSpec.parse(text))
    return price and (price.input_price, price.cached_price, price.output_price, price.batch_discount)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "mine.yaml"
    monkeypatch.setenv("METASPO_PRICES", str(path))
    return path


def test_what_the_list_holds_can_be() -> None:
    assert LISTED["currency"] == "USD"
    names = [(provider["hosts"][0], name) for provider in LISTED["prices"] for name in provider["models"]]
    assert len(set(names)) == len(names)
    for provider in LISTED["prices"]:
        assert provider["source"].startswith("https://") and provider["hosts"]
        for name, model in provider["models"].items():
            price = list_price(ModelSpec.parse(f"server:{name},base_url=https://{provider['hosts'][0]}/v1"))
            assert price is not None and price.date == str(model.get("date", provider["date"]))
            assert 0 <= (price.cached_price or 0) <= price.input_price <= price.output_price <= 100


@pytest.mark.parametrize(
    ("text", "prices"),
    [
        ("openai:gpt-4o-mini", (0.15, 0.075, 0.6, 0.5)),
        ("openai:gpt-4o-mini-2024-07-18", (0.15, 0.075, 0.6, 0.5)),
        ("openai:gpt-4o-2024-08-06", (2.5, 1.25, 10, 0.5)),
        ("openai:gpt-4o-2024-05-13", (5, None, 15, 0.5)),
        ("openai:gpt-5-mini", (0.25, 0.025, 2, 0.5)),
        ("openai:o3-2025-04-16", (2, 0.5, 8, 0.5)),
        ("server:gpt-4.1,base_url=https://api.openai.com/v1", (2, 0.5, 8, 0.5)),
        ("server:claude-sonnet-4-5-20250929,base_url=https://api.anthropic.com/v1", (3, 0.3, 15, 0.5)),
        (
            "server:models/gemini-2.5-flash,base_url=https://generativelanguage.googleapis.com/v1beta/openai",
            (0.3, None, 2.5, 0.5),
        ),
        ("server:llama-3.3-70b-versatile,base_url=https://api.groq.com/openai/v1", (0.59, None, 0.79, 0.5)),
        ("server:deepseek-flash,base_url=https://api.deepseek.com", (0.3, 0.006, 1.2, 0)),
        ("anthropic:claude-haiku-4-5-20251001", (1, 0.1, 5, 0.5)),
        ("google_genai:gemini-2.5-flash-lite", (0.1, None, 0.4, 0.5)),
        ("mistralai:mistral-medium-latest", (1.5, 0.15, 7.5, 0.5)),
        ("groq:openai/gpt-oss-120b", (0.15, None, 0.6, 0.5)),
        ("deepseek:deepseek-flash", (0.3, 0.006, 1.2, 0)),
        ("google_genai:gemini-2.5-flash-lite,options.vertexai=true", None),
        ("anthropic:claude-haiku-4-5,base_url=https://llm.corp.example", None),
        ("azure_openai:gpt-4o-mini,base_url=https://x.openai.azure.com", None),
        ("bedrock_converse:claude-haiku-4-5", None),
        # Others under such a name, other kinds of the model, and a model that is fine-tuned
        ("openai:gpt-4o-mini,base_url=https://llm.corp.example/v1", None),
        ("openai:gpt-4o-mini,base_url=http://127.0.0.1:8000/v1", None),
        ("server:gpt-4o-mini,base_url=https://openrouter.ai/api/v1", None),
        ("server:gpt-4o-mini,base_url=https://api.openai.com.evil.example/v1", None),
        ("openai:gpt-4o-mini-audio-preview", None),
        ("openai:gpt-5-pro", None),
        ("openai:ft:gpt-4o-mini-2024-07-18:acme::x", None),
        ("vllm:gpt-4o-mini", None),
        ("object:gpt-4o-mini", None),
    ],
)
def test_a_model_at_its_providers_own_address(text: str, prices: tuple[float | None, ...] | None) -> None:
    assert found(text) == prices


def test_an_address_in_the_environment_is_not_openais_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://llm.corp.example/v1")
    assert found("openai:gpt-4o-mini") is None
    monkeypatch.setenv("OPENAI_BASE_URL", "https://api.openai.com/v1/")
    assert found("openai:gpt-4o-mini") is not None


class Tiered(ModelSpec):
    """A spec that names a service tier."""

    service_tier: str | None = None
    extra_body: dict[str, Any] = Field(default_factory=dict)


@pytest.mark.parametrize(
    ("settings", "counts"),
    [({}, True), ({"service_tier": "default"}, True), ({"service_tier": "flex"}, False), ({"extra_body": {"service_tier": "priority"}}, False)],
)  # fmt: skip
def test_a_tier_with_prices_of_its_own_has_no_list_price(settings: dict[str, Any], counts: bool) -> None:
    assert (list_price(Tiered(provider="openai", name="gpt-4o-mini", **settings)) is not None) == counts


def test_what_a_person_sets_stands_before_the_list() -> None:
    mine = priced(ModelSpec.parse("openai:gpt-4o-mini,input_price=1,output_price=2"))
    assert mine.cost(1_000_000, 1_000_000, 500_000) == 3.0 and not price_says(mine)
    free = priced(ModelSpec.parse("openai:gpt-4o-mini,input_price=0,output_price=0"))
    assert free.cost(1_000_000, 1_000_000) == 0.0
    listed = priced(ModelSpec.parse("openai:gpt-4o-mini,batch_discount=0.25"))
    assert listed.cost(1_000_000, 0, batched=True) == pytest.approx(0.1125)
    assert priced(listed) == listed and "list price of 2026-03, in USD" in price_says(listed)
    # By hand: 0.2 million at 0.15, 0.8 million at 0.075, 0.5 million at 0.6
    assert listed.cost(1_000_000, 500_000, 800_000) == pytest.approx(0.03 + 0.06 + 0.3)


def test_a_file_of_ones_own_stands_before_the_list(own: Path) -> None:
    own.write_text(
        """
currency: EUR
prices:
  - providers: [openai]
    hosts: [api.openai.com, llm.corp.example]
    date: 2026-11-01
    models:
      gpt-4o-mini: {input: 1, output: 2}
      our-*: {input: 3, cached: 1, output: 4, batch_discount: 0.2, date: 2026-11-02}
      our-large-*: {input: 5, output: 6}
""",
        encoding="utf-8",
    )
    assert found("openai:gpt-4o-mini-2024-07-18") == (1, None, 2, 0.5)
    assert found("openai:our-small,base_url=https://llm.corp.example/v1") == (3, 1, 4, 0.2)
    assert found("server:our-large-2,base_url=https://llm.corp.example/v1") == (5, None, 6, 0.5)
    assert found("openai:gpt-4o") == (2.5, 1.25, 10, 0.5)
    said = price_says(priced(ModelSpec.parse("server:our-x,base_url=https://llm.corp.example/v1")))
    assert (
        said
        == "server:our-x is counted at the price in mine.yaml of 2026-11-02, in EUR a million tokens: 3 input, 1 cached, 4 output."
    )
    own.write_text(own.read_text(encoding="utf-8").replace("input: 1,", "input: 7,"), encoding="utf-8")
    os.utime(own, (1, 1))
    assert found("openai:gpt-4o-mini") == (7, None, 2, 0.5)


GROUP = "currency: USD\nprices:\n  - hosts: [h.example]\n    date: 2026-11\n    models:\n      m: {input: 1, output: 2}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, r"METASPO_PRICES: \S+mine.yaml: no such file"),
        ("folder", "mine.yaml: cannot be read: Is a directory"),
        ("- a", r"mine.yaml: expected 'key: value' lines"),
        ("a: [", r"mine.yaml:1: not valid YAML"),
        (GROUP.replace("input: 1", "input: -1"), r"mine.yaml:6: prices.0.models.m.input: .*write 0 or more"),
        (GROUP.replace("input: 1, ", ""), r"mine.yaml:6: 'prices.0.models.m.input' is missing"),
        (GROUP.replace("output", "outputs"), r"mine.yaml:6: unknown key 'prices.0.models.m.outputs'"),
        (GROUP.replace("2026-11", "soon"), r"mine.yaml:4: prices.0.date"),
        (GROUP.replace("    date: 2026-11\n", ""), r"mine.yaml:3: 'prices.0.date' is missing"),
        (GROUP.replace("currency: USD\n", ""), r"mine.yaml:1: 'currency' is missing"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_says_where(own: Path, text: str | None, said: str) -> None:
    if text == "folder":
        own.mkdir()
    elif text is not None:
        own.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        list_price(ModelSpec.parse("openai:gpt-4o-mini"))
