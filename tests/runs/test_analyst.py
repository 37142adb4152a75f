"""A run whose failures are analysed by one model while another one writes its prompts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlite_utils
from click.testing import CliRunner

import metaspo
from metaspo import Task
from metaspo.cli.main import main
from metaspo.domain.errors import ConfigError
from metaspo.models.spec import ModelSpec
from metaspo.runs.config import config_of, nested, read_config
from metaspo.runs.plan import plan
from metaspo.studies.batch import Planned
from metaspo.studies.cut import cut
from metaspo.studies.study import Study

DICE, OTHER = "scripted:dice", "scripted:tests.helpers.scripts:analyst"
SEARCH: dict[str, Any] = {
    "base": DICE, "optimizer": DICE, "preset": "quick", "method": "metaspo", "test_size": 8,
}  # fmt: skip


def calls_of(store: Path) -> set[tuple[str, str]]:
    """Role and model of every paid call but the base model's."""
    rows = sqlite_utils.Database(store).query("SELECT DISTINCT role, model FROM calls WHERE role <> 'base'")
    return {(row["role"], row["model"]) for row in rows}


def test_the_analyst_analyses_and_the_optimizer_writes(make_task: Callable[..., Task], store_path: Path) -> None:
    result = metaspo.optimize(tasks=[make_task("a")], **SEARCH, analyst=OTHER, store=store_path)
    assert calls_of(store_path) == {("optimizer", DICE), ("analyst", OTHER)}
    db = sqlite_utils.Database(store_path)
    asked = {row["role"]: row["request"] for row in db.query("SELECT role, request FROM calls")}
    assert "What went wrong" in asked["optimizer"] and "the analyst found this" in asked["optimizer"]
    assert "<prompt>" not in asked["analyst"]
    assert result.report.analyst == OTHER and result.report.usage.calls["analyst"] > 0


def test_without_one_nothing_is_other_than_before(make_task: Callable[..., Task], store_path: Path, tmp_path: Path) -> None:
    alone = metaspo.optimize(tasks=[make_task("a")], **SEARCH, store=store_path)
    other = tmp_path / "same.db"
    same = metaspo.optimize(tasks=[make_task("a")], **SEARCH, analyst=DICE, store=other)
    keys = [{row["key"] for row in sqlite_utils.Database(path).query("SELECT key FROM calls")} for path in (store_path, other)]
    assert keys[0] == keys[1], "the role of a call is no part of its key"
    assert "analyst" not in alone.report.usage.calls and alone.report.analyst == ""
    assert same.report.usage.calls["analyst"] + same.report.usage.calls["optimizer"] == alone.report.usage.calls["optimizer"]


def test_a_resumed_run_keeps_its_analyst_and_may_change_it(make_task: Callable[..., Task], store_path: Path) -> None:
    begun = metaspo.optimize(tasks=[make_task("a")], **SEARCH, analyst=OTHER, store=store_path, budget={"calls": 1})
    kept = metaspo.resume(begun.run, store=store_path, **{"budget.calls": 2})
    assert kept.report.analyst == OTHER
    ended = metaspo.resume(begun.run, store=store_path, **{"budget.calls": 5000, "analyst": ""})
    assert ended.stopped is None and ended.report.analyst == "" and calls_of(store_path) == {("optimizer", DICE)}
    child = metaspo.branch(begun.run, at=0, store=store_path, analyst=OTHER)
    assert child.report.analyst == OTHER and ("analyst", OTHER) in calls_of(store_path)


def test_the_plan_counts_its_calls_at_its_own_price(make_task: Callable[..., Task], store_path: Path) -> None:
    shared = {**SEARCH, "tasks": [make_task("a")], "store": str(store_path)}
    before = {(need.role, need.level): need for need in plan(config_of(**shared))}
    dear = f"{OTHER},input_price=100,output_price=100"
    needs = {(need.role, need.level): need for need in plan(config_of(**shared, analyst=dear))}
    for level in ("user", "system"):
        analysed, written = needs["analyst", level], needs["optimizer", level]
        assert analysed.calls + written.calls == before["optimizer", level].calls and analysed.calls and written.calls
        assert analysed.cost == pytest.approx((analysed.input_tokens + analysed.output_tokens) / 10_000)
        assert written.cost == 0.0
    result = metaspo.optimize(**shared, analyst=dear)
    assert result.report.usage.calls["analyst"] <= sum(need.calls for need in needs.values() if need.role == "analyst")
    assert result.report.usage.cost, "what the analyst cost is in the total"


def test_a_budget_of_cost_counts_on_the_analysts_price(make_task: Callable[..., Task], store_path: Path) -> None:
    settings = {**SEARCH, "tasks": [make_task("a")], "store": store_path, "budget": {"cost": 1e-9}}
    with pytest.raises(ConfigError, match="can never be reached"):
        metaspo.optimize(**settings)
    with pytest.raises(ConfigError, match="can never be reached"):
        # Nothing is analysed there, so that its price brings no end.
        metaspo.optimize(**{**settings, "method": "ape"}, analyst=f"{OTHER},input_price=1,output_price=1")
    stopped = metaspo.optimize(**settings, analyst=f"{OTHER},input_price=1,output_price=1").stopped
    assert stopped is not None and "in cost" in str(stopped)


def test_one_setting_of_a_model_can_be_set_alone(tmp_path: Path) -> None:
    config = tmp_path / "run.yaml"
    config.write_text("optimizer: openai:gpt-4o,seed=3\n", encoding="utf-8")
    changed = read_config(config, {"analyst.temperature": 0.2})
    assert (changed.analyst, changed.optimizer) == (
        ModelSpec.parse("openai:gpt-4o,seed=3,temperature=0.2"), ModelSpec.parse("openai:gpt-4o,seed=3"),
    )  # fmt: skip
    both = read_config(config, {"analyst.temperature": 0.2, "analyst": "openai:gpt-4o-mini", "base.max_tokens": 9})
    assert both.analyst == ModelSpec.parse("openai:gpt-4o-mini,temperature=0.2")
    assert both.base.max_tokens == 9 and both.base.label == "local:smollm2"
    with pytest.raises(ConfigError, match=r"analyst.*warmth"):
        read_config(config, {"analyst.warmth": 1})
    assert nested({"budget.calls": 5}, {}) == {"budget": {"calls": 5}}


def test_a_study_takes_one_and_runs_without_keep_their_ids(make_task: Callable[..., Task], store_path: Path) -> None:
    shared = {**SEARCH, "tasks": [make_task("a")], "store": str(store_path)}
    ids = [
        Planned("x", one.problem(), one.context()).run
        for one in (config_of(**shared), config_of(**shared, analyst=None), config_of(**shared, analyst=OTHER))
    ]
    assert ids[0] == ids[1] != ids[2]
    study = Study(config={"analyst": "openai:gpt-4o"}, methods=["metaspo"])
    assert cut(study, {"analyst": OTHER}, {}).config["analyst"] == OTHER
    assert cut(study, {"model": DICE}, {}).config == {"base": DICE, "optimizer": DICE, "analyst": None}


def test_the_command_line_takes_one_and_says_where_it_is_not_asked(store_path: Path) -> None:
    given = ["optimize", "--base", DICE, "--optimizer", DICE, "--analyst", OTHER, "--plan", "--store", str(store_path)]
    planned = CliRunner().invoke(main, [*given, "--method", "metaspo", "--preset", "paper"])
    assert planned.exit_code == 0 and "analyst" in planned.output
    none = CliRunner().invoke(main, [*given, "--method", "ape"])
    assert "method ape with preset quick asks no analyst" in none.output
