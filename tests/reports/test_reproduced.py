"""The config that makes a run again: what is in it, what cannot be, and that no key is."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from langchain_core.language_models import FakeListChatModel

from metaspo import optimize
from metaspo.reports.report import open_report
from metaspo.reports.reproduced import Reproduced, reproduced
from metaspo.runs.branch import branch
from metaspo.runs.config import config_of, read_config
from metaspo.store import runs
from metaspo.store.database import Store, now
from metaspo.store.runs import placebo_id

ROWS = [{"question": f"Is {n} odd?", "answer": "yes" if n % 2 else "no"} for n in range(160)]


def block(size: int = 160) -> dict[str, Any]:
    reader = {"kind": "choice", "labels": ["yes", "no"], "from": "reply"}
    return {"name": "odd", "examples": ROWS[:size], "user_prompt": "Yes or no? \u00e9\n{question}", "reader": reader}


def written(**settings: Any) -> tuple[Reproduced, dict[str, Any]]:
    """The config of a run that was given these settings, as text and as data."""
    config = config_of(**settings)
    data = {"problem": config.problem().model_dump(mode="json"), "context": config.context().model_dump(mode="json")}
    found = reproduced(runs.Run("r", None, None, config.method, data, "done", None, now(), now(), 1.0, "0"))
    return found, yaml.safe_load(found.config)


def test_every_setting_comes_back(tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "tasks": [block(12)], "targets": ["app_reviews"], "system_prompt": "Keep:\n<locked>this \u202e</locked>\n\x07 {tone}",
        "base": [{"provider": "server", "name": "a,b", "base_url": "http://127.0.0.1:9/v1", "extra_body": {"x": [1, "=,"]}},
                 "openai:gpt-4o-mini,temperature=0"],
        "bases": "worst", "optimizer": "anthropic:some", "analyst": "openai:other,batch=true", "method": "metaspo", "seed": 3,
        "preset": "batch", "sizes": {"validation_size": 0, "train_size": 5}, "budget": {"calls": 900}, "approve": "both",
        "placebo": True, "worst_drop": 0.1,
    }  # fmt: skip
    found, data = written(**settings)
    (tmp_path / "run.yaml").write_text(found.config, encoding="utf-8")
    config = read_config(tmp_path / "run.yaml")
    first = config_of(**settings)
    assert config.problem() == first.problem()
    given = {"store": first.context().store}
    assert config.context().model_copy(update=given) == first.context()
    assert len(data["tasks"][0]["examples"]) == 12 and "\u202e" not in found.config and "\x07" not in found.config


def test_no_key_is_in_it_and_its_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "sk-verysecret-0123456789abcdef"
    monkeypatch.setenv("MY_OWN_KEY", key)
    found, _ = written(
        tasks=[block()], base="openai:gpt-4o-mini,api_key_env=MY_OWN_KEY", optimizer="openai:other",
        system_prompt=f"The key is {key}.",
    )  # fmt: skip
    assert key not in found.config and "MY_OWN_KEY" in found.config
    assert "The key of openai:gpt-4o-mini is in the environment variable MY_OWN_KEY." in found.without


def test_what_only_python_has_is_named() -> None:
    def score(answer: str, answers: list[str]) -> float:
        return float(answer == answers[0])

    model = FakeListChatModel(responses=["yes"])
    found, data = written(tasks=[{**block(), "metric": score}], base=model, optimizer="scripted:novice")
    said = " ".join(found.without)
    assert data["tasks"][0]["examples"] == "odd.jsonl" and "160 examples of task odd were given in memory" in said
    assert "is an object that was given in Python" in said and "is a function that was given in Python" in said


@pytest.mark.long
def test_branches_and_placebos_say_what_they_hang_on(store_path: Path) -> None:
    settings: dict[str, Any] = {"base": "scripted:novice", "optimizer": "scripted:novice", "preset": "quick"}
    first = optimize(tasks=[block()], store=str(store_path), placebo=True, **settings)
    second = branch(first.run, store=store_path, seed=1)
    said = reproduced(open_report(store_path, second.run).run)
    assert f"goes on from run {first.run[:8]}" in " ".join(said.without) and yaml.safe_load(said.config)["start"]["run"]
    control = reproduced(open_report(store_path, placebo_id(first.run)).run)
    assert control.config == "" and "placebo: true" in control.without[0]


def test_what_no_version_can_read_is_no_error(store_path: Path) -> None:
    store = Store(store_path)
    runs.create(store.db, runs.Run("r", None, None, "?", {}, "done", None, now(), now(), 1.0, "0"))
    [run] = runs.all_runs(store.db)
    store.close()
    assert reproduced(run).config == "" and "reads no config" in reproduced(run).without[0]
