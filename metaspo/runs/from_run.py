"""A new run from what another one ended with, on tasks whose data have grown or changed: which run, and what changed since."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from ..domain.errors import ConfigError
from ..domain.locks import Locks, without_marks
from ..methods.checks import about_placeholders, placeholders
from ..reports.confirmed import newest_confirmed_in, verdict_of
from ..reports.listing import status
from ..reports.verification.recorded import base_names, recorded_tasks
from ..store import prompts, runs
from ..store.database import Store, default_store, open_store
from ..tasks.changes import DataChanges, TaskChange, changes_say, data_changes
from ..tasks.documents import check
from ..tasks.inventory import Inventory, inventory, settings_of
from ..tasks.sources.named import is_named
from ..tasks.task import Task
from ..workspace.context import Context, names_of
from ..workspace.dealing import dealing_rules, open_tasks
from ..workspace.from_run import FromRun
from ..workspace.generalization import GENERALIZE
from ..workspace.method import fixed_prompt
from ..workspace.problem import Problem
from .unseen import left_unseen

CONFIRMED = "confirmed"
"""What names the newest run of a store whose prompts are confirmed."""

SEEDS = ("start", "made_by", "from_run", "system_prompts")
"""What a run was given to begin with, which a new one that begins from it is not."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """The run that a new one begins from: what it ended with, by task the user prompts, best first, and its data."""

    run: runs.Run
    system: str
    users: Mapping[str, Sequence[str]]
    data: Mapping[str, Inventory]
    verdict_says: str

    @property
    def written(self) -> str:
        """The system prompt that it was given, with the marks of locked parts."""
        return str(self.run.config["problem"].get("system_prompt", ""))


def asked_for(given: Any) -> FromRun:
    """The run that somebody names to begin from, alone or in a block with what is allowed. Raises ConfigError."""
    block = {"run": given} if isinstance(given, str) else given
    if isinstance(block, Mapping) and not block.get("run"):
        raise ConfigError(
            "from_run names no run: --allow-unconfirmed and --allow-unchanged go with --from-run RUN (run: in the block)"
        )
    return check(FromRun, block, ConfigError)


def settings_beneath(wanted: FromRun, told: Mapping[str, Any], *, tasks_only: bool) -> dict[str, Any]:
    """What the run to begin from was given, beneath what is told of a new one: all of it, or its tasks alone.

    Where tasks are told, none of its own are taken: what was unseen then may be among those that are searched on now.
    Raises ConfigError where its tasks were given with their rows, which nothing can be read again of.
    """
    with _opened(told.get("store")) as opened:
        run = _found(opened, wanted)
    problem = {key: value for key, value in run.config["problem"].items() if key not in SEEDS}
    if told.get("tasks"):
        return {} if tasks_only else {**problem, "tasks": [], "targets": [], **run.config["context"]}
    tasks = {name: problem.get(name) or [] for name in ("tasks", "targets")}
    if not wanted.allow_unchanged and all(map(_holds_rows, [*tasks["tasks"], *tasks["targets"]])):
        raise ConfigError(
            f"run {run.id[:8]} was given its tasks with their rows, so there is nothing to read again: name a config, or the "
            "tasks with the data of today (--task FILE; tasks=[...] in Python)"
        )
    return tasks if tasks_only else {**problem, **run.config["context"]}


def begun_from(wanted: FromRun, problem: Problem, context: Context) -> dict[str, Any]:
    """What a new search is given to begin from a run: values for its system_prompt, from_run and made_by.

    `problem` is the new one without them. Raises ConfigError for a run that nothing should begin from, for prompts that
    do not fit, and where nothing has changed in the data.
    """
    with _opened(context.store) as store:
        earlier = _earlier(store.db, _found(store, wanted), wanted)
        made_by = [*dict.fromkeys([earlier.run.id, *problem.made_by])]
        began = wanted.model_copy(update={"run": earlier.run.id})
        update = {"system_prompt": _system(earlier, problem), "made_by": made_by, "from_run": began, "system_prompts": [
            text for text in problem.system_prompts if text not in earlier.run.config["problem"].get("system_prompts", [])
        ]}  # fmt: skip
        begins = problem.model_copy(update=update)
        rules = dealing_rules(store.db, "", begins)
    sources, targets = open_tasks(begins, begins.settings(), rules)
    after = {name: task.inventory for name, task in {**sources, **targets}.items() if task.inventory}
    changes = data_changes(earlier.data, after)
    if changes.nothing and not wanted.allow_unchanged:
        raise ConfigError(
            f"{changes_say(changes, f'run {earlier.run.id[:8]}')[0]} A new run would find no more than that one did: add "
            "examples, or begin all the same with --allow-unchanged (allow_unchanged: true in the from_run block)"
        )
    users, reseeded = _users(earlier, problem, sources, {task.task: task for task in changes.tasks})
    says = [
        *changes_say(changes, f"run {earlier.run.id[:8]}"), *_about_prompts(earlier, problem, users), *reseeded,
        *_about_models(earlier, context), *left_unseen(problem, sources, targets),
    ]  # fmt: skip
    update["from_run"] = began.model_copy(update={"user_prompts": users, "changes": changes.as_data(), "says": says})
    return update


def changes_since(problem: Problem, store: str | Path, run: str = "last") -> DataChanges:
    """What changed in the data of a search's tasks since a run of the store, whether or not anything may begin from that."""
    with _opened(store) as opened:
        before = _data(opened.db, runs.find(opened.db, run))
    sources, targets = open_tasks(problem, problem.settings())
    after = {name: task.inventory for name, task in {**sources, **targets}.items() if task.inventory}
    return data_changes(before, after)


