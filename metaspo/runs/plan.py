"""What a run will need at most, worked out without calling a model."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import cast

from ..domain.calls import BYTES_A_TOKEN, Role
from ..domain.prompts import RoundLevel
from ..domain.results import Split
from ..methods.failures import LONGEST
from ..methods.stages import sample_sizes
from ..models.spec import ModelSpec
from ..prompts.renderer import template
from ..store.database import open_store
from ..store.runs import PLACEBO
from ..tasks.task import Task
from ..workspace.dealing import Rules, dealing_rules, open_tasks
from ..workspace.known import input_of
from ..workspace.method import Step
from ..workspace.run_input import RunInput
from ..workspace.settings import Settings
from .config import RunConfig
from .growth import Longest, asked_size, assumptions, longest_prompts, size_of
from .in_turn import in_turn
from .need import Need, Needs, need, summed

TEMPLATES = 4000
"""Bytes of an optimizer's own instructions, with all that may be added to them."""

TRIED = 4
"""Earlier attempts that an optimizer is shown, at most."""


def instructions(given: RunInput) -> int:
    """Bytes of the optimizer's instructions in one request, at most."""
    return TEMPLATES + sum(map(size_of, given.optimizer_prompts.values()))


def plan(config: RunConfig) -> Needs:
    """The most a run can need, by role and level; proposals are counted with every attempt they may take.

    Tokens are counted up to the longest reply, and as if every prompt became as long as it may: so they are an
    upper bound wherever what they assume holds. Raises UserError like a run would.
    """
    config, rules = _begun(config)
    problem = config.problem().check()
    settings = problem.settings()
    sources, targets = open_tasks(problem, settings, rules)
    asked = _Estimate(config, settings, sources, targets, longest_prompts(config, list(sources.values())))
    first = {name: len(_starting(config, task)) for name, task in sources.items()}
    beam = 1 + len(config.start.beam if config.start else config.system_prompts)
    needs: list[Need] = [*asked.base("seed", {name: beam * count for name, count in first.items()})]
    kept = first if config.start else {name: min(settings.keep, count) for name, count in first.items()}
    beam = beam if config.start else 1
    for step in problem.schedule():
        needs += asked.step(step, kept, beam)
        if step.level == "user":
            kept = {name: min(settings.keep, count + step.proposals(count)) for name, count in kept.items()}
        else:
            beam = min(step.keep, beam + step.proposals(beam))
    if problem.confirms and (problem.schedule() or config.start):
        needs += asked.base("confirm", dict.fromkeys(sources, 2), "validation")
        # A branch has not scored the seeds themselves on what selects.
        needs += asked.base("confirm", dict.fromkeys(sources, 1)) if config.start else []
    if settings.test_size:
        needs += asked.test(kept, searched=bool(problem.schedule() or config.start))
    if problem.placebo and problem.schedule():
        needs += plan(config.model_copy(update={"placebo": False, "method": f"{PLACEBO}{problem.method}"}))
    needs += in_turn(config, settings, sources, targets)
    return summed(needs, assumptions(config, asked.longest))


def _starting(config: RunConfig, task: Task) -> list[str]:
    carried = config.start.user_prompts.get(task.name) if config.start else None
    return carried or [task.spec.user_prompt, *task.spec.user_prompts]


def _begun(config: RunConfig) -> tuple[RunConfig, Rules | None]:
    """What a run would work on, with the sizes of what it goes on from, and the rules by which its examples would be dealt."""
    if not (config.start or config.made_by or config.from_run) or not Path(config.store).exists():
        return config, None
    with open_store(config.store) as store:
        return cast(RunConfig, input_of(store.db, "", config)), dealing_rules(store.db, "", config.problem())


