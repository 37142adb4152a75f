import gzip
from pathlib import Path

import pytest

from metaspo.domain.errors import TaskError
from metaspo.tasks.rows.text_files import read_text

SAID = "Frage;Antwort\nCafé – schön?;ja\n"


@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("told", ["utf-8", "latin-1", "utf-16"])
def test_a_byte_order_mark_says_the_encoding_whatever_is_told(tmp_path: Path, mark: str, told: str) -> None:
    (tmp_path / "x.csv").write_bytes(SAID.encode(mark))
    assert read_text(tmp_path / "x.csv", told) == SAID


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("told", ["utf-16", "UTF16", ""])
def test_utf_16_without_a_mark_is_named(tmp_path: Path, order: str, told: str) -> None:
    (tmp_path / "x.csv").write_bytes(SAID.encode(order))
    assert read_text(tmp_path / "x.csv", told or order) == SAID


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_are_one(tmp_path: Path, end: str) -> None:
    (tmp_path / "x.csv").write_bytes(SAID.replace("\n", end).encode())
    assert read_text(tmp_path / "x.csv", "utf-8") == SAID


def test_a_gzipped_file_is_unpacked_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    packed = gzip.compress(SAID.encode("utf-16"))
    (tmp_path / "x.csv.gz").write_bytes(packed)
    assert read_text(tmp_path / "x.csv.gz", "utf-8") == SAID
    for damaged in (packed[:-9], packed[:12] + b"xx" + packed[14:], SAID.encode()):
        (tmp_path / "y.csv.gz").write_bytes(damaged)
        with pytest.raises(TaskError, match=r"y.csv.gz: not a whole gzip file: .*; unpack it"):
            read_text(tmp_path / "y.csv.gz", "utf-8")
