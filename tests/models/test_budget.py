"""Budgets of single roles beside that of the whole run."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import metaspo
from metaspo.cli.main import main
from metaspo.domain.calls import Reply
from metaspo.domain.errors import BudgetSpent, ConfigError
from metaspo.models.account import Account
from metaspo.models.budget import Budget
from metaspo.models.spec import ModelSpec
from metaspo.store.calls import usage
from metaspo.store.database import open_store

DICE = "scripted:dice"
PRICED = ModelSpec.parse("scripted:dice,input_price=1,output_price=1")
UNTOLD = ModelSpec.parse("server:m,base_url=http://127.0.0.1:9/v1")


async def test_a_role_that_is_spent_ends_the_run_and_others_have_their_own_room() -> None:
    account = Account("run", Budget.model_validate({"calls": 10, "optimizer": {"calls": 1}, "base": {"output_tokens": 5}}))
    await account.reserve("optimizer")
    for _ in range(2):
        await account.reserve("base")
        account.settle("base", Reply("x", input_tokens=1, output_tokens=2))
    account.settle("optimizer", Reply("x", input_tokens=1, output_tokens=100))
    await account.reserve("base")
    account.settle("base", Reply("x", input_tokens=1, output_tokens=2))
    with pytest.raises(BudgetSpent, match="budget of 5 output tokens for the base model is spent"):
        await account.reserve("base")


async def test_calls_of_a_role_in_flight_count_as_made() -> None:
    account = Account("run", Budget.model_validate({"judge": {"calls": 2}}))
    await account.reserve("judge")
    await account.reserve("judge")
    await account.reserve("base")
    with pytest.raises(BudgetSpent, match="budget of 2 calls for the judge is spent"):
        await account.reserve("judge")


async def test_the_cost_of_a_role() -> None:
    account = Account("run", Budget.model_validate({"optimizer": {"cost": 0.5}}))
    await account.reserve("base")
    account.settle("base", Reply("x", cost=7.0))
    await account.reserve("optimizer")
    account.settle("optimizer", Reply("x", cost=0.5))
    with pytest.raises(BudgetSpent, match=r"budget of 0\.5 in cost for the optimizer model is spent"):
        await account.reserve("optimizer")


def test_a_budget_of_a_role_that_could_never_fire_is_refused() -> None:
    free = ModelSpec.parse(DICE)
    with pytest.raises(ConfigError, match=r"budget\.judge can never be reached: no model of this run is asked as judge"):
        Account("run", Budget.model_validate({"judge": {"calls": 2}})).check([("base", free)])
    with pytest.raises(ConfigError, match="can never be reached: as optimizer, scripted:dice costs 0"):
        Account("run", Budget.model_validate({"optimizer": {"cost": 2}})).check([("base", PRICED), ("optimizer", free)])
    account = Account("run", Budget.model_validate({"optimizer": {"cost": 2}}))
    account.check([("base", free), ("optimizer", UNTOLD)])
    assert "budget of 2 for the optimizer only if it says what they cost" in account.notes[0]
    Account("run", Budget.model_validate({"base": {"cost": 2}})).check([("base", PRICED)])


@pytest.mark.long
@pytest.mark.parametrize(("role", "limit"), [("optimizer", 3), ("base", 50)])
def test_a_whole_run_stops_within_it_and_goes_on_with_more(store_path: Path, role: str, limit: int) -> None:
    settings: dict[str, Any] = {
        "base": DICE,
        "optimizer": DICE,
        "method": "metaspo",
        "preset": "quick",
        "store": store_path,
        "test_size": 5,
    }
    result = metaspo.optimize(**settings, budget={role: {"calls": limit}})
    assert result.stopped is not None and result.stopped.exit_code == 3
    assert f"budget of {limit} calls for the {role} model is spent" in str(result.stopped)
    with open_store(store_path) as store:
        paid = usage(store.db, result.run)
    assert paid.of(role).total_calls == paid.calls[role] == limit
    again = metaspo.resume(result.run, store=store_path)
    assert again.stopped is not None and again.report.usage.calls[role] == limit
    assert metaspo.resume(result.run, store=store_path, budget={}).stopped is None


def test_it_is_set_from_the_command_line_too(store_path: Path) -> None:
    command = [
        "optimize", "--base", DICE, "--optimizer", DICE, "--method", "metaspo", "--preset", "quick", "--store", str(store_path),
    ]  # fmt: skip
    done = CliRunner().invoke(main, [*command, "--set", "budget.optimizer.calls=3", "--set", "budget.calls=5000"])
    assert done.exit_code == 3 and "budget of 3 calls for the optimizer model is spent" in " ".join(done.output.split())
    wrong = CliRunner().invoke(main, [*command, "--set", "budget.calls.most=3", "--set", "budget.calls=2"])
    assert wrong.exit_code == 2 and "cannot set budget.calls.most: budget.calls is not a block" in " ".join(
        wrong.output.split()
    )
    budget = Budget.model_validate({"calls": 5, "optimizer": {"cost": 2.0}})
    assert budget.limits() == {"calls": 5, "optimizer.cost": 2.0}


def test_limits_that_a_new_budget_does_not_name_stay() -> None:
    before = Budget.model_validate({"calls": 5, "cost": 3.0, "optimizer": {"cost": 2.0, "calls": 1}})

    def on(now: dict[str, Any]) -> dict[str, float]:
        return Budget.model_validate(now).on(before).limits()

    assert on({"calls": 9}) == {"calls": 9, "cost": 3.0, "optimizer.cost": 2.0, "optimizer.calls": 1}
    assert on({"cost": None, "optimizer": {"calls": 4}}) == {"calls": 5, "optimizer.cost": 2.0, "optimizer.calls": 4}
    assert on({"optimizer": {}, "base": {"calls": 2}}) == {"calls": 5, "cost": 3.0, "base.calls": 2}
    assert on({}) == {}
