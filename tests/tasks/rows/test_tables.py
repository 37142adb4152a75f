import csv
from pathlib import Path
from typing import Any

import pytest

from metaspo.domain.errors import TaskError
from metaspo.tasks.rows.row import Form
from metaspo.tasks.rows.tables import table_rows


def table(text: str, name: str = "x.csv", **form: Any) -> list[list[str]]:
    """The names of the fields, then the fields of each row."""
    rows = [row.values for row in table_rows(Path(name), text, Form(**form))]
    return [list(rows[0]), *(list(row.values()) for row in rows)]


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("q,a\nHi; you,1\nwhat? no; ok,2\n", [["q", "a"], ["Hi; you", "1"], ["what? no; ok", "2"]]),
        ('q;a\n"Hi; you, there";1,5\nc, d, e;22,75\n', [["q", "a"], ["Hi; you, there", "1,5"], ["c, d, e", "22,75"]]),
        ("q, or so;a\n1,5;2\n3,25;4\n", [["q, or so", "a"], ["1,5", "2"], ["3,25", "4"]]),
        ("q, or so;a\nDoe, Ann;2\nRoe, Bo;4\n", [["q, or so", "a"], ["Doe, Ann", "2"], ["Roe, Bo", "4"]]),
        ("q, a\nHi; you, 1\nno; not, 2\n", [["q", "a"], ["Hi; you", " 1"], ["no; not", " 2"]]),
        ("q\ta\nHi, you\t1\nx;y\t2\n", [["q", "a"], ["Hi, you", "1"], ["x;y", "2"]]),
        ("q|a\nHi, you|1\nx;y|2\n", [["q", "a"], ["Hi, you", "1"], ["x;y", "2"]]),
        ("q , a\n1,2\n", [["q", "a"], ["1", "2"]]),
        ("q\nHello, world\n\nyes; no\n", [["q"], ["Hello, world"], ["yes; no"]]),
        ('q\n"Hello, ""world"""\n', [["q"], ['Hello, "world"']]),
        ('q\n"So" she said\n', [["q"], ['"So" she said']]),
        ("sep=;\nq;a\n1,5;2\n", [["q", "a"], ["1,5", "2"]]),
        ('"sep=|"\nq|a\nb;c|2\n', [["q", "a"], ["b;c", "2"]]),
        ("SEP=\t\nq\ta\n1\t2\n", [["q", "a"], ["1", "2"]]),
        ("\n;;\nq;a;\n1;2;\n;;\n3;4;\n", [["q", "a"], ["1", "2"], ["3", "4"]]),
        ("q,a,,\nx,1,,\ny,2,note,\nz,3\n", [["q", "a"], ["x", "1"], ["y", "2"], ["z", "3"]]),
        (",q,a\n0,x,1\n1,y,2\n", [["q", "a"], ["x", "1"], ["y", "2"]]),
        ("q,a\nx,1,,\ny,2\n", [["q", "a"], ["x", "1"], ["y", "2"]]),
        ('q,a\n"say \\"hi, you\\".\\n",1\nb,2\n', [["q", "a"], ['say "hi, you".\\n', "1"], ["b", "2"]]),
        ('q, a\n"x", "b"\n"y", "d"\n', [["q", "a"], ["x", "b"], ["y", "d"]]),
        ('q, a\n"x", "b, c"\n"y", "d"\n', [["q", "a"], ["x", "b, c"], ["y", "d"]]),
        ('q,a\n"two\nlines; one",1\n', [["q", "a"], ["two\nlines; one", "1"]]),
        ("q,a\nC:\\dir\\,1\n", [["q", "a"], ["C:\\dir\\", "1"]]),
    ],
)  # fmt: skip
def test_the_delimiter_is_found(text: str, cells: list[list[str]]) -> None:
    assert table(text) == cells


def test_quotes_are_text_in_a_file_of_tabs_where_rows_say_so() -> None:
    assert table('s\tl\nit \'s "great"\t1\n"never closed\t0\nand closed"\t1\n', "x.tsv")[1:] == [
        ["it 's \"great\"", "1"], ['"never closed', "0"], ['and closed"', "1"],
    ]  # fmt: skip
    assert table('s\tl\n"a\tb"\t1\n"two\nlines"\t0\n"say ""so"""\t1\n', "x.tsv")[1:] == [
        ["a\tb", "1"], ["two\nlines", "0"], ['say "so"', "1"],
    ]  # fmt: skip


def test_a_file_of_tabs_by_its_ending_is_one_whatever_else_is_in_it() -> None:
    text = "a,b\tc,d\n1,2\t3,4\n"
    assert table(text, "x.tsv") == [["a,b", "c,d"], ["1,2", "3,4"]]
    assert table(text, "x.tab.gz") == [["a,b", "c,d"], ["1,2", "3,4"]]
    assert table("a,b\n1,2\n", "x.tsv") == [["a", "b"], ["1", "2"]]


@pytest.mark.parametrize("first", ["", "Q,Answer\n"])
def test_columns_name_the_fields_of_a_file_without_a_header(first: str) -> None:
    assert table(first + '"What, me?",1\nyou,2\n', columns=["q", "answer"]) == [
        ["q", "answer"],
        ["What, me?", "1"],
        ["you", "2"],
    ]


def test_columns_tell_the_delimiter_too() -> None:
    assert table("1;3,5\n2;4,5\n", columns=["a", "b"])[1:] == [["1", "3,5"], ["2", "4,5"]]
    assert table("ham\tGo, until; you\nspam\tFree\n", columns=["label", "text"])[1:] == [
        ["ham", "Go, until; you"],
        ["spam", "Free"],
    ]
    assert table("One, two?\nThree; four?\n", columns=["question"])[1:] == [["One, two?"], ["Three; four?"]]


def test_a_named_delimiter_is_the_one() -> None:
    assert table("a:b,c\n1:2,3\n", delimiter=":") == [["a", "b,c"], ["1", "2,3"]]
    with pytest.raises(TaskError, match=r"x.csv:2: has another number of columns \(2\) than the header \(1\), divided by ';'"):
        table("a,b\n1;2,3\n", delimiter=";")


def test_fields_of_any_length_and_the_limit_of_the_process_stays() -> None:
    before = csv.field_size_limit(1000)
    try:
        assert table(f"q,a\n{'x' * 300_000},1\n")[1] == ["x" * 300_000, "1"]
        assert csv.field_size_limit() == 1000
    finally:
        csv.field_size_limit(before)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("q,a\nx,1\ny\n", r"x.csv:3: has another number of columns \(1\) than the header \(2\), divided by ','"),
        ("sep=,\nq,a\nx,1\n\ny,2,3\n", r"x.csv:5: has another number of columns \(3\)"),
        ('q,a\n"two\nlines",1\ny,2,3\n', "x.csv:4: has"),
        ('sep=,\nq,a\nx,1\n"open,2\n', "x.csv:4: not valid CSV: unexpected end of data; check the quotes"),
    ],
)
def test_what_is_wrong_is_told_with_the_line_that_the_row_begins_on(text: str, says: str) -> None:
    with pytest.raises(TaskError, match=says):
        table(text)


def test_columns_of_one_name_are_numbered() -> None:
    assert table("q,a,q,q.1,q\nx,1,y,z,w\n") == [["q.2", "a", "q.3", "q.1", "q.4"], ["x", "1", "y", "z", "w"]]


def test_the_lines_above_the_header_count_in_what_is_said() -> None:
    with pytest.raises(TaskError, match=r"x\.csv:5: has another number of columns"):
        table("A title\n\nq,a\nx,1\ny\n", skip_lines=2)
