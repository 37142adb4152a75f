"""Where paths lie that people write."""

from pathlib import Path

import pytest

from metaspo.domain.paths import path_of


def test_a_path_is_found_from_the_folder_and_from_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert path_of("a/b.csv") == Path("a/b.csv") and path_of("a/b.csv", tmp_path) == tmp_path / "a/b.csv"
    assert path_of(tmp_path / "c", Path("other")) == tmp_path / "c"
    assert path_of("~/d", Path("other")) == tmp_path / "d"


def test_a_home_that_is_unknown_stays_as_it_is_written(tmp_path: Path) -> None:
    assert path_of("~nobody-here/x", tmp_path) == tmp_path / "~nobody-here/x"
