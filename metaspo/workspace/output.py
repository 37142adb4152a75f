"""What the graphs return, as its JSON schema tells it too: the attributes' docstrings are the descriptions there."""

from typing import Annotated

from pydantic import ConfigDict, Field, with_config

# pydantic makes no schema of typing's own before Python 3.12.
from typing_extensions import TypedDict

from ..domain.prompts import RoundLevel

TOLD = ConfigDict(use_attribute_docstrings=True)


@with_config(TOLD)
class Kept(TypedDict):
    """A user prompt that a task keeps, with its score under the incumbent."""

    id: str
    """The prompt's id."""
    text: str
    """The user prompt, with {question} where the question goes."""
    score: float
    """Its score on the selecting examples, in [0, 1]."""
    failures: int
    """How many of these it gets wrong."""


@with_config(TOLD)
class Incumbent(TypedDict):
    """The system prompt in force and its meta score: the mean over all tasks' kept user prompts."""

    id: str
    """The prompt's id."""
    text: str
    """The system prompt."""
    score: float
    """Its meta score on the selecting examples, in [0, 1]."""


@with_config(TOLD)
class Round(TypedDict):
    """A closed round: its level, the incumbent after it and whether a candidate was taken up."""

    round: int
    """The round's number; 0 scores the first prompts."""
    level: RoundLevel
    """What the round was for: first prompts, user prompts, the system prompt, a comparison with the seeds, the final test."""
    incumbent: str
    """The id of the system prompt in force after it."""
    score: float
    """The mean score over tasks after it, in [0, 1]; of test, on the test examples."""
    accepted: int
    """How many candidates were taken up."""
    dropped: int
    """How many proposals could not be used."""


RunId = Annotated[str, Field(description="The run's id: the thread's, where there is one.")]
Found = Annotated[Incumbent, Field(description="The system prompt that was found.")]
Users = Annotated[dict[str, list[Kept]], Field(description="Each task's user prompts by the task's name, best first.")]
Rounds = Annotated[list[Round], Field(description="The closed rounds in their order; the score of one with level test counts.")]


class Output(TypedDict, total=False):
    """What a search returns: the system prompt found, each task's user prompts, and the rounds."""

    run: RunId
    incumbent: Found
    kept: Users
    rounds: Rounds


@with_config(TOLD)
class Estimated(TypedDict):
    """A score or a difference with its 95% interval."""

    value: float
    """The score, in [0, 1], or the difference, in [-1, 1]."""
    low: float
    """The lower end of the interval."""
    high: float
    """The upper end of the interval."""


@with_config(TOLD)
class Tested(TypedDict):
    """A difference with its 95% interval and a paired test."""

    value: float
    """The difference, in [-1, 1]."""
    low: float
    """The lower end of the interval."""
    high: float
    """The upper end of the interval."""
    p: float
    """The test's p, in (0, 1]; at 0.05 or below the difference is real."""
    examples: int
    """On how many examples both were scored."""
    differing: int
    """On how many of them the two differ."""


@with_config(TOLD)
class PromptResult(TypedDict):
    """A system prompt on a task."""

    scores: list[float]
    """Its score under each user prompt, in [0, 1]."""
    mean: Estimated
    """The mean of these."""
    spread: float
    """Their standard deviation."""
    unparsed: float
    """The share of replies without a readable answer, in [0, 1]."""


@with_config(TOLD)
class TaskResult(TypedDict):
    """Both system prompts on a task, with the same user prompts and examples."""

    task: str
    """The task's name."""
    metric: str
    """How answers were scored."""
    constrained: bool
    """Whether replies were held to the labels."""
    examples: int
    """On how many examples of the test split."""
    majority: float | None
    """The score of the best constant answer; null where nobody can tell."""
    candidate: PromptResult
    """The system prompt in question."""
    baseline: PromptResult
    """The one that it is compared with."""
    difference: Estimated
    """The candidate's score less the baseline's."""
    wins: int
    """User prompts under which the candidate does better."""
    ties: int
    """User prompts under which both do alike."""
    losses: int
    """User prompts under which the baseline does better."""
    win_rate: float
    """The share of wins, a tie counted half."""
    user_prompts: list[str]
    """The user prompts themselves, in the order of the scores."""


@with_config(TOLD)
class Mean(TypedDict):
    """Both system prompts over all tasks, each task weighing the same."""

    candidate: Estimated
    """The system prompt in question."""
    baseline: Estimated
    """The one that it is compared with."""
    difference: Tested
    """The candidate's score less the baseline's, and whether that is real."""


@with_config(TOLD)
class Results(TypedDict):
    """What came out, by task and over tasks."""

    tasks: dict[str, TaskResult]
    """Each task's comparison by the task's name."""
    mean: Mean
    """The means over tasks."""


Compared = Annotated[Results, Field(description="Both system prompts by task and over tasks.")]


class GeneralizationOutput(TypedDict, total=False):
    """What a generalization returns: both system prompts on every task and over tasks."""

    run: RunId
    results: Compared
