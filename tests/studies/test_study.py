"""Studies: a table of runs from one file; only what is missing is done."""

import csv
import json
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
import yaml

from metaspo.domain.errors import BudgetSpent, ConfigError
from metaspo.reports.report import open_report
from metaspo.store.database import Store
from metaspo.studies.cut import cut
from metaspo.studies.study import ALL, STUDIES, Study, plan_study, read_study, run_study
from metaspo.studies.table import as_csv, as_json, as_markdown, study_report

UNEVEN = "scripted:tests.helpers.scripts:uneven"


def block(name: str) -> dict[str, Any]:
    return {
        "name": name, "user_prompt": "Say yes or no.\n{question}",
        "reader": {"kind": "choice", "labels": ["yes", "no"], "from": "reply"},
        "examples": [{"question": f"Is {i} a number that {name} likes?", "answer": "yes" if i % 2 else "no"} for i in range(40)],
    }  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "table.yaml"
    data = {
        "config": {"base": UNEVEN, "optimizer": UNEVEN, "preset": "quick", "method": "metaspo", "iterations": 1, "train_size": 12, "test_size": 8},
        "methods": ["fixed", "metaspo", {"name": "longer", "method": "outer_only", "iterations": 2}],
        "settings": {"one": {"tasks": [block("a")], "targets": [block("x")]}, "two": {"tasks": [block("b")], "targets": [block("y")]}},
        "seeds": [0, 1],
        "measures": {"own": {"test": {}}, "unseen": {"generalize": {"prompts": 2}}, "adapted": {"adapt": {"iterations": 1}}},
        "reference": {"unseen": {"one": {"metaspo": 62.7}, "all": {"metaspo": 50.0}}},
    }  # fmt: skip
    path.write_text(yaml.safe_dump(data))
    return path


@pytest.mark.long
def test_every_cell_is_run_measured_and_averaged_over_seeds(file: Path) -> None:
    name, study = read_study(str(file))
    cells = plan_study(study)
    assert len(cells) == 3 * 2 * 2
    assert run_study(study, cells) is None
    report = study_report(name, study, cells)
    assert report.missing == 0 and len(report.entries) == 3 * 3 * 3  # measures x (settings and all) x methods
    entries = {(e.measure, e.setting, e.method): e for e in report.entries}
    own = entries["own", "one", "metaspo"]
    runs = [cell.search.run for cell in cells if (cell.method, cell.setting) == ("metaspo", "one")]
    scores = [next(t.after for t in open_report(study.store, run).tasks if t.role == "target") for run in runs]
    assert own.score == pytest.approx(mean(scores)) and own.over == "seeds" and (own.done, own.seeds) == (2, 2)
    together = entries["own", ALL, "metaspo"]
    assert together.score == pytest.approx(mean([own.score or 0, entries["own", "two", "metaspo"].score or 0]))
    assert entries["unseen", "one", "metaspo"].reference == pytest.approx(0.627)
    assert all(entry.majority is not None and entry.unparsed == 0 for entry in report.entries)


@pytest.mark.long
def test_a_second_start_does_nothing_and_says_the_same(file: Path) -> None:
    name, study = read_study(str(file), {"seeds": [0], "methods": ["metaspo"]})
    cells = plan_study(study)
    run_study(study, cells)
    first, paid = study_report(name, study, cells), _calls(study)
    events: list[Any] = []
    assert run_study(study, cells, lambda label, event: events.append(event)) is None
    assert events == [] and _calls(study) == paid and study_report(name, study, cells) == first


@pytest.mark.long
def test_one_budget_for_all_and_what_is_missing_is_done_later(file: Path) -> None:
    name, study = read_study(str(file), {"budget": {"calls": 300}, "seeds": [0]})
    cells = plan_study(study)
    assert isinstance(run_study(study, cells), BudgetSpent) and _calls(study) == 300
    assert study_report(name, study, cells).missing > 0
    assert isinstance(run_study(study, cells), BudgetSpent) and _calls(study) == 300
    name, larger = read_study(str(file), {"seeds": [0]})
    assert run_study(larger, plan_study(larger)) is None
    fresh = cut(larger, {"store": str(file.with_name("fresh.db"))}, {})
    assert run_study(fresh, plan_study(fresh)) is None
    assert study_report(name, larger, plan_study(larger)).entries == study_report(name, fresh, plan_study(fresh)).entries


@pytest.mark.long
def test_the_tables_in_three_forms(file: Path) -> None:
    name, study = read_study(str(file), {"methods": ["fixed", "metaspo"], "seeds": [0]})
    cells = plan_study(study)
    before = as_markdown(study_report(name, study, []))
    assert "not done (reference 62.7)" in before or "missing" not in before
    run_study(study, cells)
    report = study_report(name, study, cells)
    text = as_markdown(report)
    assert "### unseen" in text and "| method | one | two | all |" in text and "(reference 62.7)" in text
    assert "; examples]" in text and "over examples (bootstrap" in text and "*majority answer*" in text
    rows = list(csv.DictReader(as_csv(report).splitlines()))
    data = json.loads(as_json(report))
    assert len(rows) == len(data["entries"]) == 3 * 3 * 2
    assert float(rows[0]["score"]) == data["entries"][0]["score"]


