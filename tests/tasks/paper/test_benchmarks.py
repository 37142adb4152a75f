from collections import Counter
from pathlib import Path

import pytest

from metaspo.domain.errors import TaskError
from metaspo.tasks.catalogue import builtin_tasks, read_task
from metaspo.tasks.paper.benchmarks import EXAMPLES, benchmarks, select

METRICS = {
    "medical": "accuracy",
    "review": "accuracy",
    "reasoning": "accuracy",
    "safety": "macro_f1",
    "grounding": "exact_match",
}
TARGETS = {
    "anatomy": 234,
    "pediatrics": 234,
    "dental": 500,
    "surgery": 369,
    "electronics": 500,
    "pet": 500,
    "sports": 500,
    "object_counting": 200,
    "epistemic": 400,
    "reasoning_colored_objects": 400,
    "anthropic_harmless": 500,
    "ethos": 500,
    "natural_questions": 500,
    "web_qa": 500,
}


def test_the_paper_s_34_tasks_are_all_there() -> None:
    tasks = benchmarks().values()
    assert Counter(task.domain for task in tasks) == {"medical": 8, "review": 7, "reasoning": 7, "safety": 6, "grounding": 6}
    assert {task.name: task.test_size for task in tasks if task.role == "target"} == TARGETS
    assert len({task.name for task in tasks}) == 34
    assert not set(benchmarks()) & set(builtin_tasks())


@pytest.mark.parametrize("id", benchmarks())
def test_each_is_whole(id: str, tmp_path: Path) -> None:
    task = benchmarks()[id]
    assert callable(task.convert)
    spec = task.spec(tmp_path)
    assert spec.metric.kind == METRICS[task.domain]
    assert spec.user_prompt.count("{question}") == 1 and task.answer_format in spec.user_prompt
    assert spec.examples == str(tmp_path / EXAMPLES)
    assert task.licence and task.description and task.source.checked


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("medmcqa/ob_gyn", ["ob_gyn"]),
        ("anatomy", ["anatomy"]),
        ("antropic_harmless", ["anthropic_harmless"]),
        ("grounding/web_questions", ["web_qa"]),
        ("amazon", ["office", "beauty", "game", "baby", "electronics", "pet", "sports"]),
    ],
)
def test_a_task_has_the_authors_names_too(word: str, names: list[str]) -> None:
    assert [task.name for task in select(word)] == names


def test_words() -> None:
    assert len(select("all")) == 34 and len(select("safety")) == 6
    with pytest.raises(TaskError, match=r"no task of the catalogue is called 'anatmy'.*medical"):
        select("anatmy")


def test_a_task_that_is_not_there_yet_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert not benchmarks()["medical/anatomy"].fetched
    with pytest.raises(TaskError, match=r"run 'metaspo tasks fetch medical/anatomy'"):
        read_task("medical/anatomy")
