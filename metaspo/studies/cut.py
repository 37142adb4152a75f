"""Cut a study down to what a machine or a budget allows: fewer tasks, rows, seeds and examples, other models."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..domain.errors import ConfigError
from ..runs.config import located
from ..tasks.documents import check
from ..workspace.context import MODELS
from .study import Study


def cut(study: Study, options: Mapping[str, Any], config: Mapping[str, Any]) -> Study:
    """The study with what is set in `options`, and `config` on top of what its runs share.

    Options are tasks, targets, methods, seeds, test_size, model, optimizer, analyst,
    optimizer_prompts and store, None or empty where not
    set; methods and seeds are texts with commas. A model is base, optimizer and analyst unless those are set too.
    Raises ConfigError for names that the study does not have.
    """
    shared = {**study.config, **config}
    if options.get("test_size"):
        shared["test_size"] = options["test_size"]
    if options.get("model"):
        shared |= {"base": options["model"], "optimizer": options["model"], "analyst": None}
    shared |= {name: options[name] for name in ("optimizer", "analyst") if options.get(name)}
    shared |= {name: config[name] for name in MODELS if name in config}
    if options.get("optimizer_prompts"):
        shared |= located({"optimizer_prompts": options["optimizer_prompts"]}, Path())
    data = {**study.model_dump(exclude={"config", "settings", "methods"}), "config": shared, "methods": study.methods}
    data["settings"] = _settings(study.settings, options.get("tasks") or (), options.get("targets") or ())
    if options.get("methods"):
        data["methods"] = _methods(study.methods, [name.strip() for name in options["methods"].split(",")])
    if options.get("seeds"):
        data["seeds"] = _seeds(options["seeds"])
    if options.get("store"):
        data["store"] = options["store"]
    if study.reference:
        data["differs"] = _differences(study, options, config)
    if "budget" in shared:
        data["budget"] = shared.pop("budget")
    return check(Study, data, ConfigError)


SAID = {"tasks": "other tasks", "targets": "other target tasks", "test_size": "fewer test examples", "model": "another model",
        "optimizer": "another optimizer", "analyst": "another analyst",
        "optimizer_prompts": "other optimizer prompts", "seeds": "other seeds"}  # fmt: skip


def _differences(study: Study, options: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    """In what a study that was cut is not the one that its reference figures are of."""
    told = [words for name, words in SAID.items() if options.get(name)]
    return [*study.differs, *told, *([f"other settings ({', '.join(sorted(config))})"] if config else [])]


def _settings(
    settings: Mapping[str, Mapping[str, Any]], tasks: Sequence[str], targets: Sequence[str]
) -> dict[str, dict[str, Any]]:
    cut: dict[str, dict[str, Any]] = {}
    for name, block in settings.items():
        kept = dict(block)
        if tasks:
            for key in ("tasks", "targets"):
                if key in kept:
                    kept[key] = [task for task in kept[key] if any(_named(task, wanted) for wanted in tasks)]
        if targets:
            kept["targets"] = list(targets)
        if kept.get("tasks", True):
            cut[name] = kept
    if not cut:
        raise ConfigError(f"no setting of the study has a task named {' or '.join(tasks)}; a name is a task's or a domain's")
    return cut


def _named(task: Any, wanted: str) -> bool:
    name = task.get("name", "") if isinstance(task, dict) else str(task)
    return name == wanted or name.split("/")[0] == wanted


def _methods(methods: Sequence[str | dict[str, Any]], wanted: Sequence[str]) -> list[str | dict[str, Any]]:
    rows = {row if isinstance(row, str) else str(row.get("name", row.get("method"))): row for row in methods}
    unknown = [name for name in wanted if name not in rows]
    if unknown:
        raise ConfigError(f"the study has no row {unknown[0]!r}; it has {', '.join(rows)}")
    return [rows[name] for name in wanted]


def _seeds(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise ConfigError(f"--seeds {text!r}: write whole numbers with commas, such as 0,1,2") from error
