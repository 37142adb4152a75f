"""What every report sets beside its scores."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from metaspo.domain.excerpts import excerpt
from metaspo.domain.results import UNGRADED
from metaspo.reports.claims import claim
from metaspo.reports.export import export
from metaspo.reports.report import Report, open_report
from metaspo.reports.words import controls
from metaspo.store.database import Store

from ..helpers.written import FOUND, SEED, WrittenRun

GOLDS = ["yes", "yes", "yes", "no"]


@pytest.fixture
def run(open_store: Callable[[], Store]) -> WrittenRun:
    return WrittenRun(open_store(), reason="4 steps in a row changed nothing")


def report_of(run: WrittenRun, path: Path, **score: object) -> Report:
    """The report of a run that is right once in four with the seeds and three times with what it found."""
    user = run.seed_user("a")
    run.score("a", "train", (SEED, user), ["yes", None, None, "yes"])
    run.close(0, "seed", SEED)
    run.score("a", "train", (FOUND, user), ["yes", "yes", "no", "no"])
    run.close(1, "system", FOUND)
    run.score("a", "test", (SEED, user), ["yes", None, None, "yes"])
    run.score("a", "test", (FOUND, user), ["yes", "yes", None, "no"], **score)
    run.close(2, "test", FOUND)
    return open_report(path)


def test_shares_lengths_tokens_and_what_could_not_be_read(run: WrittenRun, store_path: Path) -> None:
    run.task("a", GOLDS)
    [task] = report_of(run, store_path, replies=["yes", "yes", "\x1b[31mred\x07 \u202ealert\n" + "x" * 500, "no"]).tasks
    before, after = task.replies_before, task.replies_after
    assert (before.right, before.wrong, before.unparsed, before.ungraded) == (0.25, 0.25, 0.5, 0)
    assert (after.right, after.wrong, after.unparsed, after.ungraded) == (0.75, 0, 0.25, 0)
    assert (before.system_length, after.system_length) == (len(SEED), len(FOUND)) and after.user_length == len(
        run.seed_user("a")
    )
    assert (before.input_tokens, after.input_tokens, after.output_tokens) == (len(SEED), len(FOUND), 2)
    assert (task.unparsed_before, task.unparsed_after, task.majority) == (0.5, 0.25, 0.75)
    [unread] = task.unread
    assert unread.startswith("\ufffd[31mred\ufffd \ufffdalert xxx") and unread.endswith("...") and len(unread) < 110


def test_an_answer_without_a_grade_is_no_wrong_one(run: WrittenRun, store_path: Path) -> None:
    run.task("a", GOLDS, metric={"kind": "judge", "rubric": "It is good."})
    [task] = report_of(run, store_path, explanation=UNGRADED).tasks
    assert task.replies_after.ungraded == 0.75 and task.replies_after.right == 0
    assert task.majority is None


def test_the_gap_between_splits_the_worst_task_and_why_it_ended(run: WrittenRun, store_path: Path) -> None:
    run.task("a", GOLDS)
    report = report_of(run, store_path)
    assert (report.splits.train, report.splits.validation, report.splits.test) == (0.75, None, 0.75)
    assert report.worst is not None and (report.worst.task, report.worst.change) == ("a", 0.5)
    assert report.run.reason == "4 steps in a row changed nothing"


def test_a_task_that_lost_is_named(run: WrittenRun, store_path: Path) -> None:
    for name in "ab":
        run.task(name, GOLDS)
        run.score(name, "train", (SEED, run.seed_user(name)), ["yes", "yes", "no", "yes"])
    run.close(0, "seed", SEED)
    run.score("a", "train", (FOUND, run.seed_user("a")), ["yes", "yes", "yes", "no"])
    run.score("b", "train", (FOUND, run.seed_user("b")), ["yes", "no", "no", "yes"])
    run.close(1, "system", FOUND)
    report = open_report(store_path)
    assert report.worst is not None and (report.worst.task, report.worst.change) == ("b", -0.25)
    assert "Lost most on the selecting examples: b, -25.0." in controls(report)


def test_what_the_format_alone_brings(run: WrittenRun, store_path: Path) -> None:
    run.task("a", GOLDS, user_prompt="a: {question}\n\nSay yes or no.", answer_format="Say yes or no.")
    run.seed_user = lambda name: f"{name}: {{question}}\n\nSay yes or no."  # type: ignore[method-assign]
    run.score("a", "test", (SEED, "a: {question}"), [None, None, None, "no"])
    report = report_of(run, store_path)
    assert (report.tasks[0].written, report.tasks[0].before, report.tasks[0].after) == (0.25, 0.25, 0.75)
    assert any(line.startswith("The seeds as written score 25.0;") for line in controls(report))


def test_seeds_that_brought_their_format_have_no_such_control(run: WrittenRun, store_path: Path) -> None:
    run.task("a", GOLDS)
    run.score("a", "test", (SEED, "Something else: {question}"), ["yes", None, None, "yes"])
    assert report_of(run, store_path).tasks[0].written is None


def test_one_test_example_is_never_a_real_gain(run: WrittenRun, store_path: Path) -> None:
    run.task("a", ["yes"])
    run.score("a", "train", (SEED, run.seed_user("a")), ["no"])
    run.close(0, "seed", SEED)
    run.score("a", "test", (SEED, run.seed_user("a")), ["no"])
    run.score("a", "test", (FOUND, run.seed_user("a")), ["yes"])
    run.close(1, "system", FOUND)
    source = open_report(store_path).source
    assert source is not None and (source.value, source.low, source.high) == (1, 1, 1) and not source.is_gain
    assert claim("On the source tasks", source) == (
        "On the source tasks: +100.0 points on 1 example, within noise: no real change is shown "
        "(the two differ on 1 of them; on fewer than 6 no test can tell)."
    )


def test_every_form_is_plain_data_and_short_lines(run: WrittenRun, store_path: Path) -> None:
    run.task("a", GOLDS)
    report = report_of(run, store_path)
    data = json.loads(export(report, "json"))
    assert data["verdict"] == "unconfirmed" and data["splits"]["train"] == 0.75 and data["source"]["p"] == report.source.p  # type: ignore[union-attr]
    assert len(controls(report)) < 12


@pytest.mark.parametrize(("text", "shown"), [("a\tb\n\nc", "a b c"), ("", ""), ("\x9b2J", "\ufffd2J"), ("é 漢字", "é 漢字")])
def test_replies_are_made_safe(text: str, shown: str) -> None:
    assert excerpt(text) == shown
