"""A cost that is not known is never shown as 0."""

import pytest

from metaspo.domain.calls import Reply, Usage
from metaspo.domain.costs import cost_says


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (cost_says(0.42), "0.4200"),
        (cost_says(1234.5, digits=2), "1,234.50"),
        (cost_says(None, 120), "unknown"),
        (cost_says(0.42, 120, digits=2), "0.42 + unknown for 120 calls"),
        (cost_says(0.42, 1), "0.4200 + unknown for 1 call"),
        (cost_says(0.42, 1_200, estimated=True), "about 0.4200 + unknown for 1,200 calls"),
        (cost_says(0.0), "0.0000"),
    ],
)
def test_a_cost_in_words(said: str, shown: str) -> None:
    assert said == shown


@pytest.mark.parametrize(
    ("costs", "cost", "unpriced"),
    [
        ([], 0.0, 0),
        ([0.0, 0.0], 0.0, 0),
        ([0.25, 0.5], 0.75, 0),
        ([None], None, 1),
        ([0.0, None, 0.0], None, 1),
        ([None, 0.25, None], 0.25, 2),
    ],
)
def test_sums_say_what_they_leave_out(costs: list[float | None], cost: float | None, unpriced: int) -> None:
    usage, parts = Usage(), Usage()
    for one in costs:
        usage.add("base", Reply("x", cost=one, input_tokens=3, cached_tokens=2))
        part = Usage()
        part.add("base", Reply("x", cost=one, input_tokens=3, cached_tokens=2))
        parts.include(part)
    assert usage == parts
    assert (usage.cost, usage.unpriced, usage.cached_tokens) == (cost, unpriced, 2 * len(costs))
