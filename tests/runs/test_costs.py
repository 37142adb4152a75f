"""What whole runs cost, by figures worked out by hand, wherever a cost is told; unknown where no price is."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from click.testing import CliRunner

import metaspo
from metaspo import Task
from metaspo.cli.main import main
from metaspo.domain.errors import BudgetSpent, ConfigError
from metaspo.reports.compare import compare
from metaspo.reports.report import open_report
from metaspo.runs.config import config_of
from metaspo.runs.plan import plan
from metaspo.runs.tool import brief
from metaspo.store.database import open_store
from metaspo.studies.study import plan_study, read_study, run_study
from metaspo.studies.table import as_json, as_markdown, study_report

from ..helpers.endpoint import Endpoint, completion

PRICES = {"input_price": 2, "cached_price": 0.5, "output_price": 8}
COST = (2 * 2 + 8 * 0.5 + 2 * 8) / 1e6
"""Of a call with 10 tokens read, 8 of them from a cache, and 2 written."""


def cached(request: web.Request, body: Any, number: int) -> web.Response:
    reply = completion("yes")
    reply["usage"]["prompt_tokens_details"] = {"cached_tokens": 8}
    return web.json_response(reply)


@pytest.fixture
def settings(endpoint: Endpoint, make_task: Callable[..., Task], store_path: Path) -> dict[str, Any]:
    endpoint.act = cached
    return {"tasks": [make_task("a")], "base": endpoint.spec(), "method": "fixed", "preset": "quick", "store": store_path}


def said(*words: str) -> str:
    done = CliRunner().invoke(main, list(words), env={"COLUMNS": "400"})
    assert done.exit_code == 0, done.output
    return " ".join(done.stdout.split())


def test_cached_tokens_cost_their_price_wherever_a_cost_is_told(
    settings: dict[str, Any], endpoint: Endpoint, store_path: Path
) -> None:
    events: list[Any] = []
    base = endpoint.spec(**PRICES)
    result = metaspo.optimize(**settings | {"base": base}, listener=events.append)
    usage, calls = result.report.usage, len(endpoint.seen)
    assert (usage.cost, usage.unpriced, usage.cached_tokens) == (pytest.approx(calls * COST), 0, 8 * calls)
    assert events[-1]["spent"]["cost"] == pytest.approx(usage.cost) and events[-1]["spent"]["cached_tokens"] == 8 * calls
    with open_store(store_path) as store:
        rows = store.db.execute("SELECT DISTINCT cost, cached_tokens, input_tokens FROM calls").fetchall()
    assert rows == [(pytest.approx(COST), 8, 10)]
    told = f"{10 * calls:,} input ({8 * calls:,} of them cached) and {2 * calls:,} output tokens, cost {calls * COST:.4f}"
    where = ("--store", str(store_path))
    assert told in said("show", *where)
    assert json.loads(said("show", "--json", *where))["usage"]["cost"] == pytest.approx(calls * COST)
    assert f"{calls * COST:.4f}" in said("runs", *where) and f"cost of {calls * COST:.4f}" in said("verify", *where)
    assert brief(result)["cost"] == pytest.approx(calls * COST, abs=1e-4)
    assert result.report.cost_notes == [] and not [event for event in events if event["event"] == "noted"]


def test_without_a_price_the_cost_is_unknown_everywhere(settings: dict[str, Any], store_path: Path) -> None:
    events: list[Any] = []
    result = metaspo.optimize(**settings, listener=events.append)
    usage, where = result.report.usage, ("--store", str(store_path))
    assert usage.cost is None and usage.unpriced == usage.total_calls > 0
    assert (events[-1]["spent"]["cost"], events[-1]["spent"]["unpriced"]) == (None, usage.total_calls)
    shown = said("show", *where)
    assert "output tokens, cost unknown," in shown and "No price is known of server:m" in shown and "set input_price" in shown
    told = json.loads(said("show", "--json", *where))["usage"]
    assert (told["cost"], told["unpriced"]) == (None, usage.total_calls)
    [row] = json.loads(said("runs", "--json", *where))
    assert (row["cost"], row["unpriced"]) == (None, usage.total_calls) and "unknown" in said("runs", *where)
    assert "at a cost of unknown" in said("verify", *where)
    assert (brief(result)["cost"], brief(result)["unpriced"]) == (None, usage.total_calls)
    assert compare(result.report, result.report)["cost"] == [None, None]
    assert "cost unknown unknown" in said("diff", "last", *where)
    [need] = [need for need in plan(config_of(**settings)) if need.level == "seed"]
    assert need.cost is None and need.prices[0].startswith("No price is known of server:m, so what that costs is unknown")


def test_what_is_known_and_what_is_not_stand_side_by_side(
    settings: dict[str, Any], endpoint: Endpoint, store_path: Path
) -> None:
    priced = endpoint.spec(name="priced", **PRICES)
    settings |= {"method": "metaspo", "iterations": 1, "optimizer": priced, "preset": "paper"}
    sizes = {"train_size": 4, "test_size": 2, "system_candidates": 1, "user_candidates": 1, "proposal_attempts": 1}
    usage = metaspo.optimize(**settings, **sizes).report.usage
    assert usage.unpriced == usage.calls["base"] and usage.cost == pytest.approx(usage.calls["optimizer"] * COST)
    told = f"cost {usage.cost:.4f} + unknown for {usage.unpriced} calls"
    assert told in said("show", "--store", str(store_path))
    needs = plan(config_of(**settings, **sizes))
    assert {need.role: need.cost is None for need in needs} == {"base": True, "optimizer": False}
    file = store_path.with_name("plan.yaml")
    tasks = [task.model_dump(mode="json", exclude_none=True, by_alias=True) for task in settings["tasks"]]
    file.write_text(yaml.safe_dump({**settings, **sizes, "tasks": tasks, "store": str(store_path)}))
    planned = " ".join(said("optimize", str(file), "--plan").replace("│", "").split())
    assert "unknown" in planned and "+ unknown for" in planned and "No price is known of server:m" in planned


def test_a_free_model_at_a_router_costs_nothing(settings: dict[str, Any], endpoint: Endpoint) -> None:
    def act(request: web.Request, body: Any, number: int) -> web.Response:
        reply = completion("yes")
        reply["usage"]["cost"] = 0
        return web.json_response(reply)

    endpoint.act = act
    usage = metaspo.optimize(**settings).report.usage
    assert (usage.cost, usage.unpriced) == (0.0, 0)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list in which the test's endpoint is a provider of its own."""
    path = tmp_path / "mine.yaml"
    provider = {"hosts": ["127.0.0.1"], "date": "2026-11-01", "models": {"m": {"input": 2, "cached": 0.5, "output": 8}}}
    path.write_text(yaml.safe_dump({"currency": "EUR", "prices": [provider]}))
    monkeypatch.setenv("METASPO_PRICES", str(path))
    return path


