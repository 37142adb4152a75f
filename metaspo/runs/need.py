"""What a run will need at most: calls of a role at a level, what they read and write, and how many batches they take."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from typing import ClassVar

from ..domain.calls import BYTES_A_TOKEN, Role
from ..domain.prompts import RoundLevel
from ..models.priced import price_says, priced
from ..models.spec import ModelSpec
from ..reports.notebook.shown import Shown


@dataclass(frozen=True, slots=True)
class Need:
    """Calls of one role at one level, at most; tokens and cost are estimates under what `assumes` says.

    The cost is None where a model has no price. `prices` says which prices are not those of the spec, and which lack.
    `batches` is how many batches of these calls follow one another, 0 for a model that is asked call by call.
    """

    role: Role
    level: RoundLevel
    calls: int
    input_tokens: int
    output_tokens: int
    cost: float | None
    assumes: str = ""
    prices: tuple[str, ...] = ()
    batches: int = 0


class Needs(Shown, list[Need]):
    """All that a run will need at most."""

    drawn_in: ClassVar[str] = "runs"


def need(of: tuple[Role, RoundLevel], spec: ModelSpec, calls: int, characters: int, output: int) -> Need:
    """So many calls of a role at a level that send so many bytes and get so many tokens."""
    tokens = ceil(characters / BYTES_A_TOKEN)
    spec = priced(spec)
    said = price_says(spec) if calls else ""
    return Need(
        *of,
        calls,
        tokens,
        output,
        spec.cost(tokens, output, batched=spec.batch) if calls else 0.0,
        prices=(said,) if said else (),
    )


def summed(needs: Iterable[Need], assumes: str = "") -> Needs:
    """Needs of one role and level added up."""
    found: dict[tuple[Role, RoundLevel], Need] = {}
    for need in needs:
        was = found.get((need.role, need.level), Need(need.role, need.level, 0, 0, 0, 0.0))
        cost = None if was.cost is None or need.cost is None else was.cost + need.cost
        found[need.role, need.level] = Need(
            need.role, need.level, was.calls + need.calls, was.input_tokens + need.input_tokens,
            was.output_tokens + need.output_tokens, cost, assumes or need.assumes,
            tuple(dict.fromkeys(was.prices + need.prices)), was.batches + need.batches,
        )  # fmt: skip
    return Needs(need for need in found.values() if need.calls)
