"""Earlier attempts: which the optimizer is shown, and in which words."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import metaspo
from metaspo import Task
from metaspo.methods.attempts import result, with_attempts
from metaspo.methods.correction import CORRECTED
from metaspo.methods.evolution import EVOLVED
from metaspo.store import prompts
from metaspo.store.database import Store
from metaspo.store.prompts import CandidateRow, RoundRow
from metaspo.workspace.method import Method, Shown, Step

NUMBERED = "scripted:tests.helpers.writers:numbered"
Maker = Callable[..., Task]


def row(**told: Any) -> CandidateRow:
    given: dict[str, Any] = {
        "run": "r", "round": 1, "level": "system", "task": "", "position": 0, "prompt": "p", "parent": "q", "status": "rejected",
    }  # fmt: skip
    return CandidateRow(**(given | told))


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (
            {"status": "incumbent", "stage": "everything", "examples": 50, "gain": 0.03},
            "taken up; 3 points better on 50 examples",
        ),
        ({"status": "kept"}, "taken up"),
        ({"stage": "gate", "examples": 8, "gain": 0.0}, "mended none of the failures shown"),
        ({"stage": "24 examples", "examples": 24, "gain": -0.015}, "1.5 points worse on 24 examples"),
        ({"stage": "24 examples", "examples": 24, "gain": 0.0}, "no better on 24 examples"),
        ({"stage": "everything", "examples": 50, "gain": 0.04}, "4 points better on 50 examples"),
        (
            {"stage": "everything", "examples": 50, "gain": 0.04, "reason": "task a loses 12 points"},
            "4 points better on 50 examples; task a loses 12 points",
        ),
        ({"reason": "rejected by a person", "score": 0.5}, "rejected by a person"),
        ({"score": 0.5}, "no better"),
        ({"gain": 1e-12}, "no better"),
    ],
)
def test_how_an_attempt_did_in_words(told: dict[str, Any], words: str) -> None:
    assert result(row(**told)) == words


def asked(path: Path, run: str) -> list[tuple[str, str]]:
    """Place and text of every request for a prompt."""
    store = Store(path)
    rows = store.db.execute("SELECT request FROM calls WHERE run = ? AND role = 'optimizer' ORDER BY rowid", [run]).fetchall()
    store.close()
    found = [json.loads(request) for (request,) in rows]
    return [(one["sample"], one["messages"][0]["content"]) for one in found if "proposal" in one["sample"]]


def attempts_in(request: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in request.splitlines() if line.startswith('{"prompt"') and '"result"' in line]


@pytest.fixture
def given(make_task: Maker, store_path: Path) -> dict[str, Any]:
    return {
        "tasks": [make_task("a"), make_task("b")], "base": NUMBERED, "optimizer": NUMBERED, "preset": "quick", "train_size": 8,
        "test_size": 0, "store": store_path, "system_candidates": 2, "user_candidates": 2,
    }  # fmt: skip


@pytest.mark.parametrize("proposer", [CORRECTED, EVOLVED])
def test_the_last_attempts_on_the_same_parent_are_shown(
    given: dict[str, Any], own_method: Any, store_path: Path, proposer: Any
) -> None:
    steps = [Step("system", 2, proposer), Step("user", 2, proposer)] * 3
    name = own_method(Method("tries", "", lambda sizes: steps, shown=Shown(tried=3)))
    run = metaspo.optimize(**given, method=name).run
    system = [
        (sample.split("round ")[1][0], attempts_in(text)) for sample, text in asked(store_path, run) if "system all" in sample
    ]
    # Nothing in the first round; the two of it in the third; the last three of four in the fifth, whoever came in first.
    assert [(round, len(found)) for round, found in system] == [("1", 0), ("1", 0), ("3", 2), ("3", 2), ("5", 3), ("5", 3)]
    assert {one["result"] for _, found in system for one in found} == {"no better"}
    first, last = system[2][1], system[4][1]
    assert ["round 1" in one["prompt"] for one in first] == [True, True]
    assert [one["prompt"].split("round ")[1][0] for one in last] == ["1", "3", "3"]
    user = [
        (sample, attempts_in(text)) for sample, text in asked(store_path, run) if "user a" in sample and "round 4" in sample
    ]
    assert [len(found) for _, found in user] == [2, 2] and all("user a" in one["prompt"] for _, found in user for one in found)
    shown = next(text for sample, text in asked(store_path, run) if "round 3" in sample)
    assert "Write something that differs from all of these" in shown


def test_no_attempts_are_shown_where_a_method_shows_none(given: dict[str, Any], own_method: Any, store_path: Path) -> None:
    name = own_method(Method("plain", "", lambda sizes: [Step("system", 2, CORRECTED)] * 3))
    run = metaspo.optimize(**given, method=name).run
    assert len(asked(store_path, run)) == 6 and not any("Earlier attempts" in text for _, text in asked(store_path, run))


def test_a_branch_is_shown_what_its_parent_tried(given: dict[str, Any], own_method: Any, store_path: Path) -> None:
    name = own_method(Method("tries", "", lambda sizes: [Step("system", 2, CORRECTED)] * 4, shown=Shown(tried=8)))
    whole = metaspo.optimize(**given, method=name)
    child = metaspo.branch(whole.run, at=2, store=store_path, seed=1)
    found = {sample: attempts_in(text) for sample, text in asked(store_path, child.run)}
    third = next(attempts for sample, attempts in found.items() if "round 3" in sample)
    # Of rounds 1 and 2 of the parent, and none of those that it went on with after the branch.
    assert [one["prompt"].split("round ")[1][0] for one in third] == ["1", "1", "2", "2"]
    assert all("seed 0" in one["prompt"] for one in third)
    fourth = next(attempts for sample, attempts in found.items() if "round 4" in sample)
    assert len(fourth) == 6 and ["seed 1" in one["prompt"] for one in fourth] == [False] * 4 + [True] * 2


async def test_what_is_not_a_new_text_is_no_attempt(opened: Any, make_task: Maker, own_method: Any) -> None:
    name = own_method(Method("tries", "", lambda sizes: [Step("system", 2, CORRECTED)] * 2, shown=Shown(tried=4, tails=True)))
    locked = "Be kind. <locked>Never lie.</locked>"
    workspace = await opened(tasks=[make_task("a")], method=name, system_prompt=locked)
    seed = workspace.seed_system
    texts = ["Be calm. Never lie.", f"{'y' * 3000} Never lie.", "Be kind. Never lie."]
    made = [metaspo.domain.prompts.Prompt("system", text) for text in texts]
    await workspace.save_prompts(seed, *made)
    rows = [
        row(run="run", position=at, prompt=prompt, parent=parent, level=level)
        for at, (prompt, parent, level) in enumerate(
            [(made[0].id, seed.id, "system"), (made[0].id, seed.id, "system"), (made[1].id, seed.id, "system"), (None, seed.id, "system"),
             (made[2].id, seed.id, "system"), (made[1].id, made[0].id, "system"), (made[0].id, seed.id, "user")]
        )
    ]  # fmt: skip
    await workspace.store.run(prompts.save_round, RoundRow("run", 1, "system", seed.id, 0.5, 0, 1), rows, [], [])
    job: Any = {"run": "run", "round": 2, "level": "system", "task": "", "position": 0, "system": seed.id}
    text = await with_attempts(workspace, job, seed.id, "Request.")
    # Each text once, with its locked part as the optimizer knows it; neither dropped ones, nor the parent's own text.
    [first, second] = attempts_in(text)
    assert first["prompt"] == "Be calm. [[locked 1]]" and "characters are left out" in second["prompt"]
    assert await with_attempts(workspace, {**job, "round": 1}, seed.id, "Request.") == "Request."
    assert await with_attempts(workspace, job, made[1].id, "Request.") == "Request."