def _opened(store: str | Path | None) -> Any:
    path = str(store or default_store())
    if not Path(path).exists():
        raise ConfigError(f"from_run: there is no store {path}; a run begins from one of its own store, which --store names")
    return open_store(path)


def _found(store: Store, wanted: FromRun) -> runs.Run:
    """The run that is meant: a search that is done."""
    if wanted.run == CONFIRMED:
        found = newest_confirmed_in(store.db)
        if found is None:
            raise ConfigError(f"from_run: no run of {store.path} is confirmed; 'metaspo runs' lists them")
        return found
    run = runs.find(store.db, wanted.run)
    if run.method == GENERALIZE:
        made = ", ".join(one[:8] for one in run.config["problem"].get("made_by", [])) or "the run that made its prompt"
        raise ConfigError(f"run {run.id[:8]} tried a system prompt on other tasks and searched nothing; begin from {made}")
    if run.method.startswith(runs.PLACEBO):
        of = next((id[:8] for id in runs.statuses(store.db) if runs.placebo_id(id) == run.id), "its run")
        raise ConfigError(f"run {run.id[:8]} is a placebo, the control of run {of}, whose texts say nothing; begin from {of}")
    _refuse_unfinished(store, run)
    return run


def _earlier(db: Database, run: runs.Run, wanted: FromRun) -> Earlier:
    """What the run ended with, if that is confirmed or may be without."""
    verdict, says = verdict_of(db, run)
    if verdict != "confirmed" and not wanted.allow_unconfirmed:
        raise ConfigError(
            f"run {run.id[:8]} is not confirmed, so its prompts may be no better than those it began with. {says} Begin from a "
            "confirmed run, or with these prompts all the same: --allow-unconfirmed (allow_unconfirmed: true in the "
            "from_run block)"
        )
    pairs = prompts.kept_pairs(db, run.id)
    texts = prompts.prompt_texts(db, sorted({id for pair in pairs for id in (pair.system, pair.user)}))
    users: dict[str, list[str]] = {}
    for pair in pairs:
        users.setdefault(pair.task, []).append(texts[pair.user])
    return Earlier(run, texts[pairs[0].system], users, _data(db, run), says)


def _refuse_unfinished(store: Store, run: runs.Run) -> None:
    stands, name, where = status(store, run), run.id[:8], f"--store {store.path}"
    if stands == "running":
        raise ConfigError(f"run {name} is still at work; begin from it when it is done")
    if stands == "waiting":
        raise ConfigError(f"run {name} waits for a person; answer it first: metaspo approve {name} {where}")
    if stands != "done":
        why = f" ({run.reason})" if run.reason else ""
        raise ConfigError(f"run {name} is not finished{why}; go on with it first: metaspo resume {name} {where}")


