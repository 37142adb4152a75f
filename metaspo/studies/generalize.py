"""Does a system prompt help tasks that it was not made for? Started and read from Python and the command line."""

import asyncio
import uuid
from pathlib import Path
from typing import Any

from pydantic import field_validator

from ..domain.errors import ConfigError
from ..domain.twins import twin_of
from ..reports.generalization import GeneralizationReport, open_generalization
from ..reports.notebook.live import listening
from ..runs.config import located, nested, part, some_tasks
from ..runs.prompt_source import read_prompt
from ..runs.session import Listener, run_session
from ..store.database import default_store
from ..tasks.documents import check, read_yaml
from ..workspace.context import Context
from ..workspace.generalization import Generalization
from ..workspace.sizes import on_top


class GeneralizationConfig(Generalization, Context):
    """Everything about such a run: what is compared, and what it works with."""

    @field_validator("tasks", mode="before")
    @classmethod
    def _some_tasks(cls, value: Any) -> Any:
        return some_tasks(value)

    def generalization(self) -> Generalization:
        """Which system prompts, tasks and user prompts."""
        return part(self, Generalization)

    def context(self) -> Context:
        """The models, the store and the budget."""
        return part(self, Context)


def generalization_config(
    prompt: str, settings: dict[str, Any], *, against: str | None = None, store: str | Path | None = None
) -> GeneralizationConfig:
    """The configuration from a prompt's name, another one's to compare with, and settings on top.

    `prompt` and `against` are files or runs. Where the prompt comes from a run, so do models and tasks
    that are not set: the run's target tasks, and of other tasks the examples that the run did not select on. Raises UserError.
    """
    known = str(store or default_store())
    source = read_prompt(prompt, known)
    data = {**source.settings, "system_prompt": source.text, "store": known, "made_by": source.made_by}
    if against is not None:
        other = read_prompt(against, known)
        data |= {"against": other.text, "made_by": [*source.made_by, *other.made_by]}
    data = located(on_top(data, nested(settings, data)), Path())
    source.insist_on_tasks(data.get("tasks"))
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
    with listening(listener) as told:
        stopped = await run_session(run, config.context(), config.generalization(), told)
    return await asyncio.to_thread(open_generalization, config.store, run, stopped)


generalize = twin_of(ageneralize)
