"""Parquet files as several programs write them, opened as a task opens them."""

import datetime as dt
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import datasets
from metaspo.domain.errors import MissingExtraError, TaskError
from metaspo.tasks.rows.row import Row
from metaspo.tasks.sources import parquet


@pytest.fixture(autouse=True, scope="module")
def quiet() -> Any:
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


def written(path: Path, table: pa.Table, **how: Any) -> list[Row]:
    pq.write_table(table, path, **how)
    return parquet.rows(path)


def test_rows_with_their_places_over_several_row_groups(tmp_path: Path) -> None:
    table = pa.table({"question": [f"q{i}" for i in range(2500)], "n": range(2500)})
    rows = written(tmp_path / "x.parquet", table, row_group_size=700)
    assert [row.values for row in rows[:2]] == [{"question": "q0", "n": 0}, {"question": "q1", "n": 1}]
    assert rows[2499].place == f"{tmp_path / 'x.parquet'}, row 2500" and rows[2499].values["n"] == 2499


def test_nested_and_odd_values_are_plain(tmp_path: Path) -> None:
    table = pa.table(
        {
            "messages": [[{"role": "user", "content": "hi"}]],
            "price": pa.array([Decimal("1.50")]),
            "score": pa.array([0.1], pa.float32()),
            "missing": pa.array([None], pa.string()),
            "nan": [float("nan")],
            "day": [dt.date(2024, 5, 6)],
            "at": pa.array([dt.datetime(2024, 5, 6, 12, 30)], pa.timestamp("ns")),
            "tags": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
            "word": pa.array(["yes"]).dictionary_encode(),
        }
    )
    [row] = written(tmp_path / "x.parquet", table)
    assert row.values == {
        "messages": [{"role": "user", "content": "hi"}], "price": "1.50", "score": 0.1, "missing": None, "nan": None,
        "day": "2024-05-06", "at": "2024-05-06T12:30:00", "tags": [["a", 1]], "word": "yes",
    }  # fmt: skip


def test_labels_have_the_names_of_the_hugging_face_features(tmp_path: Path) -> None:
    label = datasets.ClassLabel(names=["negative", "positive"])
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": label, "all": datasets.List(label), "inner": {"label": label}}
    )
    columns = {"text": ["a", "b"], "label": [1, -1], "all": [[0, 1], []], "inner": [{"label": 0}] * 2}
    datasets.Dataset.from_dict(columns, features=features).to_parquet(tmp_path / "x.parquet")
    first, second = parquet.rows(tmp_path / "x.parquet")
    assert first.values == {
        "text": "a", "label": "positive", "all": ["negative", "positive"], "inner": {"label": "negative"}
    }  # fmt: skip
    assert second.values["label"] is None


def test_what_pandas_writes(tmp_path: Path) -> None:
    frame = pd.DataFrame({"question": ["a", "b"], "answer": pd.Categorical(["yes", "no"])}, index=["x", "y"])
    frame.to_parquet(tmp_path / "x.parquet")
    assert [row.values["answer"] for row in parquet.rows(tmp_path / "x.parquet")] == ["yes", "no"]


def test_a_field_of_bytes_is_left_out_and_says_so(tmp_path: Path) -> None:
    table = pa.table({"question": ["a"], "image": [{"bytes": b"\x89PNG", "path": "a.png"}]})
    [row] = written(tmp_path / "x.parquet", table)
    assert row.values == {"question": "a"}
    assert row.hint("image").startswith("take another one, since 'image' holds bytes") and not row.hint("question")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"question,answer\na,b\n"])
def test_a_file_that_is_no_parquet(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(content)
    with pytest.raises(TaskError, match=r"x\.parquet: cannot be read as Parquet: .*; write the file again"):
        parquet.rows(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"x\.parquet: no such file; 'examples' is relative to the file that names it"):
        parquet.rows(tmp_path / "x.parquet")


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"x\.parquet: reading Parquet files needs the extra 'hub': pip install"):
        parquet.rows(tmp_path / "x.parquet")