def test_a_list_price_is_named_kept_and_enough_for_a_budget(settings: dict[str, Any], own: Path, store_path: Path) -> None:
    events: list[Any] = []
    first = metaspo.optimize(**settings, budget={"cost": 5 * COST}, listener=events.append)
    assert isinstance(first.stopped, BudgetSpent) and first.report.usage.cost is not None
    paid = first.report.usage.total_calls
    assert first.report.usage.cost == pytest.approx(paid * COST) and first.report.usage.cost >= 5 * COST * (1 - 1e-9)
    says = "server:m at the price in mine.yaml of 2026-11-01, in EUR a million tokens: 2 input, 0.5 cached, 8 output"
    notes = [event["text"] for event in events if event["event"] == "noted"]
    assert notes == [f"Costs are counted at prices that nobody set: {says}."] == first.report.cost_notes
    assert says in said("show", "--store", str(store_path))
    [need] = [need for need in plan(config_of(**settings)) if need.level == "seed"]
    assert need.cost and need.prices == (f"{says.replace(' at the', ' is counted at the')}.",)

    # Another list later changes what is paid from then on, and nothing that is recorded.
    own.write_text(own.read_text(encoding="utf-8").replace("2026-11-01", "2026-12-01").replace("output: 8", "output: 80"))
    done = metaspo.resume(first.run, store=store_path, budget={})
    rest = done.report.usage.total_calls - paid
    assert rest > 0 and done.report.usage.cost == pytest.approx(paid * COST + rest * (COST + 2 * 72 / 1e6))
    assert [kept["source"][:31] for kept in done.report.run.config["prices"]] == [
        "price in mine.yaml of 2026-11-0", "price in mine.yaml of 2026-12-0"
    ]  # fmt: skip
    assert "80 output" in done.report.cost_notes[0] and says in done.report.cost_notes[0]


