"""How many batches follow one another, at most, where the calls of a model go out in batches."""

from collections.abc import Iterable, Iterator, Mapping

from ..domain.calls import Role
from ..domain.prompts import RoundLevel
from ..methods.stages import sample_sizes
from ..models.spec import ModelSpec
from ..tasks.task import Task
from ..workspace.context import Context
from ..workspace.generalization import Generalization
from ..workspace.method import Step
from ..workspace.settings import Settings
from .config import RunConfig
from .need import Need

GATE_AND_EVERYTHING = 2
"""The stages of a round that is judged in stages beside its samples."""


def in_turn(config: RunConfig, settings: Settings, sources: Mapping[str, Task], targets: Mapping[str, Task]) -> Iterator[Need]:
    """The batches of a run, by role and level, if each answers all that it was sent; a superstep's calls go out together."""
    problem = config.problem()
    steps, tasks = problem.schedule(), [*sources.values()]
    yield from _scored(config, "seed", tasks)
    for step in steps:
        looks = config.selecting != "train" and step.proposer.meets > 0
        asks = any(step.requests(settings, there) for there in (1, settings.keep))
        analysing: Role = "analyst" if config.analyst else "optimizer"
        yield from _after(config.analyst or config.optimizer, (analysing, step.level), int(step.proposer.analyses))
        yield from _after(config.optimizer, ("optimizer", step.level), asks * settings.proposal_attempts)
        edited = config.approve in (step.level, "both")
        yield from _scored(config, step.level, tasks, looks + _judged(config, step, tasks) + edited)
    if problem.confirms and (steps or config.start):
        yield from _scored(config, "confirm", tasks)
    if settings.test_size:
        yield from _scored(config, "test", [*tasks, *targets.values()])


def inducing_in_turn(given: Generalization, context: Context, tasks: Mapping[str, Task]) -> Iterator[Need]:
    """The batches of a generalization: prompts are induced side by side, then all are scored."""
    if any(name not in given.user_prompts for name in tasks):
        yield from _after(context.optimizer, ("optimizer", "user"), given.settings().proposal_attempts)
    yield from _scored(context, "test", tasks.values())


def _judged(config: RunConfig, step: Step, tasks: Iterable[Task]) -> int:
    """After how many evaluations, each a superstep, the candidates of a step are judged."""
    if config.judged != "staged":
        return 1
    sizes = [len(task.splits[config.selecting]) for task in tasks]
    samples = sample_sizes(max(sizes), 1) if step.level == "user" else sample_sizes(sum(sizes), len(sizes))
    return GATE_AND_EVERYTHING + len(samples)


def _scored(models: Context, level: RoundLevel, tasks: Iterable[Task], times: int = 1) -> Iterator[Need]:
    """The batches of so many evaluations: answers, and then grades where a model gives them."""
    # Those of several base models are under way at the same time.
    bases = sorted(models.base_models, key=lambda spec: not spec.batch)
    yield from _after(bases[0], ("base", level), times)
    metrics = [task.spec.metric for task in tasks if task.spec.metric.kind == "judge"]
    judges = [ModelSpec.parse(metric.model) if metric.model else models.optimizer for metric in metrics]
    batched = [judge for judge in judges if judge.batch]
    if batched:
        yield from _after(batched[0], ("judge", level), times)


def _after(spec: ModelSpec, of: tuple[Role, RoundLevel], batches: int) -> Iterator[Need]:
    if spec.batch and batches:
        yield Need(*of, 0, 0, 0, 0.0, batches=batches)