def test_cuts(file: Path) -> None:
    _, study = read_study(str(file))
    small = cut(
        study, {"tasks": ["a", "x"], "methods": "metaspo", "seeds": "4,5", "test_size": 3, "model": "scripted:dice"}, {}
    )
    assert list(small.settings) == ["one"] and small.methods == ["metaspo"] and small.seeds == [4, 5]
    assert small.config["base"] == small.config["optimizer"] == "scripted:dice" and small.config["test_size"] == 3
    with pytest.raises(ConfigError, match="no row 'best'"):
        cut(study, {"methods": "best"}, {})
    with pytest.raises(ConfigError, match="no setting of the study has a task named z"):
        cut(study, {"tasks": ["z"]}, {})
    with pytest.raises(ConfigError, match="whole numbers"):
        cut(study, {"seeds": "a"}, {})


def test_mistakes_in_a_study_are_found_before_any_call(tmp_path: Path) -> None:
    def study(text: str) -> None:
        (tmp_path / "s.yaml").write_text(text)
        plan_study(read_study(str(tmp_path / "s.yaml"))[1])

    with pytest.raises(ConfigError, match=r"neither a study file nor a built-in study \(paper-domain, paper-global\)"):
        read_study("nothing.yaml")
    with pytest.raises(ConfigError, match=r"s\.yaml:1: unknown key 'method'"):
        study("method: [metaspo]\n")
    with pytest.raises(ConfigError, match="unknown method 'best'"):
        study("methods: [best]\n")
    with pytest.raises(ConfigError, match="one of test, generalize and adapt"):
        study("methods: [fixed]\nmeasures: {a: {}}\n")
    with pytest.raises(ConfigError, match="two methods are named 'fixed'"):
        study("methods: [fixed, fixed]\n")
    with pytest.raises(ConfigError, match="put it at the top of the file"):
        study("methods: [fixed]\nconfig: {budget: {calls: 3}}\n")


def test_the_papers_tables_are_described_whole() -> None:
    domain = read_study("paper-domain")[1]
    assert [len(block["tasks"]) for block in domain.settings.values()] == [4] * 5
    assert [len(block["targets"]) for block in domain.settings.values()] == [4, 3, 3, 2, 2]
    [whole] = read_study("paper-global")[1].settings.values()
    assert len(whole["tasks"]) == 20 and len(whole["targets"]) == 14
    for path in STUDIES.glob("*.yaml"):
        study = read_study(path.stem)[1]
        assert study.seeds == [0, 1, 2] and Study.model_validate(study.model_dump())
        for figures in study.reference.values():
            assert set(figures) <= {*study.settings, ALL}


def test_the_papers_mean_is_the_mean_over_its_target_tasks() -> None:
    study = read_study("paper-domain")[1]
    figures = study.reference["unseen generalization"]
    sizes = {name: len(block["targets"]) for name, block in study.settings.items()}
    for method in ("default", "sprig", "metaspo"):
        weighted = sum(figures[name][method] * size for name, size in sizes.items()) / sum(sizes.values())
        assert weighted == pytest.approx(figures[ALL][method], abs=0.1)


def _calls(study: Study) -> int:
    store = Store(study.store)
    [(count,)] = store.db.execute("SELECT count(*) FROM calls").fetchall()
    store.close()
    return int(count)


def test_a_study_without_targets_left_is_refused_or_called_what_it_is(file: Path) -> None:
    _, study = read_study(str(file), {"seeds": [0], "methods": ["fixed"]})
    with pytest.raises(ConfigError, match="no target tasks left"):
        plan_study(cut(study, {"tasks": ["a"]}, {}))
    only = cut(study.model_copy(update={"measures": {"own": study.measures["own"]}}), {"tasks": ["a"]}, {})
    cells = plan_study(only)
    assert run_study(only, cells) is None
    assert "so not unseen tasks: own, one" in as_markdown(study_report("table", only, cells))


def test_rows_of_other_sizes_test_the_same_examples_beside_figures_of_the_whole(file: Path) -> None:
    rows = ["fixed", {"name": "larger", "method": "fixed", "train_size": 30}]
    _, study = read_study(str(file), {"methods": rows, "measures": {"own": {"test": {}}}, "seeds": [0, 1]})
    study = study.model_copy(
        update={"settings": {"one": {"tasks": [block("a")]}}, "reference": {"own": {"one": {"larger": 62.7}}}}
    )
    study = cut(study, {"test_size": 6, "seeds": "0,1"}, {})
    cells = plan_study(study)
    assert run_study(study, cells) is None
    asked = "SELECT run, example FROM dealt WHERE split = 'test'"
    tested: dict[str, set[str]] = {}
    for run, example in Store(study.store).db.execute(asked):
        tested.setdefault(run, set()).add(example)
    assert len(tested) == 4 and len(set(map(frozenset, tested.values()))) == 1
    text = as_markdown(study_report("table", study, cells))
    assert "(reference of the whole 62.7)" in text and "fewer test examples" in text and "; 2 seeds]" in text
