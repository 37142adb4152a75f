"""What the store says that a run was given and works with."""

from dataclasses import asdict
from typing import Any

from sqlite_utils import Database

from ..store import runs
from .context import Context
from .generalization import GENERALIZE, Generalization
from .problem import Problem
from .run_input import RunInput
from .serving import trusted
from .settings import Settings


def as_asked(context: dict[str, Any]) -> dict[str, Any]:
    """A run's context with its models as it began: before names told of reasoning, all were asked alike."""
    return {
        name: {"reasoning": False, **value} if name in ("base", "optimizer") and isinstance(value, dict) else value
        for name, value in context.items()
    }


@trusted()
def stored_input(config: dict[str, Any]) -> RunInput:
    """What a run in the store was given, from its configuration there."""
    given = config["problem"]
    kind: type[Problem] | type[Generalization] = Generalization if given["method"] == GENERALIZE else Problem
    return as_begun(kind.model_validate(given), config)


def as_begun(given: RunInput, config: dict[str, Any]) -> RunInput:
    """What a run is given that began with such a configuration: sizes that nobody set are those of then, not today's."""
    began = config.get("problem", {})
    if not isinstance(given, Problem) or _sized_by(given.method, given.preset, given.tasks) != _sized_by(
        began.get("method"), began.get("preset"), began.get("tasks")
    ):
        return given
    found, known = given.model_copy(), {name: size for name, size in asdict(Settings()).items() if began.get(name) is None}
    # A store may come from anywhere: what is no size is left out.
    sizes = {name: size for name, size in config.get("settings", {}).items() if name in known and type(size) is int}
    # One that there was not yet is what was done before there was one.
    found._began = {**known, **sizes} if sizes else {}
    return found


def _sized_by(method: Any, preset: Any, tasks: Any) -> tuple[Any, ...]:
    """What the sizes follow that nobody set."""
    return method, preset, len(tasks) if isinstance(tasks, list) else 0


def input_of(db: Database, run: str, given: RunInput | None) -> RunInput:
    """What a run works on: what is given, as it began where it is in the store; else what the store says, where it must be.

    A branch that has not begun goes on with the sizes of its parent, whose steps it counts.
    """
    if given is None:
        return stored_input(runs.find(db, run).config)
    known = runs.known(db, run) or (runs.known(db, given.parent[0]) if given.parent else None)
    return as_begun(given, known.config) if known else given


def context_of(before: runs.Run | None, given: Context | None) -> Context:
    """The context of work after that of a run, with what is set anew; of work that nothing went before, what is given."""
    given = given or Context()
    if before is None:
        return given
    with trusted():
        return given.on(Context.model_validate(as_asked(before.config["context"])))
