"""The majority answer of a run's tasks, scored by whatever metric they have."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import metaspo
from metaspo import Task
from metaspo.tasks import catalogue, majority

DICE: dict[str, Any] = {
    "base": "scripted:dice",
    "optimizer": "scripted:dice",
    "preset": "quick",
    "test_size": 8,
    "method": "fixed",
}


def test_it_is_scored_by_the_metric(make_task: Callable[..., Task], store_path: Path) -> None:
    tasks = [make_task(metric, metric=metric) for metric in ("accuracy", "macro_f1", "exact_match", "contains", "token_f1")]
    found = {task.name: task.majority for task in metaspo.optimize(tasks=tasks, **DICE, store=store_path).report.tasks}
    assert found["macro_f1"] is not None and 0.3 <= found["macro_f1"] < 0.5
    assert all(score is not None and 0.5 <= score < 1 for name, score in found.items() if name != "macro_f1")


@pytest.fixture
def own_metric(tmp_path: Path) -> Path:
    """A task whose metric is a person's own code, half right for everything."""
    (tmp_path / "half_right.py").write_text("def score(answer, golds):\n    return 0.5 if answer else 0.0\n")
    rows = "\n".join(f"  - {{question: 'Number {n}?', answer: '{'yes' if n % 2 else 'no'}'}}" for n in range(40))
    (tmp_path / "own.yaml").write_text(
        "name: own\nuser_prompt: 'Say yes or no. {question}'\nreader: {kind: choice, labels: [yes, no], from: reply}\n"
        f"metric: half_right:score\nexamples:\n{rows}\n"
    )
    return tmp_path / "own.yaml"


def test_own_code_is_called_and_done_without_where_it_is_gone(own_metric: Path, store_path: Path) -> None:
    report = metaspo.optimize(tasks=[str(own_metric)], **DICE, store=store_path).report
    assert report.tasks[0].majority == 0.5
    own_metric.unlink()
    assert metaspo.open_report(store_path).tasks[0].majority is None


def test_each_of_many_tasks_is_read_once_for_it(own_metric: Path, store_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [own_metric.with_name(f"own{n}.yaml") for n in range(5)]
    for file in files:
        file.write_text(own_metric.read_text().replace("name: own", f"name: {file.stem}").replace("half_right", "half_each"))
    own_metric.with_name("half_right.py").rename(own_metric.with_name("half_each.py"))
    metaspo.optimize(tasks=[str(file) for file in files], **DICE, store=store_path)
    read: list[object] = []
    monkeypatch.setattr(majority, "read_task", lambda source: (read.append(source), catalogue.read_task(source))[1])
    assert [task.majority for task in metaspo.open_report(store_path).tasks] == [0.5] * 5
    assert sorted(map(str, read)) == sorted(map(str, files))


def test_nobody_has_graded_it_where_a_judge_grades(make_task: Callable[..., Task], store_path: Path) -> None:
    judged = {"kind": "judge", "rubric": "It rhymes.", "model": "scripted:tests.helpers.scripts:grader"}
    task = make_task("poems", reader={"kind": "text", "from": "reply"}, metric=judged)
    report = metaspo.optimize(tasks=[task], **DICE, store=store_path).report
    assert report.tasks[0].majority is None