@dataclass(frozen=True)
class _Estimate:
    config: RunConfig
    settings: Settings
    sources: Mapping[str, Task]
    targets: Mapping[str, Task]
    longest: Longest

    def base(self, level: RoundLevel, pairs: Mapping[str, float], split: Split | None = None) -> Iterable[Need]:
        """The calls that so many (system prompt, user prompt) pairs of each task make on a split, or on a share of it."""
        for spec in self.config.base_models:
            yield from self._of_base(spec, level, pairs, split or self.config.selecting)

    def _of_base(self, spec: ModelSpec, level: RoundLevel, pairs: Mapping[str, float], split: Split) -> Iterable[Need]:
        for name, count in pairs.items():
            task = {**self.sources, **self.targets}[name]
            examples = task.splits[split]
            calls = ceil(count * len(examples))
            questions = sum(map(asked_size, examples))
            user = self.longest.user if name in self.sources else size_of(task.spec.user_prompt)
            text = questions + len(examples) * (self.longest.system + user)
            longest = task.spec.max_tokens or spec.longest("base")
            yield need(("base", level), spec, calls, ceil(count * text), calls * longest)
            if task.spec.metric.kind == "judge":
                judge = self._judge(task)
                rubric = size_of(task.spec.metric.rubric or "") + size_of(template("judge").text)
                answers = max((sum(map(size_of, e.answers)) for e in examples), default=0)
                told = sum(size_of(example.question) for example in examples)
                characters = ceil(count * told) + calls * (rubric + answers + BYTES_A_TOKEN * longest)
                yield need(("judge", level), judge, calls, characters, calls * judge.longest("judge"))

    def step(self, step: Step, kept: Mapping[str, int], beam: int) -> Iterable[Need]:
        """The calls of one round: analyses, proposals with all their attempts, and evaluations."""
        there = dict.fromkeys([""], beam) if step.level == "system" else kept
        proposals = {name: step.proposals(count) for name, count in there.items()}
        pairs = proposals if step.level == "user" else {name: proposals[""] * count for name, count in kept.items()}
        requests = sum(step.requests(self.settings, count) for count in there.values())
        shown = step.proposer.pairs(self.settings, step.level) * (1 if step.level == "user" else len(kept))
        shown = self.settings.most_failures or shown if step.level == "system" else shown
        writer, analyst = self.config.optimizer, self.config.analyst or self.config.optimizer
        longest = max(spec.longest("optimizer") for spec in (writer, analyst))
        analyses = step.proposer.analyses * sum(proposals.values())
        prompts = (1 + TRIED) * max(self.longest.system, self.longest.user) + self.longest.system + self.longest.user
        characters = instructions(self.config) + prompts + shown * self._example() + 2 * BYTES_A_TOKEN * longest
        asked: dict[Role, tuple[ModelSpec, int]] = {"optimizer": (writer, requests * self.settings.proposal_attempts)}
        if self.config.analyst is None:
            asked["optimizer"] = (writer, asked["optimizer"][1] + analyses)
        else:
            asked["analyst"] = (analyst, analyses)
        for role, (spec, calls) in asked.items():
            yield need((role, step.level), spec, calls, calls * characters, calls * spec.longest("optimizer"))
        meets = self._meets(step, len(kept))
        if self.config.judged == "staged":
            yield from self.staged(step, proposals, kept, meets)
        else:
            yield from self.base(step.level, pairs)
        yield from self.edits(step, kept)
        if self.config.selecting != "train" and meets:
            # Where other examples select, the parents' failures on train are looked up.
            parents = {name: min(step.parents, there.get(name, beam)) for name in kept}
            yield from self.base(step.level, parents, "train")

    def edits(self, step: Step, kept: Mapping[str, int]) -> Iterable[Need]:
        """What scoring a person's own prompts takes, one for every prompt that is shown for approval."""
        if self.config.approve in (step.level, "both"):
            yield from self.base(step.level, dict.fromkeys(kept, 1) if step.level == "user" else kept)

    def _meets(self, step: Step, tasks: int) -> int:
        """The failures that a candidate has to mend one of first, at most."""
        if step.level == "user":
            return min(step.proposer.meets, self.settings.user_failures)
        return min(step.proposer.meets, self.settings.most_failures or self.settings.system_failures * tasks)

    def staged(self, step: Step, proposals: Mapping[str, int], kept: Mapping[str, int], shown: int) -> Iterable[Need]:
        """The evaluations of one round that is judged in stages, as if every candidate came as far as it can."""
        sizes = {name: len(self.sources[name].splits[self.config.selecting]) for name in kept}
        if step.level == "user":
            shares = {
                name: _most_asked(count, sample_sizes(sizes[name], 1), sizes[name], shown) / sizes[name]
                for name, count in proposals.items()
            }
        else:
            total = sum(sizes.values())
            asked = _most_asked(proposals[""], sample_sizes(total, len(sizes)), total, shown)
            # On everything, each of a task's kept user prompts counts; on samples its best one alone.
            further = _last_of(proposals[""], sample_sizes(total, len(sizes)))
            shares = {name: asked / total + further * (count - 1) for name, count in kept.items()}
        yield from self.base(step.level, shares)
        if self.config.selecting != "train" and shown:
            # The failures at the gate are training examples, and none of those that select.
            gate = {name: len(self.sources[name].splits["train"]) for name in kept}
            asked_there = proposals if step.level == "user" else dict.fromkeys(kept, proposals[""])
            yield from self.base(step.level, {name: asked_there[name] * min(1, shown / gate[name]) for name in kept}, "train")

    def test(self, kept: Mapping[str, int], searched: bool) -> Iterable[Need]:
        """The calls of the final test: the tested pairs of each task, and the seed pair unless it is the one found."""
        every = {**self.sources, **self.targets}
        # A curve tests what was best after every round.
        rounds = len(self.config.schedule()) + 1 if self.config.curve else 0
        pairs = {
            name: searched
            + rounds * (name in self.sources)
            + min(self.settings.tested_pairs, kept.get(name, 1))
            + (task.spec.written_prompt != task.spec.user_prompt)
            for name, task in every.items()
        }
        return self.base("test", pairs, "test")

    def _example(self) -> int:
        """The bytes of the longest failing example that a proposal may be shown: question, answer, steps, reply, words."""
        every = [example for task in self.sources.values() for example in task.splits["train"]]
        longest = max((size_of(e.question) + max(map(size_of, e.answers), default=0) for e in every), default=0)
        judges = [self._judge(task) for task in self.sources.values() if task.spec.metric.kind == "judge"]
        explained = max((judge.longest("judge") for judge in judges), default=0)
        said = max(spec.longest("base") for spec in self.config.base_models)
        speaks = any(task.own_metric for task in self.sources.values())
        programs = any(spec.provider in ("program", "object") for spec in self.config.base_models)
        return longest + BYTES_A_TOKEN * (said + explained + LONGEST * (speaks + programs))

    def _judge(self, task: Task) -> ModelSpec:
        return ModelSpec.parse(task.spec.metric.model) if task.spec.metric.model else self.config.optimizer


def _last_of(candidates: int, samples: Sequence[int]) -> int:
    """How many of so many candidates can come to the last stage, after these samples."""
    for _ in samples:
        candidates = ceil(candidates / 2)
    return candidates


def _most_asked(candidates: int, samples: Sequence[int], total: int, shown: int) -> int:
    """The most examples that so many candidates are asked over all stages; each is asked an example once."""
    asked = 0
    for at, size in enumerate(samples):
        going = _last_of(candidates, samples[: at + 1])
        asked += (_last_of(candidates, samples[:at]) - going) * min(total, shown + size)
    return asked + _last_of(candidates, samples) * total
