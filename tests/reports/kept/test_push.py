"""What may be pushed, and where to: refused in words before anything is sent."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

import metaspo
from metaspo.cli.main import main
from metaspo.domain.errors import ConfigError


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("ftp:x", "write langsmith:NAME, mlflow:NAME, file or file:FOLDER"),
        ("mlflow", "under what name"),
        ("langsmith: ", "under what name"),
        ("langsmith:me/x", "holds no '/'"),
        ("mlflow:x:1", "holds no '/' and no ':'"),
    ],
)
def test_a_place_that_is_none_is_refused(to: str, said: str, written: Callable[..., str], store_path: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        metaspo.push(written(), to=to, store=store_path)


def test_mlflow_takes_a_server_that_is_named(
    written: Callable[..., str], store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(ConfigError, match="set MLFLOW_TRACKING_URI"):
        metaspo.push(written(), to="mlflow:x", store=store_path)


def test_an_unfinished_run_goes_only_when_asked(written: Callable[..., str], store_path: Path, tmp_path: Path) -> None:
    run, to = written(status="stopped", reason="a budget is spent"), f"file:{tmp_path}/kept"
    with pytest.raises(ConfigError, match=r"run 0a1b2c3d is not done \(stopped\).*resume 0a1b2c3d.*--unfinished"):
        metaspo.push(run, to=to, store=store_path)
    done = metaspo.push(run, to=to, store=store_path, unfinished=True)
    assert done.verdict == "not yet" and not any(prompt.confirmed for prompt in done.prompts)
    assert done.versions[0].about["status"] == "stopped" and "test_after" not in done.versions[-1].scores


def test_a_control_is_no_result(written: Callable[..., str], store_path: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a control"):
        metaspo.push(written(method="placebo:common_first"), to=f"file:{tmp_path}/kept", store=store_path)


@pytest.mark.parametrize(
    "dump", sorted((Path(__file__).parents[2] / "store" / "schemas").glob("*.sql")), ids=lambda path: path.stem
)
def test_a_run_of_an_earlier_version_goes_as_well(dump: Path, store_path: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(store_path)) as db:
        db.executescript(dump.read_text(encoding="utf-8"))
        [run, *_] = db.execute("SELECT id FROM runs").fetchone()
    done = metaspo.push(run, to=f"file:{tmp_path}/kept", store=store_path)
    report = metaspo.open_report(store_path, run)
    assert (tmp_path / "kept/0001/system.txt").read_bytes().decode() == report.system_after
    assert done.verdict == report.verdict and done.versions[-1].scores["test_examples"] > 0


def test_no_key_and_no_address_is_pushed(
    written: Callable[..., str], store_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-abcdefghijklmnop1234567890")
    from metaspo.store.database import open_store

    run = written()
    spec = {"provider": "server", "name": "m", "base_url": "http://me:secret-word-77@host/v1", "api_key": "x"}
    with open_store(store_path) as store:
        config = {"problem": {"system_prompt": "s"}, "context": {"base": spec, "optimizer": spec}}
        store.db.execute("UPDATE runs SET config = ?", [json.dumps(config)])
        store.db.conn.commit()
    done = metaspo.push(run, to=f"file:{tmp_path}/kept", store=store_path)
    texts = json.dumps(done.as_data()) + (tmp_path / "kept/0001/version.yaml").read_text()
    assert done.versions[0].about["base"] == "server:m"
    assert not [word for word in ("host/v1", "secret-word", "sk-abcdef", "api_key") if word in texts]


def test_the_command_says_what_it_did(written: Callable[..., str], store_path: Path, tmp_path: Path) -> None:
    run = written(gain=9)
    command = ["push", run[:8], "--to", f"file:{tmp_path}/kept", "--store", str(store_path)]
    dry = CliRunner().invoke(main, [*command, "--dry-run"])
    assert (
        dry.exit_code == 0
        and f"would go in {tmp_path}/kept:" in dry.output
        and "a new version: the system prompt" in dry.output
    )
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0 and "user-a.txt  0001: the user prompt of task 'a'" in done.output
    assert "the verdict on the run is 'too few', so 'confirmed' does not move" in done.output
    again = CliRunner().invoke(main, [*command, "--json"])
    data = json.loads(again.output)
    assert {one["state"] for one in data["prompts"]} == {"there"} and data["prompts"][0]["metadata"]["metaspo_run"] == run
    wrong = CliRunner().invoke(main, ["push", run, "--to", "x", "--store", str(store_path)])
    assert wrong.exit_code == 2 and wrong.output.startswith("error: --to x: write")
