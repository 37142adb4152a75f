"""Adaptations in a store: which of its runs are searches of the same one, and which system prompt is in question."""

import json
from typing import Any

from ..domain.locks import without_marks
from ..prompts.renderer import DEFAULT_SYSTEM_PROMPT
from ..store import runs
from ..store.database import Store
from ..store.runs import Run
from ..workspace.problem import ADAPT
from .adapt import Adaptation, Side, read_adaptation

OWN = ("system_prompt", "train_size")
"""In what the searches of one adaptation differ."""


def is_adaptation(run: Run) -> bool:
    """Whether a run is a search of an adaptation, and no search of its own by the same method."""
    return run.method == ADAPT and run.config.get("problem", {}).get("aside") is not None


def known_adaptation(store: Store, run: Run) -> Adaptation:
    """The adaptation that a run is a search of, as far as it is done.

    What an adaptation did is recorded when it ends; before that, and in stores of earlier versions, its searches are
    known by what they share, and the system prompt in question is the one that is not the plain default.
    """
    told = run.config.get("adaptation")
    if told is not None:
        return read_adaptation(store, (told["system_prompt"], told["against"]), [tuple(one) for one in told["searches"]])
    alike = [one for one in runs.all_runs(store.db) if is_adaptation(one) and _shared(one) == _shared(run)]
    texts = list(dict.fromkeys([_system(run), *(_system(one) for one in reversed(alike))]))
    against = DEFAULT_SYSTEM_PROMPT if DEFAULT_SYSTEM_PROMPT in texts or len(texts) < 2 else texts[1]
    candidate = next((text for text in texts if text != against), against)
    sides: dict[str, Side] = {candidate: "candidate", against: "baseline"}
    searches = [(sides[_system(one)], one.config["settings"]["train_size"], one.id) for one in alike if _system(one) in sides]
    searches.sort(key=lambda one: (-one[1], one[0] == "baseline"))
    return read_adaptation(store, (candidate, against), searches)


def _system(run: Run) -> str:
    return without_marks(str(run.config["problem"]["system_prompt"]))


def _shared(run: Run) -> str:
    """What all searches of an adaptation have alike."""
    problem = {key: value for key, value in run.config["problem"].items() if key not in OWN}
    context: dict[str, Any] = run.config.get("context", {})
    return json.dumps([problem, [context.get(role) for role in ("base", "optimizer", "analyst")]], sort_keys=True)
