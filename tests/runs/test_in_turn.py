"""How many batches follow one another: what the plan says, and what a run that leaves at each of them comes to."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import metaspo
from metaspo import Task
from metaspo.cli.main import main
from metaspo.models import batches, collecting
from metaspo.runs.config import config_of
from metaspo.runs.plan import plan

from ..helpers.batch_host import BatchHost
from ..helpers.endpoint import completion
from .test_bad_days import answer

SMALL = {"preset": "quick", "test_size": 10, "train_size": 8}
JUDGED = {"metric": {"kind": "judge", "rubric": "Good?"}}


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchHost]:
    monkeypatch.setattr(batches, "SETTLED", 0.05)
    monkeypatch.setattr(collecting, "FIRST_LOOK", 0.02)
    host = BatchHost(lambda body: completion(answer(body)), looks=10**6)
    host.act = lambda request, body, number: None
    yield host
    host.close()


def in_turn(config: Any) -> int:
    return sum(need.batches for need in plan(config))


@pytest.mark.long
@pytest.mark.parametrize(
    ("settings", "exact"),
    [
        ({"method": "metaspo", "iterations": 1}, True),
        ({"method": "metaspo", "iterations": 1, "validation_size": 6}, True),
        ({"method": "outer_only", "iterations": 1, "judging": "staged", "train_size": 16}, False),
        ({"method": "common_first", "preset": "batch", "system_candidates": 2, "user_candidates": 2}, False),
    ],
)
def test_a_run_waits_for_no_more_batches_than_its_plan_says(
    make_task: Callable[..., Task], host: BatchHost, store_path: Path, settings: dict[str, Any], exact: bool
) -> None:
    model = host.spec(seed=1, batch=True)
    config = config_of(
        tasks=[make_task("a"), make_task("b")], base=model, optimizer=model, store=store_path, exit="when waiting",
        **{**SMALL, "proposal_attempts": 1, **settings},
    )  # fmt: skip
    result, waits = metaspo.optimize(config), 0
    while result.stopped is not None:
        ids = [id for id, batch in host.batches.items() if batch["status"] == "in_progress"]
        assert len(ids) == 1, str(result.stopped)
        [id] = ids
        host.work(id)
        waits += 1
        result = metaspo.resume(result.run, store=store_path)
    assert 3 < waits <= in_turn(config)
    assert not exact or waits == in_turn(config)


def test_the_preset_for_batches_has_few_and_wide_rounds(make_task: Callable[..., Task]) -> None:
    tasks = [make_task(name, 60) for name in "abcd"]

    def planned(method: str, preset: str) -> tuple[int, int]:
        model = "openai:gpt-4o-mini,batch=true"
        config = config_of(tasks=tasks, base=model, optimizer=model, method=method, preset=preset, test_size=10)
        return in_turn(config), sum(need.calls for need in plan(config) if need.role == "base")

    paper, wide = planned("metaspo", "paper"), planned("metaspo", "batch")
    assert (paper[0], wide[0]) == (32, 14) and 0.8 < wide[1] / paper[1] < 1.2
    assert planned("common_first", "batch")[0] == 13 < planned("common_first", "paper")[0]


def test_only_what_goes_by_batches_is_counted(make_task: Callable[..., Task]) -> None:
    def planned(base: str, optimizer: str, **settings: Any) -> dict[str, int]:
        config = config_of(
            base=base,
            optimizer=optimizer,
            **{"method": "metaspo", "preset": "batch", "train_size": 9, "test_size": 9, **settings},
        )
        found: dict[str, int] = {}
        for need in plan(config):
            found[need.role] = found.get(need.role, 0) + need.batches
        return found

    single, batched = "openai:gpt-4o-mini", "openai:gpt-4o-mini,batch=true"
    tasks = [make_task("a"), make_task("b")]
    assert planned(single, single, tasks=tasks) == {"base": 0, "optimizer": 0}
    assert planned(batched, single, tasks=tasks) == {"base": 6, "optimizer": 0}
    judged = [make_task("a"), make_task("b", **JUDGED)]
    assert planned(single, batched, tasks=judged) == {"base": 0, "optimizer": 8, "judge": 6}
    # At the price of a batch.
    costs = [
        sum(need.cost or 0 for need in plan(config_of(tasks=tasks, base=base, optimizer=single, preset="batch", test_size=9)) if need.role == "base")
        for base in (single, batched)
    ]  # fmt: skip
    assert costs[1] == pytest.approx(costs[0] / 2) and costs[1] > 0


def test_the_plan_says_how_many_batches_follow_one_another() -> None:
    words = ["optimize", "--method", "metaspo", "--task", "garden_or_money", "--optimizer", "openai:gpt-4o-mini", "--plan"]
    batched = CliRunner().invoke(main, [*words, "--preset", "batch", "--base", "openai:gpt-4o-mini,batch=true"])
    assert batched.exit_code == 0 and "At most 6 batches follow one another" in " ".join(batched.output.split())
    single = CliRunner().invoke(main, [*words, "--preset", "batch", "--base", "openai:gpt-4o-mini"])
    assert single.exit_code == 0 and "batches" not in single.output
