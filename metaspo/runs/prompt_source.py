"""A system prompt as a person names one: a text file, or a run whose result it is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..domain.errors import ConfigError, StoreError
from ..domain.locks import without_marks
from ..domain.paths import path_of
from ..store import prompts, runs
from ..store.database import open_store


@dataclass(frozen=True, slots=True)
class PromptSource:
    """A system prompt's text, and the run that it comes from, None for a file."""

    text: str
    run: runs.Run | None = None

    @property
    def made_by(self) -> list[str]:
        """The run's id, where there is one."""
        return [self.run.id] if self.run else []

    @property
    def settings(self) -> dict[str, Any]:
        """What its run brings to trying it elsewhere: models, its target tasks if it has some, and sizes."""
        if self.run is None:
            return {}
        problem, context = self.run.config["problem"], self.run.config["context"]
        brought = {
            "base": context["base"],
            "bases": context.get("bases", "mean"),
            "optimizer": context["optimizer"],
            "analyst": context.get("analyst"),
            "preset": problem["preset"],
            "made_by": self.run.id,
        }
        return {**brought, "tasks": problem["targets"]} if problem.get("targets") else brought

    def insist_on_tasks(self, tasks: object) -> None:
        """Raise ConfigError where a run's prompt is to be tried and no tasks are named: on its own it would be no news."""
        if self.run is not None and not tasks:
            made_on = ", ".join(sorted(map(_named, self.run.config["problem"]["tasks"])))
            raise ConfigError(
                f"run {self.run.id[:8]} has no target tasks, and its prompt was made on {made_on}: name the tasks to try "
                "it on with --tasks (tasks=[...] in Python); of a task that it was made on, none of the examples that it "
                "selected on is tested"
            )


def _named(task: Any) -> str:
    if isinstance(task, dict):
        return str(task.get("name"))
    return Path(str(task)).stem if str(task).endswith((".yaml", ".yml")) else str(task)


def written_or_in_file(given: str) -> str:
    """A text as it was written, or that of a file where it is @ and a path. Raises ConfigError."""
    if not given.startswith("@"):
        return given
    path = path_of(given[1:])
    try:
        return path.read_text(encoding="utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 ({error.reason} at byte {error.start}); save it as UTF-8") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{given}: {getattr(error, 'strerror', None) or error}; after @ stands a text file's path") from None


def read_prompt(name: str, store: str | Path) -> PromptSource:
    """The text of a file, or else the system prompt that stands in a run of the store.

    `name` is a path, the beginning of a run's id, or "last". Raises ConfigError when it is neither,
    or when the run has not scored a prompt yet.
    """
    path = path_of(name)
    if path.is_file():
        text = path.read_text(encoding="utf-8").strip()
        if not text:
            raise ConfigError(f"{path} is empty; a system prompt is some text")
        return PromptSource(without_marks(text))
    try:
        with open_store(store) as opened:
            run = runs.find(opened.db, name)
            pairs = prompts.kept_pairs(opened.db, run.id)
            if not pairs:
                raise ConfigError(f"run {run.id[:8]} has no system prompt to show yet; resume it first")
            texts = prompts.prompt_texts(opened.db, [pairs[0].system])
    except StoreError as error:
        raise ConfigError(f"{name!r} is neither a file nor a run: {error}") from error
    return PromptSource(texts[pairs[0].system], run)
