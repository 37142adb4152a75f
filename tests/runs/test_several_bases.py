"""One prompt for several base models: every pair is scored on each, and the mean or the worst of them is what counts."""

import asyncio
import json
import os
import re
import signal
import sqlite3
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from click.testing import CliRunner

import metaspo
from metaspo import Task
from metaspo.cli.main import main
from metaspo.domain.errors import ConfigError, NoAnswersError
from metaspo.runs.config import config_of, parse_setting, read_config
from metaspo.runs.plan import plan
from metaspo.studies.batch import Planned

from ..helpers import forked
from ..helpers.endpoint import Body, Endpoint, say

pytestmark = pytest.mark.slow

RIGHT = {"a": {False: 4, True: 10}, "b": {False: 6, True: 3}}
"""How many of the last digits each base model is right on, with the first system prompt and with the one proposed."""


def knows(base: str, number: int, special: bool) -> bool:
    return number % 10 < RIGHT[base][special]


def answers(base: str) -> Callable[[web.Request, Body, int], web.Response]:
    def act(request: web.Request, body: Body, number: int) -> web.Response:
        about = int(re.findall(r"Is (\d+) a number", body["messages"][-1]["content"])[0])
        known = knows(base, about, "Special" in body["messages"][0]["content"])
        return say("yes" if (about % 2 == 1) == known else "no")

    return act


def writes(request: web.Request, body: Body, number: int) -> web.Response:
    """An optimizer with one idea, and a variant of it where the idea is known."""
    asked = body["messages"][-1]["content"]
    idea = "Special care, calmly." if "Special care." in asked else "Special care."
    return say(f"<prompt>{idea}</prompt>" if "between <prompt> and </prompt>" in asked else "an analysis")


class Bases:
    """Two base models that differ, and an optimizer, each a server of its own."""

    def __init__(self) -> None:
        self.a, self.b, self.optimizer = Endpoint(answers("a")), Endpoint(answers("b")), Endpoint(writes)

    def spec(self, name: str, **settings: Any) -> str:
        at = {"a": self.a, "b": self.b, "optimizer": self.optimizer}[name]
        return ",".join([f"server:{name}", f"base_url={at.url}", "patience=20", *(f"{k}={v}" for k, v in settings.items())])

    def settings(self, *names: str, **more: Any) -> dict[str, Any]:
        base = [self.spec(name) for name in names or ("a", "b")]
        sizes = {"train_size": 20, "test_size": 10, "iterations": 1, "system_candidates": 1, "validation_size": 0}
        return {"base": base, "optimizer": self.spec("optimizer"), "method": "outer_only", "preset": "paper", **sizes, **more}

    def close(self) -> None:
        for endpoint in (self.a, self.b, self.optimizer):
            endpoint.close()


@pytest.fixture
def bases() -> Iterator[Bases]:
    made = Bases()
    yield made
    made.close()


def share(store: Path, base: str, split: str, special: bool) -> float:
    """What a base model scores on a split, worked out from the questions of it."""
    with closing(sqlite3.connect(store)) as db:
        asked = (
            "SELECT DISTINCT o.example, x.question FROM evaluations e JOIN outcomes o ON o.evaluation = e.id JOIN examples x"
        )
        rows = db.execute(f"{asked} ON x.id = o.example AND x.task = e.task WHERE e.split = ?", [split]).fetchall()
    known = [knows(base, int(re.findall(r"\d+", question)[0]), special) for _, question in rows]
    return sum(known) / len(known)


