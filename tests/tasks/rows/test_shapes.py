from typing import Any

import pytest

from metaspo.domain.errors import TaskError
from metaspo.tasks.rows.shapes import deeper, rows_at, rows_in

ROW, OTHER = {"question": "a", "answer": "x"}, {"question": "b", "answer": "y"}
BOTH = [ROW, OTHER]
SQUAD = {
    "version": "1.1",
    "data": [
        {"title": "T", "paragraphs": [{"context": "c", "qas": [{"question": "a"}, {"question": "b", "context": "own"}]}]},
        {"title": "U", "paragraphs": [{"context": "d", "qas": []}, {"context": "e", "qas": [{"question": "f"}]}]},
    ],
}


def inside(data: Any) -> list[tuple[str, str, Any]]:
    return [(one.where, one.split, one.values) for one in rows_in(data, TaskError)]


def at(data: Any, path: str, **around: Any) -> list[tuple[str, Any]]:
    return [(one.where, one.values) for one in rows_at(data, path, "x.json", around or None)]


@pytest.mark.parametrize(
    "data",
    [
        BOTH,
        {"examples": BOTH, "name": "n", "keywords": ["k", "l"], "metrics": ["m", "n"]},
        {"version": 2, "data": BOTH},
        {"Items": BOTH, "other": [{"question": "no"}]},
        {"rows": [{"row_idx": 0, "row": ROW}, {"row_idx": 1, "row": OTHER}], "features": [{"name": "question"}]},
        {"question": ["a", "b"], "answer": ["x", "y"]},
        {"question": {"0": "a", "1": "b"}, "answer": {"0": "x", "1": "y"}},
        {"columns": ["question", "answer"], "index": [0, 1], "data": [["a", "x"], ["b", "y"]]},
        {"schema": {"fields": [{"name": "question"}]}, "data": BOTH},
        {"one": ROW, "two": OTHER},
        {"0": ROW, "1": OTHER},
    ],
)
def test_a_form_that_says_by_itself_where_the_rows_are(data: Any) -> None:
    assert [(split, values) for _, split, values in inside(data)] == [("", ROW), ("", OTHER)]


@pytest.mark.parametrize(
    ("data", "split"),
    [
        ({"train": [ROW], "test": [OTHER]}, "test"),
        ({"Training": [ROW], "dev": [OTHER], "info": {"name": "n"}, "version": 1}, "validation"),
        ({"train": {"question": ["a"], "answer": ["x"]}, "val": {"question": {"0": "b"}, "answer": {"0": "y"}}}, "validation"),
        ({"train": {"examples": [ROW], "n": 1}, "holdout": {"data": [OTHER]}}, "test"),
        ({"train": [ROW], "test": {"one": OTHER, "two": OTHER}}, "test"),
    ],
)
def test_splits_under_the_names_that_people_give_them(data: Any, split: str) -> None:
    found = [(split, values) for _, split, values in inside(data)]
    assert found[:2] == [("train", ROW), (split, OTHER)]


def test_a_column_may_be_called_like_a_split() -> None:
    data = {"prompt": ["p", "q"], "test": ["s", "t"]}
    assert [values for _, _, values in inside(data)] == [{"prompt": "p", "test": "s"}, {"prompt": "q", "test": "t"}]


def test_the_place_of_a_row() -> None:
    assert [where for where, _, _ in inside(BOTH)] == ["item 1", "item 2"]
    assert [where for where, _, _ in inside({"data": BOTH})] == ["data[0]", "data[1]"]
    assert [where for where, _, _ in inside({"dev": {"a": ROW, "b": OTHER}})] == ["dev.a", "dev.b"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"meta": 1, "foo": BOTH}, "expected a list of objects.*; name the list, such as rows: foo"),
        ({"result": {"foo": BOTH, "n": 1}}, "such as rows: result.foo"),
        ({"name": "n", "data": {"train": BOTH, "dev": BOTH}}, "such as rows: data$"),
        ({"data": {"one": ROW, "two": OTHER}}, "such as rows: data$"),
        ({"data": {"question": ["a"], "answer": ["x"]}, "n": 1}, "such as rows: data$"),
        ({"train": [["a", "x"]], "val": [["b", "y"]], "oos": [["c", "z"]]}, "found key 'oos'"),
        ({"data": BOTH, "examples": BOTH}, "several lists may be the examples; write one of rows: data, rows: examples"),
        ({"train": BOTH, "more": BOTH}, "found key 'more'; use train, validation"),
        ({"dev": BOTH, "val": BOTH}, "'dev' and 'val' both mean validation"),
        (ROW, "expected a list of objects.*, found key 'answer'"),
        ({}, "found {}"),
        ("text", "found the text 'text'"),
        ({"data": {"question": "a"}}, "found key 'data'"),
    ],
)
def test_what_could_be_anything_is_asked_for(data: Any, says: str) -> None:
    with pytest.raises(TaskError, match=says):
        inside(data)


