"""Does a system prompt help tasks that it was not made for? Started and read from Python and the command line."""

import asyncio
import uuid
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..domain.calls import Usage
from ..domain.errors import ConfigError, MetaspoError
from ..domain.twins import blocking
from ..nodes.summarize import all_sides, user_prompts
from ..runs.config import located, nested, part
from ..runs.prompt_source import read_prompt
from ..runs.session import Listener, run_session
from ..store import calls, prompts, runs
from ..store.database import Store, default_store
from ..tasks.documents import check, read_yaml
from ..tasks.generalization import Overall, TaskGeneralization, over_tasks
from ..workspace.generalization import Generalization, stored_problem
from ..workspace.state import Context


class GeneralizationConfig(Generalization, Context):
    """Everything about such a run: the question, and what it works with."""

    def question(self) -> Generalization:
        """Which system prompts, tasks and user prompts."""
        return part(self, Generalization)

    def context(self) -> Context:
        """The models, the store and the budget."""
        return part(self, Context)


@dataclass(frozen=True, slots=True)
class GeneralizationReport:
    """What came out. `overall` is None until every pair is scored; `dropped` counts proposals nobody could use."""

    run: runs.Run
    system_prompt: str
    against: str
    user_prompts: dict[str, list[str]]
    dropped: int
    tasks: list[TaskGeneralization]
    overall: Overall | None
    usage: Usage
    store: str
    stopped: MetaspoError | None = None


def generalization_config(
    prompt: str, settings: dict[str, Any], *, against: str | None = None, store: str | Path | None = None
) -> GeneralizationConfig:
    """The configuration from a prompt's name, another one's to compare with, and settings on top.

    `prompt` and `against` are files or runs. Where the prompt comes from a run, so do models and tasks
    that are not set: the run's target tasks, without those it was made on. Raises UserError.
    """
    known = str(store or default_store())
    source = read_prompt(prompt, known)
    data = {**source.settings, "system_prompt": source.text, "store": known}
    if against is not None:
        data["against"] = read_prompt(against, known).text
    data = located({**data, **nested(settings, data)}, Path())
    if isinstance(data.get("user_prompts"), str):
        data["user_prompts"] = read_user_prompts(Path(data["user_prompts"]))
    return check(GeneralizationConfig, data, ConfigError)


def read_user_prompts(path: Path) -> dict[str, list[str]]:
    """User prompts by task from a YAML file: each task's name with one text or a list of them. Raises ConfigError."""
    data = read_yaml(path, ConfigError).data
    return {str(name): [texts] if isinstance(texts, str) else texts for name, texts in data.items()}


async def ageneralize(
    config: GeneralizationConfig | None = None, *, listener: Listener | None = None, **settings: Any
) -> GeneralizationReport:
    """Score a system prompt against another one on tasks it was not made for; settings are the config's keys."""
    config = config or check(GeneralizationConfig, located(settings, Path()), ConfigError)
    run = str(uuid.uuid4())
    stopped = await run_session(run, config.context(), config.question(), listener)
    return await asyncio.to_thread(open_generalization, config.store, run, stopped)


def generalize(
    config: GeneralizationConfig | None = None, *, listener: Listener | None = None, **settings: Any
) -> GeneralizationReport:
    """`ageneralize` for code without an event loop, and for notebooks that run one."""
    return blocking(ageneralize(config, listener=listener, **settings))


def open_generalization(path: str | Path, name: str = "last", stopped: MetaspoError | None = None) -> GeneralizationReport:
    """The report of such a run from the store, finished or not; raises StoreError when there is none."""
    with closing(Store(path, create=False)) as store:
        run = runs.find(store.db, name)
        question = stored_problem(run.config)
        if not isinstance(question, Generalization):
            raise ConfigError(f"run {run.id[:8]} is a search; 'metaspo show {run.id[:8]}' shows it")
        users = user_prompts(store.db, run.id)
        every = all_sides(store.db, run.id, question, users)
        rows = [row for row in prompts.candidates(store.db, run.id) if row.level == "user"]
        texts = prompts.prompt_texts(store.db, sorted({id for ids in users.values() for id in ids}))
        usage = calls.usage(store.db, run.id)
    return GeneralizationReport(
        run=run,
        system_prompt=question.system_prompt,
        against=question.against,
        user_prompts={task: [texts[id] for id in ids] for task, ids in users.items()},
        dropped=sum(row.prompt is None for row in rows),
        tasks=[sides.compare() for sides in every],
        overall=over_tasks(every) if every else None,
        usage=usage,
        store=str(path),
        stopped=stopped,
    )
