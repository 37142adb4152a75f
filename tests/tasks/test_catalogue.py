from pathlib import Path

import pytest

from metaspo.domain.errors import TaskError
from metaspo.tasks.catalogue import builtin_tasks, open_task, read_task
from metaspo.tasks.splits import Sizes

TASK = """\
name: tickets
examples: data.csv
user_prompt: "Pick one. {question}"
reader: {kind: choice, labels: [yes, no]}
"""


@pytest.mark.parametrize("name", builtin_tasks())
def test_a_built_in_task_opens_and_reads_its_own_answers(name: str) -> None:
    task = open_task(name, Sizes(12, 4, 12), 0)
    assert task.name == name
    for example in task.examples.values():
        assert task.read(example.answer) == example.answer
    assert all(0.4 <= (task.majority(split) or 0) < 1 for split in task.splits)


def test_source_tasks_come_first() -> None:
    roles = [read_task(name).role for name in builtin_tasks()]
    assert roles == sorted(roles) and set(roles) == {"source", "target"}


def test_a_file_is_found_from_the_folder_that_names_it_and_its_data_from_its_own(tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "t.yaml").write_text(TASK, encoding="utf-8")
    (tmp_path / "tasks" / "data.csv").write_text("question,answer\na,yes\nb,no\n", encoding="utf-8")
    task = open_task("tasks/t.yaml", Sizes(1, 0, 5), 0, folder=tmp_path)
    assert [len(examples) for examples in task.splits.values()] == [1, 0, 1]


@pytest.mark.parametrize("source", ["app_reviws", "~nobody-here/t.yaml", "t.yml", "t.txt", "a\0b.yaml", "."])
def test_what_is_neither_a_name_nor_a_file(source: str, tmp_path: Path) -> None:
    with pytest.raises(TaskError):
        read_task(source, tmp_path)
