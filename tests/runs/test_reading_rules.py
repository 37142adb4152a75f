"""A run keeps the rules that it began to read answers by; other rules make other scores, and share none.

`stores/first_rules.db.gz` was written by commit eb37273, which had only the first rules, with replies that others read
otherwise ("Answer yes is wrong."): a run that is done, and one that its budget stopped. `stores/first_rules.json` is
what that same commit made of a copy of the file when it went on.
"""

import gzip
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import metaspo
from metaspo import Task
from metaspo.store.database import Store
from metaspo.tasks.catalogue import open_task
from metaspo.tasks.splits import Sizes

from .test_old_stores import QUERIES

STORES = Path(__file__).parent / "stores"
ENDS: dict[str, Any] = json.loads((STORES / "first_rules.json").read_text())
TALKATIVE = "scripted:tests.helpers.talkative:talkative"


@pytest.fixture
def first(store_path: Path) -> Path:
    store_path.write_bytes(gzip.decompress((STORES / "first_rules.db.gz").read_bytes()))
    return store_path


def end(path: Path, run: str) -> dict[str, Any]:
    store = Store(path)
    found: dict[str, Any] = {name: [list(row) for row in store.db.execute(query, [run])] for name, query in QUERIES.items()}
    store.close()
    return found | {"run": run}


def asked(path: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as db, db:
        return db.execute(query, values).fetchall()


def task(name: str, **reader: Any) -> Task:
    rows = [{"question": f"Is {i} a number that {name} likes?", "answer": "yes" if i % 2 else "no"} for i in range(40)]
    block = {"kind": "choice", "labels": ["yes", "no"], "from": "reply"} | reader
    return Task.model_validate({"name": name, "examples": rows, "user_prompt": "Say yes or no.\n{question}", "reader": block})


def settings(path: Path) -> dict[str, Any]:
    return {
        "base": TALKATIVE, "optimizer": TALKATIVE, "store": path, "preset": "quick", "method": "metaspo", "test_size": 6,
        "iterations": 1, "train_size": 6, "user_candidates": 2, "system_candidates": 2,
    }  # fmt: skip


def test_a_run_of_the_first_rules_goes_on_by_them_and_is_verified(first: Path) -> None:
    assert metaspo.verify(store=first).well
    result = metaspo.resume(ENDS["stopped"]["run"], store=first, budget={"calls": 1000})
    assert result.stopped is None
    assert end(first, ENDS["stopped"]["run"]) == ENDS["stopped"]
    found = metaspo.verify(store=first)
    assert found.well and found.findings.checked["outcome"] > 50


def test_a_branch_reads_as_its_parent_did(first: Path) -> None:
    parent = ENDS["done"]["run"]
    child = metaspo.branch(parent, at=1, store=first)
    assert child.report.usage.total_calls == 0
    [[own], [before]] = [asked(first, "SELECT task FROM run_tasks WHERE run = ?", run) for run in (child.run, parent)]
    assert own == before and metaspo.verify(store=first).well


def test_a_new_run_pays_no_call_again_and_reads_by_the_rules_of_today(first: Path) -> None:
    parent = ENDS["done"]["run"]
    found = metaspo.optimize(tasks=[task("a")], **settings(first))
    tasks = asked(first, "SELECT DISTINCT task FROM run_tasks WHERE name = 'a'")
    assert len(tasks) == 2, "scores by other rules are kept apart"
    wrong = "SELECT count(*) FROM outcomes o JOIN calls c ON c.key = o.call JOIN evaluations e ON e.id = o.evaluation"
    wrong += " JOIN run_tasks r ON r.task = e.task WHERE r.run = ? AND c.reply = 'Answer yes is wrong.' AND o.answer = 'yes'"
    assert asked(first, wrong, parent)[0][0] > 0
    assert asked(first, wrong, found.run)[0][0] == 0
    assert metaspo.verify(store=first).well


def test_a_reader_may_ask_for_the_first_rules(first: Path) -> None:
    before = asked(first, "SELECT task FROM run_tasks WHERE run = ?", ENDS["done"]["run"])
    found = metaspo.optimize(tasks=[task("a", rules=1)], **settings(first))
    assert asked(first, "SELECT task FROM run_tasks WHERE run = ?", found.run) == before
    assert found.report.usage.total_calls == 0


ROWS = [{"question": f"q{i}", "answer": "yes" if i % 2 else "no"} for i in range(12)]


@pytest.mark.parametrize(
    ("reader", "of_before"),
    [
        ({"kind": "choice", "labels": ["yes", "no"], "from": "reply"}, "0e53c2411790693d"),
        ({"kind": "text"}, "7efe06da62ad2018"),
        ({"kind": "text", "from": "reply"}, "342d241c7873f268"),
    ],
)
def test_the_rules_are_in_a_task_s_id_where_they_can_change_a_score(reader: dict[str, Any], of_before: str) -> None:
    block = {"name": "t", "examples": ROWS, "user_prompt": "Say. {question}"}
    by_rules = [
        open_task(Task.model_validate(block | {"reader": reader | {"rules": rules}}), Sizes(4, 0, 4), 0).id for rules in (1, 2)
    ]
    assert by_rules[0] == of_before
    assert (by_rules[1] == of_before) == (reader.get("from") == "reply" and reader["kind"] == "text")
