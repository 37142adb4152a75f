"""A study: a table of runs, methods x settings x seeds, each measured in one or more ways."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, cast

from pydantic import ConfigDict, Field, model_validator

from ..domain.errors import ConfigError, MetaspoError
from ..domain.paths import path_of
from ..domain.results import Split
from ..domain.twins import twin_of
from ..models.account import Account
from ..models.budget import Budget
from ..models.portion import Portion
from ..models.registry import registry
from ..reports.notebook.live import listening
from ..reports.notebook.shown import Shown
from ..runs.config import RunConfig, located
from ..runs.prompt_source import read_prompt
from ..tasks.data import DATASETS
from ..tasks.documents import check, read_yaml
from ..tasks.written import Exact
from ..workspace.problem import Problem
from ..workspace.sizes import flat
from .batch import BatchListener, Planned, account_of, run_all, statuses
from .engines import ALONE
from .engines import engine as working
from .generalize import GeneralizationConfig

STUDIES = DATASETS / "studies"

ALL = "all"
"""The name of a table's last column: the mean over the tasks of all settings."""


class Measure(Exact):
    """How a run's system prompt is judged: one of three ways, each with settings of its own."""

    model_config = ConfigDict(extra="forbid")

    test: dict[str, Any] | None = Field(None, description="The run's own final test, on its target tasks if it has some.")
    generalize: dict[str, Any] | None = Field(
        None, description="Unseen generalization on the target tasks; base and other keys may differ from the search's."
    )
    adapt: dict[str, Any] | None = Field(
        None, description="Test-time adaptation on the target tasks; keys may differ from the search's."
    )

    @model_validator(mode="after")
    def _one_way(self) -> "Measure":
        ways = [name for name in ("test", "generalize", "adapt") if getattr(self, name) is not None]
        if len(ways) != 1:
            raise ValueError("a measure is one of test, generalize and adapt, such as {generalize: {prompts: 10}}")
        if self.test:
            raise ValueError("test takes no settings: it is what the run itself ends with")
        return self


def _one_setting() -> dict[str, dict[str, Any]]:
    return {ALL: {}}


class Study(Exact):
    """What a study file holds."""

    model_config = ConfigDict(extra="forbid")

    config: dict[str, Any] = Field(default_factory=dict, description="What all runs share: any key of a run's config.")
    methods: list[str | dict[str, Any]] = Field(
        min_length=1, description="The rows: names of methods, or blocks with a name and any keys of a config."
    )
    settings: dict[str, dict[str, Any]] = Field(
        default_factory=_one_setting, min_length=1, description="The columns: a name and any keys of a config."
    )
    seeds: list[int] = Field(default_factory=lambda: [0], min_length=1, description="Every run is done with each of them.")
    measures: dict[str, Measure] = Field(
        default_factory=lambda: {"test": Measure(test={})}, min_length=1, description="The tables: a name and a way to measure."
    )
    parallel: int = Field(2, ge=1, description="Runs at the same time.")
    budget: Budget = Field(default_factory=lambda: Budget(), description="The most that all runs together may use.")
    store: str = Field("study.db", description="The SQLite file.")
    reference: dict[str, dict[str, dict[str, float]]] = Field(
        default_factory=dict, description="Figures in % to print beside: measure, setting (or all), method."
    )
    differs: list[str] = Field(
        default_factory=list, description="In what the runs differ from what the reference figures are of, such as fewer tasks."
    )


@dataclass(frozen=True, slots=True)
class Cell:
    """One entry of a study: a method's block under a setting and a seed."""

    method: str
    setting: str
    seed: int
    search: Planned
    measures: Callable[[str, list[str]], list[Planned]] = lambda prompt, made_by: []
    """The runs that measure a system prompt, given the runs that made it."""

    def measuring(self, study: Study, run: str) -> dict[str, str]:
        """The run that holds each measure's scores, given the search's: the search itself, or one that follows it."""
        following = iter(self.search.follow(run))
        return {name: run if one.test is not None else next(following).run for name, one in study.measures.items()}


class Cells(Shown, list[Cell]):
    """The entries of a study, in the order of the file."""

    drawn_in: ClassVar[str] = "studies"


def read_study(name: str, settings: dict[str, Any] | None = None) -> tuple[str, Study]:
    """A study by its file, or a built-in one by its name, with `settings` in place of its keys. Raises ConfigError."""
    path = STUDIES / f"{name}.yaml"
    if not path.is_file():
        path = path_of(name)
        if not path.is_file():
            known = ", ".join(sorted(file.stem for file in STUDIES.glob("*.yaml")))
            raise ConfigError(f"{name!r} is neither a study file nor a built-in study ({known})")
    document = read_yaml(path, ConfigError)
    data = dict(document.data)
    folder = Path() if path.parent == STUDIES else path.resolve().parent
    if isinstance(data.get("config"), dict):
        data["config"] = located(data["config"], folder)
    if isinstance(data.get("settings"), dict):
        data["settings"] = {
            key: located(one, folder) if isinstance(one, dict) else one for key, one in data["settings"].items()
        }
    if isinstance(data.get("methods"), list):
        data["methods"] = [located(row, folder) if isinstance(row, dict) else row for row in data["methods"]]
    data["store"] = str((folder / str(data.get("store", f"{path.stem}.db"))).absolute())
    data |= settings or {}
    return path.stem, check(Study, data, ConfigError, None if settings else document)


