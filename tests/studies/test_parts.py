"""A study in parts: what is whose, and that limits hold for all of them together."""

import itertools
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from metaspo.cli.main import main
from metaspo.domain.errors import ConfigError
from metaspo.models.portion import Portion
from metaspo.models.registry import Registry
from metaspo.models.spec import ModelSpec
from metaspo.store import runs
from metaspo.store.database import Store
from metaspo.studies.parts import WORTH, Part, Work, divided, take, work_of
from metaspo.studies.study import Cell, Study, plan_study

from ..helpers.endpoint import Endpoint, say
from .test_study import block

UNEVEN = {"provider": "scripted", "name": "tests.helpers.scripts:uneven"}


def study_of(**more: Any) -> Study:
    data = {
        "config": {"base": UNEVEN, "optimizer": UNEVEN, "preset": "quick", "iterations": 1, "train_size": 12, "test_size": 8},
        "methods": ["fixed", "metaspo", {"name": "longer", "method": "outer_only", "iterations": 2}, {"name": "again", "method": "metaspo"}],
        "settings": {name: {"tasks": [block(name)], "targets": [block("x")]} for name in ("one", "two")},
        "seeds": [0, 1, 2], "store": "table.db",
    }  # fmt: skip
    return Study.model_validate(data | more)


@pytest.fixture(scope="module")
def planned() -> tuple[list[Cell], dict[str, Work]]:
    cells = plan_study(study_of())
    return cells, work_of(cells)


@pytest.mark.parametrize("of", [1, 2, 3, 4, 7, 17, 18, 30])
def test_every_run_is_in_one_part_with_all_of_its_cells_and_parts_are_about_equal(
    planned: tuple[list[Cell], dict[str, Work]], of: int
) -> None:
    cells, work = planned
    assert len(work) == 18 and len(cells) == 24  # "again" is the same run as "metaspo"
    parts = divided(cells, of, work)
    held = [{cell.search.run for cell in part} for part in parts]
    assert len(parts) == min(of, 18) and all(held)
    assert Counter(run for one in held for run in one) == Counter(work.keys())
    assert sorted(cell.search.label for part in parts for cell in part) == sorted(cell.search.label for cell in cells)
    loads = [sum(work[run].total() for run in one) for one in held]
    least = max(max(one.total() for one in work.values()), sum(loads) / of)
    assert max(loads) <= WORTH * 4 / 3 * least


def test_what_asks_alike_stays_together_where_parts_are_as_equal(planned: tuple[list[Cell], dict[str, Work]]) -> None:
    cells, work = planned
    assert all(len({cell.setting for cell in part}) == 1 for part in divided(cells, 2, work))
    assert all(len({(cell.setting, cell.seed) for cell in part}) == 1 for part in divided(cells, 6, work))


def test_what_is_in_a_part_is_the_same_wherever_its_store_is_and_whatever_is_done() -> None:
    whole = study_of(seeds=[0])
    one, other = (take(whole, Part(2, 5), store) for store in (None, "/elsewhere/mine.db"))
    assert [cell.search.run for cell in one.cells] == [cell.search.run for cell in other.cells]
    assert one.study.store == "table.2-of-5.db" and other.study.store == "/elsewhere/mine.db"
    assert {Path(cell.search.context.store).name for cell in one.cells} == {"table.2-of-5.db"}
    assert {cell.search.run for cell in one.cells} < {cell.search.run for cell in plan_study(whole)}


@pytest.mark.parametrize(
    "text", ["0/3", "4/3", "a/b", "3", "", "1/0", "-1/3", "1/3/5", "٣/٤", " 1/3", "1.0/3", "1/" + "9" * 5000]
)
def test_what_is_no_part_is_said_in_one_sentence(text: str) -> None:
    with pytest.raises(ConfigError, match=r"write K/N, part K of N, with K from 1 to N, such as 3/8") as error:
        Part.parse(text)
    assert "\n" not in str(error.value)


@pytest.mark.long
def test_the_budgets_of_parts_add_up_to_the_whole_and_go_where_the_work_is() -> None:
    priced = UNEVEN | {"input_price": 1.0, "output_price": 1.0}
    budget = {"calls": 1001, "output_tokens": 77, "cost": 0.7, "minutes": 9.0, "optimizer": {"calls": 50, "cost": 0.1}}
    config = study_of().config | {"base": priced, "optimizer": priced}
    for of in (2, 6, 7):
        parts = [take(study_of(budget=budget, config=config, seeds=[0]), Part(at + 1, of)) for at in range(of)]
        budgets = [part.study.budget for part in parts if part.cells]
        assert sum(one.calls or 0 for one in budgets) == 1001 and sum(one.output_tokens or 0 for one in budgets) == 77
        assert 0.7 - 1e-6 < sum(one.cost or 0 for one in budgets) <= 0.7 + 1e-12 and {one.minutes for one in budgets} == {9.0}
        own = [one.optimizer for one in budgets if one.optimizer]
        assert sum(one.calls or 0 for one in own) == 50 and sum(one.cost or 0 for one in own) <= 0.1 + 1e-12
        # Those of `fixed` alone ask no optimizer, and leave all of its budget to the others.
        fixed = [part for part in parts if part.cells and {cell.method for cell in part.cells} == {"fixed"}]
        assert all(part.study.budget.optimizer is None for part in fixed) and (of < 6 or len(fixed) == 2)


