"""Runs on files as they lie: stopped by a budget, gone on with from elsewhere, and found again from the store alone."""

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import metaspo
from metaspo import Task

from ..helpers.endpoint import Endpoint, say

SPLITS = {"train": "train", "dev": "dev", "holdout": "test"}


def judge(request: web.Request, body: Any, number: int) -> web.Response:
    """Right about every other review."""
    at = int(body["messages"][-1]["content"].split()[-1])
    return say(f"<answer>{('negative', 'positive')[at % 4 > 1 or at % 2]}</answer>")


def reviews(folder: Path) -> dict[str, Any]:
    """A task over a file for each split, each a list inside a JSON file with numbers for labels."""
    for start, split in enumerate(SPLITS):
        rows = [{"inputs": {"text": f"Review {at}"}, "gold": at % 2} for at in range(start * 100, start * 100 + 12)]
        (folder / f"{split}.json").write_text(json.dumps({"version": 1, "found": {"reviews": rows}}), encoding="utf-8")
    return {
        "name": "reviews", "examples": {split: f"{split}.json" for split in SPLITS}, "rows": "found.reviews",
        "question": "inputs.text", "answer": "gold", "answer_map": {0: "negative", 1: "positive"},
        "user_prompt": "Which?\n{question}", "reader": {"kind": "choice", "labels": ["negative", "positive"]},
    }  # fmt: skip


@pytest.mark.parametrize("as_block", [True, False])
def test_a_run_goes_on_and_verifies(
    as_block: bool, tmp_path: Path, store_path: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.act = judge
    monkeypatch.chdir(tmp_path)
    block = reviews(tmp_path)
    settings: dict[str, Any] = {"train_size": 8, "validation_size": 4, "test_size": 10, "method": "fixed", "store": store_path}
    task = block if as_block else Task.model_validate(block)
    first = metaspo.optimize(tasks=[task], base=endpoint.spec(concurrency=1), budget={"calls": 3}, **settings)
    assert first.stopped is not None and len(endpoint.seen) == 3
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    result = metaspo.resume(first.run, store=store_path, budget={})
    asked = [int(body["messages"][-1]["content"].split()[-1]) for body in endpoint.seen]
    tested = [at for at in asked if at >= 200]
    assert len(tested) == len(set(tested)) == 10
    [scored] = result.report.tasks
    assert scored.after == pytest.approx(1 - sum(at % 4 == 2 for at in tested) / 10)
    for split in SPLITS:
        (tmp_path / f"{split}.json").unlink()
    assert metaspo.verify(store=store_path).well
