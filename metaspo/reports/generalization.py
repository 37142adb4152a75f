"""What a generalization came to, read from the store: two system prompts on tasks that they were not made for."""

from dataclasses import dataclass, field
from pathlib import Path

from ..domain.calls import Usage
from ..domain.errors import ConfigError, MetaspoError
from ..prompts.own import short_hashes
from ..store import calls, evaluations, prompts, runs
from ..store.database import open_store
from ..tasks.scores.paired import Overall, TaskComparison, over_tasks
from ..workspace.generalization import Generalization, read_scores, user_prompts
from ..workspace.known import stored_input
from .costs import cost_notes
from .notebook.shown import Shown
from .remarks import remarks
from .set_aside import SetAside, set_aside


@dataclass(frozen=True, slots=True, repr=False)
class GeneralizationReport(Shown):
    """What came out. `overall` is None until every pair is scored; `dropped` counts proposals nobody could use.

    `seen` names the tasks that a run which made one of the system prompts worked on: their examples here are others,
    and the tasks are not unseen. `set_aside` are examples that the endpoint gave no reply to, `remarks` sentences on
    what looks wrong with it.
    """

    run: runs.Run
    system_prompt: str
    against: str
    user_prompts: dict[str, list[str]]
    dropped: int
    tasks: list[TaskComparison]
    overall: Overall | None
    seen: list[str]
    set_aside: list[SetAside]
    remarks: list[str]
    usage: Usage
    store: str
    stopped: MetaspoError | None = None
    cost_notes: list[str] = field(default_factory=list)
    optimizer_prompts: dict[str, str] = field(default_factory=dict)


def open_generalization(path: str | Path, name: str = "last", stopped: MetaspoError | None = None) -> GeneralizationReport:
    """The report of such a run from the store, finished or not; raises StoreError when there is none."""
    with open_store(path) as store:
        run = runs.find(store.db, name)
        given = stored_input(run.config)
        if not isinstance(given, Generalization):
            raise ConfigError(f"run {run.id[:8]} is a search; 'metaspo show {run.id[:8]}' shows it")
        users = user_prompts(store.db, run.id)
        every = read_scores(store.db, run.id, given, users)
        rows = [row for row in prompts.candidates(store.db, run.id) if row.level == "user"]
        texts = prompts.prompt_texts(store.db, sorted({id for ids in users.values() for id in ids}))
        usage = calls.usage(store.db, run.id)
        notes = cost_notes(store.db, [run.id])
        aside, remarked = set_aside(store.db, run.id), remarks(store.db, run.id)
        made_on = {task.name for one in given.made_by for task in evaluations.run_tasks(store.db, one) if task.role == "source"}
    return GeneralizationReport(
        run=run,
        system_prompt=given.system_prompt,
        against=given.against,
        user_prompts={task: [texts[id] for id in ids] for task, ids in users.items()},
        dropped=sum(row.prompt is None for row in rows),
        tasks=[paired.compare() for paired in every],
        overall=over_tasks(every) if every else None,
        seen=[paired.task for paired in every if paired.task in made_on],
        set_aside=aside,
        remarks=remarked,
        usage=usage,
        store=str(path),
        stopped=stopped,
        cost_notes=notes,
        optimizer_prompts=short_hashes(given.optimizer_prompts),
    )
