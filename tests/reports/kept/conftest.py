"""Runs to push: written by hand, with prompts that hold whatever a registry could trip over."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from metaspo.store.database import Store

from ...helpers.written import SEED, WrittenRun

HOSTILE = 'Answer {as} {{name}} says: {"a": {}} {{ question }} {question}\r\n{% endraw %}{%- raw -%} {# no #} {% if x %}\n\t<b>"é"</b> 票据 \\n \\1\n'
"""Braces of every registry's kind, ends of lines, and characters of other scripts."""

USER = HOSTILE.replace("{{ question }} {question}", "{{ question }}") + "{{question}} {% raw %}{{name}}\r{"


@pytest.fixture
def written(open_store: Callable[[], Store], store_path: Path) -> Callable[..., str]:
    """Writes a run and returns its id: `gain` of 20 examples of each task are right with the prompts found, 8 with the seeds."""

    def make(id: str = "0a1b2c3d-run", *, gain: int = 16, system: str = HOSTILE, tasks: tuple[str, ...] = ("a", "b"),
             user: str = USER, **about: Any) -> str:  # fmt: skip
        run = WrittenRun(open_store(), id=id, **about)
        users = dict.fromkeys(tasks, user)
        for name in tasks:
            run.task(name, ["yes"] * 20)
        for number, level, split in (
            (0, "seed", "train"),
            (1, "system", "train"),
            (2, "confirm", "validation"),
            (3, "test", "test"),
        ):
            if level == "confirm" and about.get("status") == "stopped":
                break
            for name in tasks:
                before, after = (SEED, run.seed_user(name)), (system, users[name])
                if level != "system":
                    run.score(name, split, before, ["yes"] * 8 + ["no"] * 12)  # type: ignore[arg-type]
                if level != "seed":
                    run.score(name, split, after, ["yes"] * gain + ["no"] * (20 - gain))  # type: ignore[arg-type]
            run.close(number, level, SEED if level == "seed" else system, {} if level == "seed" else users)
        return id

    return make
