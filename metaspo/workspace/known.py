"""What the store says that a run was given and works with."""

from typing import Any

from ..store import runs
from .context import Context
from .generalization import GENERALIZE, Generalization
from .problem import Problem
from .run_input import RunInput
from .serving import trusted


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
    return kind.model_validate(given)


def context_of(before: runs.Run | None, given: Context | None) -> Context:
    """The context of work after that of a run, with what is set anew; of work that nothing went before, what is given."""
    given = given or Context()
    if before is None:
        return given
    with trusted():
        return given.on(Context.model_validate(as_asked(before.config["context"])))
