"""Other optimizers in the same simulated worlds, with the same examples, seed prompts, optimizer and base calls.

Each is given what `search.py` gives metaspo: the training questions of all source tasks, the seed system prompt
and one seed user prompt a task, and `Sim.rewrite` as the model that writes. Both select on the same examples
that they learn from, as metaspo does. An answer that has been paid for is free when it is asked for again,
though neither program keeps answers by itself: only new base calls count. A search ends with the step in which
it has spent its calls, so it may get somewhat more than it was due.

gepa           `gepa.optimize` with a candidate of 1 + n texts: the system prompt and every task's user prompt. Sizes
               are the best of 24 tried in the world `base` (minibatches of 3, 8, 16 or 30 examples; 10, 20 or all
               examples of a task to validate on; with and without merging): 16, 10, without; fewer than four tasks
               validate on 40 in all. A selector picks the text to rewrite among those that have a failure in the
               minibatch, the system prompt half of the time.
gepa_defaults  The same with the package's own sizes and selector: minibatches of 3, all examples to validate on, the
               texts in turn.
dspy           `dspy.GEPA` on a program of 1 + n predictors. The first stands for the system prompt and hands its
               instruction on; the one of the task answers under both. No LM is asked behind the world's back: the
               predictors' `forward` asks the sim. It is built on gepa, and with the sizes and the selector above it
               would take the very same steps; so it has these and merging, which it does by default.
"""

import contextlib
import io
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from random import Random
from typing import Any

from worlds import Question, Sim

SYSTEM = "system"
MINIBATCH, VALIDATED = 16, 40
IDLE = 300
"""Steps without a new question to ask after which a search is ended, as one that knows all it can."""


@dataclass(frozen=True)
class Found:
    """Where a search ended, and what it took."""

    system: str
    users: dict[str, str]
    base: int
    optimizer: int