def test_a_list_that_cannot_be_used_stops_before_any_call(settings: dict[str, Any], own: Path, endpoint: Endpoint) -> None:
    own.write_text("currency: EUR\nprices: []\n")
    with pytest.raises(ConfigError, match=r"mine.yaml:2: prices"):
        metaspo.optimize(**settings)
    assert not endpoint.seen


def test_a_budget_of_cost_without_any_price_says_which(settings: dict[str, Any], store_path: Path) -> None:
    free = {"provider": "vllm", "name": "m", "base_url": settings["base"]["base_url"]}
    with pytest.raises(ConfigError, match="no price is known of vllm:m; set input_price"):
        metaspo.optimize(**settings | {"base": free}, budget={"cost": 1})


def test_a_study_tells_costs_and_what_they_leave_out(settings: dict[str, Any], endpoint: Endpoint, tmp_path: Path) -> None:
    spec = endpoint.spec(**PRICES)
    task = settings["tasks"][0].model_dump(mode="json", exclude_none=True, by_alias=True)
    unpriced = endpoint.spec(name="other")
    data = {
        "config": {"base": spec, "optimizer": spec, "preset": "quick", "test_size": 4, "train_size": 4},
        "methods": ["fixed", {"name": "unpriced", "method": "fixed", "base": unpriced}],
        "settings": {"one": {"tasks": [task]}}, "seeds": [0], "measures": {"own": {"test": {}}},
    }  # fmt: skip
    file = tmp_path / "table.yaml"
    file.write_text(yaml.safe_dump(data))
    name, study = read_study(str(file))
    cells = plan_study(study)
    assert run_study(study, cells) is None
    report = study_report(name, study, cells)
    calls = report.paid["fixed"].total_calls
    assert report.paid["fixed"].cost == pytest.approx(calls * COST) and calls > 0
    table = as_markdown(report)
    assert (
        f"| fixed | {calls} | {calls * COST:.4f} |" in table
        and "| unpriced | 8 | unknown |".replace("8", str(report.paid["unpriced"].total_calls)) in table
    )
    assert "No price is known of server:other" in table
    paid = json.loads(as_json(report))["paid"]
    assert (paid["unpriced"]["cost"], paid["fixed"]["unpriced"]) == (None, 0)


def test_a_study_names_list_prices_once(settings: dict[str, Any], own: Path, endpoint: Endpoint, tmp_path: Path) -> None:
    task = settings["tasks"][0].model_dump(mode="json", exclude_none=True, by_alias=True)
    data = {
        "config": {"base": endpoint.spec(), "method": "fixed", "preset": "quick", "test_size": 4, "train_size": 4},
        "methods": ["fixed"], "settings": {"one": {"tasks": [task]}, "two": {"tasks": [task | {"name": "b"}]}},
        "seeds": [0], "measures": {"own": {"test": {}}}, "budget": {"cost": 1},
    }  # fmt: skip
    (tmp_path / "table.yaml").write_text(yaml.safe_dump(data))
    name, study = read_study(str(tmp_path / "table.yaml"))
    cells, notes = plan_study(study), list[tuple[str, str]]()
    run_study(
        study, cells, listener=lambda label, event: notes.append((label, event["text"])) if event["event"] == "noted" else None
    )
    [(label, text)] = notes
    assert label == "all runs" and "server:m at the price in mine.yaml of 2026-11-01" in text
    report = study_report(name, study, cells)
    assert report.cost_notes == [text] and as_markdown(report).count("mine.yaml") == 1


def test_a_store_of_before_shows_what_nobody_knew_as_unknown(store_path: Path) -> None:
    db = sqlite3.connect(store_path)
    db.executescript((Path(__file__).parent.parent / "store" / "schemas" / "m006.sql").read_text(encoding="utf-8"))
    db.execute("UPDATE calls SET model = 'server:m'")
    db.commit()
    db.close()
    report = open_report(store_path)
    assert report.usage.cost is None and report.usage.unpriced == report.usage.total_calls > 0
    assert "cost unknown" in said("show", "--store", str(store_path))
