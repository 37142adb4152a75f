"""What somebody edits in the state of a thread, as what a new run is given that goes on from there: a fork.

Whatever cannot be a fork is refused here, in words, before anything of it is written.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlite_utils import Database

from ..domain.complaints import as_written
from ..domain.errors import EditError, PromptError
from ..domain.prompts import Level, Prompt
from ..store import prompts, runs
from ..tasks.documents import check
from ..tasks.task import Task
from ..workspace.dealing import dealing_rules, open_tasks
from ..workspace.generalization import Generalization
from ..workspace.problem import Problem
from ..workspace.serving import trusted
from ..workspace.sizes import on_top
from ..workspace.state import State
from .branching import AFTERWARDS, Stood, start_from, stood_after, stood_at, stood_in
from .proposal import user_rules

Given = Problem | Generalization

START, FROM_RUN = "start", "from_run"
SYSTEM = "system_prompt"
IN_FORCE = ("incumbent", "kept")
"""The channels of a search that hold the prompts in force."""

MEASURED = ("id", "score", "failures")
"""What is known of a prompt in force; it follows from the text."""

PROMPTS = (*IN_FORCE, SYSTEM, "against", "user_prompts", "tasks")
"""Where prompts are edited, as far as a graph has them."""

GROWING = ("analyses", "candidates", "scores", "induced")


@dataclass(frozen=True, slots=True)
class Here:
    """Where a thread stands at a checkpoint: the values that it shows, and the run that they are of, where the store knows it.

    `name` is that run's id. `waiting` is what a run is to be given that has not begun. `opens` says that the first round
    is still at work.
    """

    kind: type[Given]
    shown: Mapping[str, Any]
    name: str
    run: runs.Run | None
    waiting: Mapping[str, Any] | None
    opens: bool

    @property
    def origin(self) -> str:
        """The run that an edit begins a fork of, "" where nothing went before."""
        return self.run.id if self.run else str(self.shown.get("fork_of") or "")


def edits_in(here: Here, values: Mapping[str, Any], channels: Sequence[str]) -> dict[str, Any]:
    """The values that differ from what a thread shows; raises EditError for one that nobody may edit."""
    edits = {name: value for name, value in values.items() if not _is_there(here, name, value)}
    can = [name for name in (*IN_FORCE, *here.kind.model_fields) if name in channels and name not in (START, FROM_RUN)]
    for name in edits:
        if name in can:
            continue
        if name in channels:
            hint = ", ".join(one for one in PROMPTS if one in can)
            raise EditError(
                f"{name} follows from what the search has found, and cannot be edited; edit prompts ({hint}) or settings, and "
                "run the thread on"
            )
        near = difflib.get_close_matches(name, can, 1)
        raise EditError(
            f"there is no {as_written(name)} to edit" + (f"; is {near[0]} meant?" if near else f": {', '.join(can)}")
        )
    return edits


def _is_there(here: Here, name: str, value: Any) -> bool:
    # Lists that grow by what nodes return are left as they are by an empty one.
    return name in here.shown and bool(here.shown[name] == value or (value == [] and name in GROWING))


def fork_of(db: Database, here: Here, edits: dict[str, Any]) -> Given | None:
    """What the fork is given that edits begin, None where they change nothing. Raises EditError for what cannot be begun."""
    before, own = _given(here), _recorded(db, here)
    old = _read(here, before, own)
    stood = _stood(db, here, before)
    settings = {name: value for name, value in edits.items() if name not in IN_FORCE}
    if settings.get("tasks") == []:
        raise EditError("tasks: is empty; name at least one task, or leave them as they are")
    system, users = _system(here, settings, edits), _users(here, edits)
    asked = _read(here, on_top(before, settings), own)
    changed = [name for name in here.kind.model_fields if getattr(asked, name) != getattr(old, name)]
    if not (changed or users or system is not None):
        return None
    if system is not None:
        settings[SYSTEM] = _kept_to(old, system) if stood else system
    if stood is not None:
        settings[START] = start_from(replace(stood, users={**stood.users, **users}), before, settings)
        own = [*own, {START: settings[START]}]
    return _checked(db, _read(here, on_top(before, settings), own), stood, here.origin)


def copy_of(db: Database, here: Here) -> Given:
    """What the fork is given that goes on in the copy of a thread: its source's prompts, and nothing that is new."""
    before, own = _given(here), _recorded(db, here)
    _read(here, before, own)
    stood = _stood(db, here, before)
    start = {} if stood is None else {START: start_from(stood, before, {})}
    return _read(here, {**before, **start}, [*own, start])


def _recorded(db: Database, here: Here) -> list[dict[str, Any]]:
    """What the runs here were given. Input that waits is not among it: nobody may have admitted that yet."""
    return runs.given_in(db, [one for one in (here.name, here.origin) if one])


def _read(here: Here, given: Mapping[str, Any], own: Sequence[Mapping[str, Any]]) -> Given:
    """What a run is given, checked; what differs in it from all that is the server's `own` is a client's."""
    with trusted(own):
        return check(here.kind, given, EditError)


def _given(here: Here) -> dict[str, Any]:
    """What the run at a checkpoint was given, or is to be given."""
    if here.waiting is not None and (here.run is None or not here.opens):
        return dict(here.waiting)
    if here.run is not None:
        return dict(here.run.config["problem"])
    return {name: value for name, value in (here.waiting or here.shown).items() if name in here.kind.model_fields}


