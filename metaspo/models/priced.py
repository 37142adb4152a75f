"""At which prices a spec's calls are counted: its own, those of a list, or none."""

from .spec import ModelSpec

FREE = ("local", "scripted")
"""Providers whose calls cost nothing unless their spec has a price."""


def priced(spec: ModelSpec) -> ModelSpec:
    """The spec with the prices that count: its own, or 0 where models run on this machine; without any where none is known."""
    if spec.is_priced or spec.provider not in FREE:
        return spec
    return spec.model_copy(update={"input_price": 0.0, "output_price": 0.0})


def price_says(spec: ModelSpec) -> str:
    """What a person should know of the prices that count for a spec; nothing where they are its own, or it is free."""
    if spec.is_priced:
        return ""
    return (
        f"No price is known of {spec.label}, so what it costs is unknown: set its input_price and output_price "
        "(per million tokens, 0 where it is free)."
    )