def test_rows_at_a_path_know_what_stands_around_them() -> None:
    assert at(SQUAD, "data.*.paragraphs.*.qas.*") == [
        ("data[0].paragraphs[0].qas[0]", {"title": "T", "context": "c", "question": "a"}),
        ("data[0].paragraphs[0].qas[1]", {"title": "T", "context": "own", "question": "b"}),
        ("data[1].paragraphs[1].qas[0]", {"title": "U", "context": "e", "question": "f"}),
    ]
    assert at(SQUAD, "data.*.paragraphs.*.qas") == at(SQUAD, "data.*.paragraphs.*.qas.*")


@pytest.mark.parametrize(
    ("data", "path", "found"),
    [
        ({"a": {"b": BOTH}}, "a.b", [("a.b[0]", ROW), ("a.b[1]", OTHER)]),
        ({"a.b": BOTH}, "a.b.*", [("a.b[0]", ROW), ("a.b[1]", OTHER)]),
        ({"a": {"x": ROW, "y": OTHER}}, "a", [("a.x", ROW), ("a.y", OTHER)]),
        ({"a": {"x": ROW}}, "a.*", [("a[x]", ROW)]),
        ({"x": ROW}, "*", [("[x]", ROW)]),
        ([{"n": 1, "row": ROW}], "*.row", [("[0].row", {"n": 1, **ROW})]),
        ([{"row": ROW}], "[*].row", [("[0].row", ROW)]),
        ({"a": [[ROW], [OTHER]]}, "a.*.*", [("a[0][0]", ROW), ("a[1][0]", OTHER)]),
        ({"d": {"train": [ROW], "dev": [OTHER]}}, "d", [("d.train[0]", ROW), ("d.dev[0]", OTHER)]),
        ({"q": ["a", "b"], "a": {"question": ["a", "b"], "answer": ["x", "y"]}}, "a", [("a.row 1", ROW), ("a.row 2", OTHER)]),
    ],
)
def test_rows_at_a_path(data: Any, path: str, found: Any) -> None:
    assert at(data, path) == found


def test_what_stands_around_a_line_is_around_its_rows_too() -> None:
    assert at({"qa": ROW}, "qa", context="c") == [("qa", {"context": "c", **ROW})]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("dta", r"x.json: 'rows: dta' leads to no rows: it has no 'dta' \(it has: version, data\)"),
        (
            "data.paragraphs",
            r"x.json: 'rows: .*' leads to no rows: 'data' is a list of 2 items .* write '\*'.* data\.\*\.paragraphs",
        ),
        ("data.*.qas", r"x.json, data\[0\]: 'rows: .*it has no 'qas' \(it has: title, paragraphs\)"),
        ("version.*", r"x.json, version: .* that is the text '1.1', no list"),
        ("version", r"x.json, version: .* expected a list of objects"),
    ],
)
def test_a_path_that_leads_nowhere_is_told_as_far_as_it_went(path: str, says: str) -> None:
    with pytest.raises(TaskError, match=says):
        at(SQUAD, path)


def test_a_field_inside_a_list_of_a_row_says_what_to_write() -> None:
    assert deeper("data.*", SQUAD["data"][0], "question") == (  # type: ignore[index]
        "write rows: data.*.paragraphs.*.qas.* if its items are the examples"
    )
    assert deeper("", {"qas": [{"question": "a"}]}, "question") == "write rows: qas.* if its items are the examples"
    assert deeper("*", ROW, "question") == ""


@pytest.mark.parametrize(
    ("path", "inside"),
    [("data.*.paragraphs", "data.*.paragraphs.*"), ("data.*.paragraphs.*", "data.*.paragraphs.*"), ("data", "data.*")],
)
def test_a_row_knows_the_path_to_its_like(path: str, inside: str) -> None:
    assert {one.path for one in rows_at(SQUAD, path, "x.json")} == {inside}


def test_rows_that_are_splits_know_theirs() -> None:
    data = {"d": {"train": [ROW], "dev": {"examples": [OTHER]}}}
    assert [one.path for one in rows_at(data, "d", "x.json")] == ["d.train.*", "d.dev.examples.*"]
