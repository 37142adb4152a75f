"""Examples given in Python, whatever holds them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pydantic import BaseModel

import datasets
from metaspo.tasks.sources.given import plain_examples

ROWS = [{"question": "a", "answer": "yes"}, {"question": "b", "answer": "no"}]


@dataclass
class Record:
    question: str
    answer: Any


class Pair(NamedTuple):
    question: str
    answer: str


class Model(BaseModel):
    question: str
    answer: str


class Frame:
    """As much of a table of Polars as is used of one."""

    def to_dicts(self) -> list[dict[str, Any]]:
        return ROWS


def generated() -> Iterator[dict[str, Any]]:
    yield from ROWS


COLUMNS = {"question": ["a", "b"], "answer": ["yes", "no"]}


@pytest.mark.parametrize(
    "value",
    [
        ROWS, tuple(ROWS), generated(), iter(ROWS), {1: ROWS[0], 2: ROWS[1]}.values(),
        [Record("a", "yes"), Record("b", np.str_("no"))], [Pair("a", "yes"), Pair("b", "no")],
        [Model(question="a", answer="yes"), Model(question="b", answer="no")],
        pd.DataFrame(COLUMNS, index=[7, 7]), Frame(), pa.table(COLUMNS), datasets.Dataset.from_dict(COLUMNS),
        datasets.Dataset.from_dict({"question": ["x", "a", "b"], "answer": ["", "yes", "no"]}).select([1, 2]),
        datasets.Dataset.from_dict(COLUMNS).to_iterable_dataset(),
        datasets.DatasetDict({"train": datasets.Dataset.from_dict(COLUMNS)}), COLUMNS,
        {"question": np.array(["a", "b"]), "answer": pd.Series(["yes", "no"])},
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_whatever_holds_rows(value: Any) -> None:
    assert plain_examples(value) == ROWS


def test_paths_names_and_blocks(tmp_path: Path) -> None:
    assert plain_examples(tmp_path / "a.csv") == str(tmp_path / "a.csv")
    assert plain_examples("hf:owner/name@main#train") == "hf:owner/name@main#train"
    assert plain_examples({"hf": "owner/name", "config": "main"}) == {"hf": "owner/name", "config": "main"}
    found = plain_examples({"dev": Path("a.csv"), "train": {"langsmith": "x", "version": 1}, "test": pd.DataFrame(COLUMNS)})
    assert found == {"validation": "a.csv", "train": {"langsmith": "x", "version": "1"}, "test": ROWS}


def test_the_splits_of_a_data_set() -> None:
    label = datasets.Features({"question": datasets.Value("string"), "answer": datasets.ClassLabel(names=["no", "yes"])})
    part = datasets.Dataset.from_dict({"question": ["a"], "answer": [1]}, features=label)
    rows = [{"question": "a", "answer": "yes"}]
    assert plain_examples(datasets.DatasetDict({"train": part, "test": part, "extra": part})) == {"train": rows, "test": rows}
    assert plain_examples({"train": part, "valid": ROWS, "test": iter(ROWS)}) == {
        "train": rows, "validation": ROWS, "test": ROWS
    }  # fmt: skip
    with pytest.raises(ValueError, match=r"has the splits a, b; say which are which, such as examples: \{train: 'data\['a'\]'"):
        plain_examples(datasets.DatasetDict({"a": part, "b": part}))


def test_integers_that_pandas_made_floats_for_a_missing_one() -> None:
    frame = pd.DataFrame({"question": ["a", "b", None], "answer": [1, None, 2], "part": [0.5, None, 1]})
    found = plain_examples(frame)
    assert [row["answer"] for row in found] == [1, None, 2] and type(found[0]["answer"]) is int
    for short in (np.array([0.1, np.nan], "f4"), pd.array([0.1, None], "Float32"), pd.array([0.1, None], "Float64")):
        assert plain_examples(pd.DataFrame({"a": short})) == [{"a": 0.1}, {"a": None}]
    assert [row["part"] for row in found] == [0.5, None, 1.0] and found[2]["question"] is None
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([], "is empty; name a file or write rows"),
        ({}, "is empty"),
        ("  ", "is empty"),
        (generated().close(), "is a file, a list of rows with named fields, or one of either per split"),
        (7, "is a file, a list of rows"),
        (b"a.csv", "is a file, a list of rows"),
        (pd.DataFrame(), "is empty"),
        ([1], "example 1 is 1, write {'question': ..., 'answer': ...}"),
        ([("a", "yes")], r"example 1 is \('a', 'yes'\), write"),
        ([*ROWS, None], "example 3 is None, write"),
        ([*ROWS, {"question": b"x"}], "^example 3, field 'question' holds bytes"),
        ([*ROWS, {"question": {"deep": [float("inf")]}}], "^example 3, field 'question.deep.0' is inf"),
        ({"test": [{"question": object()}]}, "^test example 1, field 'question' is of the type object"),
        ({"question": ["a"], "answer": []}, "unknown split 'question'"),
        ({"train": ROWS, "trian": ROWS}, "unknown split 'trian'; use train, validation"),
        ({"dev": ROWS, "val": ROWS}, "'dev' and 'val' both mean validation"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "two columns are named 'a'; rename one"),
        (pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("c", "d")])), "no text"),
        (SimpleNamespace(collect_schema=1, collect=2), "is a lazy table; collect it first"),
        (datasets.Dataset.from_dict({"question": ["a"], "image": [b"x"]}), "^example 1, field 'image' holds bytes.*; or leave"),
        ({"hf": "owner/name", "revison": "main"}, "unknown key 'revison'; known keys: hf, config, split, revision"),
        ("hf:a b", "names no data set; write hf:owner/name"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_is_said_where_it_is_none(value: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        plain_examples(value)


def test_no_library_is_imported_for_plain_rows() -> None:
    code = (
        "import sys\nfrom metaspo.tasks.sources.given import plain_examples\nplain_examples([{'question': 'a', 'answer': 1}])\n"
        "assert not {'pandas', 'datasets', 'pyarrow', 'polars', 'huggingface_hub'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
