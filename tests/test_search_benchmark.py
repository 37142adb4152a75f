"""The simulated worlds of `benchmarks/` are the same everywhere, and the benchmark counts every call of a search."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]

PLAYED = """
from random import Random
from worlds import build
sim = build("base", 3)
rows = []
for task in sim.tasks:
    random = Random(task)
    failing = [q for q in sim.train(task) if sim.answer(sim.seed_system, sim.seed_user(task), q) != q.expected]
    rows.append(sim.rewrite("user", sim.seed_system, sim.seed_user(task), failing[:3], random))
    rows += [sim.answer(sim.seed_system, rows[-1], q) for q in sim.test(task)]
print(hash_of(rows))
"""


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a script in `benchmarks/` can import."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    yield
    for name in {name for name in set(sys.modules) - before if name.partition(".")[0] in ("worlds", "rivals", "search")}:
        del sys.modules[name]


def small() -> Any:
    from worlds import WORLDS, build

    return build(replace(WORLDS["base"], source=2, unseen=1, train=12, test=10), seed=1)


def test_the_calls_of_a_search_are_counted(benchmarks: None) -> None:
    from search import searched

    sim = small()
    row = searched(sim, "metaspo", preset="quick", iterations=1, train_size=12)
    assert row.base == sim.calls["train"] > 0
    assert row.optimizer == sim.calls["optimizer"] > 0
    # Two source tasks and an unseen one, each with the seeds and with what was found, unless that is the same.
    assert 3 * 10 <= sim.calls["test"] <= 6 * 10
    again = searched(small(), "metaspo", preset="quick", iterations=1, train_size=12)
    assert again == row


def test_scores_of_a_report_are_those_of_the_world(benchmarks: None) -> None:
    from search import searched

    sim = small()
    row = searched(sim, "fixed", train_size=12)
    scores = [sim.score(sim.seed_system, sim.seed_user(task), sim.test(task)) for task in sim.source_tasks]
    assert row.source == pytest.approx(sum(scores) / 2)
    assert not row.taken and row.optimizer == 0


def test_worlds_are_the_same_in_every_process() -> None:
    text = "import hashlib, json\ndef hash_of(rows): return hashlib.sha256(json.dumps(rows).encode()).hexdigest()\n" + PLAYED
    runs = [
        subprocess.run(
            [sys.executable, "-c", text], cwd=ROOT / "benchmarks", capture_output=True, text=True, check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert runs[0] == runs[1] != ""


def test_skills_of_both_prompts_count_together(benchmarks: None) -> None:
    from worlds import WORLDS, build
    from worlds.phrases import skill_phrase

    sim = build(replace(WORLDS["base"], flips=0.0, lucky=0.0), seed=0)
    task = sim.source_tasks[0]
    question = next(q for q in sim.train(task) if len(q.needs) == 2 and not q.needs & set(sim.own[task][:1]))
    one, other = sorted(question.needs)
    system, user = f"Be kind.\n{skill_phrase(one)}", f"{skill_phrase(other)}\n{{question}}"
    assert sim.right(system, user, question)
    assert not sim.right(system, "{question}", question) and not sim.right("Be kind.", user, question)
    assert sim.answer(system, user.replace("{question}", question.text), question) == question.expected


def test_the_optimizer_mends_what_the_failures_show(benchmarks: None) -> None:
    from worlds import WORLDS, build

    sim = build(replace(WORLDS["base"], strength=1.0, useless=0.0, harmful=0.0, dropped=0.0, garbled=0.0), seed=0)
    failing = [q for task in sim.source_tasks for q in sim.train(task) if q.revealed][:4]
    made = sim.rewrite("system", sim.seed_system, None, [q.text for q in failing], Random(0))
    assert made.startswith(sim.seed_system)
    assert sim.reading(made).skills and sim.reading(made).skills <= {topic for q in failing for topic in q.revealed}


def test_tables_compare_with_the_first_method(benchmarks: None) -> None:
    from search import Row, table

    rows = [Row("base", seed, name, 10, 2, 0.5 + lead, 0.5, True) for seed in (0, 1) for name, lead in (("a", 0.1), ("b", 0))]
    head, first, second = table(rows, "base")
    assert first[0] == "a" and first[-1] == "" and second[head.index("lead, source")].startswith("+0.100")
    assert json.dumps(second)
