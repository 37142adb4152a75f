"""At which prices a spec's calls are counted: its own, those of a list, or none."""

from collections.abc import Iterable, Mapping
from typing import Any

from .addresses import address_of, is_loopback
from .price_list import list_price
from .prices import Prices
from .provider_places import OLLAMA
from .spec import ModelSpec

FREE = ("local", "scripted")
"""Providers whose calls cost nothing unless their spec has a price."""


def priced(spec: ModelSpec) -> ModelSpec:
    """The spec with the prices that count: its own, 0 where models run on this machine, or those of a list.

    Without any where none is known. Raises UserError for a price list, or an address in the environment,
    that cannot be used.
    """
    if spec.is_priced:
        return spec
    if spec.provider in FREE or _is_own_ollama(spec):
        return spec.model_copy(update={"input_price": 0.0, "output_price": 0.0})
    found = list_price(spec)
    if found is None:
        return spec
    prices = {name: getattr(found, name) for name in Prices.model_fields}
    if spec.batch_discount is not None:
        prices["batch_discount"] = spec.batch_discount
    return spec.model_copy(update=prices).listed_as(str(found))


def _is_own_ollama(spec: ModelSpec) -> bool:
    """Whether an Ollama on this machine runs the model itself, and does not pass it on to its cloud."""
    return spec.provider == OLLAMA and is_loopback(address_of(spec)) and not spec.name.endswith("cloud")


def price_says(spec: ModelSpec) -> str:
    """What a person should know of the prices that count for a spec; nothing where they are its own, or it is free."""
    if spec.price_source:
        return f"{spec.label} is counted at the {spec.price_source}."
    return "" if spec.is_priced else unknown_says([spec.label])


def unknown_says(models: Iterable[str]) -> str:
    """What a person can do about models without a price, named by their labels."""
    return (
        f"No price is known of {' and '.join(models)}, so what that costs is unknown: set input_price and output_price "
        "(per million tokens, 0 where it is free)."
    )


def from_lists(specs: Iterable[ModelSpec]) -> list[dict[str, Any]]:
    """The prices of those specs whose prices are of a list, each model once, as plain data to keep with a run."""
    found = {spec.label: spec for spec in specs if spec.price_source}
    return [
        {"model": label, **{name: getattr(spec, name) for name in Prices.model_fields}, "source": spec.price_source}
        for label, spec in found.items()
    ]


def lists_say(kept: Iterable[Mapping[str, Any]]) -> list[str]:
    """One sentence that names the models whose prices are of a list, and that list; none where there are none."""
    named = list(dict.fromkeys(f"{one['model']} at the {one['source']}" for one in kept))
    return [f"Costs are counted at prices that nobody set: {'; '.join(named)}."] if named else []