@pytest.mark.parametrize("counting", ["mean", "worst"])
def test_a_prompt_that_helps_one_and_hurts_the_other(
    counting: str, bases: Bases, make_task: Callable[..., Task], store_path: Path
) -> None:
    config = config_of(tasks=[make_task("t", 60)], store=store_path, bases=counting, **bases.settings())
    report = metaspo.optimize(config).report

    def counted(split: str, special: bool) -> float:
        each = [share(store_path, base, split, special) for base in ("a", "b")]
        return min(each) if counting == "worst" else sum(each) / 2

    assert (
        counted("train", True) > counted("train", False)
        if counting == "mean"
        else counted("train", True) < counted("train", False)
    )
    taken = counting == "mean"
    assert (report.system_after == "Special care.") == taken
    assert report.train_before == pytest.approx(counted("train", False))
    assert report.train_after == pytest.approx(counted("train", taken))
    [task] = report.tasks
    assert task.before == pytest.approx(counted("test", False)) and task.after == pytest.approx(counted("test", taken))
    assert task.difference.value == pytest.approx(task.after - task.before)
    assert [one.model for one in task.models] == ["server:a", "server:b"]
    for base, one in zip(("a", "b"), task.models, strict=True):
        assert one.before == pytest.approx(share(store_path, base, "test", False))
        assert one.after == pytest.approx(share(store_path, base, "test", taken))
    assert report.base == f"server:a, server:b ({counting})"
    # Train with the first prompt and those of two steps, test with the first one and the last. Where nothing was taken, the
    # second step proposes what is known, and first and last are one.
    assert len(bases.a.seen) == len(bases.b.seen) == (2 + taken) * 20 + (1 + taken) * 10
    assert report.usage.calls["base"] == len(bases.a.seen) + len(bases.b.seen)
    planned = sum(need.calls for need in plan(config) if need.role == "base")
    assert planned == report.usage.calls["base"] + (0 if taken else 2 * (20 + 10))
    found = metaspo.verify(store=store_path)
    assert found.findings.well, (found.findings.differences, found.findings.unchecked)


def test_the_optimizer_is_shown_what_the_worse_model_said(
    bases: Bases, make_task: Callable[..., Task], store_path: Path
) -> None:
    metaspo.optimize(tasks=[make_task("t", 60)], store=store_path, **bases.settings() | {"test_size": 0})
    with closing(sqlite3.connect(store_path)) as db:
        rows = db.execute(
            "SELECT o.example, x.question, o.score, o.failed, c.model FROM evaluations e JOIN outcomes o ON o.evaluation = e.id"
            " JOIN examples x ON x.id = o.example JOIN calls c ON c.key = o.call WHERE e.model LIKE '{%' ORDER BY e.rowid LIMIT 20"
        ).fetchall()
    assert len(rows) == 20
    for _, question, score, failed, model in rows:
        right = {base: knows(base, int(re.findall(r"\d+", question)[0]), False) for base in ("a", "b")}
        assert score == sum(right.values()) / 2 and bool(failed) == (score < 1)
        assert right[model.removeprefix("server:")] == (score == 1)


def test_one_alone_shares_the_scores_of_both(bases: Bases, make_task: Callable[..., Task], store_path: Path) -> None:
    common = {"tasks": [make_task("t", 60)], "store": store_path, "method": "fixed", "train_size": 20, "test_size": 10}
    both = metaspo.optimize(base=[bases.spec("a"), bases.spec("b")], **common).report
    assert both.usage.calls["base"] == len(bases.a.seen) + len(bases.b.seen) == 2 * 30
    for name, at in (("a", 0), ("b", 1)):
        alone = metaspo.optimize(base=bases.spec(name), **common).report
        assert alone.usage.total_calls == 0 and alone.tasks[0].after == both.tasks[0].models[at].after
        assert alone.tasks[0].models == []
    assert metaspo.optimize(base=[bases.spec("b"), bases.spec("a")], bases="worst", **common).report.usage.total_calls == 0
    assert metaspo.verify(store=store_path).well


def test_a_list_of_one_is_that_one(bases: Bases, make_task: Callable[..., Task], store_path: Path) -> None:
    one, listed = (
        config_of(tasks=[make_task("t")], store=store_path, preset="quick", method="fixed", base=base)
        for base in (bases.spec("a"), [bases.spec("a")])
    )
    assert one == listed and one.context().model_dump() == listed.context().model_dump()
    ids = [
        Planned("", config.problem(), config.context().model_copy(update={"bases": counting})).run
        for config in (one, listed)
        for counting in ("mean", "worst")
    ]
    assert len(set(ids)) == 1
    metaspo.optimize(one)
    asked = len(bases.a.seen)
    assert metaspo.optimize(listed).report.usage.total_calls == 0 and len(bases.a.seen) == asked


def test_what_counts_is_part_of_a_run_of_several(bases: Bases, make_task: Callable[..., Task], store_path: Path) -> None:
    config = config_of(tasks=[make_task("t", 60)], store=store_path, **bases.settings(budget={"calls": 30}))
    stopped = metaspo.optimize(config)
    assert stopped.stopped is not None
    with pytest.raises(ConfigError, match="selects by the mean of its base models' scores"):
        metaspo.resume(stopped.run, store=store_path, bases="worst")
    cli = CliRunner().invoke(main, ["resume", stopped.run, "--store", str(store_path), "--set", "bases=worst"])
    assert cli.exit_code == 2 and "metaspo branch" in cli.output
    assert metaspo.resume(stopped.run, store=store_path, **{"budget.calls": 10_000}).report.run.status == "done"
    assert len(bases.a.seen) == len(bases.b.seen) == 3 * 20 + 2 * 10
    ids = {
        Planned("", config.problem(), config.context().model_copy(update={"bases": counting})).run
        for counting in ("mean", "worst")
    }
    assert len(ids) == 2


