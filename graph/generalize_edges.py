"""The fan-outs of the generalization graph: user prompts to come by, then the pairs to score."""

from langgraph.runtime import Runtime
from langgraph.types import Send

from metaspo.domain.prompts import Prompt
from metaspo.workspace.events import emit
from metaspo.workspace.generalization import Generalization, GeneralizationState, question_of, system_prompts
from metaspo.workspace.opening import workspace_of
from metaspo.workspace.state import Context, Job


async def user_prompts(state: GeneralizationState, runtime: Runtime[Context]) -> list[Send]:
    """At the start: every task's user prompts, given or to be induced."""
    workspace = await workspace_of(state, runtime, begins=question_of)
    question = workspace.problem
    assert isinstance(question, Generalization)
    listed = {name: [Prompt("user", text) for text in texts] for name, texts in question.user_prompts.items()}
    await workspace.save_prompts(*system_prompts(question), *(prompt for prompts in listed.values() for prompt in prompts))
    jobs: list[Job] = []
    for name in workspace.tasks:
        base: Job = {"run": workspace.run, "round": 0, "level": "user", "task": name, "pairs": question.pairs}
        if name in listed:
            jobs += [{**base, "position": at, "user": prompt.id} for at, prompt in enumerate(listed[name])]
        else:
            jobs += [{**base, "position": at} for at in range(question.prompts or 0)]
    emit(
        {
            "event": "round_opened", "round": 0, "rounds": 0, "level": "test", "candidates": 0, "evaluations": 2 * len(jobs),
        }
    )  # fmt: skip
    return [Send("induce_user_prompts", job) for job in jobs]


async def scorings(state: GeneralizationState, runtime: Runtime[Context]) -> list[Send]:
    """After a user prompt was come by: both system prompts with it. LangGraph shows each branch its own writes only."""
    [one] = state["induced"]
    run = state["run"]
    if one["id"] is None:
        nothing: Job = {"run": run, "round": 0, "task": one["task"]}
        return [Send("evaluate", nothing)]
    workspace = await workspace_of({"run": run, "task": one["task"]}, runtime)
    assert isinstance(workspace.problem, Generalization)
    job: Job = {"run": run, "round": 0, "level": "test", "task": one["task"], "user": one["id"], "split": "test"}
    return [Send("evaluate", {**job, "system": system.id}) for system in system_prompts(workspace.problem)]
