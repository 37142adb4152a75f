"""Whether the prompts that a run found are confirmed on examples that selected nothing, and what that would take."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..domain.results import Evaluation
from ..domain.significance import FEWEST, Change, examples_needed
from ..store import prompts, runs
from ..tasks.scores.paired import Paired, mean_change, read_paired
from .pairs import RunPairs

Verdict = Literal["confirmed", "unconfirmed", "too few", "not yet"]
"""What a run may say of the prompts it found: "too few" that its examples could not have told, "not yet" that it has not
come to the round that asks."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The prompts found against the seeds on validation examples, which chose nothing; scores in [0, 1].

    `change` is the mean over source tasks with its interval and paired test, `selecting` the same gain on
    the examples that selected, None where they are not on record. `needed` is how many examples each task
    would take to confirm a gain that large, None without one. `seeds_returned` says that the found prompts
    did worse and the run ended with the seeds again; `system_found` is then the way to what was found.
    """

    change: Change
    verdict: Verdict
    selecting: float | None
    needed: int | None
    seeds_returned: bool
    system_found: str


def read_confirmation(pairs: RunPairs) -> Confirmation | None:
    """What came of the round that confirms; None where there was none."""
    if not any(row.level == "confirm" for row in pairs.rounds):
        return None
    held = _compared(pairs, "validation")
    if held is None:
        return None
    change = mean_change(held)
    selecting = _compared(pairs, pairs.selecting) if pairs.selecting != "validation" else None
    gain = sum(one.difference_on(range(one.examples)) for one in selecting) / len(selecting) if selecting else None
    needed = _needed(gain, selecting or held, len(held)) if gain is not None and gain > 0 else None
    system = next(iter(pairs.found.values())).system
    return Confirmation(
        change=change,
        verdict=_verdict(change, min(one.examples for one in held), needed),
        selecting=gain,
        needed=needed,
        seeds_returned=pairs.ended == pairs.seeds != pairs.found,
        system_found=prompts.prompt_texts(pairs.db, [system])[system],
    )


def verdict_without(run: runs.Run, pairs: RunPairs) -> tuple[Verdict, str]:
    """The verdict on a run that has no such round, and why in words."""
    if run.status == "done":
        if pairs.found == pairs.seeds:
            return "unconfirmed", "the search ended with the prompts that it began with, so there is nothing to confirm"
        return "unconfirmed", _nothing_kept_back(run, pairs)
    kept_back = _confirms(run.method) and all(task.validation for task in pairs.sources)
    return ("not yet", "the run has not come that far") if kept_back else ("unconfirmed", _nothing_kept_back(run, pairs))


def _nothing_kept_back(run: runs.Run, pairs: RunPairs) -> str:
    if not _confirms(run.method):
        return "this method keeps no examples back"
    without = next((task.name for task in pairs.sources if not task.validation), None)
    return f"task '{without}' has no examples for validation" if without else "nothing was kept back"


def _confirms(method: str) -> bool:
    # Only here, since methods take seconds to load: most reports do without them.
    from ..domain.errors import ConfigError
    from ..methods import builtin as builtin
    from ..workspace.method import find_method

    try:
        return find_method(method.removeprefix(runs.PLACEBO)).confirms
    except ConfigError:
        return False


def _compared(pairs: RunPairs, split: Literal["train", "validation", "test"]) -> list[Paired] | None:
    """Found against seeds on a split of each source task; None unless every one was scored there with both."""
    every = []
    for task in pairs.sources:
        found, seeds = (pairs.evaluation(task, split, side[task.name]) for side in (pairs.found, pairs.seeds))
        if not found or not seeds:
            return None
        found, seeds = on_both(found, seeds)
        if not found.outcomes:
            return None
        every.append(read_paired(pairs.db, task, [found], [seeds]))
    return every or None


def on_both(one: Evaluation, other: Evaluation) -> tuple[Evaluation, Evaluation]:
    """Two evaluations on the examples that both hold: a prompt that carries some of them solved was not scored on these."""
    both = {outcome.example for outcome in one.outcomes} & {outcome.example for outcome in other.outcomes}
    return one.on(both), other.on(both)


def _verdict(change: Change, examples: int, needed: int | None) -> Verdict:
    if change.is_gain:
        return "confirmed"
    if change.is_real or change.value < 0:
        return "unconfirmed"
    short = change.is_hopeless and change.value > 0 if needed is None else examples < needed
    return "too few" if short or change.examples < FEWEST else "unconfirmed"


def _needed(gain: float, every: Sequence[Paired], tasks: int) -> int:
    """The examples that each task would take; the tasks' own share of differing examples counts."""
    square = sum(_square(one.candidate[0], one.baseline[0]) for one in every) / len(every)
    return max(1, -(-examples_needed(gain, square) // tasks))


def _square(new: Evaluation, old: Evaluation) -> float:
    both = list(zip(new.outcomes, old.outcomes, strict=True))
    return sum((one.score - other.score) ** 2 for one, other in both) / len(both)
