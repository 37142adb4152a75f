"""A run to push, written by hand, with prompts that hold whatever a registry could trip over."""

from collections.abc import Sequence
from typing import Any

from metaspo.store.database import Store

from .written import SEED, WrittenRun

HOSTILE = (
    'Answer {as} {{name}} says: {"a": {}} {{ question }} {question}\r\n{% endraw %}{%- raw -%} {# no #} {% if x %}\n\t'
    '<b>"é"</b> 票据 \\n \\1\n'
)
"""Braces of every registry's kind, ends of lines, and characters of other scripts."""

USER = HOSTILE.replace("{{ question }} {question}", "{{ question }}") + "{{question}} {% raw %}{{name}}\r{"


def write_run(
    store: Store, id: str, *, gain: int = 16, system: str = HOSTILE, tasks: Sequence[str] = ("a", "b"), user: str = USER,
    **about: Any,
) -> str:  # fmt: skip
    """Write a run: of 20 examples of each task `gain` are right with the prompts found, 8 with the seeds."""
    run = WrittenRun(store, id=id, **about)
    users = dict.fromkeys(tasks, user)
    for name in tasks:
        run.task(name, ["yes"] * 20)
    before, after = ["yes"] * 8 + ["no"] * 12, ["yes"] * gain + ["no"] * (20 - gain)
    for number, level, split in (
        (0, "seed", "train"),
        (1, "system", "train"),
        (2, "confirm", "validation"),
        (3, "test", "test"),
    ):
        if level == "confirm" and about.get("status") == "stopped":
            break
        for name in tasks:
            if level != "system":
                run.score(name, split, (SEED, run.seed_user(name)), before)  # type: ignore[arg-type]
            if level != "seed":
                run.score(name, split, (system, users[name]), after)  # type: ignore[arg-type]
        run.close(number, level, SEED if level == "seed" else system, {} if level == "seed" else users)
    return id
