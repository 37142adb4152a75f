"""YAML files of rows, in the forms that JSON files have."""

from pathlib import Path

import pytest

from metaspo.domain.errors import TaskError
from metaspo.tasks.rows.files import read_rows
from metaspo.tasks.rows.row import Row
from metaspo.tasks.sources.opening import open_source


def opened(path: Path, text: str) -> list[Row]:
    path.write_text(text, encoding="utf-8")
    return open_source(str(path), None, read_rows)


def test_a_list_and_splits(tmp_path: Path) -> None:
    rows = opened(tmp_path / "a.yaml", "- {question: a, answer: yes}\n- question: b\n  answer: no\n")
    assert [dict(row.values) for row in rows] == [{"question": "a", "answer": "yes"}, {"question": "b", "answer": "no"}]
    assert rows[1].place == f"{tmp_path / 'a.yaml'}, item 2" and rows[1].folder == tmp_path
    rows = opened(tmp_path / "a.yml", "train: [{q: a}]\ndev: [{q: b}]\n")
    assert [(row.split, row.values["q"]) for row in rows] == [("train", "a"), ("validation", "b")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- a\n- b\n", r"a.yaml, item 1: expected an object with named fields"),
        ("- 1\n", r"a.yaml, item 1: expected an object with named fields"),
        ("name: x\n", r"a.yaml: expected a list of objects, or .*, found key 'name'"),
        ("just text\n", r"a.yaml: expected a list of objects"),
        ("", r"a.yaml: holds no examples; add some"),
        ("- {a: b\n", r"a.yaml:2: not valid YAML"),
    ],
)
def test_what_is_no_list_of_rows(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=says):
        opened(tmp_path / "a.yaml", text)
