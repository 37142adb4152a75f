"""What the graph tells while it works: the custom stream's events. Small, typed, the same for every display."""

import logging
from typing import Literal, TypedDict

from langgraph.runtime import get_runtime

from ..domain.costs import cost_says
from ..domain.prompts import RoundLevel
from ..store.events import tell
from .resources import Workspace

ROUNDS = logging.getLogger("metaspo.rounds")
"""Gets a line at INFO for every round, which a served process prints and the command line, with its bars, does not."""


class Spent(TypedDict):
    """A run's totals so far, over all its sessions, and the limits that its budget sets.

    `estimated` is how many calls came without token counts, so that theirs are estimated; `unpriced` how many
    the cost leaves out, because theirs is unknown. Where nothing else cost anything, the cost is None.
    """

    calls: int
    cached: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost: float | None
    unpriced: int
    estimated: int
    budget: dict[str, float]


class Scored(TypedDict):
    """A (system prompt, user prompt) pair was scored on one split of a task, or on some of its examples.

    Of `examples` replies `unparsed` held no readable answer, `sample` is the beginning of one of these, and
    `ungraded` answers got no grade from a judge.
    """

    event: Literal["scored"]
    round: int
    level: RoundLevel
    task: str
    split: str
    score: float
    examples: int
    unparsed: int
    ungraded: int
    sample: str
    spent: Spent


class Proposed(TypedDict):
    """A candidate was written, or dropped for a reason."""

    event: Literal["proposed"]
    round: int
    level: RoundLevel
    task: str
    position: int
    dropped: str | None
    spent: Spent


class RoundOpened(TypedDict):
    """A round begins: how many candidates and evaluations it is expected to bring."""

    event: Literal["round_opened"]
    round: int
    rounds: int
    level: RoundLevel
    candidates: int
    evaluations: int


class StageOpened(TypedDict):
    """Within a round, the candidates that are left are asked for more: a larger sample, or everything."""

    event: Literal["stage_opened"]
    round: int
    level: RoundLevel
    stage: str
    candidates: int
    evaluations: int


class RoundClosed(TypedDict):
    """A round ended: the meta score of the system prompt in force, and whether a candidate was taken up."""

    event: Literal["round_closed"]
    round: int
    level: RoundLevel
    score: float
    accepted: int
    dropped: int
    incumbent: str
    spent: Spent


class Noted(TypedDict):
    """Something that a person should know of a run's figures, such as token counts that are estimates."""

    event: Literal["noted"]
    text: str


Event = Scored | Proposed | RoundOpened | StageOpened | RoundClosed | Noted


async def emit(workspace: Workspace, event: Event) -> None:
    """Write an event to the custom stream, into the store for whoever follows the run from elsewhere, and to the tracker."""
    await workspace.store.run(tell, workspace.run, event)
    if workspace.tracker is not None:
        workspace.tracker.tell(event)
    get_runtime().stream_writer(event)


async def emit_closed(workspace: Workspace, event: RoundClosed) -> None:
    """The same with the end of a round, and one line to the log."""
    await emit(workspace, event)
    cost = cost_says(event["spent"]["cost"], event["spent"]["unpriced"])
    ROUNDS.info(
        "run %s: round %d (%s) scores %.3f, %d calls so far, cost %s",
        workspace.run, event["round"], event["level"], event["score"], event["spent"]["calls"], cost,
    )  # fmt: skip


def spent(workspace: Workspace) -> Spent:
    """The totals of a run's account."""
    usage = workspace.account.usage
    return {
        "calls": usage.total_calls,
        "cached": usage.cached,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_tokens": usage.cached_tokens,
        "cost": usage.cost,
        "unpriced": usage.unpriced,
        "estimated": usage.estimated,
        "budget": workspace.account.budget.limits(),
    }
