"""The tasks of a run, opened by the rules that it began with: how examples are dealt to splits, and how answers are read."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlite_utils import Database

from ..domain.errors import ConfigError
from ..store import dealt, runs
from ..tasks.answers.reader_spec import RULES
from ..tasks.catalogue import TaskSource, open_task, pinned, read_task
from ..tasks.likeness import comparable
from ..tasks.splits import Dealing, Sizes
from ..tasks.task import Task
from .labelled import check_labelled
from .run_input import RunInput
from .serving import strict
from .settings import Settings

TESTS, UNSEEN = True, "tests and confirms"
"""What a run keeps what it builds on from: runs of earlier versions from their tests alone."""


@dataclass(frozen=True, slots=True)
class Rules:
    """By which rules a run's examples are dealt and answers read: today's, or those of when it, or what it builds on, began.

    `seen` are the questions that nothing tests, `trained` those that nothing confirms, `selected` those that what the run
    begins with was selected on.
    `data` are the versions of data sets of services; those that are read anew are put there.
    """

    dealing: Dealing = "one test set"
    seen: frozenset[str] = frozenset()
    data: dict[str, str] = field(default_factory=dict)
    reading: int = RULES
    selected: frozenset[str] = frozenset()
    trained: frozenset[str] = frozenset()


def dealing_rules(db: Database, run: str, problem: RunInput, origin: str = "") -> Rules:
    """The rules for a run: those that it began with, or its parent's, with what its lineage selected on kept from testing.

    `origin` is the run that it is a fork of, which may have lent it nothing but its settings.
    """
    own = runs.known(db, run)
    before = own or runs.known(db, problem.parent[0] if problem.parent else origin)
    dealing: Dealing = before.config.get("dealing", "train first") if before else "one test set"
    data = dict(before.config.get("data", {})) if before else {}
    reading = before.config.get("reading", 1) if before else RULES
    if own is not None and not own.config.get("unseen"):
        return Rules(dealing, data=data, reading=reading)
    builds_on = [*([problem.parent[0]] if problem.parent else []), *problem.made_by]
    unknown = next((one for one in builds_on if strict() and runs.known(db, one) is None), None)
    if unknown is not None:
        raise ConfigError(f"run {unknown} is none of this server's; name one of its runs under start.run or made_by")
    seen = {one: frozenset(map(comparable, dealt.selected_on(db, one))) for one in builds_on}
    selected = seen.get(problem.from_run.run, frozenset()) if problem.from_run else frozenset()
    trained: set[str] = set()
    if own is None or own.config["unseen"] != TESTS:
        trained.update(*(dealt.selected_on(db, one, ("train",)) for one in builds_on))
    seen_by_any = frozenset().union(*seen.values())
    return Rules(dealing, seen_by_any, data, reading, selected, frozenset(map(comparable, trained)))


def open_tasks(problem: RunInput, settings: Settings, rules: Rules | None = None) -> tuple[dict[str, Task], dict[str, Task]]:
    """The source and the target tasks of a problem by name, with their splits drawn; by today's rules if none are given."""
    rules = rules or Rules()
    sizes = Sizes(
        settings.train_size, settings.validation_size, settings.test_size, problem.most, rules.dealing, problem.aside or 0,
        rules.seen, rules.selected, rules.trained,
    )  # fmt: skip

    begin = problem.from_run.user_prompts if problem.from_run else {}

    def opened(sources: Sequence[TaskSource], target: bool) -> list[Task]:
        held = [read_task(source).by_rules(rules.reading).held(problem.constrain) for source in sources]
        tasks = [open_task(pinned(spec, rules.data), sizes, problem.seed, target=target) for spec in held]
        return [replace(task, spec=task.spec.begun_with(begin.get(task.name, ()))) for task in tasks]

    sources, targets = opened(problem.tasks, False), opened(problem.unseen_tasks, True)
    names = [task.name for task in sources + targets]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"two tasks are named {twice[0]!r}; names must differ, also between source and target tasks")
    check_labelled(problem, sources)
    return {task.name: task for task in sources}, {task.name: task for task in targets}
