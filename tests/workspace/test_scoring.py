"""Scores belong to what made them: another judge, metric or reader is another score, from the replies that are recorded."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import metaspo

from ..helpers.endpoint import Endpoint, say

HELPER = {"metric": "SHARE = {}\n", "reader": "WORD = {!r}\n"}
MODULES = {
    "metric": "from helper import SHARE\n\ndef score(answer, golds):\n    return SHARE\n",
    "reader": "from helper import WORD\n\ndef read(reply):\n    return WORD\n",
}
CHANGED: dict[str, tuple[Any, Any, str, str]] = {
    "metric": (0.25, 0.75, "0.25\n", "0.75\n"),
    "reader": ("no", "yes", "0.0\n", "1.0\n"),
}


def run(folder: Path, part: str, value: Any, **version: str) -> str:
    """A run's test score as a process of its own finds it, on the same store each time."""
    (folder / "helper.py").write_text(HELPER[part].format(value), encoding="utf-8")
    (folder / f"own_{part}.py").write_text(MODULES[part], encoding="utf-8")
    own = {"metric": {"kind": "own_metric:score", **version}} if part == "metric" else {}
    read = {"from": "own_reader:read", **version} if part == "reader" else {"from": "reply"}
    rows = [{"question": f"{n}?", "answer": "yes"} for n in range(4)]
    task = {"name": "t", "examples": rows, "user_prompt": "Go. {question}", "reader": read, **own}
    given = {"tasks": [task], "base": "scripted:dice", "method": "fixed", "store": "s.db", "train_size": 2, "test_size": 2}
    code = f"import metaspo; r = metaspo.optimize(**{given!r}).report; print(r.tasks[0].after, file=__import__('sys').stdout)"
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, env=environment)
    return done.stdout + done.stderr


@pytest.mark.parametrize("part", CHANGED)
def test_a_constant_of_a_helper_module_changes_the_scores(part: str, tmp_path: Path) -> None:
    one, other, first, second = CHANGED[part]
    assert (run(tmp_path, part, one), run(tmp_path, part, other), run(tmp_path, part, one)) == (first, second, first)


@pytest.mark.parametrize("part", CHANGED)
def test_a_version_stands_for_the_code(part: str, tmp_path: Path) -> None:
    one, other, first, second = CHANGED[part]
    assert run(tmp_path, part, one, version="1") == run(tmp_path, part, other, version="1") == first
    assert run(tmp_path, part, other, version="2") == second


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