def plan_study(study: Study) -> Cells:
    """Every cell, in the order of the file. Raises UserError for blocks that are no configuration, before any call."""
    rows = _rows(study)
    return Cells(
        cell
        for seed in study.seeds
        for setting in study.settings
        for cell in _alike([_cell(study, name, row, setting, seed) for name, row in rows.items()])
    )


def _alike(cells: Sequence[Cell]) -> list[Cell]:
    """The cells of one setting, all of which leave aside as many examples as the largest: they test the same ones."""
    problems = [cast(Problem, cell.search.problem) for cell in cells]
    asked = [_asked(problem) for problem in problems]
    if len(set(asked)) < 2:
        return [*cells]
    made = [problem.model_copy(update={"aside": max(asked)}) for problem in problems]
    return [replace(cell, search=replace(cell.search, problem=one)) for cell, one in zip(cells, made, strict=True)]


def _asked(problem: Problem) -> int:
    """How many examples a run takes from testing where it has to: those of sizes that are no mere limits."""
    sizes = problem.settings()
    found: dict[Split, int] = {"train": sizes.train_size, "validation": sizes.validation_size}
    return sum(size for split, size in found.items() if split not in problem.most)


def _rows(study: Study) -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for row in study.methods:
        block = {"method": row} if isinstance(row, str) else dict(row)
        name = str(block.pop("name", block.get("method", "")))
        if not name:
            raise ConfigError(f"a method's block needs a name or a method: {row}")
        if name in rows:
            raise ConfigError(f"two methods are named {name!r}; give one of them another name")
        rows[name] = block
    return rows


def _cell(study: Study, name: str, row: dict[str, Any], setting: str, seed: int) -> Cell:
    layers = {**flat(study.config), **flat(study.settings[setting]), **flat(row)}
    block = located({**layers, "seed": seed, "store": study.store}, Path())
    if "budget" in block:
        raise ConfigError("a study has one budget for all of its runs: put it at the top of the file")
    sizes = {"test_size": block.get("test_size")}
    if not any(measure.test is not None for measure in study.measures.values()):
        block["test_size"] = 0  # other measures score the result
    config = check(RunConfig, block, ConfigError)
    label = f"{name}, {setting}, seed {seed}"
    problem, context = config.problem().check(), config.context()

    for key, measure in study.measures.items():
        if measure.test is None and problem.tasks and not problem.targets:
            raise ConfigError(
                f"setting {setting!r} has no target tasks left, and {key!r} measures prompts on tasks that they were not made "
                "on: name some with --targets (targets: in the file), or measure with test"
            )
    unseen = {"tasks": problem.unseen_tasks, "targets": []}

    def measures(prompt: str, made_by: list[str]) -> list[Planned]:
        shared = {**block, **sizes, **unseen, "made_by": made_by}
        made = [_measuring(one, shared, prompt, f"{label}, {key}") for key, one in study.measures.items()]
        return [planned for planned in made if planned is not None]

    def follow(run: str) -> list[Planned]:
        return measures(read_prompt(run, study.store).text, [run])

    return Cell(name, setting, seed, Planned(label, problem, context, follow), measures)


def _measuring(measure: Measure, block: dict[str, Any], prompt: str, label: str) -> Planned | None:
    """The run that measures a system prompt; None where the search does so itself."""
    if measure.test is not None:
        return None
    shared = {key: value for key, value in block.items() if value is not None}
    if measure.generalize is not None:
        data = {key: value for key, value in shared.items() if key in GeneralizationConfig.model_fields}
        data |= {"system_prompt": prompt, "method": "generalize", **flat(located(measure.generalize, Path()))}
        general = check(GeneralizationConfig, data, ConfigError)
        return Planned(label, general.generalization().check(), general.context())
    data = {**shared, "system_prompt": prompt, "method": "protegi"}
    config = check(RunConfig, data | flat(located(measure.adapt or {}, Path())), ConfigError)
    return Planned(label, config.problem().check(), config.context())


async def arun_study(
    study: Study,
    cells: Sequence[Cell],
    listener: BatchListener | None = None,
    portion: Portion | None = None,
    engine: str | None = None,
) -> MetaspoError | None:
    """Do what is missing of a study; return what stopped it early, or None when all is done.

    The runs are worked on in this process, or on a cluster with `engine="ray"`. With a portion, models are asked
    within that portion of their limits; a cluster keeps the limits of the whole, so it takes none.
    """
    if portion is not None and engine is not None:
        raise ConfigError(ALONE)
    account, planned = await asyncio.to_thread(_account, study, cells), [cell.search for cell in cells]
    with listening(listener) as told, registry().limited_to(portion):
        async with working(engine, study.store, planned, account, told) as work:
            return await run_all(planned, study.parallel, account, told, work)


run_study = twin_of(arun_study)


def _account(study: Study, cells: Sequence[Cell]) -> Account:
    return account_of(study.store, list(all_runs(study, cells)), study.budget)


def all_runs(study: Study, cells: Sequence[Cell]) -> Iterator[str]:
    """Every run of a study that is known so far: what measures a search is known once that is done."""
    known = statuses(study.store)
    for cell in cells:
        run = cell.search.run
        yield run
        if known.get(run) == "done":
            yield from (planned.run for planned in cell.search.follow(run))