def test_a_budget_that_the_whole_could_never_reach_is_refused_in_every_part() -> None:
    with pytest.raises(ConfigError, match="can never be reached"):
        take(study_of(budget={"judge": {"calls": 5}}, seeds=[0]), Part(1, 4))


@pytest.mark.parametrize(("whole", "of"), [*itertools.product([1, 2, 3, 8, 100], [1, 2, 3, 4, 7])])
def test_portions_of_a_rate_add_up_to_it_unless_there_is_less_than_one_each(whole: int, of: int) -> None:
    shares = [Portion(at + 1, of).limit(whole) for at in range(of)]
    assert sum(shares) == whole if whole >= of else sum(shares) >= whole
    assert min(shares) >= 1 and (whole < of or max(shares) - min(shares) <= 1)
    said = Portion(1, of).notes([ModelSpec.parse(f"scripted:dice,concurrency={whole}")] * 2)
    assert len(said) == (whole < of) and all(f"up to {of} requests in flight" in one for one in said)


async def test_a_portion_holds_for_what_is_opened_and_not_for_what_a_part_serves_itself() -> None:
    registry = Registry()
    spec = ModelSpec.parse("server:m,base_url=http://127.0.0.1:9/v1,concurrency=8,requests_per_minute=100,tokens_per_minute=7")
    with registry.limited_to(Portion(1, 4)):
        model = await registry.model(spec)
        assert (model.spec.concurrency, model.spec.requests_per_minute, model.spec.tokens_per_minute) == (2, 25, 1)
        assert model.limiter.level == 2
    await registry.close()
    assert (await registry.model(spec)).spec.concurrency == 8
    await registry.close()
    portion = Portion(1, 4)
    for own in ("local:smollm2,concurrency=2", "vllm:m,concurrency=100", "scripted:dice"):
        assert portion.spec(ModelSpec.parse(own)) == ModelSpec.parse(own)


@pytest.fixture
def metaspo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.chdir(tmp_path)

    def run(*words: str, exit_code: int = 0) -> Any:
        result = CliRunner().invoke(main, ["study", "s.yaml", *words])
        assert result.exit_code == exit_code, result.output
        return result

    return run


def test_a_part_is_done_in_a_store_of_its_own_goes_on_and_writes_no_table(metaspo: Callable[..., Any], tmp_path: Path) -> None:
    endpoint = Endpoint(lambda request, body, number: say("yes"))
    study = {
        "config": {"base": endpoint.spec(concurrency=2), "optimizer": endpoint.spec(), "test_size": 6, "train_size": 6},
        "methods": ["fixed"], "settings": {name: {"tasks": [block(name)]} for name in ("one", "two", "three")},
        "budget": {"calls": 15}, "seeds": [0],
    }  # fmt: skip
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(study))
    planned = metaspo("--plan", "--part", "1/2")
    assert "one, seed 0" in planned.stdout and len(planned.stdout.splitlines()) == 2 and not [*tmp_path.glob("*.db")]
    told = metaspo("--part", "1/2", exit_code=3)
    assert "part 1 of 2: this part's budget: calls 10" in told.stderr and len(endpoint.seen) == 10
    assert "join them: metaspo merge s.db s.*-of-2.db" in told.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"s.yaml", "s.1-of-2.db"}
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(study | {"budget": {}}))
    done = json.loads(metaspo("--part", "1/2", "--json").stdout)
    assert (done["part"], done["of"], [one["done"] for one in done["runs"]]) == (1, 2, [True, True])
    asked = len(endpoint.seen)
    assert "2 of 2 runs done" in metaspo("--part", "1/2").stdout and len(endpoint.seen) == asked
    assert len({json.dumps(body) for body in endpoint.seen}) == asked
    # What is on record is the limit as it was written, for whoever goes on with the whole.
    store = Store(tmp_path / "s.1-of-2.db")
    assert {run.config["context"]["base"]["concurrency"] for run in runs.all_runs(store.db)} == {2}
    store.close()
    assert "part 7 of 9 has no runs" in metaspo("--part", "7/9").stdout
    assert "add 1 where an array begins at 0" in metaspo("--part", "0/9", exit_code=2).stderr
    assert [path.name for path in tmp_path.glob("*.db")] == ["s.1-of-2.db"]
    endpoint.close()
