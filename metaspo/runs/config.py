"""A run's configuration: one YAML file, options on top of it, or keywords in Python."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from langchain_core.runnables import Runnable
from pydantic import BaseModel, field_validator

from ..domain.errors import ConfigError, TaskError
from ..domain.paths import path_of
from ..methods import builtin as builtin  # registers the methods that a config may name
from ..models import langchain
from ..models.spec import ModelSpec
from ..models.spec_text import whole
from ..prompts.own import read_folder
from ..tasks.catalogue import builtin_tasks
from ..tasks.documents import Document, check, read_yaml
from ..tasks.given import with_names
from ..tasks.sources.given import plain_examples
from ..tasks.sources.named import is_named
from ..tasks.spec import TaskSpec
from ..workspace.context import MODELS, Context
from ..workspace.from_run import FromRun
from ..workspace.method import FILE
from ..workspace.problem import Problem
from ..workspace.serving import trusted
from ..workspace.sizes import on_top
from .from_run import asked_for, begun_from, settings_beneath

Part = TypeVar("Part", bound=BaseModel)

FROM_RUN = "from_run"
"""The key of a config that names the run to begin from."""


class RunConfig(Problem, Context):
    """Everything about a run: the problem, and what it works with. Keys are those of both."""

    if TYPE_CHECKING:
        # For type checkers that don't know pydantic.
        def __init__(self, **settings: Any) -> None: ...

    @field_validator("tasks", mode="before")
    @classmethod
    def _some_tasks(cls, value: Any) -> Any:
        return some_tasks(value)

    def problem(self) -> Problem:
        """What to optimize and how."""
        found = part(self, Problem)
        found._began = self._began
        return found

    def context(self) -> Context:
        """The models, the store and the budget."""
        return part(self, Context)


def some_tasks(value: Any) -> Any:
    """The tasks that somebody has written; ValueError for a list of none, which is not what leaving them out is."""
    if isinstance(value, list | tuple) and not value:
        raise ValueError("is empty; name at least one task, such as [tickets.yaml], or leave the key out for the built-in ones")
    return value


@trusted()
def part(config: BaseModel, kind: type[Part]) -> Part:
    """The part of a configuration that is of this kind."""
    return kind.model_validate(config.model_dump(include=set(kind.model_fields)))


@trusted()
def read_config(path: str | Path | None, settings: dict[str, Any] | None = None) -> RunConfig:
    """The configuration in a YAML file (the built-in demo's if None) with `settings` on top.

    Paths in the file are relative to it. Raises ConfigError with file, line and key.
    """
    document = read_yaml(Path(path), ConfigError) if path else None
    data = located(dict(document.data), document.path.parent) if document else {}
    told = settings or {}
    wanted = _from_run({**data, **nested({key: told[key] for key in told if key.startswith(FROM_RUN)}, data)})
    if wanted:
        beneath = settings_beneath(wanted, {**data, **told}, tasks_only=document is not None)
        data = on_top(beneath, data)
    data = on_top(data, located(nested(told, data), Path()))
    # What was set on top stands on no line of the file.
    return _begun(data, wanted, document and document.without(told))


@trusted()
def config_of(**settings: Any) -> RunConfig:
    """The configuration from Python keywords: specs may be live chat models or programs, tasks may be TaskSpec objects."""
    data = located(settings, Path())
    wanted = _from_run(data)
    if wanted:
        data = on_top(settings_beneath(wanted, data, tasks_only=False), data)
    return _begun(data, wanted)


def _from_run(data: Mapping[str, Any]) -> FromRun | None:
    return asked_for(data[FROM_RUN]) if data.get(FROM_RUN) else None


def _begun(data: dict[str, Any], wanted: FromRun | None, document: Document | None = None) -> RunConfig:
    """The configuration, beginning with what the wanted run ended with, where there is one."""
    config = check(RunConfig, {key: value for key, value in data.items() if key != FROM_RUN}, ConfigError, document)
    return config.model_copy(update=begun_from(wanted, config, config)) if wanted else config


def located(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The settings as plain data whose relative paths are made absolute, so that a run can be resumed from anywhere."""
    data = dict(data)
    for key in ("tasks", "targets"):
        if isinstance(data.get(key), str | Path | TaskSpec | dict):
            data[key] = [data[key]]
        if isinstance(data.get(key), list | tuple):
            data[key] = [_located_task(task, folder) for task in data[key]]
    for key in MODELS:
        if isinstance(data.get(key), list | tuple):
            data[key] = [_registered(model) for model in data[key]]
        elif key in data:
            data[key] = _registered(data[key])
    if str(data.get("method", "")).startswith(FILE):
        data["method"] = FILE + str(path_of(data["method"].removeprefix(FILE), folder).absolute())
    if isinstance(data.get("optimizer_prompts"), str | Path):
        # The texts are what a run is given, not the folder: it may have changed when the run goes on elsewhere.
        data["optimizer_prompts"] = read_folder(path_of(data["optimizer_prompts"], folder).absolute())
    if "store" in data:
        data["store"] = str(path_of(str(data["store"]), folder).absolute())
    return data


def _registered(model: Any) -> Any:
    return langchain.register(model) if isinstance(model, Runnable) else model


def _located_task(task: Any, folder: Path) -> Any:
    if isinstance(task, TaskSpec):
        block = task.model_dump(mode="json", by_alias=True, exclude_defaults=True) | {"user_prompt": task.written_prompt}
        return _located_task(block, task._folder or folder)
    if isinstance(task, Path):
        return str((folder / task).absolute())
    if isinstance(task, str) and task not in builtin_tasks() and Path(task).suffix in (".yaml", ".yml"):
        return str(path_of(task, folder).absolute())
    if isinstance(task, dict) and "examples" in task:
        task = {**_with_names(task), "examples": _plain(task["examples"])}
        located = {**task, **_located_images(task, folder), "examples": _located_examples(task["examples"], folder)}
        reader = task.get("reader")
        if isinstance(reader, dict) and isinstance(reader.get("schema"), str):
            located["reader"] = {**reader, "schema": str(path_of(reader["schema"], folder).absolute())}
        return located
    return task


def _with_names(task: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return with_names(task)
    except ValueError as error:
        raise TaskError(f"task {task.get('name')!r}: {error}") from None


def _plain(examples: Any) -> Any:
    try:
        return plain_examples(examples)
    except ValueError as error:
        raise TaskError(f"examples: {error}") from None


def _located_images(task: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """The folder of images of a task that names any in its own rows: where a run goes on is not where it began."""
    written, examples = task.get("image_folder") or "", task["examples"]
    rows = [part for part in (examples.values() if isinstance(examples, dict) else [examples]) if not isinstance(part, str)]
    shows = written or (rows and (task.get("images") or '"image' in json.dumps(rows, default=str)))
    return {"image_folder": str(path_of(str(written), folder).absolute())} if shows else {}


def _located_examples(examples: Any, folder: Path) -> Any:
    if is_named(examples):
        return examples
    if isinstance(examples, str):
        return str(path_of(examples, folder).absolute())
    if isinstance(examples, dict):
        return {split: _located_examples(part, folder) for split, part in examples.items()}
    return examples


def parse_setting(text: str) -> tuple[str, Any]:
    """The key and value of a 'key=value' option; the value is read as YAML. Raises ConfigError."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"--set {text!r}: write key=value, such as iterations=5 or budget.calls=1000")
    try:
        as_it_stands = key.strip() in (*MODELS, "system_prompt") and not (
            key.strip() == "base" and value.strip().startswith("[")
        )
        return key.strip(), value if as_it_stands else yaml.safe_load(value)
    except yaml.YAMLError:
        return key.strip(), value


def nested(settings: dict[str, Any], base: dict[str, Any]) -> dict[str, Any]:
    """The settings with dotted keys (`budget.calls`) put into their blocks, beside what the file has there."""
    result: dict[str, Any] = {}
    # What is in a block goes on top of the block, in whatever order they were given.
    for key, value in sorted(settings.items(), key=lambda item: item[0].count(".")):
        block, dot, inner = key.partition(".")
        if not dot:
            result[key] = value
            continue
        before = _block(block, {**base, **result})
        every = [_with(one, inner, value, key, block) for one in (before if isinstance(before, list) else [before])]
        # Of several base models, each.
        result[block] = every if isinstance(before, list) else every[0]
    return result


def _with(before: Any, path: str, value: Any, key: str, block: str) -> dict[str, Any]:
    """A block with one more value, in a block of its own where the path has further dots (`optimizer.cost`)."""
    if not isinstance(before, dict):
        raise ConfigError(f"cannot set {key}: {block} is not a block")
    name, dot, inner = path.partition(".")
    if not dot:
        return {**before, name: value}
    return {**before, name: _with(before.get(name) or {}, inner, value, key, f"{block}.{name}")}


def _block(name: str, settings: dict[str, Any]) -> Any:
    """The block that a dotted key reaches into, empty if there is none; a model's as its spec has it."""
    found = settings.get(name)
    if found is None and name in MODELS:
        # An analyst that differs from the optimizer in one setting is the optimizer with that setting.
        found = settings.get("optimizer" if name == "analyst" else name) or getattr(Context(), name) or Context().optimizer
    if name in MODELS and isinstance(found, list | tuple):
        return [_fields(one) for one in whole(found)]
    if name == FROM_RUN and isinstance(found, str):
        return {"run": found}
    return _fields(found) if name in MODELS else found or {}


def _fields(model: Any) -> Any:
    """A model's settings as a block."""
    spec = ModelSpec.parse(model) if isinstance(model, str) else model
    return spec.model_dump(exclude_unset=True) if isinstance(spec, ModelSpec) else spec or {}
