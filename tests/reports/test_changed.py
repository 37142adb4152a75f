"""What became of every example, before and after: read from the store, on the split that says most."""

import re
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from metaspo import optimize
from metaspo.reports.changed import TaskCompared, compared
from metaspo.reports.pages.run_page import open_run_page
from metaspo.reports.pairs import run_pairs
from metaspo.store.database import open_store

from ..helpers.endpoint import Endpoint, say
from ..store.test_schemas import DUMPS

WRITER = "scripted:tests.helpers.writers:numbered"
SIZES: dict[str, Any] = {
    "method": "outer_only",
    "iterations": 1,
    "system_candidates": 1,
    "train_size": 12,
    "validation_size": 0,
}


def found(store: Path, run: str) -> list[TaskCompared]:
    with open_store(store) as opened:
        return compared(run_pairs(opened.db, run))


def better(request: Any, body: Any, number: int) -> Any:
    """Says no with the first prompt, and the truth with any other; the model "b" never changes its mind."""
    asked = int(re.findall(r"\d+", body["messages"][-1]["content"])[0])
    first = "Think of" not in body["messages"][0]["content"] or body["model"] == "b"
    return say("no" if first or asked % 2 == 0 else "yes")


@pytest.mark.long
def test_of_several_base_models_each_has_its_own(make_task: Callable[..., Any], store_path: Path, endpoint: Endpoint) -> None:
    endpoint.act = better
    base = [endpoint.spec(), endpoint.spec(name="b")]
    run = optimize(tasks=[make_task("t")], base=base, optimizer=WRITER, store=store_path, test_size=14, **SIZES).run
    [task] = found(store_path, run)
    assert task.split == "test" and not task.untouched and len(task.examples) == 28
    odd = Counter((one.base, one.change) for one in task.examples)
    gained = odd["server:m", "gained"]
    assert gained > 0 and odd == {("server:m", "gained"): gained, ("server:m", "same"): 14 - gained, ("server:b", "same"): 14}
    page = open_run_page(store_path, run)
    assert page.count('data-base="0"') == page.count('data-base="1"') == 14
    assert "Of 28 answers to test examples" in page and '<select name="base">' in page


def test_without_a_test_it_is_what_selects(make_task: Callable[..., Any], store_path: Path, endpoint: Endpoint) -> None:
    endpoint.act = better
    sizes = SIZES | {"test_size": 0}
    run = optimize(tasks=[make_task("t")], base=endpoint.spec(), optimizer=WRITER, store=store_path, **sizes).run
    [task] = found(store_path, run)
    assert task.split == "train" and len(task.examples) == 12 and {one.change for one in task.examples} == {"gained", "same"}
    assert "they are the examples that selected the prompts" in open_run_page(store_path, run)


def test_no_grade_is_nothing_to_compare(make_task: Callable[..., Any], store_path: Path) -> None:
    metric = {"kind": "judge", "rubric": "Polite.", "model": "scripted:tests.helpers.scripts:half_grader"}
    task = make_task("judged", reader={"from": "reply"}, metric=metric)
    base = "scripted:tests.helpers.scripts:uneven"
    run = optimize(tasks=[task], base=base, method="fixed", store=store_path, train_size=4, test_size=12).run
    [task] = found(store_path, run)
    assert task.untouched and {one.change for one in task.examples} == {"same", "unknown"}
    assert all((one.by is None) == (not one.after.graded) for one in task.examples)
    page = open_run_page(store_path, run)
    assert "cannot be compared, having no score on one side" in page and "The run ended with the prompts that it began" in page


def test_a_run_that_has_scored_nothing(make_task: Callable[..., Any], store_path: Path, endpoint: Endpoint) -> None:
    endpoint.act = better
    given = {"tasks": [make_task("t")], "base": endpoint.spec(), "optimizer": WRITER, "store": store_path, "test_size": 14}
    result = optimize(**given, **SIZES, budget={"calls": 3})
    assert found(store_path, result.run) == []
    assert "No task has been scored on all its examples yet." in open_run_page(store_path, result.run)


@pytest.mark.parametrize("dump", DUMPS, ids=lambda path: path.stem)
def test_runs_of_past_schemas(dump: Path, store_path: Path) -> None:
    db = sqlite3.connect(store_path)
    db.executescript(dump.read_text(encoding="utf-8"))
    db.close()
    page = open_run_page(store_path)
    assert page.count('<details class="ex folded"') >= 4 and "test examples" in page
