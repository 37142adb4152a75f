"""List prices of common models: a dated table as data, and a person's own file that goes before it."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator, ConfigDict, Field

from ..domain.errors import ConfigError
from ..domain.paths import path_of
from ..tasks.data import DATASETS
from ..tasks.documents import check, read_yaml
from ..tasks.written import Exact
from .addresses import address_of
from .prices import BATCH_DISCOUNT
from .spec import ModelSpec

LIST = DATASETS / "prices.yaml"
OWN = "METASPO_PRICES"
"""The environment variable that names a file of a person's own, of the same form."""

SNAPSHOT = re.compile(r"(?P<name>.+?)(?:[-@]\d{4}-?\d{2}-?\d{2}|-latest)")
"""A model's name with the date of a version, or the word for the newest one."""

STANDARD = ("", "auto", "default", "standard", "standard_only", "on_demand")
"""Service tiers at the list price; others have prices of their own."""

Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Date = Annotated[
    str, BeforeValidator(str), Field(pattern=r"^\d{4}-\d{2}(-\d{2})?$", description="A day or a month: 2026-11-26, 2026-11.")
]


class _Block(Exact):
    model_config = ConfigDict(extra="forbid")


class _Listed(_Block):
    """The prices of a model, a million tokens; `date` and `batch_discount` where they are not its provider's."""

    input: Price
    cached: Price | None = None
    output: Price
    batch_discount: Share | None = None
    date: Date | None = None


class _Provider(_Block):
    """Models at one provider: LangChain's name of it or ours, and the hosts where it is itself."""

    providers: list[str] = Field(default_factory=list)
    hosts: list[str] = Field(default_factory=list)
    source: str = ""
    date: Date
    batch_discount: Share = BATCH_DISCOUNT
    models: dict[str, _Listed] = Field(min_length=1)

    def is_at(self, provider: str, host: str | None) -> bool:
        """Whether requests to a host, or to wherever a provider is if none is known, go here."""
        return host in self.hosts if host else provider in self.providers

    def price_of(self, model: str) -> "_Listed | None":
        """The prices of a model: of that very name, of the model that it is a snapshot of, or of the longest pattern."""
        name = model.removeprefix("models/")
        snapshot = SNAPSHOT.fullmatch(name)
        for known in (name, snapshot["name"] if snapshot else name):
            if known in self.models:
                return self.models[known]
        patterns = [pattern for pattern in self.models if "*" in pattern and fnmatchcase(name, pattern)]
        return self.models[max(patterns, key=len)] if patterns else None


class PriceList(_Block):
    """A file of prices: a currency, and providers with their models. The first provider that knows a model counts."""

    currency: str = Field(min_length=1)
    prices: list[_Provider] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class ListPrice:
    """What a list says of a model: prices of a million tokens, in a currency, of a date, and where they are from."""

    input_price: float
    cached_price: float | None
    output_price: float
    batch_discount: float
    currency: str
    date: str
    source: str

    def __str__(self) -> str:
        """The prices in words."""
        cached = "" if self.cached_price is None else f", {self.cached_price:g} cached"
        figures = f"{self.input_price:g} input{cached}, {self.output_price:g} output"
        return f"{self.source} of {self.date}, in {self.currency} a million tokens: {figures}"


def list_price(spec: ModelSpec) -> ListPrice | None:
    """The list price of a model at its provider's own address; None where no list knows it.

    Raises ConfigError, with file and line, for a person's own file that cannot be used.
    """
    tier = spec.service_tier or spec.extra_body.get("service_tier")
    if str(tier or "") not in STANDARD or len(spec.base_urls) > 1:
        return None
    host = urlsplit(address_of(spec)).hostname
    for source, currency, provider in _providers():
        found = provider.price_of(spec.name) if provider.is_at(spec.provider, host) else None
        if found is not None:
            share = provider.batch_discount if found.batch_discount is None else found.batch_discount
            date = found.date or provider.date
            return ListPrice(found.input, found.cached, found.output, share, currency, date, source)
    return None


def _providers() -> Iterator[tuple[str, str, _Provider]]:
    """Every provider that is listed, a person's own first, with how its list is called and the currency."""
    if own := os.environ.get(OWN, "").strip():
        path = path_of(own)
        try:
            listed = _read(path, _changed(path))
        except ConfigError as error:
            raise ConfigError(f"{OWN}: {error}") from None
        yield from ((f"price in {path.name}", listed.currency, one) for one in listed.prices)
    listed = _read(LIST, 0)
    yield from (("list price", listed.currency, one) for one in listed.prices)


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:  # whoever reads it says what is wrong
        return 0


@lru_cache(maxsize=8)
def _read(path: Path, changed: int) -> PriceList:
    document = read_yaml(path, ConfigError)
    return check(PriceList, document.data, ConfigError, document)
