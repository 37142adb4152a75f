"""Work that begins: what its input says alone, and a state in which earlier input of the thread has left nothing."""

from collections.abc import Mapping
from typing import Any

from langgraph.config import get_config
from langgraph.types import Overwrite
from pydantic import BaseModel

from ..compat import given_fields, given_input, put_in_state


def as_written(state: Mapping[str, Any], kind: type[BaseModel]) -> dict[str, Any]:
    """The fields of `kind` that the input of the graph gives, and no others that the thread was given before.

    Where a person changes a state at its beginning there is no input: then it is what the state says.
    """
    found = given_input(get_config()["configurable"])
    if isinstance(found, BaseModel):
        return given_fields(found, [*kind.model_fields])
    return {name: value for name, value in (state if found is None else found).items() if name in kind.model_fields}


def begin(run: str, state: Mapping[str, Any], kind: type[BaseModel], empty: Mapping[str, Any]) -> None:
    """Have the state say which run begins, and be that of a new thread but for the fields that the input gives.

    `empty` is what the other channels hold before the first round. LangGraph keeps a channel that new input does not
    name, and none can be taken back: so what is left there is written over, in the superstep that takes the input in.
    """
    given = as_written(state, kind)
    defaults = {name: field.get_default(call_default_factory=True) for name, field in kind.model_fields.items()}
    put_in_state(
        get_config()["configurable"],
        {"run": run}
        | {
            name: value
            for name, value in {**defaults, **empty}.items()
            if name in state and name not in given and state[name] != (value.value if isinstance(value, Overwrite) else value)
        },
    )


def begins_fork(state: Mapping[str, Any]) -> bool:
    """Whether work begins that nobody gave input for: an edit of the thread's state did, and said which run that is."""
    return bool(state.get("run")) and given_input(get_config()["configurable"]) is None
