"""Every method: how many calls it makes, what it proposes from, what it keeps, and that it stops, resumes and branches."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import metaspo
from metaspo import Task
from metaspo.domain.errors import ConfigError
from metaspo.methods.edits import lines_of
from metaspo.prompts.renderer import components, fixed_text
from metaspo.runs.config import config_of
from metaspo.runs.plan import plan
from metaspo.store.database import Store
from metaspo.store.prompts import CandidateRow, candidates, prompt_texts
from metaspo.workspace.method import known_methods

SEARCHES = ["metaspo", "metaspo_ape", "metaspo_evo", "outer_only", "protegi", "ape", "sprig"]
FIXED = ["fixed", "default", "cot", "service"]
UNEVEN = "scripted:tests.helpers.scripts:uneven"
WRONG = "scripted:tests.helpers.scripts:always_wrong"
NOBODY = "scripted:nothing.of:the_kind"
Maker = Callable[..., Task]


def settings(make_task: Maker, path: Path, method: str, **more: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "tasks": [make_task("a"), make_task("b")], "base": UNEVEN, "optimizer": UNEVEN, "preset": "quick", "method": "metaspo", "keep": 3,
        "user_candidates": 2, "system_candidates": 6, "train_size": 10, "test_size": 4, "prompt_length": 0,
    }  # fmt: skip
    return base | {"method": method, "store": path} | more


def requests(path: Path, run: str) -> list[str]:
    """What the optimizer was asked, in the order of its calls."""
    store = Store(path)
    rows = store.db.execute("SELECT request FROM calls WHERE run = ? AND role = 'optimizer' ORDER BY rowid", [run]).fetchall()
    store.close()
    return [json.loads(request)["messages"][0]["content"] for (request,) in rows]


def trace(path: Path, run: str) -> list[Any]:
    """All that a search decided."""
    store = Store(path)
    columns = {
        "candidates": "round, level, task, position, prompt, status, score",
        "standing": 'round, task, position, system, "user", score',
    }
    rows = [
        store.db.execute(f"SELECT {named} FROM {table} WHERE run = ? ORDER BY 1, 2, 3, 4", [run]).fetchall()
        for table, named in columns.items()
    ]
    store.close()
    return rows


# Optimizer calls, and (system prompt, user prompt) pairs scored on train, of the paper's sizes with four source tasks.
COUNTS = {
    "metaspo": (126, 364), "metaspo_ape": (63, 364), "metaspo_evo": (63, 364), "outer_only": (108, 220),
    "protegi": (456, 232), "adapt": (456, 232), "ape": (228, 232), "sprig": (16, 220), **dict.fromkeys(FIXED, (0, 4)),
}  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("method", COUNTS)
def test_calls(method: str, make_task: Maker, store_path: Path) -> None:
    config = config_of(
        tasks=[make_task(name, 20) for name in "abcd"], base=WRONG, optimizer=WRONG, preset="paper", method=method, train_size=2,
        test_size=2, tested_pairs=1, proposal_attempts=1, store=store_path,
    )  # fmt: skip
    optimizer, pairs = COUNTS[method]
    planned = {role: sum(need.calls for need in plan(config) if need.role == role) for role in ("base", "optimizer")}
    # The test: the seed pair, and what was found where anything can be.
    # A curve may test another pair of each task after each of its eight rounds.
    curve = 4 * 2 * 8 if method == "adapt" else 0
    assert planned == {"base": 2 * pairs + 4 * 2 * (2 if optimizer else 1) + curve, "optimizer": optimizer}
    report = metaspo.optimize(config).report
    spent = report.usage.calls
    assert spent.get("optimizer", 0) == optimizer
    # Everything is wrong, so that nothing beats the seeds: their pair alone is tested.
    assert spent["base"] == 2 * pairs + 4 * 2


def test_the_counts_are_those_in_the_docs(make_task: Maker) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "methods.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w:]+)` \|.*\| ([\d,]+) \| ([\d,]+) \|$", page, re.MULTILINE)
    told = {name: (int(calls.replace(",", "")), int(base.replace(",", "")) // 50) for name, calls, base in rows}
    assert told == COUNTS | {"file:PATH": (0, 4)}
    [[calls, base]] = re.findall(r"^\| `common_first` \|.*\| at most ([\d,]+) \| at most ([\d,]+) \|$", page, re.MULTILINE)
    config = config_of(
        tasks=[make_task(name, 90) for name in "abcd"], base=WRONG, optimizer=WRONG, method="common_first", preset="paper",
        test_size=0, proposal_attempts=1,
    )  # fmt: skip
    planned = {role: sum(need.calls for need in plan(config) if need.role == role) for role in ("base", "optimizer")}
    assert planned == {"base": int(base.replace(",", "")), "optimizer": int(calls)}
    # The page's own example is a method too once it has run.
    assert set(told) == {method.name for method in known_methods()} - {"trim", "common_first"}
    [example] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert example.count("\n") < 30


@pytest.mark.long
@pytest.mark.parametrize("method", SEARCHES)
def test_what_is_kept(method: str, make_task: Maker, store_path: Path, open_store: Any) -> None:
    """The rules of selection, worked out again from what the candidates scored."""
    result = metaspo.optimize(**settings(make_task, store_path, method))
    db, keep = open_store().db, 3
    every = [row for row in candidates(db, result.run) if row.status != "seed"]
    stood: dict[tuple[int, str], list[tuple[str, float]]] = {}
    incumbents: dict[int, str] = {}
    for at, task, system, user, score in db.execute(
        'SELECT round, task, system, "user", score FROM standing WHERE run = ? ORDER BY round, task, position', [result.run]
    ):
        stood.setdefault((at, task), []).append((user, score))
        incumbents[at] = system if task else incumbents.get(at, "")
    meta = {row.round: row.score for row in result.report.rounds}
    for row in result.report.rounds[1:-1]:
        here = [one for one in every if one.round == row.round]
        if row.level == "user":
            assert incumbents[row.round] == incumbents[row.round - 1]
            for task in "ab":
                new = [(one.prompt or "", one.score or 0.0) for one in here if one.task == task]
                old = stood[row.round - 1, task]
                assert stood[row.round, task] == sorted([*old, *new], key=lambda pair: -pair[1])[:keep]
            continue
        best, score = incumbents[row.round - 1], meta[row.round - 1]
        others = stood.get((row.round - 1, ""), [])
        tried = [(best, score), *others]
        for one in here:
            if one.prompt is not None and one.score is not None:
                tried.append((one.prompt, one.score))
                if one.score > score + 1e-9:
                    best, score = one.prompt, one.score
        assert (incumbents[row.round], row.score) == (best, pytest.approx(score))
        losers = dict(pair for pair in tried if pair[0] != best)
        beam = [id for id, _ in sorted(losers.items(), key=lambda pair: -round(pair[1], 9))][: keep - 1]
        assert [id for id, _ in stood.get((row.round, ""), [])] == (beam if method == "sprig" else [])
    assert any(row.accepted for row in result.report.rounds)


def test_ape_induces_then_paraphrases_what_it_kept(make_task: Maker, store_path: Path, open_store: Any) -> None:
    result = metaspo.optimize(**settings(make_task, store_path, "ape", iterations=1))
    asked = requests(store_path, result.run)
    induced = [text for text in asked if "right outputs" in text]
    assert len(induced) == 4 and all(text.count('{"input"') == 10 for text in induced)
    # The train examples of a task only, and never those of another one.
    assert all(("that a likes" in text) != ("that b likes" in text) for text in induced)
    assert all("in other words" in text for text in asked[4:]) and len(asked) == 4 + 2 * 2 * 6
    made = [row for row in candidates(open_store().db, result.run) if row.status != "seed"]
    assert {row.parent for row in made if row.round == 1} == {None}
    before = {
        (r - 1, t): {
            u
            for (u,) in open_store().db.execute(
                'SELECT "user" FROM standing WHERE run = ? AND round = ? AND task = ?', [result.run, r - 1, t]
            )
        }
        for r in (2, 3)
        for t in "ab"
    }
    assert all(row.parent in before[row.round - 1, row.task] for row in made if row.round > 1)


def test_metaspo_ape_induces_both_levels_from_train_alone(make_task: Maker, store_path: Path, open_store: Any) -> None:
    result = metaspo.optimize(**settings(make_task, store_path, "metaspo_ape", iterations=1))
    asked = requests(store_path, result.run)
    assert len(asked) == 2 * 2 + 6 and not any("wrong" in text for text in asked)
    system = [text for text in asked if "several different tasks" in text]
    assert [text.count("that a likes") for text in system] == [text.count("that b likes") for text in system] == [5] * 6
    train = {
        question
        for (question,) in open_store().db.execute(
            "SELECT x.question FROM outcomes o JOIN evaluations e ON e.id = o.evaluation AND e.split = 'train'"
            " JOIN examples x ON x.task = e.task AND x.id = o.example"
        )
    }
    assert {question for text in asked for question in re.findall(r'"input": "(.*?)"', text)} <= train


def test_metaspo_evo_crosses_what_is_kept(make_task: Maker, store_path: Path) -> None:
    result = metaspo.optimize(**settings(make_task, store_path, "metaspo_evo", iterations=2))
    shown = [
        [json.loads(line)["prompt"] for line in text.splitlines() if line.startswith('{"prompt"')]
        for text in requests(store_path, result.run)
    ]
    # Nothing but the seeds is kept at first: two user prompts of each task, then six system prompts.
    assert all(len(prompts) == 1 for prompts in shown[:10])
    assert all(len(set(prompts)) == 2 for prompts in shown[10:]) and len(shown) == 20


def test_sprig_edits_components_by_one_and_rephrases_as_many_as_it_may(
    make_task: Maker, store_path: Path, open_store: Any
) -> None:
    result = metaspo.optimize(**settings(make_task, store_path, "sprig", system_candidates=9, rephrasings=1))
    library = {line for lines in components().values() for line in lines}
    db = open_store().db
    made = [row for row in candidates(db, result.run) if row.level == "system" and row.status != "seed"]
    texts = prompt_texts(db, sorted({row.prompt or "" for row in made} | {row.parent or "" for row in made}))
    kinds = [kind(texts[row.parent or ""], texts[row.prompt or ""], library) for row in made]
    assert kinds[:9] == ["add"] * 8 + ["rephrase"]
    assert kinds.count("rephrase") == 1 + 3 * 3 == result.report.usage.calls["optimizer"]
    assert {"add", "remove", "swap", "rephrase"} == set(kinds)
    assert len({row.prompt for row in made}) >= len(made) - 1
    assert {row.task for row in candidates(db, result.run) if row.level == "user"} == {"a", "b"}
    assert result.user_prompts == {"a": "Say yes or no.\n{question}", "b": "Say yes or no.\n{question}"}


def kind(before: str, after: str, library: set[str]) -> str:
    old, new = lines_of(before), lines_of(after)
    if len(new) > len(old):
        [added] = [line for line in new if line not in old]
        assert added in library and [line for line in new if line != added] == old
        return "add"
    if len(new) < len(old):
        assert any([*old[:at], *old[at + 1 :]] == new for at in range(len(old)))
        return "remove"
    changed = [at for at in range(len(old)) if old[at] != new[at]]
    if sorted(old) == sorted(new):
        assert len(changed) == 2
        return "swap"
    assert len(changed) == 1 and "\n" not in new[changed[0]]
    return "rephrase"


def test_sprig_without_rephrasing_needs_no_optimizer_model(make_task: Maker, store_path: Path) -> None:
    result = metaspo.optimize(**settings(make_task, store_path, "sprig", rephrasings=0, optimizer=NOBODY))
    assert result.stopped is None and set(result.report.usage.calls) == {"base"}
    assert result.report.rounds[-2].score >= result.report.rounds[0].score
    with pytest.raises(metaspo.MetaspoError, match="cannot be imported"):
        metaspo.optimize(**settings(make_task, store_path, "sprig", rephrasings=1, optimizer=NOBODY))


@pytest.mark.parametrize("method", FIXED[1:])
def test_fixed_prompts_are_scored_as_they_are(method: str, make_task: Maker, store_path: Path) -> None:
    given = settings(make_task, store_path, method, optimizer=NOBODY, system_prompt="Something else.")
    result = metaspo.optimize(**given)
    assert result.system_prompt == fixed_text(method) and result.report.run.method == method
    assert [row.level for row in result.report.rounds] == ["seed", "test"]
    assert {task.difference.value for task in result.report.tasks} == {0.0}


def test_a_prompt_from_a_file_is_read_once(make_task: Maker, store_path: Path, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "mine.txt").write_text("Mind the gap.\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    given = settings(make_task, store_path, "file:mine.txt", optimizer=NOBODY, budget={"calls": 25})
    stopped = metaspo.optimize(**given)
    assert stopped.stopped is not None
    (tmp_path / "mine.txt").write_text("", encoding="utf-8")
    result = metaspo.resume(stopped.run, store=store_path, **{"budget.calls": 1000})
    assert result.system_prompt == "Mind the gap." and result.report.usage.calls == {"base": 2 * 10 + 2 * 4}
    for path, complaint in (("mine.txt", "is empty"), ("none.txt", "No such file"), ("", "director")):
        with pytest.raises(ConfigError, match=complaint):
            metaspo.optimize(**settings(make_task, store_path, f"file:{path}"))


def test_kept_user_prompts_can_be_scored_under_a_fixed_prompt(make_task: Maker, store_path: Path) -> None:
    parent = metaspo.optimize(**settings(make_task, store_path, "protegi", iterations=1))
    child = metaspo.branch(parent.run, store=store_path, method="cot")
    assert child.system_prompt == fixed_text("cot")
    assert set(child.user_prompts.values()) <= {prompt for prompts in parent.report.user_after.values() for prompt in prompts}


@pytest.mark.parametrize("method", SEARCHES)
def test_nothing_is_proposed_where_nothing_fails(method: str, make_task: Maker, store_path: Path) -> None:
    rows = [{"question": f"{i}?", "answer": "yes"} for i in range(30)]
    result = metaspo.optimize(
        **settings(
            make_task,
            store_path,
            method,
            tasks=[make_task("a", examples=rows)],
            base="scripted:tests.helpers.scripts:always_yes",
        )
    )
    assert [row.level for row in result.report.rounds] == ["seed", "test"]
    assert set(result.report.usage.calls) == {"base"}


@pytest.mark.long
@pytest.mark.parametrize("method", [name for name in SEARCHES if name != "metaspo"])
def test_stopped_and_resumed_or_branched_it_ends_as_undisturbed(method: str, make_task: Maker, tmp_path: Path) -> None:
    sizes = {"iterations": 2 if method.startswith("metaspo") else 1, "train_size": 6}
    whole = metaspo.optimize(**settings(make_task, tmp_path / "whole.db", method, **sizes))
    calls = whole.report.usage.total_calls
    path = tmp_path / "parts.db"
    part = metaspo.optimize(**settings(make_task, path, method, budget={"calls": calls // 3}, **sizes))
    assert part.stopped is not None
    part = metaspo.resume(part.run, store=path, **{"budget.calls": 2 * calls // 3})
    assert part.stopped is not None
    part = metaspo.resume(part.run, store=path, **{"budget.calls": calls})
    assert part.stopped is None and part.report.usage.total_calls == calls
    assert trace(path, part.run) == trace(tmp_path / "whole.db", whole.run)

    middle = len(whole.report.rounds) // 2
    child = metaspo.branch(whole.run, at=middle, store=tmp_path / "whole.db")
    assert child.report.usage.total_calls == 0
    grown, parent = trace(tmp_path / "whole.db", child.run), trace(tmp_path / "whole.db", whole.run)
    later: list[CandidateRow] = [[row for row in rows if row[0] > middle] for rows in grown]  # type: ignore[assignment]
    assert later == [[row for row in rows if row[0] > middle] for rows in parent]
