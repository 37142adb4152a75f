"""A study on a real Ray cluster: the table of one process, nothing paid twice, budgets and limits of the whole study."""

from pathlib import Path

import pytest

from metaspo.domain.errors import BudgetSpent, ModelError

from ...helpers.noted_endpoint import NotedEndpoint
from ...helpers.ray_nodes import ADDRESS, RayNodes
from .conftest import study_in
from .studied import Studied

pytestmark = pytest.mark.slow


def test_the_table_is_that_of_one_process_and_no_call_is_paid_twice(nodes: RayNodes, studied: Studied, alone: Studied) -> None:
    heard: list[tuple[str, str]] = []
    assert studied.run(heard=lambda label, event: heard.append((label, event["event"]))) is None
    assert studied.table() == alone.table()
    assert studied.recorded() == alone.recorded() == studied.endpoint.asked.total()
    assert studied.endpoint.most_open <= 3
    labels = {label for label, _ in heard}
    assert labels >= {f"{method}, one, seed 0{end}" for method in ("fixed", "metaspo", "longer") for end in ("", ", unseen")}
    assert ("metaspo, one, seed 0", "round_closed") in heard
    studied.check()
    assert nodes.left() == []


def test_what_is_done_is_not_done_again_and_ray_is_not_asked(
    alone: Studied, studied: Studied, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ADDRESS, "127.0.0.1:1")
    paid = alone.endpoint.asked.total()
    assert alone.run() is None
    assert alone.endpoint.asked.total() == paid


def test_a_budget_is_exact_over_all_nodes_and_what_ray_began_goes_on_without_it(
    nodes: RayNodes, studied: Studied, alone: Studied
) -> None:
    assert isinstance(studied.run(budget={"calls": 70}), BudgetSpent)
    assert studied.recorded() == studied.endpoint.asked.total() == 70
    studied.check()
    assert nodes.left() == []
    assert studied.run(engine=None) is None
    assert studied.table() == alone.table()
    assert studied.endpoint.asked.total() == studied.recorded()
    studied.check()


def test_what_one_process_began_ray_goes_on_with(nodes: RayNodes, studied: Studied, alone: Studied) -> None:
    assert isinstance(studied.run(engine=None, budget={"calls": 60}), BudgetSpent)
    assert studied.run() is None
    assert studied.table() == alone.table()
    assert studied.endpoint.asked.total() == studied.recorded() == alone.recorded()
    studied.check()


def test_a_key_that_only_the_driver_has(
    nodes: RayNodes, tmp_path: Path, endpoint: NotedEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OWN_KEY", "sk-only-here-0123456789")
    study = study_in(tmp_path, endpoint)
    text = study.file.read_text().replace("concurrency: 3", "concurrency: 3\n    api_key_env: OWN_KEY")
    study.file.write_text(text)
    with pytest.raises(ModelError) as refused:
        study.run()
    said = str(refused.value)
    assert said.startswith("on node ") and "OWN_KEY" in said and "environment of 'ray start'" in said
    assert "sk-only" not in said
    assert endpoint.asked.total() == 0
    study.check()
    assert nodes.left() == []
