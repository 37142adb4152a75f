"""Data sets of the hub: loaded by the real libraries, in processes of their own, from a real HTTP server on loopback."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from metaspo.domain.errors import MissingExtraError
from metaspo.store.database import Store
from metaspo.tasks.sources import hub
from metaspo.tasks.sources.named import Named

from ...helpers import forked
from ...helpers.hub_server import Hub

OPEN = """
import json, sys
from metaspo.domain.errors import MetaspoError
from metaspo.tasks.sources.opening import open_source
for written in json.loads(sys.argv[1]):
    try:
        rows = [[row.place, row.split, row.values] for row in open_source(written, None, None)]
    except MetaspoError as error:
        rows = [type(error).__name__, str(error)]
    print(json.dumps(rows))
"""
CARD = b"""---
configs:
- config_name: main
  default: true
  data_files: [{split: train, path: train.jsonl}, {split: validation, path: dev.jsonl}, {split: test, path: test.jsonl}]
- config_name: odd
  data_files: [{split: easy, path: train.jsonl}, {split: hard, path: test.jsonl}]
- config_name: one
  data_files: [{split: train, path: train.jsonl}]
dataset_info:
- config_name: main
  features: [{name: question, dtype: string}, {name: answer, dtype: {class_label: {names: {'0': 'no', '1': 'yes'}}}}]
---
"""


def lines(word: str, count: int = 20) -> bytes:
    return "".join(json.dumps({"question": f"{word} {i}", "answer": i % 2}) + "\n" for i in range(count)).encode()


def files(word: str = "") -> dict[str, bytes]:
    return {"README.md": CARD, **{f"{split}.jsonl": lines(f"{word}{split}") for split in ("train", "dev", "test")}}


@pytest.fixture
def server() -> Iterator[Hub]:
    found = Hub()
    yield found
    found.close()


@pytest.fixture
def env(server: Hub, tmp_path: Path) -> dict[str, str]:
    ours = {"HF_ENDPOINT": server.address, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    return {**os.environ, **ours}


def opened(env: dict[str, str], *written: Any) -> list[Any]:
    done = forked.run([sys.executable, "-c", OPEN, json.dumps(written)], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.long
def test_splits_configurations_revisions_and_labels(server: Hub, env: dict[str, str]) -> None:
    old = server.commit(files("old "))
    new = server.commit(files())
    server.branches["v1"] = old
    default, tagged, train, block, one, odd, some, no_split, no_config, no_revision, no_data = opened(
        env, "hf:someone/tickets", f"hf:someone/tickets@{old}", "hf:someone/tickets:main@v1#train",
        {"hf": "someone/tickets", "config": "odd", "split": "hard"}, "hf:someone/tickets:one", "hf:someone/tickets:odd",
        "hf:someone/tickets#train[5:8]", "hf:someone/tickets#none", "hf:someone/tickets:none", "hf:someone/tickets@none", "hf:someone/none",
    )  # fmt: skip
    assert [row[1] for row in default[::20]] == ["train", "validation", "test"] and len(default) == 60
    assert default[1] == [f"hf:someone/tickets@{new[:12]}, train[1]", "train", {"question": "train 1", "answer": "yes"}]
    assert tagged[0] == [f"hf:someone/tickets@{old[:12]}, train[0]", "train", {"question": "old train 0", "answer": "no"}]
    assert train[0] == [f"hf:someone/tickets:main@{old[:12]}#train[0]", "", {"question": "old train 0", "answer": "no"}]
    assert [row[2]["question"] for row in block] == [f"test {i}" for i in range(20)] and block[0][2]["answer"] == 0
    assert len(one) == 20 and {row[1] for row in one} == {""}
    assert odd[0] == "TaskError" and odd[1].startswith(
        f"hf:someone/tickets:odd@{new[:12]} has the splits easy, hard; say which are which, such as examples: "
        "{train: 'hf:someone/tickets:odd#easy', test: 'hf:someone/tickets:odd#hard'}"
    )
    assert [row[2]["question"] for row in some] == ["train 5", "train 6", "train 7"]
    assert no_split[0] == "TaskError" and 'Unknown split "none"' in no_split[1]
    assert no_config[0] == "TaskError" and "'main', 'odd', 'one'" in no_config[1]
    assert no_revision[1] == (
        f"hf:someone/tickets@none: the hub at {server.address} has no such revision; name a branch, a tag or a commit, or none "
        "for the newest"
    )
    assert no_data[1].startswith(f"hf:someone/none: the hub at {server.address} has no such data set; check its name, and for")
    assert server.branches["main"] == new


@pytest.mark.long
def test_out_of_reach_it_takes_the_commit_that_it_has_and_no_other(server: Hub, env: dict[str, str]) -> None:
    old = server.commit(files("old "))
    assert len(opened(env, f"hf:someone/tickets@{old}")[0]) == 60
    new = server.commit(files())
    server.stop()
    quick = {**env, "HF_HUB_OFFLINE": "1"}
    again, other = opened(quick, f"hf:someone/tickets@{old}", f"hf:someone/tickets@{new}")
    assert again[0][2]["question"] == "old train 0"
    assert other[0] == "HubError" and other[1].endswith(
        "check the network and try again, or name a commit that this machine has already"
    )
    server.start()


TASK = """\
name: tickets
examples: hf:someone/tickets
user_prompt: "Say yes or no. {question}"
reader: {kind: choice, labels: [yes, no], from: reply}
"""


@pytest.mark.long
def test_a_run_goes_on_with_the_revision_that_it_began_with(server: Hub, env: dict[str, str], tmp_path: Path) -> None:
    def command(*words: str) -> int:
        done = forked.run([sys.executable, "-m", "metaspo", *words], env=env, cwd=tmp_path, check=False)
        return done.returncode

    first = server.commit(files())
    (tmp_path / "tickets.yaml").write_text(TASK)
    start = ["optimize", "--task", "tickets.yaml", "--base", "scripted:dice", "--optimizer", "scripted:dice", "--store", "m.db"]
    assert command(*start, "--preset", "quick", "--set", "budget.calls=60") == 3
    second = server.commit(files("other "))
    assert command("resume", "--store", "m.db", "--set", "budget.calls=100000") == 0
    store = Store(tmp_path / "m.db")
    [config] = [json.loads(row["config"]) for row in store.db["runs"].rows]
    questions = [row["question"] for row in store.db["examples"].rows]
    store.close()
    assert config["data"] == {"hf:someone/tickets": first} and first != second
    assert questions and not any("other" in question for question in questions)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    for ask in (hub.pinned, hub.rows):
        with pytest.raises(MissingExtraError, match=r"hub needs the extra 'hub': pip install 'metaspo\[hub\]'"):
            ask(Named("hf", "a/b"))
