"""Unseen is unseen: no example that a run or one that it builds on selected on is ever tested."""

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

import metaspo
from metaspo.store import dealt
from metaspo.store.database import open_store
from metaspo.studies.adapt import adapt, plan_adaptation
from metaspo.studies.generalize import ageneralize, generalization_config
from metaspo.tasks.examples import load_pools
from metaspo.tasks.splits import Dealing, Sizes, draw

DICE = {"base": "scripted:dice", "optimizer": "scripted:dice"}


def drawn(store: Path, run: str, split: str) -> set[str]:
    with open_store(store) as opened:
        asked = "SELECT e.question FROM dealt d JOIN examples e ON e.task = d.task AND e.id = d.example WHERE d.run = ? AND d.split = ?"
        return {question for (question,) in opened.db.execute(asked, [run, split])}


def selected(store: Path, run: str) -> set[str]:
    with open_store(store) as opened:
        return dealt.selected_on(opened.db, run)


@pytest.mark.long
@pytest.mark.parametrize("number", range(4))
def test_a_chain_of_branches_tests_nothing_that_any_of_them_selected_on(
    number: int, make_task: Callable[..., Any], store_path: Path
) -> None:
    random = Random(number)

    def sizes() -> dict[str, Any]:
        train, validation = random.choice([4, 16, 30]), random.choice([0, 4, 12])
        return {
            "train_size": train,
            "validation_size": validation,
            "test_size": random.choice([5, 40]),
            "seed": random.randrange(9),
        }

    result = metaspo.optimize(
        tasks=[make_task("a", 60), make_task("b", 50)], method="fixed", store=store_path, **DICE, **sizes()
    )
    for _ in range(3):
        parent = result.run
        result = metaspo.branch(parent, store=store_path, **sizes())
        tested = drawn(store_path, result.run, "test")
        assert tested and not tested & selected(store_path, result.run)
        assert selected(store_path, parent) <= selected(store_path, result.run)


def test_a_branch_with_nothing_left_to_test_is_refused_in_words(make_task: Callable[..., Any], store_path: Path) -> None:
    run = metaspo.optimize(
        tasks=[make_task("a", 30)], method="fixed", store=store_path, train_size=29, validation_size=0, test_size=1, **DICE
    ).run
    trained = drawn(store_path, run, "train")
    rows = [row for row in make_task("a", 30).examples if row["question"] in trained]
    with pytest.raises(metaspo.TaskError, match="no example left to test"):
        metaspo.branch(run, store=store_path, train_size=10, seed=1, tasks=[make_task("a", examples=rows)])


@pytest.mark.parametrize("seed", range(3))
def test_the_tested_examples_depend_neither_on_the_seed_nor_on_sizes_that_fit(seed: int, make_task: Callable[..., Any]) -> None:
    pools = load_pools(make_task("t", 80))
    test = draw("t", pools, Sizes(10, 5, 20), 0)["test"]
    assert draw("t", pools, Sizes(20, 0, 20), seed)["test"] == test
    assert draw("t", pools, Sizes(20, 0, 8), seed)["test"] == test[:8]


@pytest.mark.parametrize("dealing", ["train first", "test first"])
def test_runs_of_before_keep_their_dealing(dealing: Dealing, make_task: Callable[..., Any]) -> None:
    pools = load_pools(make_task("t", 80))
    first, second = (draw("t", pools, Sizes(10, 5, 20, dealing=dealing), seed) for seed in (0, 1))
    assert first["test"] != second["test"]


@pytest.mark.long
def test_the_shares_of_an_adaptation_test_the_same_and_train_on_nested_examples(
    make_task: Callable[..., Any], store_path: Path
) -> None:
    (store_path.parent / "p.txt").write_text("Be careful.")
    settings = {"tasks": [make_task("t", 60)], "train_size": 40, "iterations": 1, "preset": "quick", **DICE}
    found = adapt(plan_adaptation(str(store_path.parent / "p.txt"), settings, store=store_path))
    runs = {curve.train_size: curve.run for curve in found.curves if curve.side == "candidate"}
    assert len({frozenset(drawn(store_path, run, "test")) for run in runs.values()}) == 1
    train = [drawn(store_path, runs[size], "train") for size in sorted(runs)]
    assert train[0] < train[1] < train[2]