@pytest.mark.slow
def test_killed_and_resumed(bases: Bases, make_task: Callable[..., Task], store_path: Path) -> None:
    """A SIGKILL while both are at work loses nothing that was answered, and the end is the same."""
    undisturbed = metaspo.optimize(
        tasks=[make_task("t", 60)], store=store_path.with_name("undisturbed.db"), **bases.settings()
    ).report
    answered: list[str] = []
    held, free = threading.Event(), threading.Event()  # The servers' loop is not this thread's.

    def slowly(base: str, most: int) -> Callable[[web.Request, Body, int], Any]:
        async def act(request: web.Request, body: Body, number: int) -> Any:
            if number > most and not free.is_set():
                held.set()
                await asyncio.to_thread(free.wait)
                return None
            answered.append(f"{base} {json.dumps(body)}")
            return answers(base)(request, body, number)

        return act

    for endpoint, name, most in ((bases.a, "a", 33), (bases.b, "b", 27)):
        endpoint.seen.clear()
        endpoint.act = slowly(name, most)
    settings = bases.settings(store=str(store_path))
    task = make_task("t", 60).model_dump(mode="json", by_alias=True, exclude_defaults=True)
    code = f"import metaspo; metaspo.optimize(tasks=[{task!r}], **{settings!r})"
    process = forked.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2], stderr=forked.PIPE)
    assert held.wait(60)
    time.sleep(0.5)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    free.set()
    report = metaspo.resume(store=store_path).report
    assert report.run.status == "done" and report.system_after == undisturbed.system_after
    assert [(task.before, task.after) for task in report.tasks] == [(task.before, task.after) for task in undisturbed.tasks]
    assert [(one.model, one.after) for one in report.tasks[0].models] == [
        (one.model, one.after) for one in undisturbed.tasks[0].models
    ]
    assert Counter(answered).most_common(1)[0][1] == 1 and len(answered) == undisturbed.usage.calls["base"]
    assert metaspo.verify(store=store_path).well


def test_macro_f1_is_the_mean_of_each_models_own(bases: Bases, make_task: Callable[..., Task], store_path: Path) -> None:
    task = make_task("t", 60, metric={"kind": "macro_f1"})
    [found] = metaspo.optimize(tasks=[task], store=store_path, **bases.settings()).report.tasks
    for when in ("before", "after"):
        assert getattr(found, when) == pytest.approx(sum(getattr(one, when) for one in found.models) / 2)
    assert found.difference.value == pytest.approx(found.after - found.before) and found.after != found.before
    assert metaspo.verify(store=store_path).well


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("UPDATE evaluations SET score = 0.9 WHERE model LIKE '{%'", "mean"),
        ("UPDATE outcomes SET score = 1 WHERE evaluation IN (SELECT id FROM evaluations WHERE model LIKE '{%')", "outcome"),
        (
            "UPDATE outcomes SET answer = 'x' WHERE evaluation IN (SELECT id FROM evaluations WHERE model = 'server:a')",
            "outcome",
        ),
        ("UPDATE evaluations SET score = 0.9 WHERE model = 'server:b'", "mean"),
        ("DELETE FROM evaluations WHERE model = 'server:b'", "mean"),
    ],
)
def test_what_somebody_changed_is_told(
    change: str, what: str, bases: Bases, make_task: Callable[..., Task], store_path: Path
) -> None:
    metaspo.optimize(tasks=[make_task("t", 60)], store=store_path, **bases.settings())
    with closing(sqlite3.connect(store_path)) as db:
        assert db.execute(change).rowcount
        db.commit()
    found = metaspo.verify("last", store=store_path).findings
    assert what in {one.what for one in found.differences}, found.differences


