"""A search's test scores round by round with their intervals: the mean over tasks of the pairs that were best by then."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlite_utils import Database

from ..domain.intervals import Difference, paired_difference
from ..domain.results import Evaluation, graded_together
from ..reports.pairs import AFTER_SEARCH
from ..store import evaluations, prompts
from ..tasks.scores.paired import score_on


@dataclass(frozen=True, slots=True)
class RoundScore:
    """What a round ended with: the mean score where prompts are selected, and on test with its 95% interval over examples.

    Scores are in [0, 1]; `test` is None where the pairs were not all tested.
    """

    round: int
    selecting: float
    test: Difference | None


def tested_rounds(db: Database, run: str) -> list[RoundScore]:
    """Every round of a search, first to last; a round that a task skipped counts its last."""
    search = {row.round for row in prompts.rounds(db, run) if row.level not in AFTER_SEARCH}
    best = [pair for pair in prompts.rounds_best(db, run) if pair.round in search]
    tested = _tested(db, run)
    last: dict[str, prompts.KeptPair] = {}
    known: dict[frozenset[str], Difference | None] = {}
    rows = []
    for round in sorted({pair.round for pair in best}):
        last |= {pair.task: pair for pair in best if pair.round == round}
        found = [tested.get((pair.task, pair.system, pair.user)) for pair in last.values()]
        mean = None
        there = [one for one in found if one is not None]
        if there and len(there) == len(found):
            key = frozenset(one.id for _, one in there)
            # Prompts often stay for rounds: their interval is worked out once.
            mean = known[key] if key in known else known.setdefault(key, _mean(db, there))
        rows.append(RoundScore(round, sum(pair.score for pair in last.values()) / len(last), mean))
    return rows


Tested = tuple[evaluations.RunTask, Evaluation]


def _tested(db: Database, run: str) -> Mapping[tuple[str, str, str], Tested]:
    tasks = {task.task: task for task in evaluations.run_tasks(db, run)}
    return {(tasks[e.task].name, e.system, e.user): (tasks[e.task], e) for e in evaluations.run_evaluations(db, run, "test")}


def _mean(db: Database, every: list[Tested]) -> Difference | None:
    strata = []
    for task, found in every:
        [graded] = graded_together(found)
        accepted = evaluations.accepted_answers(db, task.task)
        golds = [next(iter(accepted[outcome.example]), "") for outcome in graded.outcomes]
        strata.append((len(golds), score_on(evaluations.task_metric(db, task.task)[0], [graded], golds)))
    return paired_difference(strata) if all(size for size, _ in strata) else None
