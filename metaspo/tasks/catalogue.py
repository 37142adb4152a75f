"""Where tasks come from: built-in ones and those of the catalogue by name, files by path, blocks and objects as they are."""

from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from ..domain.errors import TaskError
from ..domain.paths import path_of
from .data import DATASETS
from .documents import check, read_yaml
from .examples import load_pools
from .form import form_of
from .inventory import inventory, settings_of
from .likeness import comparable, evenly_spaced
from .paper.benchmarks import benchmarks
from .scores.structures import with_schema
from .sources import opening
from .spec import TaskSpec
from .splits import Sizes, draw
from .task import Task

BUILTIN = DATASETS / "builtin"

TaskName = Annotated[
    str,
    Field(
        title="Task by name",
        description="A built-in task, one of the catalogue ('metaspo tasks list' shows them), or a task file.",
        examples=["app_reviews", "hotel_comments"],
    ),
]
TaskBlock = Annotated[dict[str, Any], form_of(TaskSpec)]
WrittenTask = TaskName | TaskBlock
"""A task as plain data, in a file or in a form."""

TaskSource = str | dict[str, Any] | TaskSpec
"""A built-in task's name, one of the catalogue such as "medical/anatomy", a path to a task file, a block, or a spec."""


@cache
def builtin_tasks() -> dict[str, Path]:
    """The built-in tasks: name to file, source tasks first."""
    files = sorted(BUILTIN.glob("*/*.yaml"))
    roles = {path: read_yaml(path, TaskError).data.get("role", "source") for path in files}
    return {path.stem: path for path in sorted(files, key=lambda path: (roles[path], path))}


def read_task(source: TaskSource, folder: Path | None = None) -> TaskSpec:
    """Read one task; `folder` is what relative paths in a block refer to (the working directory if none)."""
    if isinstance(source, TaskSpec):
        return with_schema(source)
    if isinstance(source, dict):
        spec = check(TaskSpec, source, TaskError)
        spec._folder = folder
        return with_schema(spec)
    if source in benchmarks():
        return benchmarks()[source].spec()
    if source in builtin_tasks():
        path = builtin_tasks()[source]
    else:
        path = path_of(source, folder)
        if path.suffix not in (".yaml", ".yml"):
            raise TaskError(
                f"no built-in task {source!r}, none of the catalogue ('metaspo tasks list' shows them) and not a .yaml file"
            )
    document = read_yaml(path, TaskError)
    spec = check(TaskSpec, document.data, TaskError, document)
    spec._folder = path.parent
    return with_schema(spec)


def pinned(spec: TaskSpec, pins: dict[str, str]) -> TaskSpec:
    """The task with its examples in the versions of `pins`; those of data sets that are not there yet are put there."""
    return spec.model_copy(update={"examples": opening.pinned(spec.examples, pins)})


def open_task(source: TaskSource, sizes: Sizes, seed: int, *, target: bool = False, folder: Path | None = None) -> Task:
    """Read a task, load its examples and callables and draw its splits."""
    spec = read_task(source, folder)
    # Runs of earlier dealings go on with the examples that they began with.
    alike = comparable if sizes.dealing == "one test set" else evenly_spaced
    pools = load_pools(spec, alike)
    task = Task(spec, draw(spec.name, pools, sizes, seed, target=target), inventory(pools, settings_of(spec)))
    task.load()
    return task
