"""Folders as data sets."""

import sys
from pathlib import Path
from typing import Any

import pytest

import datasets
from metaspo.domain.errors import MissingExtraError, TaskError
from metaspo.tasks.rows.files import read_rows
from metaspo.tasks.rows.row import Row
from metaspo.tasks.sources.opening import open_source


@pytest.fixture(autouse=True, scope="module")
def quiet() -> Any:
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


def opened(path: Path) -> list[Row]:
    return open_source(str(path), None, read_rows)


def part(*questions: str) -> datasets.Dataset:
    features = datasets.Features({"question": datasets.Value("string"), "answer": datasets.ClassLabel(names=["no", "yes"])})
    return datasets.Dataset.from_dict({"question": list(questions), "answer": [1] * len(questions)}, features=features)


def test_a_saved_data_set(tmp_path: Path) -> None:
    part("x", "a", "b").select([1, 2]).save_to_disk(tmp_path / "one")
    rows = opened(tmp_path / "one")
    assert [(row.split, row.values) for row in rows] == [
        ("", {"question": "a", "answer": "yes"}), ("", {"question": "b", "answer": "yes"})
    ]  # fmt: skip
    assert rows[1].place == f"{tmp_path / 'one'}[1]"


def test_saved_splits(tmp_path: Path) -> None:
    datasets.DatasetDict(train=part("a"), valid=part("b"), test=part("c"), more=part("d")).save_to_disk(tmp_path / "all")
    assert [(row.split, row.values["question"]) for row in opened(tmp_path / "all")] == [
        ("train", "a"), ("validation", "b"), ("test", "c")
    ]  # fmt: skip
    assert [row.split for row in opened(tmp_path / "all" / "more")] == [""]
    datasets.DatasetDict(a=part("a"), b=part("b")).save_to_disk(tmp_path / "odd")
    with pytest.raises(TaskError, match=r"odd has the splits a, b; .*\{train: '.*odd/a', test: '.*odd/b'\}"):
        opened(tmp_path / "odd")


def test_parquet_files_by_the_splits_of_their_names(tmp_path: Path) -> None:
    for name, question in (("train-00000-of-00002", "a"), ("train-00001-of-00002", "b"), ("test-00000-of-00001", "c")):
        (tmp_path / "data").mkdir(exist_ok=True)
        part(question).to_parquet(tmp_path / "data" / f"{name}.parquet")
    (tmp_path / "README.md").write_text("x")
    assert [(row.split, row.values["question"]) for row in opened(tmp_path)] == [
        ("test", "c"), ("train", "a"), ("train", "b")
    ]  # fmt: skip


def test_files_in_folders_of_splits_and_files_of_none(tmp_path: Path) -> None:
    for name in ("train/a.csv", "dev/a.csv", "test/a.csv", ".hidden/test.csv"):
        (tmp_path / "some" / name).parent.mkdir(parents=True)
        (tmp_path / "some" / name).write_text(f"question,answer\n{name},yes\n")
    assert [row.split for row in opened(tmp_path / "some")] == ["validation", "test", "train"]
    for name in ("a", "b"):
        (tmp_path / "plain").mkdir(exist_ok=True)
        (tmp_path / "plain" / f"{name}.jsonl").write_text(f'{{"question": "{name}", "answer": 1}}\n')
    assert [(row.split, row.values["question"]) for row in opened(tmp_path / "plain")] == [("", "a"), ("", "b")]
    (tmp_path / "plain" / "test.jsonl").write_text('{"question": "c", "answer": 1}\n')
    with pytest.raises(TaskError, match=r"a.jsonl: is of no split by its name; say which files are: examples: \{train"):
        opened(tmp_path / "plain")


def test_folders_that_hold_no_data(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"holds no .parquet, .jsonl, .csv files and no data set that save_to_disk wrote"):
        opened(tmp_path)
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train"]}')
    with pytest.raises(TaskError, match=r"cannot be read as a saved data set: .*; save it again"):
        opened(tmp_path)


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part("a").save_to_disk(tmp_path)
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError, match=r"reading a saved data set needs the extra 'hub'"):
        opened(tmp_path)
