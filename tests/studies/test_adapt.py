"""Test-time adaptation: curves by round and by share of data, for prompts that train chose."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import metaspo
from metaspo import Task
from metaspo.domain.errors import BudgetSpent, ConfigError
from metaspo.domain.prompts import Prompt
from metaspo.reports.curve import open_curve
from metaspo.store.database import Store
from metaspo.studies.adapt import adapt, plan_adaptation

UNEVEN = "scripted:tests.helpers.scripts:uneven"


@pytest.fixture
def settings(make_task: Callable[..., Task], store_path: Path) -> dict[str, Any]:
    return {
        "tasks": [make_task("a"), make_task("b")], "base": UNEVEN, "optimizer": UNEVEN, "preset": "quick",
        "iterations": 1, "keep": 2, "train_size": 20, "test_size": 10,
    }  # fmt: skip


@pytest.mark.long
def test_curves_for_both_prompts_and_every_share(settings: dict[str, Any], prompt: str, store_path: Path) -> None:
    plan = plan_adaptation(prompt, settings, shares=[0.5, 1], store=store_path)
    found = adapt(plan)
    assert [(curve.side, curve.train_size) for curve in found.curves] == [
        ("candidate", 20), ("baseline", 20), ("candidate", 10), ("baseline", 10),
    ]  # fmt: skip
    for curve in found.curves:
        assert [round for round, _, _ in curve.means()] == [0, 1, 2, 3]
        selecting = [score for _, score, _ in curve.means()]
        assert selecting == sorted(selecting)  # what train chose never gets worse on train
        assert all(test is not None for _, _, test in curve.means())
    tested = settings["test_size"] * len(settings["tasks"])
    assert list(found.ends) == [20, 10] and all(change.examples == tested for change in found.ends.values())


@pytest.mark.long
def test_the_reported_prompts_are_those_that_train_chose(settings: dict[str, Any], prompt: str, store_path: Path) -> None:
    found = adapt(plan_adaptation(prompt, settings, shares=[1], store=store_path))
    run = found.curves[0].run
    store = Store(store_path)
    chosen = dict(
        store.db.execute('SELECT task, "user" FROM standing WHERE run = ? AND position = 0 AND round = 3', [run]).fetchall()
    )
    systems = {row[0] for row in store.db.execute("SELECT system FROM standing WHERE run = ?", [run])}
    scores = {
        (user, split): score
        for user, split, score in store.db.execute(
            'SELECT "user", split, score FROM evaluations WHERE system = ?', [Prompt("system", "Be careful.").id]
        )
    }
    store.close()
    assert systems == {Prompt("system", "Be careful.").id}  # the system prompt is frozen
    last = [point for point in open_curve(store_path, run) if point.round == 3]
    assert {(p.task, p.selecting, p.test) for p in last} == {
        (task, scores[user, "train"], scores[user, "test"]) for task, user in chosen.items()
    }


@pytest.mark.long
def test_the_same_command_again_goes_on_and_then_pays_nothing(settings: dict[str, Any], prompt: str, store_path: Path) -> None:
    plan = plan_adaptation(prompt, {**settings, "budget": {"calls": 150}}, shares=[0.5, 1], store=store_path)
    stopped = adapt(plan)
    assert isinstance(stopped.stopped, BudgetSpent)
    paid = _paid(store_path)
    assert paid == 150  # one budget for all four searches, never overshot
    whole = adapt(plan_adaptation(prompt, settings, shares=[0.5, 1], store=store_path))
    fresh = adapt(plan_adaptation(prompt, settings, shares=[0.5, 1], store=store_path.with_name("fresh.db")), parallel=1)
    assert whole.stopped is None and _paid(store_path) == _paid(store_path.with_name("fresh.db"))
    assert [curve.points for curve in whole.curves] == [curve.points for curve in fresh.curves]
    paid = _paid(store_path)
    adapt(plan_adaptation(prompt, settings, shares=[0.5, 1], store=store_path))
    assert _paid(store_path) == paid


@pytest.mark.long
def test_a_curve_never_selects(settings: dict[str, Any], store_path: Path) -> None:
    plain = metaspo.optimize(**settings, method="protegi", store=store_path)
    curved = metaspo.optimize(**settings, method="protegi", curve=True, store=store_path)
    assert plain.user_prompts == curved.user_prompts
    assert all(point.test is not None for point in open_curve(store_path, curved.run))


def test_shares_are_shares(settings: dict[str, Any], prompt: str, store_path: Path) -> None:
    with pytest.raises(ConfigError, match="shares are numbers above 0 and up to 1"):
        plan_adaptation(prompt, settings, shares=[2.0], store=store_path)


def _paid(path: Path) -> int:
    store = Store(path)
    [(count,)] = store.db.execute("SELECT count(*) FROM calls").fetchall()
    store.close()
    return int(count)
