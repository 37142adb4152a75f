"""What was found meets the seeds on examples that selected nothing, once, and the seeds come back where they do better."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import metaspo
from metaspo import Task
from metaspo.domain.calls import Request
from metaspo.store import evaluations, prompts

from ..helpers.scripts import uneven

Maker = Callable[..., Task]
HERE = "scripted:tests.graph.test_confirm"


def overfits(request: Request) -> str:
    """As base right about every question with the seeds, but for those it trains on; under other prompts the other way round."""
    text = request.messages[-1][1]
    if "BEGIN DATA" in text:
        return uneven(request)
    system = dict(request.messages).get("system", "")
    seeds = system == "Seed." and text.startswith("Say yes or no.")
    return "yes" if ("train" in text) != seeds else "no"


def helps(request: Request) -> str:
    """As base right under every prompt but the seeds."""
    text = request.messages[-1][1]
    if "BEGIN DATA" in text:
        return uneven(request)
    return "no" if dict(request.messages).get("system") == "Seed." and text.startswith("Say yes or no.") else "yes"


def settings(make_task: Maker, store: Path, model: str, **given: Any) -> dict[str, Any]:
    splits = {
        split: [{"question": f"{split} {at}?", "answer": "yes"} for at in range(12)]
        for split in ("train", "validation", "test")
    }
    tasks = [make_task(name, examples=splits) for name in ("a", "b")]
    common = {
        "tasks": tasks,
        "base": f"{HERE}:{model}",
        "optimizer": f"{HERE}:{model}",
        "system_prompt": "Seed.",
        "store": store,
    }
    return {**common, "method": "common_first", "preset": "paper", **given}


def test_a_worse_mean_returns_the_seeds(make_task: Maker, store_path: Path, open_store: Any) -> None:
    done = metaspo.optimize(**settings(make_task, store_path, "overfits"))
    levels = [row.level for row in done.report.rounds]
    assert levels[-2:] == ["confirm", "test"] and "system" in levels
    searched = done.report.rounds[-3]
    assert searched.score == 1.0 and searched.system != done.report.rounds[0].system
    assert done.system_prompt == "Seed." and set(done.user_prompts.values()) == {"Say yes or no.\n{question}"}
    assert done.report.rounds[-2].score == done.report.rounds[0].score == 0.0
    # Each pair met the validation examples once, and only then.
    found = evaluations.run_evaluations(open_store().db, done.run, "validation")
    assert len(found) == 4 and all(one.whole for one in found)
    # The seeds alone are tested: nothing else is left.
    assert len(evaluations.run_evaluations(open_store().db, done.run, "test")) == 2


def test_a_person_may_keep_it_all_the_same(make_task: Maker, store_path: Path) -> None:
    done = metaspo.optimize(**settings(make_task, store_path, "overfits", keep_unconfirmed=True))
    assert done.system_prompt != "Seed." and done.report.rounds[-2].level == "confirm"


def test_what_helps_stays(make_task: Maker, store_path: Path) -> None:
    done = metaspo.optimize(**settings(make_task, store_path, "helps"))
    assert done.system_prompt != "Seed." and [row.level for row in done.report.rounds][-2:] == ["confirm", "test"]


@pytest.mark.parametrize("given", [{"method": "metaspo"}, {"validation_size": 0}, {"iterations": 0}])
def test_nothing_meets_the_seeds_where_nothing_is_kept_back_or_nothing_was_found(
    given: dict[str, Any], make_task: Maker, store_path: Path
) -> None:
    done = metaspo.optimize(**settings(make_task, store_path, "helps", train_size=12, **given))
    assert "confirm" not in [row.level for row in done.report.rounds]


@pytest.mark.long
def test_stopped_while_it_meets_the_seeds_it_goes_on_to_the_same_end(make_task: Maker, tmp_path: Path) -> None:
    whole = metaspo.optimize(**settings(make_task, tmp_path / "whole.db", "overfits"))
    calls = whole.report.usage.total_calls
    for short in (25, 40, 60, 75):
        path = tmp_path / f"{short}.db"
        part = metaspo.optimize(**settings(make_task, path, "overfits", budget={"calls": calls - short}))
        assert part.stopped is not None
        part = metaspo.resume(part.run, store=path, **{"budget.calls": calls})
        assert part.system_prompt == "Seed." and part.report.usage.total_calls == calls


def test_a_branch_comes_back_to_the_same_seeds(make_task: Maker, store_path: Path, open_store: Any) -> None:
    whole = metaspo.optimize(**settings(make_task, store_path, "overfits"))
    child = metaspo.branch(whole.run, at=1, store=store_path, seed=5)
    assert child.system_prompt == "Seed." and prompts.rounds(open_store().db, child.run)[-2].level == "confirm"
