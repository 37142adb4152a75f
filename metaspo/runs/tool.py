"""Optimization as a tool: an agent decides that a prompt should get better, and is told in a few lines whether it did."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from langchain_core.tools import StructuredTool
from pydantic import BaseModel, ConfigDict, Field

from ..domain.complaints import as_written, complaints
from ..domain.errors import ConfigError
from ..domain.significance import Change
from ..domain.twins import blocking
from ..tasks.catalogue import read_task
from ..workspace.forms import told_to_a_model
from .config import config_of
from .optimize import Result, aoptimize

DIGITS = 4


def optimization_tool(*, name: str = "optimize_system_prompt", **settings: Any) -> StructuredTool:
    """A LangChain tool that runs an optimization and returns a `brief` one of its results.

    `settings` are those of `optimize` and are not the agent's to change: models, store, tasks, sizes,
    budget. The agent chooses the prompt to start from, which of the tasks to use, and fewer calls than
    the budget allows. Raises UserError for anything wrong in the settings; the agent is told of its own
    mistakes in words.
    """
    config = config_of(**settings)
    known = {read_task(source).name: source for source in config.tasks}
    most = config.budget.calls

    class Wish(BaseModel):
        model_config = ConfigDict(extra="forbid")

        system_prompt: str = Field(config.system_prompt, description="The system prompt to start from.", min_length=1)
        tasks: list[str] = Field(
            default_factory=list, description=f"The tasks it must be good at, out of: {', '.join(known)}. All of them if empty."
        )
        calls: int | None = Field(most, ge=1, le=most, description="Model calls that it may cost at most.")

    async def run(**wish: Any) -> dict[str, Any]:
        unknown = [task for task in wish["tasks"] if task not in known]
        with told_to_a_model():
            if unknown:
                raise ConfigError(f"there is no task {as_written(unknown[0])}; there are: {', '.join(known)}")
            budget = config.budget.model_copy(update={"calls": wish["calls"] or most})
            chosen = {"tasks": [known[task] for task in wish["tasks"] or known], "system_prompt": wish["system_prompt"]}
            return brief(await aoptimize(config.model_copy(update={**chosen, "budget": budget})))

    return StructuredTool.from_function(
        func=lambda **wish: blocking(run(**wish)),
        coroutine=run,
        name=name,
        description=_about(most),
        args_schema=Wish,
        handle_tool_error=True,
        handle_validation_error=lambda error: _mistakes(error, [*Wish.model_fields]),
    )


def _about(most: int | None) -> str:
    """What an agent is told of the tool, with the calls that it may cost at most."""
    return (
        "Improve a system prompt by trying variants of it on examples of its tasks. Takes minutes and costs "
        f"{f'at most {most:,}' if most else 'hundreds to thousands of'} model calls. Returns the best prompts found, scores "
        "before and after, and whether the change is more than noise."
    )


def brief(result: Result) -> dict[str, Any]:
    """A result as a small JSON object for another program: prompts, test scores in [0, 1], what it cost.

    `change` holds the mean difference over the source tasks with its 95% interval, a paired test's p, on
    how many examples, and whether that is within noise; None when nothing was tested, as in a run that
    ended early. `verdict` says whether the prompts found are confirmed on examples kept back.
    `estimated` is how many calls came without token counts, so that their cost is an estimate; `unpriced` how many
    the cost leaves out because theirs is unknown; None where no other cost anything.
    """
    report = result.report
    return {
        "run": result.run,
        "status": report.run.status,
        "stopped": str(result.stopped) if result.stopped else None,
        "system_prompt": result.system_prompt,
        "user_prompts": result.user_prompts,
        "scores": {t.name: {"before": round(t.before, DIGITS), "after": round(t.after, DIGITS)} for t in report.tasks},
        "change": _change(report.source) if report.source else None,
        "verdict": report.verdict,
        "calls": report.usage.total_calls,
        "cost": None if report.usage.cost is None else round(report.usage.cost, DIGITS),
        "unpriced": report.usage.unpriced,
        "estimated": report.usage.estimated,
    }


def _change(change: Change) -> dict[str, Any]:
    rounded = {name: round(value, DIGITS) for name, value in asdict(change).items()}
    return {**rounded, "noise": not change.is_real}


def _mistakes(error: Any, takes: Sequence[str]) -> str:
    """What an agent has asked for that cannot be, in words."""
    found = complaints(error.errors(include_url=False), {})
    unknown = f"there is no such argument; write one of: {', '.join(takes)}"
    return "; ".join(
        f"{'.'.join(map(str, where))}: {unknown if kind == 'extra_forbidden' else said}" for where, kind, said in found
    )
