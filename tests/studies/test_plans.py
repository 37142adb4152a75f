"""The plans of adaptations, generalizations and studies are bounds that what they plan never passes."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from metaspo import Task
from metaspo.cli.main import main
from metaspo.runs.config import located
from metaspo.runs.plan import Need
from metaspo.store.database import open_store
from metaspo.studies.adapt import adapt, plan_adaptation
from metaspo.studies.generalize import generalization_config, generalize
from metaspo.studies.plans import plan_cell, plan_generalization, plan_runs
from metaspo.studies.study import Study, plan_study, run_study
from metaspo.tasks import examples
from metaspo.tasks.catalogue import read_task

UNEVEN = "scripted:tests.helpers.scripts:uneven"


@pytest.fixture
def settings(make_task: Callable[..., Task]) -> dict[str, Any]:
    judged = {"metric": {"kind": "judge", "rubric": "Is it right?", "model": "scripted:tests.helpers.scripts:grader"}}
    return {
        "tasks": [make_task("a"), make_task("b", reader={"kind": "text", "from": "reply"}, **judged)], "base": UNEVEN,
        "optimizer": UNEVEN, "preset": "quick", "train_size": 20, "test_size": 10,
    }  # fmt: skip


@pytest.mark.long
def test_an_adaptation_with_its_curve(settings: dict[str, Any], prompt: str, store_path: Path) -> None:
    planned = plan_adaptation(prompt, {**settings, "iterations": 1, "keep": 2}, shares=[0.5, 1], store=store_path)
    needs = plan_runs([search for _, _, search in planned.searches])
    assert adapt(planned).stopped is None
    _within(needs, store_path)


@pytest.mark.parametrize("given", [{}, {"a": ["Is it so? {question}"]}])
def test_a_generalization(given: dict[str, list[str]], settings: dict[str, Any], prompt: str, store_path: Path) -> None:
    config = generalization_config(prompt, {**settings, "user_prompts": given, "prompts": 3}, store=store_path)
    needs = plan_generalization(config.generalization().check(), config.context())
    assert generalize(config).stopped is None
    _within(needs, store_path)


@pytest.mark.long
def test_a_study_with_all_three_measures(settings: dict[str, Any], make_task: Callable[..., Task], store_path: Path) -> None:
    shared = located({**settings, "targets": [make_task("c")], "iterations": 1}, Path())
    study = Study.model_validate(
        {
            "config": shared, "methods": ["metaspo", "default"], "store": str(store_path),
            "measures": {"t": {"test": {}}, "g": {"generalize": {"prompts": 2}}, "u": {"adapt": {"curve": True}}},
        }
    )  # fmt: skip
    cells = plan_study(study)
    needs = [need for cell in cells for need in plan_cell(cell)]
    assert run_study(study, cells) is None
    _within(needs, store_path)


def _within(needs: list[Need], path: Path) -> None:
    with open_store(path) as store:
        sums = "SELECT role, count(*), sum(input_tokens), sum(output_tokens) FROM calls GROUP BY role"
        spent = {role: counts for role, *counts in store.db.execute(sums)}
    assert {"base", "optimizer"} <= spent.keys()
    for role, counts in spent.items():
        own = [need for need in needs if need.role == role]
        planned = [sum(getattr(need, name) for need in own) for name in ("calls", "input_tokens", "output_tokens")]
        assert all(most >= used for most, used in zip(planned, counts, strict=True)), (role, planned, counts)


@pytest.mark.long
def test_the_plan_of_a_study_names_all_tasks_without_data_and_counts_their_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    block = {"tasks": ["medical/ob_gyn", "medical/medicine"], "targets": ["medical/anatomy"], "preset": "quick"}
    study = {"methods": ["metaspo"], "settings": {"medical": block}, "config": {"base": "scripted:dice"}}
    Path("s.yaml").write_text(yaml.safe_dump(study))
    done = CliRunner().invoke(main, ["study", "s.yaml", "--plan"])
    names = "medical/ob_gyn, medical/medicine, medical/anatomy"
    assert done.exit_code == 0 and f"no data on this machine yet of {names}" in done.stderr
    assert f"metaspo tasks fetch {names.replace(',', '')}" in done.stderr
    counted = int(re.search(r"together at most ([\d,]+) calls", done.stderr)[1].replace(",", ""))  # type: ignore[index]

    done = CliRunner().invoke(main, ["study", "s.yaml"])
    assert done.exit_code == 2 and f"no data on this machine yet of {names}; run" in done.stderr
    for name in ("ob_gyn", "medicine", "anatomy"):
        rows = [{"question": f"{name} {n}\n(A) x\n(B) y", "answer": "AB"[n % 2]} for n in range(1000)]
        Path(f"{name}.json").write_text(json.dumps({"train": rows[:500], "test": rows[500:]}))
        fetched = CliRunner().invoke(main, ["tasks", "fetch", f"medical/{name}", "--from", f"{name}.json"])
        assert fetched.exit_code == 0, fetched.output
    done = CliRunner().invoke(main, ["study", "s.yaml", "--plan"])
    assert f"together at most {counted:,} calls" in done.stderr and "no data" not in done.stderr


def test_the_plan_of_a_study_reads_every_file_of_examples_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    read: list[Any] = []
    opened = examples.open_source
    monkeypatch.setattr(examples, "open_source", lambda part, *rest: (read.append(part), opened(part, *rest))[1])
    for name in ("a", "b"):
        rows = [{"question": f"{name}: is {n} odd?", "answer": "yes" if n % 2 else "no"} for n in range(40)]
        Path(f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
        reader = {"kind": "choice", "labels": ["yes", "no"], "from": "reply"}
        task = {"name": name, "examples": f"{name}.jsonl", "user_prompt": "Yes or no?\n{question}", "reader": reader}
        Path(f"{name}.yaml").write_text(yaml.safe_dump(task))
    config = {"tasks": ["a.yaml", "b.yaml"], "base": "scripted:dice", "preset": "quick"}
    study = {"methods": ["metaspo", "outer_only", "default"], "settings": {"both": {}}, "seeds": [0, 1, 2], "config": config}
    Path("s.yaml").write_text(yaml.safe_dump(study))
    done = CliRunner().invoke(main, ["study", "s.yaml", "--plan"])
    assert done.exit_code == 0, done.output
    assert len(done.stdout.splitlines()) == 9 and sorted(read) == ["a.jsonl", "b.jsonl"]
    # Elsewhere data may have changed, and are read again.
    examples.load_pools(read_task("a.yaml"))
    assert read.count("a.jsonl") == 2
