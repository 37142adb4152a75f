"""The studio command without its extra, and without a store."""

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from metaspo.cli.main import main


def test_studio_says_which_extra_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langgraph_api.cli", None)
    done = CliRunner().invoke(main, ["studio", "--no-browser"])
    assert done.exit_code == 2 and "metaspo studio needs the extra 'studio': pip install 'metaspo[studio]'" in done.output


def test_a_store_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("METASPO_STORE", "metaspo.db")  # which a server sets, and no other test should see
    monkeypatch.setattr("metaspo.runs.studio.agent_server", lambda: lambda *words, **options: None)
    done = CliRunner().invoke(main, ["studio", "--no-browser", "--store", "new.db"])
    assert done.exit_code == 2 and "new.db: no such store; name one that is there, or add --create" in done.stderr
    done = CliRunner().invoke(main, ["studio", "--no-browser", "--store", "new.db", "--create"])
    assert done.exit_code == 0 and "new.db: no such store yet; the server begins it" in done.stderr
    monkeypatch.setenv("METASPO_STORE", "metaspo.db")
    done = CliRunner().invoke(main, ["studio", "--no-browser"])
    assert done.exit_code == 0 and "metaspo.db: no such store yet" in done.stderr
    (tmp_path / "there.db").touch()
    assert not CliRunner().invoke(main, ["studio", "--no-browser", "--store", "there.db"]).stderr
