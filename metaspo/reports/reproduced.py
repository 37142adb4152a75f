"""The config that makes a run again, as `metaspo optimize FILE` takes it, without keys, and what no config can hold."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml
from pydantic import BaseModel

from ..domain.errors import MetaspoError
from ..domain.redaction import without_keys
from ..domain.visible import is_unsafe
from ..models.spec import ModelSpec
from ..store.runs import PLACEBO, Run
from ..tasks.given import OBJECT
from ..workspace.context import MODELS, Context
from ..workspace.known import as_asked
from ..workspace.problem import Problem
from ..workspace.serving import trusted
from .places import files_of, name_of, names_apart, renamed

FEW = 20
"""Examples that a config shows, at most; more of them belong into a file."""


@dataclass(frozen=True, slots=True)
class Reproduced:
    """A run's config as YAML, "" where none can be written, and `without`: sentences on what is not in it, and why."""

    config: str = ""
    without: list[str] = field(default_factory=list)


def reproduced(run: Run) -> Reproduced:
    """The config of a search from what the store says that it was given."""
    if run.method.startswith(PLACEBO):
        return Reproduced("", ["A placebo is made by the run that it is the control of: 'placebo: true' in that run's config."])
    try:
        with trusted():
            problem = Problem.model_validate(run.config["problem"])
            context = Context.model_validate(as_asked(run.config["context"]))
    except (KeyError, ValueError, MetaspoError):
        return Reproduced("", ["This version reads no config out of what the store says of the run."])
    without: list[str] = []
    data = {name: value for name, value in _set(Problem, problem.model_dump(mode="json")) if name not in ("tasks", "targets")}
    tasks = {name: [_task(one, without) for one in getattr(problem, name) or []] for name in ("tasks", "targets")}
    data = {**{name: some for name, some in tasks.items() if some}, "system_prompt": problem.system_prompt, **data}
    data = _beside(data | {"method": problem.method}, without)
    data |= {"preset": problem.preset, "seed": problem.seed, **_models(context, without)}
    limits = {name: most for name, most in context.budget.model_dump(mode="json").items() if most not in (None, {})}
    data |= {"budget": limits} if limits else {}
    data |= {"approve": context.approve} if context.approve != "none" else {}
    if problem.from_run:
        # What it was told of that run is found again when it begins.
        data["from_run"] = problem.from_run.model_dump(include={"run", "allow_unconfirmed", "allow_unchanged"})
        del data["made_by"]
        without.append(f"It begins from run {problem.from_run.run[:8]}, which is in the run's own store and in no other.")
    if problem.start:
        without.append(f"It goes on from run {problem.start.run[:8]}, which is in the run's own store and in no other.")
    return Reproduced(without_keys(_written(data)), list(dict.fromkeys(without)))


def _beside(data: Mapping[str, Any], without: list[str]) -> dict[str, Any]:
    """The config with its files beside it: where they lay on the machine of the run is nobody else's business."""
    names = names_apart(files_of(data))
    if names:
        without.append(f"Put beside it the files that it names, without the folders they were in: {', '.join(names.values())}.")
        without.append("They are read as they are then: the content ids of tasks tell whether they have changed.")
    return renamed(data, lambda text: names.get(text, text))


def _set(kind: type[BaseModel], data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What is not as it is where nobody says anything."""
    for name, value in data.items():
        if value is not False and value not in (
            None,
            [],
            {},
            "",
            kind.model_fields[name].get_default(call_default_factory=True),
        ):
            yield name, value


def _models(context: Context, without: list[str]) -> dict[str, Any]:
    """The models in the shortest form that says all of them."""
    made: dict[str, Any] = {"base": [_model(spec, without) for spec in context.base_models]}
    if len(context.base_models) == 1:
        [made["base"]] = made["base"]
    elif context.bases != "mean":
        made["bases"] = context.bases
    for name in MODELS[1:]:
        spec = getattr(context, name)
        made |= {name: _model(spec, without)} if spec else {}
    return made


def _model(spec: ModelSpec, without: list[str]) -> Any:
    if spec.provider == "object":
        without.append(f"{spec.label} is an object that was given in Python; register it there, under this name.")
    if spec.provider in ("program", "scripted") and ":" in spec.name:
        without.append(f"{spec.label} is code of its own, which has to be importable.")
    if name_of(spec.name) != spec.name:
        spec = spec.model_copy(update={"name": name_of(spec.name)})
        without.append(f"{spec.label} is a folder or a file of the machine that the run was on: say where it is on yours.")
    variables = [spec.api_key_env] if spec.api_key_env else []
    if variables:
        without.append(f"The key of {spec.label} is in the environment variable {', '.join(variables)}.")
    text = str(spec)
    try:
        with trusted():
            return text if ModelSpec.parse(text) == spec else spec.model_dump(mode="json", exclude_defaults=True)
    except MetaspoError:
        return spec.model_dump(mode="json", exclude_defaults=True)


def _task(task: Any, without: list[str]) -> Any:
    """A task as a config writes it: rows that were given in memory stand in a file that somebody has to write."""
    if not isinstance(task, Mapping):
        return task
    name = task.get("name", "task")
    made = dict(task)
    if "examples" in made:
        made["examples"] = _examples(name, made["examples"], without)
    if OBJECT in str({key: made.get(key) for key in ("reader", "metric")}):
        without.append(
            f"The reader or the metric of task {name} is a function that was given in Python, where it has to be again."
        )
    return made


def _examples(name: str, examples: Any, without: list[str], split: str = "") -> Any:
    if isinstance(examples, Mapping) and not split:
        return {part: _examples(name, some, without, str(part)) for part, some in examples.items()}
    if not isinstance(examples, Sequence) or isinstance(examples, str) or len(examples) <= FEW:
        return examples
    file = f"{'-'.join([''.join(c if c.isalnum() else '_' for c in name), *([split] if split else [])])}.jsonl"
    without.append(
        f"The {len(examples):,} examples of task {name} were given in memory: write them to {file}, one JSON object a line."
    )
    return file


def _written(data: Mapping[str, Any]) -> str:
    def dumped(unicode: bool) -> str:
        return yaml.dump(dict(data), Dumper=_Dumper, sort_keys=False, allow_unicode=unicode, width=100)

    text = dumped(True)
    # What cannot be seen is written as its code.
    return dumped(False) if any(is_unsafe(char) for char in text) else text


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as such."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
