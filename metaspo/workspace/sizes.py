"""The sizes of a run as a person writes them: in one block, which forms show, or each as a key of its own."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from ..tasks.written import Exact

SIZES = "sizes"
"""The key of the block."""

Beside = SkipJsonSchema[int | None]
"""The type of a size as a key of its own, where no form shows it."""


def _size(what: str, least: int = 1) -> Any:
    return Field(None, description=f"{what}; the preset's if empty.", ge=least)


class Sizes(Exact):
    """The sizes of a search; what is left empty is the preset's, or the method's own."""

    model_config = ConfigDict(extra="forbid")

    iterations: int | None = _size("Times that the method goes through its levels", 0)
    user_candidates: int | None = _size("User prompts proposed per task and round")
    keep: int | None = _size("User prompts kept per task")
    system_candidates: int | None = _size("System prompts proposed per round")
    user_failures: int | None = _size("Failing examples shown for a user prompt")
    system_failures: int | None = _size("Failing examples of each task shown for a system prompt")
    train_size: int | None = _size("Examples that a task trains on")
    validation_size: int | None = _size("Examples of their own that candidates are selected on, 0 for the training ones", 0)
    test_size: int | None = _size("Examples of the final test, at most", 0)
    tested_pairs: int | None = _size("Kept user prompts that a task brings to the final test")
    proposal_attempts: int | None = _size("Times that a bad proposal is asked for")
    prompt_length: int | None = _size("Characters that the optimizer may write, 0 for no limit", 0)
    rephrasings: int | None = _size("Edited candidates of a parent that the optimizer rephrases (sprig)", 0)
    system_steps: int | None = _size("System steps before the user steps, in methods with several", 0)
    user_steps: int | None = _size("User steps after these", 0)
    taper: int | None = _size("How many times fewer of both such a method takes when it comes to them again")
    patience: int | None = _size("Steps in a row that change nothing, after which the search stops; 0 for never", 0)
    most_failures: int | None = _size(
        "Failing examples shown for a system prompt over all tasks; 0: system_failures of each", 0
    )
    compositions: int | None = _size("System prompts put together from library sentences to begin with", 0)
    exchanges: int | None = _size("Steps that put in, take out or exchange one such sentence", 0)
    demonstrations: int | None = _size("Solved training examples that a user prompt may carry", 0)


class TransferSizes(Exact):
    """The sizes of a generalization; what is left empty is the preset's."""

    model_config = ConfigDict(extra="forbid", title="Sizes")

    prompts: int | None = Field(None, ge=1, description="User prompts to induce per task; 10, or 4 with the quick preset.")
    pairs: int = Field(10, ge=1, description="Labelled examples that a user prompt is induced from.")
    train_size: int | None = Field(None, ge=1, description="Examples to draw the pairs from; the preset's if empty.")
    test_size: int | None = Field(None, ge=1, description="Examples to score on, at most; the preset's if empty.")
    prompt_length: int | None = Field(None, ge=0, description="Longest induced prompt in characters; the preset's if empty.")


def block() -> Any:
    """The field of a problem that takes the block; what is in it goes to the keys of their own, which are what is stored."""
    return Field(
        None, title="Sizes", exclude=True, description="How much of everything, where the preset's will not do; all optional."
    )


def beside(kind: type[BaseModel], name: str) -> Any:
    """The field of a problem that takes a size as a key of its own."""
    return deepcopy(kind.model_fields[name])


def spread(problem: Any) -> None:
    """Put what is in a problem's block to the keys of their own, whatever these said: a fork has its parent's there."""
    sizes: BaseModel | None = problem.sizes
    if sizes is None:
        return
    for name in sizes.model_fields_set:
        if getattr(sizes, name) is not None:
            setattr(problem, name, getattr(sizes, name))
    problem.sizes = None


def flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with every size as a key of its own; what is in the block and no size stays there, to be complained about."""
    inside, block = _inside(settings), settings.get(SIZES)
    if not inside or not isinstance(block, Mapping):
        return {**settings}
    others = {name: value for name, value in settings.items() if name != SIZES}
    odd = {name: value for name, value in block.items() if name not in inside}
    return {**others, **inside, **({SIZES: odd} if odd else {})}


def on_top(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with others on top, which count for a size wherever either has it."""
    later, inside = flat(after), _inside(before)
    if any(name in later for name in inside):
        before = {**before, SIZES: {name: value for name, value in before[SIZES].items() if name not in later}}
    return {**before, **later}


def _inside(settings: Mapping[str, Any]) -> dict[str, Any]:
    block = settings.get(SIZES)
    known = {*Sizes.model_fields, *TransferSizes.model_fields}
    return {name: value for name, value in block.items() if name in known} if isinstance(block, Mapping) else {}
