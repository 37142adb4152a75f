"""A study in parts, for machines that share nothing: which runs are a part's, and how much of the study's limits."""

import re
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from pathlib import Path

from ..domain.calls import Role
from ..domain.errors import ConfigError
from ..models.account import Account
from ..models.budget import ROLES, Budget, RoleBudget
from ..models.portion import Portion
from ..models.spec import ModelSpec
from .batch import asked_by
from .plans import plan_cell
from .study import Cell, Cells, Study, plan_study

WORTH = 1.1
"""How much heavier the heaviest part may be, and lighter the lightest, so that runs that ask alike are in one and pay once."""

TOGETHER: tuple[Callable[[Cell], Hashable], ...] = (
    lambda cell: cell.setting,
    lambda cell: (cell.setting, cell.seed),
    lambda cell: cell.search.run,
)
"""What may be kept together, from what shares the most calls on: a setting, the rows of a seed, the cells of one run."""

BILLION = 10**9

Work = Counter[str]
"""The most calls that something can make, by role."""


@dataclass(frozen=True, slots=True)
class Part:
    """Part `number` of `of`, from 1 on."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> "Part":
        """Read K/N; ConfigError where it is no part."""
        found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
        part = cls(*map(int, found.groups())) if found else cls(0, 0)
        if not 1 <= part.number <= part.of:
            raise ConfigError(
                f"--part {text[:20]!r}: write K/N, part K of N, with K from 1 to N, such as 3/8 (add 1 where an array begins "
                "at 0)"
            )
        return part

    def __str__(self) -> str:
        """As people read it."""
        return f"part {self.number} of {self.of}"

    def store(self, whole: str) -> str:
        """The file of this part beside the study's: study.3-of-8.db."""
        return str(Path(whole).with_suffix(f".{self.number}-of-{self.of}{Path(whole).suffix}"))

    def stores(self, whole: str) -> str:
        """All parts' files, as a shell finds them."""
        return str(Path(whole).with_suffix(f".*-of-{self.of}{Path(whole).suffix}"))


@dataclass(frozen=True, slots=True)
class Portioned:
    """A part's work: the study with the part's store and budget, its cells, its portion of every endpoint, and what to tell."""

    study: Study
    cells: Cells
    portion: Portion | None
    notes: list[str]


def take(study: Study, part: Part, store: str | None = None) -> Portioned:
    """What is a part's of a study, in a store of its own: the same on every machine, whatever is done already.

    Raises UserError for a study that could not begin as a whole.
    """
    own = study.model_copy(update={"store": store or part.store(study.store)})
    cells = plan_study(own)
    work = work_of(cells)
    parts = divided(cells, part.of, work)
    asked = _asked(cells)
    Account("", study.budget).check(asked)
    if part.number > len(parts):
        return Portioned(own, Cells(), None, [])
    mine = Cells(parts[part.number - 1])
    portion = Portion(part.number, len(parts))
    each = [sum((work[run] for run in {cell.search.run for cell in cells}), Counter()) for cells in parts]
    budget, notes = _budget(study.budget, each, portion, mine)
    notes += portion.notes(spec for _, spec in asked)
    return Portioned(own.model_copy(update={"budget": budget}), mine, portion, notes)


def work_of(cells: Sequence[Cell]) -> dict[str, Work]:
    """The most calls of every search and of what measures it, by the search's run: cells of one run ask once."""
    found: dict[str, Work] = {}
    for cell in cells:
        if cell.search.run not in found:
            calls = found[cell.search.run] = Counter()
            for need in plan_cell(cell):
                calls[need.role] += need.calls
    return found


def divided(cells: Sequence[Cell], of: int, works: Mapping[str, Work]) -> list[list[Cell]]:
    """Cells in so many parts of about equal work, or as many as there are runs; cells of one run are in one part."""
    runs: dict[str, list[int]] = {}
    for at, cell in enumerate(cells):
        runs.setdefault(cell.search.run, []).append(at)
    work = {run: works[run].total() or 1 for run in runs}
    best, least, most = list[list[str]](), 0.0, float("inf")
    for together in reversed(TOGETHER):
        bundles: dict[Hashable, list[str]] = {}
        for run, held in runs.items():
            bundles.setdefault(together(cells[held[0]]), []).append(run)
        made = _dealt([*bundles.values()], work, min(of, len(runs)))
        loads = [sum(work[run] for run in part) for part in made]
        if not best:
            least, most = min(loads) / WORTH, max(loads) * WORTH
        if least <= min(loads) and max(loads) <= most:
            best = made
    return [[cells[at] for at in sorted(at for run in part for at in runs[run])] for part in best]


def _dealt(bundles: Sequence[list[str]], work: dict[str, int], of: int) -> list[list[str]]:
    """Bundles of runs dealt to parts: the heaviest first, each to the part that has the least."""
    parts: list[list[str]] = [[] for _ in range(of)]
    loads = [0] * of
    for weight, bundle in sorted(((sum(work[run] for run in one), one) for one in bundles), key=lambda one: -one[0]):
        lightest = loads.index(min(loads))
        parts[lightest] += bundle
        loads[lightest] += weight
    return parts


def _budget(whole: Budget, work: Sequence[Work], portion: Portion, mine: Cells) -> tuple[Budget, list[str]]:
    """A part's budget, as much of the whole as it has of the work, each role's by the work of that role; minutes stay.

    Portions add up to the whole at most. A limit that nothing of this part could ever reach is left out.
    """
    totals = [one.total() or 1 for one in work]
    budget = whole.model_copy(update=_limits(whole, totals, portion))
    for role, own in whole.roles():
        of_role = [one[role] for one in work]
        limits = _limits(own, of_role if any(of_role) else totals, portion)
        budget = budget.model_copy(update={role: own.model_copy(update=limits)})
    asked = _asked(mine)
    for name in (*ROLES, "cost"):
        if getattr(budget, name) is not None:
            try:
                Account("", Budget.model_validate({name: getattr(budget, name)})).check(asked)
            except ConfigError:
                budget = budget.model_copy(update={name: None})
    said = ", ".join(f"{name} {limit:,g}" for name, limit in budget.limits().items())
    return budget, [f"this part's budget: {said}"] if said else []


def _limits(whole: RoleBudget, work: Sequence[int], portion: Portion) -> dict[str, int | float]:
    before, until, every = (sum(work[:end]) for end in (portion.number - 1, portion.number, len(work)))
    found: dict[str, int | float] = {}
    for name in ("calls", "input_tokens", "output_tokens"):
        limit = getattr(whole, name)
        if limit is not None:
            found[name] = limit * until // every - limit * before // every
    if whole.cost is not None:
        exact = Decimal(repr(whole.cost)) * (until - before) / every
        found["cost"] = float(exact.quantize(Decimal("1e-9"), ROUND_DOWN)) if exact < BILLION else float(exact)
    return found


def _asked(cells: Sequence[Cell]) -> list[tuple[Role, ModelSpec]]:
    return [asked for cell in cells for asked in asked_by(cell.search)]