def test_staged_judging_and_user_prompts(make_task: Callable[..., Task], store_path: Path) -> None:
    """A search of user and system prompts in stages, on two scripted models, stays within its plan and is found again."""
    models = [f"scripted:tests.helpers.scripts:{name}" for name in ("uneven", "always_yes")]
    for counting in ("mean", "worst"):
        config = config_of(
            tasks=[make_task("a"), make_task("b")], targets=[make_task("c")], base=models, optimizer=models[0], bases=counting,
            store=store_path.with_name(f"{counting}.db"), preset="quick", method="common_first", judging="staged", iterations=1,
            system_steps=1, user_steps=1,
        )  # fmt: skip
        report = metaspo.optimize(config).report
        planned = sum(need.calls for need in plan(config) if need.role == "base")
        assert 0 < report.usage.calls["base"] <= planned
        assert [len(task.models) for task in report.tasks] == [2, 2, 2]
        found = metaspo.verify(store=config.store).findings
        assert found.well, (found.differences, found.unchecked)


def test_one_that_never_answers_is_named(bases: Bases, make_task: Callable[..., Task], store_path: Path) -> None:
    bases.b.act = lambda request, body, number: say("", "length")
    with pytest.raises(NoAnswersError, match="server:b: none of the first"):
        metaspo.optimize(tasks=[make_task("t", 60)], store=store_path, **bases.settings())
    bases.b.act = answers("b")
    assert metaspo.resume(store=store_path).report.run.status == "done"
    assert metaspo.verify(store=store_path).well


def test_a_generalization_on_several(bases: Bases, make_task: Callable[..., Task], store_path: Path) -> None:
    report = metaspo.generalize(
        tasks=[make_task("t", 60)], base=[bases.spec("a"), bases.spec("b")], store=store_path, system_prompt="Special care.",
        user_prompts={"t": ["Say yes or no.\n{question}"]}, test_size=10,
    )  # fmt: skip
    [task] = report.tasks
    for side, special in ((task.candidate, True), (task.baseline, False)):
        assert side.mean.value == pytest.approx(sum(share(store_path, base, "test", special) for base in ("a", "b")) / 2)
    assert len(bases.a.seen) == len(bases.b.seen) == 20
    assert metaspo.verify(store=store_path).well


def test_the_command_line(bases: Bases, tmp_path: Path) -> None:
    rows = [{"question": f"Is {i} a number?", "answer": "yes" if i % 2 else "no"} for i in range(40)]
    block = {"name": "t", "examples": rows, "user_prompt": "Say yes or no.\n{question}",
             "reader": {"kind": "choice", "labels": ["yes", "no"], "from": "reply"}}  # fmt: skip
    config = tmp_path / "config.yaml"
    given = {"tasks": [block], "method": "fixed", "train_size": 10, "test_size": 10, "store": "m.db"}
    config.write_text(yaml.safe_dump(given), encoding="utf-8")
    options = ["--base", bases.spec("a"), "--base", bases.spec("b"), "--set", "bases=worst"]
    done = CliRunner().invoke(main, ["optimize", str(config), *options, "--json"])
    assert done.exit_code == 0, done.output
    data = json.loads(done.stdout)
    assert [one["model"] for one in data["tasks"][0]["models"]] == ["server:a", "server:b"]
    assert data["base"] == "server:a, server:b (worst)"
    shown = CliRunner().invoke(main, ["show", "--store", str(tmp_path / "m.db")]).output
    assert "by base model" in shown and "server:a" in shown and "server:b" in shown


def test_how_several_are_written(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    written = "base: [openai:gpt-4o-mini, server:llama,base_url=http://127.0.0.1:8000/v1,temperature=0.5]\n"
    config.write_text(written, encoding="utf-8")
    found = read_config(config).base_models
    assert [str(spec) for spec in found] == [
        "openai:gpt-4o-mini",
        "server:llama,base_url=http://127.0.0.1:8000/v1,temperature=0.5",
    ]
    key, value = parse_setting("base=[openai:x,temperature=0, local:smollm2]")
    assert [str(spec) for spec in config_of(**{key: value}).base_models] == ["openai:x,temperature=0.0", "local:smollm2"]
    assert parse_setting("base=openai:x,temperature=0") == ("base", "openai:x,temperature=0")
    for wrong, says in (([], "empty"), (["openai:x", "openai:x"], "twice")):
        with pytest.raises(ConfigError, match=says):
            config_of(base=wrong)


def test_one_model_asked_alike_counts_once(bases: Bases, make_task: Callable[..., Task], store_path: Path) -> None:
    with pytest.raises(ConfigError, match="the same model, asked alike"):
        metaspo.optimize(
            tasks=[make_task("t")],
            store=store_path,
            preset="quick",
            method="fixed",
            base=[bases.spec("a"), bases.spec("a", concurrency=3)],
        )
    assert bases.a.seen == []
