"""What a generalization, an adaptation or a study will need at most, worked out without calling a model."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from ..domain.calls import BYTES_A_TOKEN
from ..methods.failures import LONGEST
from ..models.spec import ModelSpec
from ..runs.config import RunConfig
from ..runs.growth import asked_size, longest_prompts, size_of
from ..runs.in_turn import inducing_in_turn
from ..runs.need import Need, Needs, need, summed
from ..runs.plan import TEMPLATES, instructions, plan
from ..tasks.paper.benchmarks import benchmarks
from ..tasks.task import Task
from ..workspace.context import Context
from ..workspace.dealing import open_tasks
from ..workspace.generalization import Generalization
from ..workspace.problem import Problem
from .batch import Planned
from .study import Cell, Study

TASKS = ("tasks", "targets")
"""The keys of a block that name tasks."""


def without_data(study: Study) -> list[str]:
    """The tasks of a study, by their names in the catalogue, whose data is not on this machine."""
    named = [task for block in _blocks(study) for key in TASKS for task in block.get(key) or []]
    return [id for id in dict.fromkeys(task for task in named if isinstance(task, str)) if id in _missing()]


def with_stand_ins(study: Study) -> Study:
    """The same study, where tasks without data have as many examples as they will have at most: good for counting calls."""

    def filled(block: dict[str, Any]) -> dict[str, Any]:
        tasks = {key: [_missing().get(task, task) if isinstance(task, str) else task for task in block[key]]
                 for key in TASKS if block.get(key)}  # fmt: skip
        return {**block, **tasks}

    methods = [row if isinstance(row, str) else filled(row) for row in study.methods]
    settings = {name: filled(block) for name, block in study.settings.items()}
    return study.model_copy(update={"config": filled(study.config), "settings": settings, "methods": methods})


def _missing() -> dict[str, Any]:
    return {id: task.stand_in for id, task in benchmarks().items() if not task.fetched}


def _blocks(study: Study) -> list[dict[str, Any]]:
    return [study.config, *study.settings.values(), *(row for row in study.methods if isinstance(row, dict))]


def plan_runs(planned: Sequence[Planned]) -> Needs:
    """The most that several runs can need together; what two of them ask alike is paid once, and counted twice here."""
    return summed(each for one in planned for each in plan_run(one))


def plan_run(planned: Planned) -> Needs:
    """The most that one run of a batch can need."""
    given = planned.problem
    if isinstance(given, Generalization):
        return plan_generalization(given, planned.context)
    return plan(_config(planned))


def plan_cell(cell: Cell) -> Needs:
    """The most that a cell of a study can need: its search, and the runs that measure the longest prompt it may find."""
    config = _config(cell.search)
    sources, _ = open_tasks(config.problem(), config.problem().settings())
    longest = longest_prompts(config, list(sources.values())).system
    return plan_runs([cell.search, *cell.measures("x" * longest, [])])


def _config(search: Planned) -> RunConfig:
    return RunConfig.model_validate({**cast(Problem, search.problem).model_dump(), **search.context.model_dump()})


def plan_generalization(given: Generalization, context: Context) -> Needs:
    """The most that a generalization can need: user prompts to induce, and both system prompts with every one of them."""
    tasks, _ = open_tasks(given, given.settings())
    assumes = (
        f"Tokens and cost are estimates: they assume {BYTES_A_TOKEN} bytes of text a token, and every reply and every induced "
        "prompt as long as max_tokens allows."
    )
    needs = [one for task in tasks.values() for one in _of_task(given, context, task)]
    return summed([*needs, *inducing_in_turn(given, context, tasks)], assumes)


def _of_task(given: Generalization, context: Context, task: Task) -> Iterable[Need]:
    listed = given.user_prompts.get(task.name)
    optimizer = context.optimizer
    written = optimizer.longest("optimizer")
    user = max(map(size_of, listed), default=0) if listed else BYTES_A_TOKEN * written + size_of(task.spec.answer_format)
    if listed is None:
        calls = (given.prompts or 0) * given.settings().proposal_attempts
        example = max((size_of(e.question[:LONGEST]) + size_of(e.answer) for e in task.splits["train"]), default=0)
        yield need(
            ("optimizer", "user"),
            optimizer,
            calls,
            calls * (instructions(given) + given.pairs * (example + 30)),
            calls * written,
        )
    users = (given.prompts or 0) if listed is None else len(listed)
    tests = task.splits["test"]
    systems = sum(size_of(prompt.text) for prompt in given.system_prompts)
    questions = sum(map(asked_size, tests))
    text = users * (2 * questions + len(tests) * (systems + 2 * user))
    for base in context.base_models:
        yield from _tested(base, optimizer, task, users, text)


def _tested(base: ModelSpec, optimizer: ModelSpec, task: Task, users: int, text: int) -> Iterable[Need]:
    """What a base model is asked on a task with so many user prompts under both system prompts, and what a judge then is."""
    tests = task.splits["test"]
    longest = task.spec.max_tokens or base.longest("base")
    calls = 2 * users * len(tests)
    yield need(("base", "test"), base, calls, text, calls * longest)
    if task.spec.metric.kind == "judge":
        judge = ModelSpec.parse(task.spec.metric.model) if task.spec.metric.model else optimizer
        answers = max((sum(map(size_of, e.answers)) for e in tests), default=0)
        each = TEMPLATES + size_of(task.spec.metric.rubric or "") + answers + BYTES_A_TOKEN * longest
        graded = 2 * users * sum(size_of(e.question) for e in tests) + calls * each
        yield need(("judge", "test"), judge, calls, graded, calls * judge.longest("judge"))
