"""Unrelated texts: whole sentences about nothing in particular, and what must stay stays."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

import metaspo
import metaspo.methods.builtin
from metaspo import Task
from metaspo.domain.locks import Locks
from metaspo.methods.unrelated import MOST, UNRELATED, _system_prompt, placebo_of, sentences
from metaspo.store import prompts, runs
from metaspo.store.database import Store
from metaspo.tasks.catalogue import builtin_tasks, read_task
from metaspo.workspace.method import known_methods, needs_optimizer
from metaspo.workspace.settings import PRESETS


def test_they_are_whole_sentences_and_none_comes_twice() -> None:
    assert len(set(sentences())) == len(sentences()) >= 60
    assert all(
        text[0].isupper() and text.endswith(".") and text.count(".") == 1 and 20 < len(text) < 80 for text in sentences()
    )


def test_none_of_them_says_what_a_task_asks_for() -> None:
    words = {word.strip(".").lower() for text in sentences() for word in text.split()}
    labels = {label for name in builtin_tasks() for label in read_task(name).reader.labels or []}
    asked = {"answer", "question", "think", "step", "careful", "expert", "helpful", "classify", "review", "user", "assistant"}
    assert labels and not words & (labels | asked)


def test_a_system_prompt_is_one_to_three_of_them() -> None:
    found = [_system_prompt(Locks(), "Be good.", Random(at)) for at in range(60)]
    counts = {sum(text in one for text in sentences()) for one in found}
    assert counts == set(range(1, MOST + 1)) and len(set(found)) > 50
    assert found[7] == _system_prompt(Locks(), "Be good.", Random(7))


def test_locked_parts_and_placeholders_stay() -> None:
    locks = Locks.of("Hello {name}. <locked>Never shout at {name}.</locked> <locked>Stay calm.</locked> It is {day}.")
    for at in range(20):
        made = _system_prompt(locks, "Hello {name}. Never shout at {name}. Stay calm. It is {day}.", Random(at))
        assert locks.complaint(made) is None and made.count("{name}") == made.count("{day}") == 1


@pytest.mark.parametrize("name", [method.name for method in known_methods() if ":" not in method.name])
def test_a_placebo_takes_as_many_candidates_in_the_same_rounds_and_asks_no_optimizer(name: str) -> None:
    [method] = [one for one in known_methods() if one.name == name]
    for sizes in PRESETS.values():
        own, placebo = method.schedule(sizes), placebo_of(method).schedule(sizes)
        assert [(s.level, s.candidates, s.parents, s.keep) for s in own] == [
            (s.level, s.candidates, s.parents, s.keep) for s in placebo
        ]
        assert {replace(step.proposer, draws=0) for step in placebo} <= {UNRELATED} and not needs_optimizer(placebo, sizes)
        assert [step.proposer.meets for step in placebo] == [step.proposer.meets for step in own], "as many failures to mend"


async def test_a_strict_method_drops_none_of_them(make_task: Callable[..., Task], store_path: Path) -> None:
    seed = "Work for {company}. <locked>Never name a colleague.</locked>"
    result = await metaspo.aoptimize(
        tasks=[make_task("a", answer_format="One word.")], base="scripted:dice", optimizer="scripted:dice", preset="paper",
        store=store_path, system_prompt=seed, placebo=True, test_size=8, method="common_first",
    )  # fmt: skip
    store = Store(store_path)
    rows = prompts.candidates(store.db, runs.placebo_id(result.run))
    made = [row for row in rows if row.status != "seed"]
    reasons = {row.reason for row in made if row.prompt is None}
    texts = prompts.prompt_texts(store.db, [row.prompt for row in made if row.prompt])
    store.close()
    assert {row.level for row in made} == {"user", "system"} and not {why for why in reasons if why and "same as" not in why}
    assert all(
        "Never name a colleague." in texts[row.prompt] and "{company}" in texts[row.prompt]
        for row in made
        if row.level == "system" and row.prompt
    )
    assert all("One word." in texts[row.prompt] for row in made if row.level == "user" and row.prompt)
