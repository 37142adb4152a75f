"""What the graph carries from node to node, beside what it is given and run with."""

import operator
from typing import Annotated, Any, Final, Literal, NotRequired

from langgraph.channels import EphemeralValue
from langgraph.types import Overwrite

# pydantic makes no schema of typing's own before Python 3.12.
from typing_extensions import TypedDict

from ..domain.errors import ConfigError
from ..domain.prompts import RoundLevel
from ..domain.results import Split
from ..tasks.catalogue import TaskSource
from ..tasks.documents import check
from .method import Judging
from .output import Found, Rounds, RunId, Users
from .output import Incumbent as Incumbent
from .output import Kept as Kept
from .output import Output as Output
from .output import Round as Round
from .problem import Problem

EDITED: Final = "edited"
StateLevel = Literal["seed", "user", "system", "confirm", "test", "done", "edited"]
"""The level at work, from the first prompts to the end; one with "done" has been left, one that was edited begins a fork."""


class Failure(TypedDict):
    """An example that a task's best user prompt got wrong: its id and the key of the call that answered it."""

    task: str
    example: str
    call: str


class Job(TypedDict, total=False):
    """What a Send hands to a node: ids only, so that a fan-out of hundreds stays small.

    `users` maps the tasks at work to their user prompts. `kept` are all prompts that are kept at the
    job's level, by id, best first. `task` is "" at the system level. `position`
    is the candidate's place in its round. `failures` and `analysis` (a call's key) are filled in by
    the analysis. An evaluation names one `system`, one `user`, one `task` and its `split`; an evaluation
    without a `user` stands for a candidate that was dropped and has nothing to evaluate. In staged
    judging it says its `stage` and the `examples` of the split that it is about. `rival` is the user prompt in force that a
    new one is compared with where either carries demonstrations.
    """

    run: str
    round: int
    level: RoundLevel
    task: str
    position: int
    system: str
    users: dict[str, str]
    kept: list[str]
    user: str
    split: Split
    failures: list[Failure]
    analysis: str | None
    pairs: int
    stage: int
    examples: list[str]
    rival: str


class Candidate(TypedDict):
    """A proposed prompt; `id` and `text` are None when it was dropped for `reason`.

    `failures` are those that it was written from, where there are any.
    """

    task: str
    position: int
    parent: str | None
    id: str | None
    text: str | None
    reason: str | None
    failures: NotRequired[list[Failure]]


class Score(TypedDict):
    """How a (system prompt, user prompt) pair did on one split of one task; `score` in [0, 1].

    `level` is what it was scored for, missing in checkpoints of older versions. With a `stage`, the
    score is of that stage's examples alone, without one of the whole split. `gain` is over the user prompt in
    force where the two carry demonstrations, on the examples that neither carries.
    """

    task: str
    system: str
    user: str
    split: Split
    score: float
    failures: int
    evaluation: str
    level: NotRequired[RoundLevel]
    stage: NotRequired[int]
    gain: NotRequired[float]


class Judged(TypedDict):
    """How far a candidate came in staged judging: its last stage, on how many examples, and its gain there, in [-1, 1].

    One that is `out` goes no further.
    """

    task: str
    position: int
    stage: str
    examples: int
    gain: float
    out: bool
    reason: NotRequired[str]


def newest(old: str, new: str) -> str:
    """The reducer of what several nodes write alike."""
    return new


class State(TypedDict, total=False):
    """The graph's state: the problem as given, and where the search stands. Texts and ids, never replies."""

    tasks: list[TaskSource]
    """The problem's own fields; see `Problem`."""
    targets: list[TaskSource] | None
    system_prompt: str
    system_length: int | None
    system_prompts: list[str]
    user_length: int | None
    judging: Judging | None
    target: float | None
    worst_drop: float | None
    keep_unconfirmed: bool
    placebo: bool
    method: str
    preset: str | None
    seed: int
    constrain: bool
    curve: bool | None
    from_run: dict[str, Any] | None
    optimizer_prompts: dict[str, str]
    made_by: list[str]
    aside: int | None
    start: dict[str, Any] | None
    sizes: Annotated[dict[str, int] | None, EphemeralValue]
    """Several of the sizes below, as a form gives them: they count, and are not kept in two places."""
    iterations: int | None
    user_candidates: int | None
    keep: int | None
    system_candidates: int | None
    user_failures: int | None
    system_failures: int | None
    train_size: int | None
    validation_size: int | None
    test_size: int | None
    tested_pairs: int | None
    proposal_attempts: int | None
    prompt_length: int | None
    rephrasings: int | None
    system_steps: int | None
    user_steps: int | None
    taper: int | None
    patience: int | None
    most_failures: int | None
    compositions: int | None
    exchanges: int | None
    demonstrations: int | None

    run: Annotated[RunId, newest]
    """The run that works here. A thread's first one has the thread's id."""
    round: int
    """The round at work, from 0 (the seeds); `select` closes it and opens the next."""
    level: StateLevel
    """The level at work."""
    incumbent: Found
    kept: Users
    beam: list[Incumbent]
    """The incumbent and the next best system prompts, where a method keeps several; else empty."""
    analyses: Annotated[list[Job], operator.add]
    """This round's analysed failures; emptied by `select`."""
    candidates: Annotated[list[Candidate], operator.add]
    """This round's proposals; emptied by `select`."""
    scores: Annotated[list[Score], operator.add]
    """This round's scores; emptied by `select`."""
    stage: int
    """The stage of judging at work in the round, 0 for the first."""
    judged: list[Judged]
    """The round's candidates that fell at a stage, and those that came to the last one."""
    began: dict[str, float]
    """Each task's score on the selecting examples with the first prompts."""
    ended: str
    """Why the search ended before its last step; empty while it goes on, or where it took them all."""
    review: dict[str, str]
    """What a person decided by task ("" is the system prompt) while edited prompts are scored: "accept", "reject",
    or the id of an edited prompt. Emptied when the round closes."""
    rounds: Rounds
    fork_of: str
    """The run that an edit begins a fork of; it lends its models and its budget. Empty for other runs."""


def not_begun(first_round: int) -> dict[str, Any]:
    """What the channels beside the problem's hold before the first prompts are scored."""
    return {
        "round": first_round, "level": "seed", "incumbent": None, "kept": {}, "beam": [], "began": {}, "ended": "",
        "review": {}, "stage": 0, "judged": [], "rounds": [], "fork_of": "",
        "analyses": Overwrite([]), "candidates": Overwrite([]), "scores": Overwrite([]),
    }  # fmt: skip


def problem_of(state: State, kind: type[Problem] = Problem) -> Problem:
    """The problem in a state, checked; raises ConfigError or TaskError when it is wrong."""
    given = {name: state[name] for name in kind.model_fields if name in state}  # type: ignore[literal-required]
    return check(kind, given, ConfigError).check()
