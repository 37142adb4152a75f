"""What a run will need at most, worked out without calling a model."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..domain.calls import Role
from ..domain.prompts import RoundLevel
from ..domain.results import Split
from ..models.spec import ModelSpec
from ..prompts.renderer import template
from ..tasks.task import Task
from ..workspace.method import Step
from ..workspace.opening import open_tasks
from ..workspace.resources import BASE_TOKENS, JUDGE_TOKENS, OPTIMIZER_TOKENS
from ..workspace.settings import Settings
from .config import RunConfig

CHARACTERS_A_TOKEN = 4
"""A rule of thumb for English; other languages and code need more tokens."""


@dataclass(frozen=True, slots=True)
class Need:
    """Calls of one role at one level: at most so many, with tokens estimated from the data."""

    role: Role
    level: RoundLevel
    calls: int
    input_tokens: int
    output_tokens: int
    cost: float


def plan(config: RunConfig) -> list[Need]:
    """The most a run can need, by role and level; proposals are counted with every attempt they may take.

    Output tokens are counted up to the longest reply, so that the cost is an upper bound wherever
    the estimate of four characters a token holds. Raises UserError like a run would.
    """
    problem = config.problem().check()
    settings = problem.settings()
    sources, targets = open_tasks(problem, settings)
    asked = _Estimate(config, settings, sources, targets)
    kept = {name: len(_starting(config, name)) for name in sources}
    beam = 1 + len(config.start.beam if config.start else [])
    needs = [*asked.base("seed", {name: beam * count for name, count in kept.items()})]
    for step in problem.schedule():
        needs += asked.step(step, kept, beam)
        if step.level == "user":
            kept = {name: min(settings.keep, count + step.proposals(count)) for name, count in kept.items()}
        else:
            beam = min(step.keep, beam + step.proposals(beam))
    if settings.test_size:
        needs += asked.test(kept, searched=bool(problem.schedule() or config.start))
    return _summed(needs)


def _starting(config: RunConfig, task: str) -> list[str]:
    return (config.start.user_prompts.get(task) if config.start else None) or ["seed"]


@dataclass(frozen=True)
class _Estimate:
    config: RunConfig
    settings: Settings
    sources: Mapping[str, Task]
    targets: Mapping[str, Task]

    def base(self, level: RoundLevel, pairs: Mapping[str, int], split: Split | None = None) -> Iterable[Need]:
        """The calls that so many (system prompt, user prompt) pairs of each task make on a split."""
        split = split or ("validation" if self.settings.validation_size else "train")
        spec = self.config.base
        for name, count in pairs.items():
            task = {**self.sources, **self.targets}[name]
            examples = task.splits[split]
            calls = count * len(examples)
            system = self.config.start.system_prompt if self.config.start else self.config.first_system_prompt
            text = sum(len(part) for e in examples for _, part in task.messages(system, task.spec.user_prompt, e))
            longest = task.spec.max_tokens or spec.max_tokens or BASE_TOKENS
            yield _need(("base", level), spec, calls, count * text, calls * longest)
            if task.spec.metric.kind == "judge":
                judge = ModelSpec.parse(task.spec.metric.model) if task.spec.metric.model else self.config.optimizer
                characters = count * text + calls * (len(template("judge").text) + 4 * longest)
                yield _need(("judge", level), judge, calls, characters, calls * (judge.max_tokens or JUDGE_TOKENS))

    def step(self, step: Step, kept: Mapping[str, int], beam: int) -> Iterable[Need]:
        """The calls of one round: analyses, proposals with all their attempts, and evaluations."""
        there = dict.fromkeys([""], beam) if step.level == "system" else kept
        proposals = {name: step.proposals(count) for name, count in there.items()}
        pairs = proposals if step.level == "user" else {name: proposals[""] * count for name, count in kept.items()}
        requests = sum(step.requests(self.settings, count) for count in there.values())
        shown = step.proposer.pairs(self.settings, step.level) * (1 if step.level == "user" else len(kept))
        spec = self.config.optimizer
        longest = spec.max_tokens or OPTIMIZER_TOKENS
        calls = requests * self.settings.proposal_attempts + step.proposer.analyses * sum(proposals.values())
        characters = len(template(f"propose_{step.level}").text) + shown * self._example() + 4 * longest
        yield _need(("optimizer", step.level), spec, calls, calls * characters, calls * longest)
        yield from self.base(step.level, pairs)
        if self.settings.validation_size and step.proposer.analyses:
            # Where other examples select, the parents' failures on train are looked up.
            parents = {name: min(step.parents, there.get(name, beam)) for name in kept}
            yield from self.base(step.level, parents, "train")

    def test(self, kept: Mapping[str, int], searched: bool) -> Iterable[Need]:
        """The calls of the final test: the tested pairs of each task, and the seed pair unless it is the one found."""
        pairs = {name: searched + min(self.settings.tested_pairs, kept.get(name, 1)) for name in [*self.sources, *self.targets]}
        return self.base("test", pairs, "test")

    def _example(self) -> int:
        """The characters of the longest failing example that a proposal may be shown."""
        longest = max((len(e.question) for task in self.sources.values() for e in task.splits["train"]), default=0)
        return longest + 4 * (self.config.base.max_tokens or BASE_TOKENS)


def _need(of: tuple[Role, RoundLevel], spec: ModelSpec, calls: int, characters: int, output: int) -> Need:
    tokens = characters // CHARACTERS_A_TOKEN
    return Need(*of, calls, tokens, output, (tokens * spec.input_price + output * spec.output_price) / 1e6)


def _summed(needs: Iterable[Need]) -> list[Need]:
    found: dict[tuple[Role, RoundLevel], Need] = {}
    for need in needs:
        was = found.get((need.role, need.level), Need(need.role, need.level, 0, 0, 0, 0.0))
        found[need.role, need.level] = Need(
            need.role, need.level, was.calls + need.calls, was.input_tokens + need.input_tokens,
            was.output_tokens + need.output_tokens, was.cost + need.cost,
        )  # fmt: skip
    return [need for need in found.values() if need.calls]
