"""Scores belong to what made them: another judge, metric or reader is another score, from the replies that are recorded."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import metaspo

from ..helpers import forked
from ..helpers.endpoint import Endpoint, say

HELPER = {"metric": "SHARE = {}\n", "reader": "WORD = {!r}\n"}
MODULES = {
    "metric": "from metric_helper import SHARE\n\ndef score(answer, golds):\n    return SHARE\n",
    "reader": "from reader_helper import WORD\n\ndef read(reply):\n    return WORD\n",
}
BEFORE: dict[str, Any] = {"metric": 0.25, "reader": "no"}
AFTER: dict[str, Any] = {"metric": 0.75, "reader": "yes"}
FIRST, SECOND = ["0.25", "0.0"], ["0.75", "1.0"]
"""The test scores by BEFORE and by AFTER, of the metric's task and of the reader's."""


def run(folder: Path, values: dict[str, Any], **version: str) -> list[str]:
    """The test scores of two runs as a process of its own finds them, on the same store each time."""
    for part, value in values.items():
        (folder / f"{part}_helper.py").write_text(HELPER[part].format(value), encoding="utf-8")
        (folder / f"own_{part}.py").write_text(MODULES[part], encoding="utf-8")
    rows = [{"question": f"{n}?", "answer": "yes"} for n in range(4)]
    common = {"examples": rows, "user_prompt": "Go. {question}"}
    tasks = [
        {"name": "m", **common, "reader": {"from": "reply"}, "metric": {"kind": "own_metric:score", **version}},
        {"name": "r", **common, "reader": {"from": "own_reader:read", **version}},
    ]
    given = {"base": "scripted:dice", "method": "fixed", "store": "s.db", "train_size": 2, "test_size": 2}
    code = f"import metaspo\nfor task in {tasks!r}: print(metaspo.optimize(tasks=[task], **{given!r}).report.tasks[0].after)"
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = forked.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.long
def test_a_constant_of_a_helper_module_changes_the_scores(tmp_path: Path) -> None:
    assert [run(tmp_path, values) for values in (BEFORE, AFTER, BEFORE)] == [FIRST, SECOND, FIRST]


@pytest.mark.long
def test_a_version_stands_for_the_code(tmp_path: Path) -> None:
    assert run(tmp_path, BEFORE, version="1") == run(tmp_path, AFTER, version="1") == FIRST
    assert run(tmp_path, AFTER, version="2") == SECOND


@pytest.mark.long
@pytest.mark.parametrize("change", ["max_tokens=40", "temperature=0.5", "seed=3"])
def test_another_setting_of_the_judge_is_another_score(
    change: str, make_task: Callable[..., Any], store_path: Path, endpoint: Endpoint
) -> None:
    def act(request: Any, body: Any, number: int) -> Any:
        if "<grade>" not in str(body["messages"]):
            return say("an answer")
        changed = body.get("max_tokens") == 40 or body["temperature"] == 0.5 or "seed" in body
        return say(f"<grade>{5 if changed else 1}</grade>")

    endpoint.act = act
    base = f"server:m,base_url={endpoint.url}"

    def scored(judge: str) -> float:
        metric = {"kind": "judge", "rubric": "Be good.", "model": judge}
        task = make_task("t", 8, metric=metric, reader={"from": "reply"})
        sizes = {"train_size": 2, "validation_size": 0, "test_size": 4}
        result = metaspo.optimize(tasks=[task], base=base, method="fixed", store=store_path, **sizes)
        return float(result.report.tasks[0].after)

    assert (scored(base), scored(f"{base},{change}"), scored(base)) == (0.0, 1.0, 0.0)
