"""The default method with one part taken out or changed, to see what the part is worth: `--ablations` of search.py."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from metaspo.workspace.method import Method, Step, find_method, register
from metaspo.workspace.settings import Settings

COMMON_FIRST = "common_first"


@dataclass(frozen=True)
class Variant:
    """What is changed: settings of the run, and the method."""

    settings: dict[str, Any] = field(default_factory=dict)
    method: Callable[[Method], Method] = lambda method: method


def without(proposer: str) -> Callable[[Method], Method]:
    """The method without the steps whose candidates are proposed in that way."""

    def changed(method: Method) -> Method:
        def schedule(sizes: Settings) -> list[Step]:
            return [step for step in method.schedule(sizes) if step.proposer.name != proposer]

        return replace(method, schedule=schedule)

    return changed


def in_turn(method: Method) -> Method:
    """As many steps of each kind, in an order that learns what is common last."""

    def schedule(sizes: Settings) -> list[Step]:
        steps = method.schedule(sizes)
        return [step for step in steps if step.level == "user"] + [step for step in steps if step.level == "system"]

    return replace(method, schedule=schedule)


def shown(**switches: Any) -> Callable[[Method], Method]:
    """The method with other things shown to the optimizer."""
    return lambda method: replace(method, shown=replace(method.shown, **switches))


VARIANTS = {
    "every candidate on everything": Variant({"judging": "exhaustive"}),
    "1 candidate a system step": Variant({"system_candidates": 1}),
    "2 candidates a system step": Variant({"system_candidates": 2}),
    "1 candidate a user step": Variant({"user_candidates": 1}),
    "user prompts first": Variant(method=in_turn),
    "no trimming": Variant(method=without("trimmed")),
    "any failures, not differing ones": Variant(method=shown(differing=False)),
    "earlier attempts not shown": Variant(method=shown(tried=0)),
    "2 failures of each task shown": Variant({"most_failures": 0, "system_failures": 2, "user_failures": 3}),
    "candidates not checked further": Variant(method=lambda method: replace(method, strict=False)),
    "20 training examples": Variant({"train_size": 20}),
    "all 50 training examples": Variant({"train_size": 50, "validation_size": 0}),
    "with 3 demonstrations": Variant({"demonstrations": 3}),
}
"""By what is changed."""


def method_of(name: str) -> tuple[str, dict[str, Any]]:
    """The method that a name stands for, and settings; a variant is registered."""
    if name not in VARIANTS:
        return name, {}
    variant = VARIANTS[name]
    # Names go on command lines and into stores.
    own = f"{COMMON_FIRST}_{list(VARIANTS).index(name)}"
    return register(replace(variant.method(find_method(COMMON_FIRST)), name=own)).name, variant.settings
