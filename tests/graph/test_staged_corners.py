"""Corners of staged judging: several places to keep, prompts that carry solved examples, and nothing left to ask."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import metaspo
from metaspo import Task
from metaspo.domain.calls import Request
from metaspo.runs.branch import branch_config
from metaspo.runs.config import config_of
from metaspo.runs.plan import plan
from metaspo.store import prompts

from ..helpers.scripts import uneven

Maker = Callable[..., Task]
UNEVEN = "scripted:tests.helpers.scripts:uneven"
HERE = "scripted:tests.graph.test_staged_corners"


def tells_all(request: Request) -> str:
    """As optimizer it writes every training question with an answer into the prompt."""
    text = request.messages[-1][1]
    if "between <prompt> and </prompt>" not in text:
        return uneven(request)
    solved = "\n\n".join(f"Question: q{at}?\nAnswer: yes" for at in range(3))
    return f"<prompt>Think {hash_of(request)}.\n{solved}\n\n{{question}}</prompt>"


def hash_of(request: Request) -> int:
    return sum(map(ord, request.sample)) % 1000


def settings(make_task: Maker, store: Path, **given: Any) -> dict[str, Any]:
    tasks = [make_task(name, 90) for name in ("a", "b")]
    common = {"tasks": tasks, "base": UNEVEN, "optimizer": UNEVEN, "store": store, "preset": "paper", "test_size": 10}
    return {**common, "method": "common_first", **given}


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_a_task_that_keeps_several_keeps_the_best_of_those_that_met_everything(
    seed: int, make_task: Maker, store_path: Path, open_store: Any
) -> None:
    done = metaspo.optimize(
        **settings(make_task, store_path, method="metaspo", judging="staged", keep=3, train_size=12, iterations=2, seed=seed)
    )
    db = open_store().db
    rows = [row for row in prompts.candidates(db, done.run) if row.level == "user" and row.stage == "everything"]
    for row in rows:
        stands = [pair for pair in prompts.kept_pairs(db, done.run, row.round) if pair.task == row.task]
        if row.status == "rejected":
            assert len(stands) == 3 and min(pair.score for pair in stands) >= (row.score or 0)


def test_what_carries_every_example_still_goes_with_the_others(make_task: Maker, store_path: Path) -> None:
    rows = {
        "train": [{"question": f"q{at}?", "answer": "yes"} for at in range(3)],
        "test": [{"question": "t?", "answer": "no"}],
    }
    for method in ("ape", "metaspo_ape"):
        done = metaspo.optimize(
            **settings(make_task, store_path, method=method, judging="staged", train_size=3, iterations=1, base=f"{HERE}:tells_all",
                       optimizer=f"{HERE}:tells_all") | {"tasks": [make_task("a", examples=rows)]}
        )  # fmt: skip
        assert done.stopped is None and done.report.rounds[-1].level == "test"


@pytest.mark.slow
def test_prompts_with_demonstrations_are_reported_and_never_lose_ground(
    make_task: Maker, store_path: Path, open_store: Any
) -> None:
    helped, carried = "scripted:tests.helpers.writers:helped", False
    for seed in range(6):
        done = metaspo.optimize(
            **settings(
                make_task,
                store_path,
                base=helped,
                optimizer=helped,
                demonstrations=4,
                seed=seed,
                system_steps=1,
                user_steps=1,
                patience=0,
            )
        )
        assert done.stopped is None and done.report.verdict_says
        rows = prompts.candidates(open_store().db, done.run)
        taken = [row for row in rows if row.status in ("kept", "incumbent")]
        assert all((row.gain or 0) > 0 for row in taken)
        texts = prompts.prompt_texts(open_store().db, [row.prompt or "" for row in taken])
        carried |= any("Solved examples:" in text for text in texts.values())
    assert carried


@pytest.mark.long
@pytest.mark.parametrize(
    "given",
    [
        {"method": "sprig", "judging": "staged", "validation_size": 6, "train_size": 20, "rephrasings": 0},
        {"method": "ape", "judging": "staged", "validation_size": 6, "train_size": 20},
        {"method": "adapt"}, {"method": "metaspo", "curve": True, "iterations": 1}, {"curve": True},
    ],
)  # fmt: skip
def test_no_way_to_judge_goes_beyond_the_plan(given: dict[str, Any], make_task: Maker, store_path: Path) -> None:
    config = config_of(**settings(make_task, store_path, proposal_attempts=1, **{"train_size": 12} | given))
    planned = sum(need.calls for need in plan(config) if need.role == "base")
    assert metaspo.optimize(config).report.usage.calls["base"] <= planned


@pytest.mark.long
def test_a_branch_on_another_model_stays_within_its_plan(make_task: Maker, store_path: Path) -> None:
    whole = metaspo.optimize(**settings(make_task, store_path))
    last = max(row.round for row in whole.report.rounds if row.level in ("user", "system"))
    other = "scripted:tests.helpers.scripts:always_yes"
    config = branch_config(store_path, whole.run, last, {"base": other, "seed": 4})
    planned = sum(need.calls for need in plan(config) if need.role == "base")
    assert metaspo.optimize(config).report.usage.calls["base"] <= planned


@pytest.mark.long
def test_a_verdict_says_what_is_missing(make_task: Maker, store_path: Path) -> None:
    tiny = make_task("tiny", examples={"train": [{"question": f"{at}?", "answer": "yes"} for at in range(2)],
                                       "test": [{"question": "t?", "answer": "no"}]})  # fmt: skip
    done = metaspo.optimize(**settings(make_task, store_path) | {"tasks": [tiny, make_task("b", 90)]})
    if done.report.system_after != done.report.system_before or done.report.rounds[-1].level == "test":
        assert "this method keeps no examples back" not in done.report.verdict_says