def _data(db: Database, run: runs.Run) -> dict[str, Inventory]:
    """The data that a run had; of one that put no inventory on record, what it drew."""
    known = run.config.get("inventory")
    if known:
        return {name: Inventory.from_data(one) for name, one in known.items()}
    tasks = {name: one.task for name, one in recorded_tasks(db, run).items()}
    return {name: inventory(task.splits, settings_of(task.spec), whole=False) for name, task in tasks.items()}


def _system(earlier: Earlier, problem: Problem) -> str:
    """The system prompt to begin with, with marks around what is locked in it."""
    name = f"the system prompt that run {earlier.run.id[:8]} ended with"
    if fixed_prompt(problem.method) is not None:
        raise ConfigError(f"method {problem.method} brings its own system prompt, so it cannot begin with {name}")
    written = problem.system_prompt if "system_prompt" in problem.model_fields_set else earlier.written
    locks = Locks.of(written, problem.system_length)
    complaint = locks.complaint(earlier.system) or about_placeholders(
        earlier.system, placeholders(without_marks(written)), placeholders(without_marks(written))
    )
    if complaint:
        raise ConfigError(
            f"{name} {complaint}, as system_prompt asks; write it there as it should be, and start without from_run, or take "
            "out of system_prompt what that run did not have"
        )
    return locks.marked(earlier.system)


def _users(
    earlier: Earlier, problem: Problem, sources: Mapping[str, Task], changes: Mapping[str, TaskChange]
) -> tuple[dict[str, list[str]], list[str]]:
    """By task the user prompts to begin with, and sentences on those that begin otherwise than the run ended."""
    users: dict[str, list[str]] = {}
    says: list[str] = []
    for name, task in sources.items():
        change = changes.get(name)
        was = (change.was or name) if change else name
        if change is None or was not in earlier.users:
            continue
        own = [task.spec.user_prompt, *task.spec.user_prompts]
        why = _misfit(task, change, earlier.data[was], problem.user_length, earlier.users[was])
        if why:
            says.append(f"Task {name} begins with its own user prompt again: {why}.")
            continue
        anew = [text for text in own if text not in earlier.data[was].settings.get("user prompt", [])]
        anew = own if "reader" in change.settings else anew
        users[name] = [*dict.fromkeys([*earlier.users[was], *anew])]
        if anew and len(users[name]) > len(earlier.users[was]):
            says.append(f"Task {name} begins with its own user prompt too, since that or how answers are read has changed.")
    return users, says


def _misfit(task: Task, change: TaskChange, before: Inventory, longest: int | None, texts: Sequence[str]) -> str | None:
    """Why the user prompts that a run ended with do not fit its task as it is today."""
    if "answer format" in change.settings:
        return "the answer format has changed"
    kind = before.settings.get("reader", {}).get("kind", task.spec.reader.kind)
    if kind != task.spec.reader.kind:
        return f"its answers are read as {task.spec.reader.kind}, no longer as {kind}"
    for text in texts:
        complaint = task.complaint(text) or about_placeholders(text, placeholders(task.spec.user_prompt))
        if complaint:
            return f"the one that was found {complaint}"
        if longest and len(text) > longest:
            return f"the one that was found is {len(text)} characters long, more than user_length {longest}"
    return None


def _about_prompts(earlier: Earlier, problem: Problem, users: Mapping[str, Sequence[str]]) -> list[str]:
    of = f", and its user prompts of {', '.join(users)}" if users else ""
    says = [f"It begins with the system prompt that run {earlier.run.id[:8]} ended with{of}. {earlier.verdict_says}"]
    given = problem.system_prompt if "system_prompt" in problem.model_fields_set else earlier.written
    if without_marks(given) not in (without_marks(earlier.written), earlier.system):
        says.append("The system_prompt of the config has changed since that run, and is not what this one begins with.")
    return says


def _about_models(earlier: Earlier, context: Context) -> list[str]:
    before, now = base_names(earlier.run.config), names_of(context.base_models)
    if before == now:
        return []
    return [f"Its prompts were made for {', '.join(before)}; this run asks {', '.join(now)}, where nobody has tried them."]


def _holds_rows(task: Any) -> bool:
    """Whether a task was given with its rows, and not with the place where they lie."""
    if not isinstance(task, dict):
        return False
    parts = task.get("examples")
    if is_named(parts):
        return False
    return all(isinstance(part, list) for part in (parts.values() if isinstance(parts, dict) else [parts]))
