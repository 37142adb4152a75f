"""What stood after a round of a run, and what a new run starts from that goes on from there. No model is asked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlite_utils import Database

from ..domain.errors import ConfigError, TaskError
from ..store import prompts, runs
from ..tasks.catalogue import TaskSource, read_task
from ..workspace.method import fixed_prompt
from ..workspace.state import State
from .rounds import idle_steps

SEARCHES = ("user", "system")
"""The levels whose rounds are steps of a search."""

AFTERWARDS = ("confirm", "test")
"""The levels of rounds that nothing goes on from."""


@dataclass(frozen=True, slots=True)
class Stood:
    """What stood after a round of a run: `steps` of its method are done, the last `idle` of them changed nothing.

    `users` are each task's kept user prompts and `beam` the system prompts kept beside `system`, best first.
    """

    run: str
    round: int
    steps: int
    idle: int
    system: str
    users: Mapping[str, Sequence[str]]
    beam: Sequence[str] = field(default=())


def stood_after(db: Database, parent: runs.Run, at: int | None = None) -> Stood:
    """What a run has on record of a round of its search, the last one if None. ConfigError where there is none."""
    rounds = prompts.rounds(db, parent.id)
    closed = {row.round for row in rounds if row.level not in AFTERWARDS}
    if not closed:
        raise ConfigError(f"run {parent.id[:8]} has closed no round yet; resume it instead")
    if at is None:
        at = max(closed)
    if at not in closed:
        raise ConfigError(f"run {parent.id[:8]} has no round {at} to branch from; it has {', '.join(map(str, sorted(closed)))}")
    pairs = prompts.kept_pairs(db, parent.id, at)
    beam = prompts.beam(db, parent.id, at)
    texts = prompts.prompt_texts(db, sorted({pair.user for pair in pairs} | {pairs[0].system, *beam}))
    users: dict[str, list[str]] = {}
    for pair in pairs:
        users.setdefault(pair.task, []).append(texts[pair.user])
    steps, idle = done_by(parent, at, [(row.level, row.accepted) for row in rounds if row.round <= at])
    return Stood(parent.id, at, steps, idle, texts[pairs[0].system], users, [texts[id] for id in beam])


def stood_in(parent: runs.Run, state: State) -> Stood:
    """What stands in the state of a thread, after the round that its run has closed last, which is one of its search."""
    rounds, system = state["rounds"], state["incumbent"]["text"]
    steps, idle = done_by(parent, rounds[-1]["round"], [(row["level"], row["accepted"]) for row in rounds])
    users = {name: [prompt["text"] for prompt in kept] for name, kept in state["kept"].items()}
    beam = [prompt["text"] for prompt in state.get("beam", []) if prompt["text"] != system]
    return Stood(parent.id, rounds[-1]["round"], steps, idle, system, users, beam)


def stood_at(start: Mapping[str, Any]) -> Stood:
    """What stands for a run that is given this `start` and has not begun, or not closed its first round."""
    return Stood(
        start["run"], start["round"], start["steps"], start.get("idle", 0), start["system_prompt"], start["user_prompts"],
        start.get("beam", []),
    )  # fmt: skip


def done_by(parent: runs.Run, at: int, rounds: Iterable[tuple[str, int]]) -> tuple[int, int]:
    """The steps that a run and those before it have done by round `at`, and how many of the last of them changed nothing.

    `rounds` are level and number of accepted prompts of the run's own rounds up to there.
    """
    before = parent.config["problem"].get("start") or {"round": 0, "steps": 0}
    own = [accepted for level, accepted in rounds if level in SEARCHES]
    return before["steps"] + at - before["round"], idle_steps(own, before.get("idle", 0))


def start_from(stood: Stood, problem: Mapping[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """The `start` of a new run from what stood in one that was given `problem`, under other settings.

    A `system_prompt` is taken out of the settings: an edited prompt to go on from, which takes the place of the one
    in force. A user prompt that a task block sets anew goes before those that are carried; all of them are scored first.
    """
    start: dict[str, Any] = {
        "run": stood.run, "round": stood.round, "steps": stood.steps, "idle": stood.idle, "system_prompt": stood.system,
        "user_prompts": {name: list(texts) for name, texts in stood.users.items()}, "beam": list(stood.beam),
    }  # fmt: skip
    if settings.get("method", problem["method"]) != problem["method"]:
        start |= {"steps": 0, "beam": [], "idle": 0}  # another method has not begun yet
    start["system_prompt"] = fixed_prompt(settings.get("method", "")) or start["system_prompt"]
    if "system_prompt" in settings:
        start["system_prompt"] = settings.pop("system_prompt")
    for name, texts in _written(problem.get("tasks", []), settings.get("tasks", [])).items():
        carried = start["user_prompts"].get(name, [])
        start["user_prompts"][name] = [*dict.fromkeys([*texts, *carried])]
    return start


def _written(before: Sequence[TaskSource], after: Sequence[TaskSource]) -> dict[str, list[str]]:
    """The user prompts that task blocks set anew, by the names of tasks that there were before."""
    if not isinstance(after, list | tuple):
        return {}
    old = _seeds([one for one in before if one not in after])
    new = _seeds([one for one in after if one not in before])
    changed = {name: [text for text in texts if text not in old[name]] for name, texts in new.items() if name in old}
    return {name: texts for name, texts in changed.items() if texts}


def _seeds(sources: Sequence[TaskSource]) -> dict[str, list[str]]:
    found = {}
    for source in sources:
        try:
            spec = read_task(source)
        except TaskError:
            continue  # Whoever opens the tasks says what is wrong with this one.
        found[spec.name] = [spec.user_prompt, *spec.user_prompts]
    return found
