"""The studio command without its extra, without a store, and where it would let others in."""

import os
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from metaspo.cli.main import main


@pytest.fixture(autouse=True)
def own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the command sets for its server, no other test should see."""
    monkeypatch.chdir(tmp_path)
    for name in ("METASPO_STORE", *(f"METASPO_SERVE_{part}" for part in ("TOKEN", "TRUST", "TASKS", "MODELS", "ORIGINS"))):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, str]]]:
    """Where a server was started, and with which variables; in the place of the server, which would run on."""
    started: list[tuple[str, dict[str, str]]] = []

    def run_server(host: str, port: int, **options: object) -> None:
        started.append((host, {name: value for name, value in os.environ.items() if name.startswith("METASPO_SERVE_")}))

    monkeypatch.setattr("metaspo.runs.studio.agent_server", lambda: run_server)
    return started


def studio(*words: str) -> Result:
    return CliRunner().invoke(main, ["studio", "--no-browser", *words])


def test_studio_says_which_extra_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langgraph_api.cli", None)
    done = CliRunner().invoke(main, ["studio", "--no-browser"])
    assert done.exit_code == 2 and "metaspo studio needs the extra 'studio': pip install 'metaspo[studio]'" in done.output


def test_a_store_that_is_not_there_is_told(tmp_path: Path, served: list[object]) -> None:
    done = studio("--store", "new.db")
    assert done.exit_code == 2 and "new.db: no such store; name one that is there, or add --create" in done.stderr
    done = studio("--store", "new.db", "--create")
    assert done.exit_code == 0 and "new.db: no such store yet; the server begins it" in done.stderr
    os.environ["METASPO_STORE"] = "metaspo.db"
    done = studio()
    assert done.exit_code == 0 and "metaspo.db: no such store yet" in done.stderr
    (tmp_path / "there.db").touch()
    assert not studio("--store", "there.db").stderr


def test_a_server_is_strict_unless_it_is_told_to_trust(served: list[tuple[str, dict[str, str]]]) -> None:
    assert studio().exit_code == 0 and served.pop() == ("127.0.0.1", {"METASPO_SERVE_TRUST": "0"})
    assert studio("--trust").exit_code == 0 and served.pop() == ("127.0.0.1", {"METASPO_SERVE_TRUST": "1"})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.org"])
def test_others_are_let_in_with_a_token_and_never_to_a_server_that_trusts(
    host: str, served: list[tuple[str, dict[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = studio("--host", host)
    assert done.exit_code == 2 and f"--host {host}: other machines would use this server without a login" in done.stderr
    monkeypatch.setenv("METASPO_SERVE_TOKEN", "sesame")
    done = studio("--host", host)
    assert done.exit_code == 0 and served.pop()[0] == host
    done = studio("--host", host, "--trust")
    assert done.exit_code == 2 and "--trust" in done.stderr and "127.0.0.1 alone" in done.stderr
    assert not served


def test_an_empty_token_starts_no_server(served: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METASPO_SERVE_TOKEN", "")
    done = studio()
    assert done.exit_code == 2 and "METASPO_SERVE_TOKEN is empty" in done.stderr and not served


def test_what_clients_may_name_is_looked_at_before_the_server_starts(served: list[tuple[str, dict[str, str]]]) -> None:
    done = studio("--tasks", "nowhere")
    assert done.exit_code == 2 and "METASPO_SERVE_TASKS: there is no folder" in done.stderr
    Path("mine").mkdir()
    Path("models.yaml").write_text("models: {cheap: openai}")
    done = studio("--tasks", "mine", "--models", "models.yaml")
    assert done.exit_code == 2 and "provider:name" in done.stderr and not served
    Path("models.yaml").write_text("models: {cheap: openai:gpt-4o-mini}")
    assert studio("--tasks", "mine", "--tasks", ".", "--models", "models.yaml").exit_code == 0
    [(_, told)] = served
    here = Path().absolute()
    assert told["METASPO_SERVE_TASKS"] == f"{here / 'mine'}{os.pathsep}{here}"
    assert told["METASPO_SERVE_MODELS"] == str(here / "models.yaml")
