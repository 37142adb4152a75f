import json
from pathlib import Path

import pytest

from metaspo.tasks.rows.files import read_rows
from metaspo.tasks.rows.row import Form


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def test_a_json_list(tmp_path: Path) -> None:
    path = write(tmp_path / "x.json", '[{"q": "a"}, {"q": "b"}]')
    rows = read_rows(path)
    assert [(row.values, row.split) for row in rows] == [({"q": "a"}, ""), ({"q": "b"}, "")]
    assert rows[1].place == f"{path}, item 2"


def test_json_with_splits(tmp_path: Path) -> None:
    path = write(tmp_path / "x.json", json.dumps({"train": [{"q": "a"}], "test": [{"q": "b"}, {"q": "c"}]}))
    rows = read_rows(path)
    assert [(row.values["q"], row.split) for row in rows] == [("a", "train"), ("b", "test"), ("c", "test")]
    assert rows[2].place == f"{path}, test[1]"


@pytest.mark.parametrize("ending", [".jsonl", ".ndjson", ".JSONL"])
def test_jsonl_with_blank_lines_and_odd_characters(tmp_path: Path, ending: str) -> None:
    # U+2028 and U+0085 end lines for str.splitlines, not for JSON.
    path = write(tmp_path / f"x{ending}", '{"q": "a\u2028b\u0085c"}\r\n\r\n{"q": "d"}')
    rows = read_rows(path)
    assert [row.values["q"] for row in rows] == ["a\u2028b\u0085c", "d"]
    assert rows[1].place == f"{path}:3"


def test_csv_with_quoted_newlines_quotes_and_odd_columns(tmp_path: Path) -> None:
    text = 'id,The Question ?,"a,b"\n1,"two\nlines, and a ""quote""",x\n\n2,plain,\n'
    path = write(tmp_path / "x.csv", text)
    rows = read_rows(path)
    assert rows[0].values == {"id": "1", "The Question ?": 'two\nlines, and a "quote"', "a,b": "x"}
    assert rows[1].values["a,b"] == ""
    assert rows[1].place == f"{path}:5"


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "utf_8", "utf-8-sig"])
def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path / "x.csv", "question,answer\nCafé?,yes\n", "utf-8-sig")
    assert read_rows(path, Form(encoding))[0].values == {"question": "Café?", "answer": "yes"}


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-16"])
def test_other_encodings(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path / "x.csv", "question\r\nCafé?\r\n", encoding)
    assert read_rows(path, Form(encoding))[0].values == {"question": "Café?"}
