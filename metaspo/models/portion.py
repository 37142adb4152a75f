"""A part's portion of what an endpoint takes, where several processes that know nothing of each other ask it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .rates import RATES
from .spec import ModelSpec

SAID = {
    "concurrency": "requests in flight",
    "requests_per_minute": "requests a minute",
    "tokens_per_minute": "tokens a minute",
}


@dataclass(frozen=True, slots=True)
class Portion:
    """One of `of` portions, from 1 on.

    Those of a limit add up to it, but none is less than 1: a part that may never ask would never end.
    """

    number: int
    of: int

    def limit(self, whole: int) -> int:
        """This portion of a limit, in whole numbers."""
        return max(1, whole * self.number // self.of - whole * (self.number - 1) // self.of)

    def spec(self, spec: ModelSpec) -> ModelSpec:
        """A model with its portion of the limits that are set; one that is served on this machine has them all."""
        return spec.model_copy(update={name: self.limit(whole) for name, whole in _limits(spec)})

    def notes(self, specs: Iterable[ModelSpec]) -> list[str]:
        """Sentences on limits that are too small to be divided."""
        few = {(spec.label, name, whole): None for spec in specs for name, whole in _limits(spec) if whole < self.of}
        return [
            f"{label}: {name}={whole} cannot be divided by {self.of} parts: 1 in each, so up to {self.of} {SAID[name]} "
            "if all parts work at the same time"
            for label, name, whole in few
        ]


def _limits(spec: ModelSpec) -> Iterator[tuple[str, int]]:
    """The limits of a model's endpoint that are numbers: none of one that metaspo itself starts where it works."""
    if spec.provider == "local" or (spec.provider == "vllm" and not spec.base_url):
        return
    for name in ("concurrency", *RATES):
        if isinstance(whole := getattr(spec, name), int):
            yield name, whole
