"""Costs worked out by hand, with a part of the tokens from a cache, in batches, and where no price is given."""

from typing import Any

import pytest

from metaspo.domain.errors import ModelError
from metaspo.models.priced import priced
from metaspo.models.spec import ModelSpec

FULL = "server:m,base_url=http://127.0.0.1:1/v1,input_price=2,cached_price=0.5,output_price=8"


@pytest.mark.parametrize(
    ("settings", "counts", "cost"),
    [
        ({"input_price": 2, "output_price": 8}, (1_000, 500), 0.006),
        ({"input_price": 2, "output_price": 8}, (1_000, 500, 800), 0.006),
        ({"input_price": 2, "cached_price": 0.5, "output_price": 8}, (1_000, 500, 800), 0.0048),
        ({"input_price": 2, "cached_price": 0, "output_price": 8}, (1_000, 500, 1_000), 0.004),
        ({"input_price": 2, "cached_price": 0.5, "output_price": 8}, (1_000, 500, 800, True), 0.0024),
        ({"input_price": 2, "output_price": 8, "batch_discount": 0.25}, (1_000, 500, 0, True), 0.0045),
        ({"input_price": 2, "output_price": 8, "batch_discount": 0}, (1_000, 500, 0, True), 0.006),
        ({"input_price": 0, "output_price": 0}, (1_000, 500), 0.0),
        ({}, (1_000, 500), None),
        ({}, (0, 0), None),
        ({"batch_discount": 0.5}, (1_000, 500, 0, True), None),
    ],
)
def test_what_tokens_cost(settings: dict[str, Any], counts: tuple[Any, ...], cost: float | None) -> None:
    found = ModelSpec(provider="openai", name="m", **settings).cost(*counts)
    assert found == (cost if cost is None else pytest.approx(cost, abs=1e-12))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("input_price=1", "input_price without output_price; give both, 0 where tokens are free"),
        ("output_price=1", "output_price without input_price"),
        ("cached_price=1", "cached_price without input_price"),
        ("input_price=-1,output_price=1", "write 0 or more"),
        ("batch_discount=1.5", "write 1 or less"),
    ],
)
def test_half_a_price_is_refused(settings: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        ModelSpec.parse(f"openai:m,{settings}")


def test_prices_stand_in_the_text_of_a_spec() -> None:
    spec = ModelSpec.parse(FULL)
    assert (spec.input_price, spec.cached_price, spec.output_price) == (2, 0.5, 8)
    assert ModelSpec.parse(str(spec)) == spec
    assert not ModelSpec.parse("openai:m").is_priced and ModelSpec.parse("openai:m,input_price=0,output_price=0").is_priced


def test_models_on_this_machine_are_free_unless_they_have_a_price() -> None:
    for free in ("local:smollm2", "scripted:a.b:c"):
        assert priced(ModelSpec.parse(free)).cost(1_000, 1_000) == 0.0
        assert priced(ModelSpec.parse(f"{free},input_price=1,output_price=0")).cost(1_000, 1_000) == 0.001
    assert priced(ModelSpec.parse("vllm:m")).cost(1_000, 1_000) is None