@pytest.fixture
def made(make_task: Callable[..., Any], store_path: Path) -> str:
    """A run on one task that has no target tasks."""
    return metaspo.optimize(
        tasks=[make_task("own", 40)], method="fixed", store=store_path, train_size=30, validation_size=0, test_size=5, **DICE
    ).run


def test_a_prompt_is_not_tried_on_what_it_was_made_on_without_being_asked(made: str, store_path: Path) -> None:
    with pytest.raises(metaspo.ConfigError, match="made on own"):
        generalization_config(made, {}, store=store_path)
    with pytest.raises(metaspo.ConfigError, match="made on own"):
        plan_adaptation(made, {}, store=store_path)


@pytest.mark.parametrize("name", ["own", "another"])
async def test_rows_that_a_prompt_was_made_on_are_not_tested_under_any_name(
    name: str, made: str, make_task: Callable[..., Any], store_path: Path
) -> None:
    rows = make_task("own", 40).examples
    settings = {"tasks": [make_task(name, examples=rows)], "train_size": 4, "prompts": 1, "preset": "quick", **DICE}
    report = await ageneralize(generalization_config(made, settings, store=store_path))
    tested = drawn(store_path, report.run.id, "test")
    assert tested and not tested & selected(store_path, made)
    assert report.seen == (["own"] if name == "own" else [])


def test_a_split_column_is_respected_though_nobody_named_it(make_task: Callable[..., Any]) -> None:
    rows = [{"question": f"{n}?", "answer": "yes", "split": "test" if n % 3 == 0 else "train"} for n in range(12)]
    assert {split: len(pool) for split, pool in load_pools(make_task("t", examples=rows)).items()} == {"test": 4, "train": 8}
    for words in (("Training", "Dev", "Holdout"), ("train", "valid", "testing")):
        named = [{**row, "split": words[at % 3]} for at, row in enumerate(rows)]
        assert set(load_pools(make_task("t", examples=named))) == {"train", "validation", "test"}


def test_a_column_called_split_that_says_something_else_is_data(make_task: Callable[..., Any]) -> None:
    rows = [{"question": f"{n}?", "answer": "yes", "split": ("left", "right")[n % 2]} for n in range(12)]
    assert set(load_pools(make_task("t", examples=rows))) == {""}
    marked = [{**row, "split": "train"} for row in rows]
    assert set(load_pools(make_task("t", examples=marked))) == {""}
    asked = [{**row, "split": "train" if at < 6 else "left"} for at, row in enumerate(rows)]
    with pytest.raises(metaspo.TaskError, match="'left', where other rows say train"):
        load_pools(make_task("t", examples=asked))


def test_a_branch_confirms_on_nothing_that_what_it_builds_on_was_trained_on(
    make_task: Callable[..., Any], store_path: Path
) -> None:
    sizes = {"train_size": 20, "validation_size": 4, "test_size": 5}
    parent = metaspo.optimize(tasks=[make_task("a", 60)], method="fixed", store=store_path, **DICE, **sizes).run
    # With fewer to train on, the data alone would give some that the parent was trained on to validation.
    child = metaspo.branch(parent, store=store_path, train_size=4, validation_size=14).run
    confirming = drawn(store_path, child, "validation")
    assert 4 < len(confirming) < 14 and not confirming & drawn(store_path, parent, "train")
    assert metaspo.verify(child, store=store_path).well
    # A run that an earlier version began goes on with the examples that it has.
    with open_store(store_path) as store:
        store.db.execute("UPDATE runs SET config = json_set(config, '$.unseen', json('true'))")
        store.db.conn.commit()
    assert metaspo.verify(child, store=store_path).well