@dataclass
class Desk:
    """Both models of a world for a rival: answers are counted once, rewrites every time."""

    sim: Sim
    budget: int
    optimizer: int = 0
    idle: int = 0
    known: int = 0
    answers: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """A generator of its own, so that rivals do not depend on each other."""
        self.random = Random(f"rival/{self.sim.world.name}/{self.sim.seed}")

    @property
    def questions(self) -> list[Question]:
        """What may be selected on: every source task's training questions."""
        return [question for task in self.sim.source_tasks for question in self.sim.train(task)]

    @property
    def validated(self) -> list[Question]:
        """Those of them that every candidate worth a second look is scored on."""
        each = max(10, VALIDATED // len(self.sim.source_tasks))
        return [question for task in self.sim.source_tasks for question in self.sim.train(task)[:each]]

    @property
    def seeds(self) -> dict[str, str]:
        """The texts to start from, by component."""
        return {SYSTEM: self.sim.seed_system} | {task: self.sim.seed_user(task) for task in self.sim.source_tasks}

    def answer(self, system: str, user: str, question: Question) -> str:
        """The base model's answer, paid for once."""
        key = system, user, question.text
        if key not in self.answers:
            self.answers[key] = self.sim.answer(system, user, question)
        return self.answers[key]

    def rewrite(self, texts: Mapping[str, str], name: str, failing: Sequence[str]) -> str:
        """What the optimizer makes of a component, given the texts of the questions that it failed."""
        if not failing:
            return texts[name]
        self.optimizer += 1
        level, user = ("system", None) if name == SYSTEM else ("user", texts[name])
        return self.sim.rewrite(level, texts[SYSTEM], user, failing, self.random)

    def chosen(self, failing: Sequence[str]) -> str:
        """The component to rewrite, given the tasks that have a failure in the minibatch."""
        return self.random.choice(sorted(set(failing))) if failing and self.random.random() < 0.5 else SYSTEM

    def spent(self, _: Any = None) -> bool:
        """Whether the search is to end."""
        self.idle = self.idle + 1 if len(self.answers) == self.known else 0
        self.known = len(self.answers)
        return self.known >= self.budget or self.idle > IDLE

    def found(self, texts: Mapping[str, str]) -> Found:
        """The result of a search that ended with these texts."""
        users = {task: texts[task] for task in self.sim.source_tasks}
        return Found(texts[SYSTEM], users, len(self.answers), self.optimizer)


class Quiet:
    """A logger that says nothing."""

    def log(self, message: str) -> None:
        """Say nothing."""


class Adapter:
    """The world as gepa asks for it."""

    propose_new_texts = None

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def evaluate(self, batch: list[Question], candidate: dict[str, str], capture_traces: bool = False) -> Any:
        """Score a batch; a trace is the question and whether it was answered right."""
        from gepa import EvaluationBatch

        replies = [self.desk.answer(candidate[SYSTEM], candidate[question.task], question) for question in batch]
        scores = [float(reply == question.expected) for reply, question in zip(replies, batch, strict=True)]
        return EvaluationBatch(replies, scores, list(zip(batch, scores, strict=True)) if capture_traces else None)

    def make_reflective_dataset(self, candidate: dict[str, str], batch: Any, components: list[str]) -> dict[str, Any]:
        """The failures that concern each component: all of them, or those of its task."""
        failed = [question for question, score in batch.trajectories or [] if not score]
        return {name: [{"question": q.text} for q in failed if name in (SYSTEM, q.task)] for name in components}


def with_gepa(sim: Sim, budget: int, tuned: bool = True) -> Found:
    """Search with gepa until so many base calls are spent."""
    import gepa

    desk = Desk(sim, budget)

    def proposed(candidate: dict[str, str], shown: Mapping[str, Any], components: list[str]) -> dict[str, str]:
        return {name: desk.rewrite(candidate, name, [row["question"] for row in shown[name]]) for name in components}

    def select(state: Any, traces: Any, scores: Any, index: int, candidate: Any) -> list[str]:
        return [desk.chosen([question.task for question, score in traces if not score])]

    sizes: dict[str, Any] = {"reflection_minibatch_size": MINIBATCH, "valset": desk.validated, "module_selector": select}
    done = gepa.optimize(
        seed_candidate=desk.seeds, trainset=desk.questions, adapter=Adapter(desk), custom_candidate_proposer=proposed,
        stop_callbacks=desk.spent, logger=Quiet(), seed=sim.seed, **(sizes if tuned else {}),
    )  # fmt: skip
    return desk.found(done.best_candidate)


def _program(desk: Desk) -> Any:
    """The system prompt and the user prompts as one dspy program."""
    import dspy

    by_text = {question.text: question for question in desk.questions}

    class Stage(dspy.Predict):  # type: ignore[misc]
        def recorded(self, given: dict[str, Any], made: Any) -> Any:
            if dspy.settings.trace is not None:
                dspy.settings.trace.append((self, given, made))
            return made

        def forward(self, **given: Any) -> Any:
            own = self.signature.instructions
            if "system" not in given:
                return self.recorded(given, dspy.Prediction(system=own))
            answer = desk.answer(given["system"], own, by_text[given["question"]])
            return self.recorded(given, dspy.Prediction(answer=answer))

        def __deepcopy__(self, memo: Any) -> Any:
            return Stage(self.signature)

    class Program(dspy.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            for name, text in desk.seeds.items():
                fields = "question -> system" if name == SYSTEM else "system, question -> answer"
                setattr(self, name, Stage(dspy.Signature(fields, text)))

        def forward(self, task: str, question: str) -> Any:
            system = getattr(self, SYSTEM)(question=question).system
            return getattr(self, task)(system=system, question=question)

    return Program()


def with_dspy(sim: Sim, budget: int) -> Found:
    """Search with dspy's GEPA until so many base calls are spent."""
    import dspy

    logging.getLogger("dspy").setLevel(logging.ERROR)
    desk = Desk(sim, budget)

    def examples(questions: Sequence[Question]) -> list[Any]:
        every = (dspy.Example(task=q.task, question=q.text, expected=q.expected) for q in questions)
        return [example.with_inputs("task", "question") for example in every]

    def metric(gold: Any, made: Any, trace: Any = None, name: Any = None, name_trace: Any = None) -> Any:
        right = made.answer == gold.expected
        return dspy.Prediction(score=float(right), feedback="" if right else f"Wrong. Expected: {gold.expected}")

    def proposed(candidate: dict[str, str], reflective_dataset: Any, components_to_update: list[str]) -> dict[str, str]:
        return {
            name: desk.rewrite(
                candidate, name, [row["Inputs"]["question"] for row in reflective_dataset.get(name, []) if row["Feedback"]]
            )
            for name in components_to_update
        }

    def select(state: Any, traces: Any, scores: Any, index: int, candidate: Any) -> list[str]:
        return [desk.chosen([trace["example"].task for trace, score in zip(traces, scores, strict=True) if not score])]

    optimizer = dspy.GEPA(
        metric=metric, max_metric_calls=10**9, instruction_proposer=proposed, component_selector=select, num_threads=1,
        reflection_minibatch_size=MINIBATCH, seed=sim.seed, gepa_kwargs={"stop_callbacks": desk.spent},
    )  # fmt: skip
    # It shows a progress bar for every minibatch.
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        done = optimizer.compile(_program(desk), trainset=examples(desk.questions), valset=examples(desk.validated))
    return desk.found({name: predictor.signature.instructions for name, predictor in done.named_predictors()})


RIVALS: dict[str, Callable[[Sim, int], Found]] = {
    "gepa": with_gepa,
    "gepa_defaults": partial(with_gepa, tuned=False),
    "dspy": with_dspy,
}
"""Who else may search."""


def missing(name: str) -> bool:
    """Whether the package that a rival needs is not installed."""
    return find_spec(name.partition("_")[0]) is None
