"""Sources as tasks name them, up to the examples that a run draws and what it records."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import datasets
from metaspo import Task, branch, optimize, resume, verify
from metaspo.domain.errors import TaskError
from metaspo.domain.messages import Fields
from metaspo.runs.config import config_of, read_config
from metaspo.store.database import Store
from metaspo.tasks.catalogue import read_task
from metaspo.tasks.examples import Pools, load_pools

from ...helpers.langsmith_server import KEY, LangSmith, example
from ...helpers.pictures import png

BLOCK: dict[str, Any] = {
    "name": "likes",
    "user_prompt": "Say yes or no. {question}",
    "reader": {"kind": "choice", "labels": ["yes", "no"], "from": "reply"},
}
ROWS = [{"question": f"Is {i} liked?", "answer": "yes" if i % 2 else "no"} for i in range(40)]
RUN: dict[str, Any] = {"base": "scripted:dice", "optimizer": "scripted:dice", "preset": "quick"}


def pools(folder: Path, examples: Any, **settings: Any) -> Pools:
    return load_pools(read_task({**BLOCK, "examples": examples, **settings}, folder))


def test_a_task_file_names_parquet_beside_it(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "a.parquet")
    pq.write_table(pa.Table.from_pylist([{"q": "x", "answer": "yes"}]), tmp_path / "b.parquet")
    assert len(pools(tmp_path, "a.parquet")[""]) == 40
    with pytest.raises(TaskError, match=r"b.parquet, row 1: no field 'question' \(it has: q, answer\)"):
        pools(tmp_path, {"train": "a.parquet", "dev": "b.parquet"})


def test_what_a_row_lacks_is_said_where_it_is_missed(tmp_path: Path) -> None:
    pq.write_table(pa.table({"question": ["a"], "sound": [b"RIFF"], "answer": ["yes"]}), tmp_path / "a.parquet")
    with pytest.raises(TaskError, match=r"row 1: no field 'sound' .*, or take another one, since 'sound' holds bytes"):
        pools(tmp_path, "a.parquet", question="sound")
    (tmp_path / "tests.yaml").write_text("tests: [{vars: {q: a}, assert: [{type: llm-rubric, value: short}]}]\n")
    with pytest.raises(TaskError, match=r"tests.yaml:1, test 1: no field 'answer' .*, or write an assert of type equals"):
        pools(tmp_path, "tests.yaml")


def test_images_of_a_data_set_are_those_of_its_questions(tmp_path: Path) -> None:
    columns = {"question": ["What is this?"], "picture": [{"bytes": png(1), "path": None}], "answer": ["yes"]}
    datasets.Dataset.from_dict(columns).cast_column("picture", datasets.Image(decode=False)).save_to_disk(tmp_path / "saved")
    saved = datasets.load_from_disk(str(tmp_path / "saved"))
    found = [pools(tmp_path, examples, images="picture")[""] for examples in ("saved", saved, [*saved])]
    [(_, content)] = found[0][0].messages
    assert isinstance(content, Fields) and content.parts[1]["image_url"]["url"].startswith("sha256:")
    assert found[1] == found[2] == found[0]


def test_rows_of_evals_and_exports_need_no_setting(tmp_path: Path) -> None:
    evals = [
        {"input": [{"role": "system", "content": "Be short."}, {"role": "user", "content": "hi?"}], "ideal": ["yes", "no"]}
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, evals)))
    [one] = pools(tmp_path, "a.jsonl")[""]
    assert one.answers == ("yes", "no") and [role for role, _ in one.messages] == ["system", "user"]
    exported = [{"inputs": {"q": "hi?", "tone": "kind"}, "outputs": {"label": "yes"}}]
    (tmp_path / "b.jsonl").write_text("\n".join(map(json.dumps, exported)))
    [two] = pools(tmp_path, "b.jsonl", question="{inputs.tone}: {inputs.q}")[""]
    assert (two.question, two.answer) == ("kind: hi?", "yes")
    with pytest.raises(
        TaskError, match=r'b.jsonl:1: no field .*, or write question: "\{inputs.q\} \{inputs.tone\}" in the task'
    ):
        pools(tmp_path, "b.jsonl")
    [three] = pools(tmp_path, evals)[""]
    assert three == one


def odd_frame() -> pd.DataFrame:
    frame = pd.DataFrame(ROWS)
    return frame.assign(n=np.arange(40), at=pd.Timestamp("2024-05-06"), part=[np.nan] * 20 + [0.5] * 20)


def test_a_run_of_a_data_frame_records_plain_rows(tmp_path: Path) -> None:
    task = Task(**BLOCK, examples=odd_frame())
    result = optimize(tasks=[task], store=tmp_path / "m.db", **RUN, budget={"calls": 50})
    assert result.stopped
    ended = resume(result.run, store=tmp_path / "m.db", budget={"calls": 100_000})
    assert not ended.stopped
    store = Store(tmp_path / "m.db")
    [config] = [json.loads(row["config"]) for row in store.db["runs"].rows]
    store.close()
    [block] = config["problem"]["tasks"]
    assert block["examples"][0] == {**ROWS[0], "n": 0, "at": "2024-05-06T00:00:00", "part": None}
    assert "data" not in config


def test_blocks_in_python_hold_them_too(tmp_path: Path) -> None:
    [block] = config_of(tasks=[{**BLOCK, "examples": (row for row in ROWS)}]).tasks
    assert isinstance(block, dict) and block["examples"] == ROWS
    with pytest.raises(TaskError, match=r"^examples: example 1, field 'question' holds bytes"):
        config_of(tasks=[{**BLOCK, "examples": [{"question": b"x"}]}])
    (tmp_path / "c.yaml").write_text(json.dumps({"tasks": [{**BLOCK, "examples": {"train": "hf:a/b#x", "test": "c.csv"}}]}))
    [block] = read_config(tmp_path / "c.yaml").tasks
    assert isinstance(block, dict) and block["examples"] == {"train": "hf:a/b#x", "test": str(tmp_path / "c.csv")}


def test_a_task_in_python_says_what_is_wrong_in_words() -> None:
    with pytest.raises(TaskError, match=r"^examples: example 2, field 'question.0' is inf, which is no JSON; write a number"):
        Task(**BLOCK, examples=[ROWS[0], {"question": [float("inf")]}])
    with pytest.raises(TaskError, match=r"^examples: unknown key 'revison'; known keys: hf, config, split, revision$"):
        read_task({**BLOCK, "examples": {"hf": "a/b", "revison": "x"}})


def test_a_run_of_langsmith_goes_on_with_the_version_that_it_began_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = LangSmith()
    monkeypatch.setenv("LANGSMITH_ENDPOINT", server.address)
    monkeypatch.setenv("LANGSMITH_API_KEY", KEY)
    moments = ["2024-05-01T00:00:00+00:00", "2024-06-01T00:00:00+00:00"]
    server.versions[moments[0]] = [example(i, {"q": row["question"]}, {"a": row["answer"]}) for i, row in enumerate(ROWS)]
    task = Task(**BLOCK, examples="langsmith:Ticket Routing")
    result = optimize(tasks=[task], store=tmp_path / "m.db", **RUN, budget={"calls": 50})
    server.versions[moments[1]] = server.versions[moments[0]][:5]
    ended = resume(result.run, store=tmp_path / "m.db", budget={"calls": 100_000})
    branched = branch(result.run, at=0, store=tmp_path / "m.db", iterations=1)
    server.close()
    assert result.stopped and not ended.stopped and not branched.stopped
    store = Store(tmp_path / "m.db")
    configs = [json.loads(row["config"]) for row in store.db["runs"].rows]
    store.close()
    assert [config["data"] for config in configs] == [{"langsmith:Ticket Routing": moments[0]}] * 2
    assert verify(store=tmp_path / "m.db").well
    assert KEY.encode() not in (tmp_path / "m.db").read_bytes()
