"""The plan is an upper bound that a run never passes, and exact where nothing is saved."""

from collections.abc import Callable
from pathlib import Path

import pytest

from metaspo import Task, optimize
from metaspo.runs.config import config_of
from metaspo.runs.plan import plan


def test_the_paper_setting(make_task: Callable[..., Task]) -> None:
    config = config_of(
        tasks=[make_task(name, 60) for name in "abcd"], base="openai:b,input_price=1", optimizer="openai:o,output_price=2",
        preset="paper", method="metaspo", test_size=0, proposal_attempts=1,
    )  # fmt: skip
    needs = plan(config)
    calls = {role: sum(need.calls for need in needs if need.role == role) for role in ("base", "optimizer")}
    assert calls == {"base": 18_200, "optimizer": 126}
    base = [need for need in needs if need.role == "base"]
    assert sum(need.cost for need in base) == pytest.approx(sum(need.input_tokens for need in base) / 1e6)
    assert sum(need.cost for need in needs) > sum(need.cost for need in base) > 0


@pytest.mark.parametrize(
    "settings",
    [
        {"method": "metaspo"}, {"method": "metaspo", "validation_size": 6}, {"method": "protegi", "keep": 3},
        {"method": "outer_only"}, {"method": "metaspo", "judging": "staged", "keep": 2}, {"method": "common_first", "preset": "paper"}, {"method": "metaspo", "placebo": True},
        {"method": "common_first", "preset": "paper", "patience": 0, "demonstrations": 2},
        {"method": "common_first", "iterations": 2, "system_steps": 2},
    ],
)  # fmt: skip
def test_a_run_stays_within_its_plan(settings: dict[str, object], make_task: Callable[..., Task], store_path: Path) -> None:
    model = "scripted:tests.helpers.scripts:always_wrong"
    config = config_of(
        tasks=[make_task("a"), make_task("b")], targets=[make_task("c")], base=model, optimizer=model, proposal_attempts=1,
        store=store_path, **{"preset": "quick"} | settings,
    )  # fmt: skip
    needs = plan(config)
    report = optimize(config).report
    usages = [report.usage, *([report.placebo.usage] if report.placebo else [])]
    assert bool(report.placebo) == config.placebo
    spent = {role: sum(usage.calls.get(role, 0) for usage in usages) for role in ("base", "optimizer")}
    for role in ("base", "optimizer"):
        planned = sum(need.calls for need in needs if need.role == role)
        # Nothing is solved, cached or dropped here but what seeds and winners share in the final test.
        assert spent.get(role, 0) <= planned
        assert role == "base" or spent.get(role) == planned or config.method == "common_first"