def _stood(db: Database, here: Here, given: Mapping[str, Any]) -> Stood | None:
    """What stands at a checkpoint: after the last round closed there, or what the first one begins with; None for seeds."""
    run = here.run
    if not issubclass(here.kind, Problem):
        return None
    if run is not None and not here.opens and here.shown.get("rounds"):
        return _after_the_last(db, run, here.shown)  # type: ignore[arg-type]
    if run is not None and (closed := prompts.rounds(db, run.id)):
        return stood_after(db, run, closed[0].round)
    return stood_at(given[START]) if given.get(START) else None


def _after_the_last(db: Database, run: runs.Run, state: State) -> Stood:
    rounds = [row for row in state["rounds"] if row["level"] not in AFTERWARDS]
    if rounds[-1] != state["rounds"][-1]:
        # What confirms may have put the seeds back; a search goes on from what it had found.
        last = rounds[-1]
        same = {(row.round, row.system) for row in prompts.rounds(db, run.id)}
        if (last["round"], last["incumbent"]) in same:
            return stood_after(db, run, last["round"])
    return stood_in(run, {**state, "rounds": rounds})


def _system(here: Here, settings: dict[str, Any], edits: Mapping[str, Any]) -> str | None:
    """The system prompt that was edited, as such or as the one in force; None where neither was."""
    found = [settings.pop(SYSTEM)] if SYSTEM in settings else []
    if "incumbent" in edits:
        found.append(_edited_text("incumbent", "system", edits["incumbent"], [here.shown.get("incumbent")]))
    for text in found:
        if not isinstance(text, str):
            raise EditError(f"{SYSTEM}: {as_written(text)} is no text; write the prompt")
    if len({*found}) > 1:
        raise EditError(f"{SYSTEM} and incumbent were edited to different texts; edit one of them")
    return found[0] if found else None


def _kept_to(given: Given, text: str) -> str:
    """An edited system prompt that keeps what is locked; raises EditError for one that may not take over."""
    if not isinstance(given, Problem):
        return text
    try:
        return given.locks.edited(text)
    except PromptError as error:
        raise EditError(f"{SYSTEM}: {error}") from None


def _users(here: Here, edits: Mapping[str, Any]) -> dict[str, list[str]]:
    """The user prompts of the tasks whose kept ones were edited."""
    if "kept" not in edits:
        return {}
    new, old = edits["kept"], here.shown.get("kept") or {}
    if not old:
        raise EditError("kept: no user prompts are kept yet; edit those of the tasks")
    if not isinstance(new, dict) or not all(isinstance(entries, list) for entries in new.values()):
        raise EditError("kept: holds a list of user prompts for each task, each an object with its 'text'")
    if unknown := sorted(set(new) - set(old)):
        raise EditError(f"kept: there is no task {unknown[0]!r}; there are {', '.join(old) or 'none yet'}")
    if without := [name for name in old if not new.get(name)]:
        raise EditError(
            f"kept: a task keeps at least one user prompt, and {without[0]!r} has none; write one, or leave it as it is"
        )
    changed = {name: entries for name, entries in new.items() if entries != old[name]}
    texts = {
        name: [_edited_text(f"kept of task {name!r}", "user", entry, old[name]) for entry in entries]
        for name, entries in changed.items()
    }
    return {name: [*dict.fromkeys(found)] for name, found in texts.items()}


def _edited_text(where: str, level: Level, entry: Any, known: Sequence[Any]) -> str:
    """The text of a prompt in force as somebody left it; raises EditError where more than the text was edited."""
    text = entry.get("text") if isinstance(entry, dict) else None
    if not isinstance(text, str):
        raise EditError(f"{where}: {as_written(entry)} is no prompt; write an object with its 'text'")
    same = [one for one in known if one and one["text"] == text]
    before = same or [one for one in known if one and entry.get("id", one["id"]) == one["id"]] or [{}]
    new_id = Prompt(level, text).id
    for name in entry:
        fits = [one for one in before if entry[name] == one.get(name)] or (name == "id" and entry[name] == new_id)
        if name != "text" and not fits:
            what = "is measured" if name in MEASURED else "is nothing that a prompt has"
            raise EditError(f"{where}: {name} {what}, only 'text' can be edited; leave {name} out, or as it was")
    return text


def _checked(db: Database, fork: Given, stood: Stood | None, origin: str) -> Given:
    """A fork whose tasks can be opened, and whose new user prompts are such as a search may keep."""
    fork.check()
    sources, _ = open_tasks(fork, fork.settings(), dealing_rules(db, "", fork, origin))
    if not isinstance(fork, Problem) or fork.start is None or stood is None:
        return fork
    users = {
        name: [text if text in stood.users.get(name, ()) else _as_kept(sources, name, text, fork.user_length) for text in texts]
        for name, texts in fork.start.user_prompts.items()
    }
    return fork.model_copy(update={START: fork.start.model_copy(update={"user_prompts": users})})


def _as_kept(sources: Mapping[str, Task], name: str, text: str, longest: int | None) -> str:
    if name not in sources:
        raise EditError(f"kept: task {name!r} is not among the tasks any more; leave its user prompts as they were")
    rules = user_rules(sources[name], longest)
    whole = rules.complete(text.strip())
    if complaint := rules.complaint(whole):
        raise EditError(f"kept of task {name!r}: the edited text {complaint}")
    return whole
