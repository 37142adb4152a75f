"""Earlier attempts: what has been tried to improve a prompt, and how each did, in words for the optimizer."""

import json

from ..prompts.renderer import fenced
from ..store import prompts
from ..store.prompts import CandidateRow
from ..tasks.demonstrations import apart
from ..workspace.search import SearchWorkspace
from ..workspace.state import Job
from .failures import own_method, shortened
from .stages import GATE


async def earlier(workspace: SearchWorkspace, job: Job) -> list[CandidateRow]:
    """The candidates of a job's level and task that were written in earlier rounds of this run and its ancestors.

    Those of the round at work are left out: they come in no order that one could rely on. One that was
    dropped before it was a prompt has no text and is left out too.
    """
    rows = await workspace.store.run(prompts.ancestry, workspace.run)
    own = (row for row in rows if row.level == job["level"] and row.task == job["task"] and row.prompt)
    return [row for row in own if row.round < job["round"]]


async def with_attempts(workspace: SearchWorkspace, job: Job, parent: str, request: str) -> str:
    """A request, with the last attempts to improve the parent after it where the run's method shows them."""
    how = own_method(workspace).shown
    rows = [row for row in await earlier(workspace, job) if row.parent == parent] if how.tried else []
    if not rows:
        return request
    [own, *texts] = await workspace.prompt_texts(parent, *(row.prompt or "" for row in rows))
    # The last word on each text; one that differs in its demonstrations alone is nothing to differ from.
    seen = {_as_seen(workspace, job, text): row for text, row in zip(texts, rows, strict=True)}
    seen.pop(_as_seen(workspace, job, own), None)
    lines = [
        json.dumps({"prompt": shortened(text, how.tails), "result": result(row)}, ensure_ascii=False)
        for text, row in list(seen.items())[-how.tried :]
    ]
    told = workspace.template("tried").render(attempts=fenced("\n".join(lines)))
    return f"{request}\n\n{told}" if lines else request


def _as_seen(workspace: SearchWorkspace, job: Job, text: str) -> str:
    """A prompt as the optimizer would have written it."""
    return apart(workspace.tasks[job["task"]], text)[0] if job["task"] else workspace.problem.locks.hidden(text)


def result(row: CandidateRow) -> str:
    """How a candidate did, in words; points are out of 100."""
    if row.status in ("kept", "incumbent"):
        return "; ".join(["taken up", *_difference(row)])
    if row.stage == GATE and row.gain is not None and row.gain <= 0:
        return "mended none of the failures shown"
    return "; ".join([*_difference(row), *([row.reason] if row.reason else [])]) or "no better"


def _difference(row: CandidateRow) -> list[str]:
    if row.gain is None:
        return []
    points = round(100 * row.gain, 1)
    said = f"{abs(points):g} points {'better' if points > 0 else 'worse'}" if points else "no better"
    return [f"{said} on {row.examples} examples" if row.examples else said]
