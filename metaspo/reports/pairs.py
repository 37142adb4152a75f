"""The pairs of prompts that a run began with, found and ended with, and how each did, read from the store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlite_utils import Database

from ..domain.prompts import Prompt, with_answer_format
from ..domain.results import Evaluation, Split
from ..store import evaluations, prompts
from ..store.evaluations import RunTask
from ..store.prompts import KeptPair, RoundRow

AFTER_SEARCH = ("confirm", "test")
"""The levels of the rounds that no longer search."""


def searched(rounds: Sequence[RoundRow]) -> bool:
    """Whether a run that is over has looked for better prompts at all."""
    return any(row.level in ("user", "system") for row in rounds)


@dataclass(frozen=True, slots=True)
class Pair:
    """A system prompt and a user prompt by their ids."""

    system: str
    user: str


@dataclass(frozen=True)
class RunPairs:
    """A run's pairs and the evaluations of whole splits that it relied on.

    By task: `seeds` it began with, `found` when the search was over, `ended` with after that; before a
    round is closed these are the seeds. Tasks that the search never saw keep their seed user prompt.
    `selecting` is the split whose scores chose among them, `known` what `whole_evaluations` has.
    """

    db: Database
    tasks: Sequence[RunTask]
    rounds: Sequence[RoundRow]
    selecting: Split
    seeds: Mapping[str, Pair]
    found: Mapping[str, Pair]
    ended: Mapping[str, Pair]
    known: Mapping[tuple[str, str, str, str], tuple[str, float]]

    @property
    def sources(self) -> list[RunTask]:
        """The source tasks."""
        return [task for task in self.tasks if task.role == "source"]

    def score(self, task: RunTask, split: Split, pair: Pair) -> float | None:
        """A pair's score on a whole split of a task, in [0, 1], or None where it was not scored there."""
        known = self.known.get((task.task, split, pair.system, pair.user))
        return known and known[1]

    def evaluation(self, task: RunTask, split: Split, pair: Pair) -> Evaluation | None:
        """The same with all outcomes."""
        known = self.known.get((task.task, split, pair.system, pair.user))
        return evaluations.evaluation(self.db, known[0]) if known else None

    def mean(self, split: Split, pairs: Mapping[str, Pair]) -> float | None:
        """The mean over source tasks of their pairs' scores on a split, None unless each has one."""
        scores = [self.score(task, split, pairs[task.name]) for task in self.sources]
        there = [score for score in scores if score is not None]
        return sum(there) / len(there) if there and len(there) == len(scores) else None

    @cached_property
    def _tested(self) -> dict[tuple[str, str], list[tuple[str, float]]]:
        """User prompts with their test scores, by task and system prompt."""
        found: dict[tuple[str, str], list[tuple[str, float]]] = {}
        for (task, split, system, user), (_, score) in self.known.items():
            if split == "test":
                found.setdefault((task, system), []).append((user, score))
        return found

    def as_written(self, task: RunTask) -> float | None:
        """The test score of the seeds before the answer format was added, None where nothing was added.

        The pair is known by its text: with the format it is the seed user prompt.
        """
        _, spec = evaluations.task_metric(self.db, task.task)
        seed = self.seeds[task.name]
        own = {user: score for user, score in self._tested.get((task.task, seed.system), ()) if user != seed.user}
        texts = prompts.prompt_texts(self.db, list(own))
        written = [id for id in own if with_answer_format(texts[id], spec["answer_format"]) == spec["user_prompt"]]
        return own[written[0]] if written else None


def run_pairs(db: Database, run: str) -> RunPairs:
    """Read a run's pairs."""
    tasks, closed = evaluations.run_tasks(db, run), prompts.rounds(db, run)
    first: dict[str, str] = {}
    for row in prompts.candidates(db, run):
        if row.status == "seed" and row.prompt:
            # The one that was given first: of several system prompts to start from, the others are candidates too.
            first.setdefault(row.task, row.prompt)
    users = {task.name: first.get(task.name) or _written_seed(db, task) for task in tasks}
    seeds = {name: Pair(first.get("", ""), user) for name, user in users.items()}
    searched = [row.round for row in closed if row.level not in AFTER_SEARCH]
    found = prompts.kept_pairs(db, run, searched[-1]) if searched else []
    return RunPairs(
        db=db,
        tasks=tasks,
        rounds=closed,
        selecting=evaluations.first_split(db, run),
        seeds=seeds,
        found=_best(found, seeds),
        ended=_best(prompts.kept_pairs(db, run), seeds),
        known=evaluations.whole_evaluations(db, run),
    )


def _written_seed(db: Database, task: RunTask) -> str:
    """The seed user prompt of a task that no user prompts are made for."""
    _, spec = evaluations.task_metric(db, task.task)
    return Prompt("user", spec["user_prompt"]).id


def _best(kept: Sequence[KeptPair], seeds: Mapping[str, Pair]) -> dict[str, Pair]:
    """Each task's best pair; those without one of their own have their seed user prompt under the same system prompt."""
    if not kept:
        return dict(seeds)
    own = {pair.task: Pair(pair.system, pair.user) for pair in reversed(kept)}
    return {name: own.get(name, Pair(kept[0].system, seed.user)) for name, seed in seeds.items()}
