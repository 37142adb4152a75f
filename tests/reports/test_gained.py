"""The sentence of what was gained, for runs of every kind and status: it says what the figures carry, and no more."""

from collections.abc import Callable
from pathlib import Path

import pytest

from metaspo import generalize
from metaspo.reports.gained import gained_says
from metaspo.reports.generalization import GeneralizationReport
from metaspo.reports.pages.score_curve import score_curve
from metaspo.reports.report import open_report
from metaspo.reports.words import placebo_says
from metaspo.store.database import Store

from ..helpers.written import FOUND, SEED, WrittenRun

SIZE = 40


def answers(right: int) -> list[str | None]:
    return ["yes"] * right + ["no"] * (SIZE - right)


class Told:
    """A run with two source tasks and an unseen one, of 40 examples each; `says` is the sentence about what is written so far."""

    def __init__(self, store: Store, path: Path, **about: object) -> None:
        self.run, self.path = WrittenRun(store, **about), path  # type: ignore[arg-type]
        for name in "ab":
            self.run.task(name, ["yes"] * SIZE)
        self.run.task("c", ["yes"] * SIZE, role="target")

    def score(self, split: str, names: str, seeds: int, found: int | None = None) -> None:
        for name in names:
            for system, right in ((SEED, seeds), (FOUND, found)):
                if right is not None:
                    self.run.score(name, split, (system, self.run.seed_user(name)), answers(right))  # type: ignore[arg-type]

    def searched(self) -> None:
        self.score("train", "ab", 24)
        self.run.close(0, "seed", SEED)
        for name in "ab":
            self.run.score(name, "train", (FOUND, self.run.seed_user(name)), answers(36))
        self.run.close(1, "system", FOUND)

    @property
    def says(self) -> str:
        return gained_says(open_report(self.path))


@pytest.fixture
def told(open_store: Callable[[], Store], store_path: Path) -> Callable[..., Told]:
    return lambda **about: Told(open_store(), store_path, **about)


def test_a_real_gain_that_is_confirmed_and_unseen_tasks(told: Callable[..., Told]) -> None:
    run = told()
    run.searched()
    run.score("validation", "ab", 20, 30)
    run.run.close(2, "confirm", FOUND)
    run.score("test", "ab", 20, 28)
    run.score("test", "c", 20, 21)
    run.run.close(3, "test", FOUND)
    assert run.says == (
        "Test scores rose by 20.0 points, from 50.0% to 70.0%, on 80 examples of 2 tasks, a real gain (paired test, p < 0.001). "
        "On 40 examples of 1 unseen task they rose by 2.5 points, from 50.0% to 52.5%, within noise (the two differ on 1 of them; "
        "on fewer than 6 no test can tell). Confirmed: +25.0 points over the seeds on 80 examples kept back (paired test, "
        "p < 0.001)."
    )


def test_a_test_that_nothing_confirms(told: Callable[..., Told]) -> None:
    run = told(method="metaspo")
    run.searched()
    run.score("test", "ab", 30, 20)
    run.run.close(2, "test", FOUND)
    assert run.says == (
        "Test scores fell by 25.0 points, from 75.0% to 50.0%, on 80 examples of 2 tasks, a real loss (paired test, p < 0.001). "
        "Unconfirmed: this method keeps no examples back."
    )


def test_too_few_examples(told: Callable[..., Told]) -> None:
    run = told()
    run.searched()
    run.score("validation", "ab", 20, 21)
    run.run.close(2, "confirm", FOUND)
    run.score("test", "ab", 20, 20)
    run.run.close(3, "test", FOUND)
    assert run.says.startswith("Test scores did not change on 80 examples of 2 tasks, alike on every one of them. ")
    assert "+2.5 points over the seeds on 80 examples kept back (the two differ on 2 of them" in run.says
    assert "gain" not in run.says and "Confirmed" not in run.says


def test_seeds_that_came_back_are_no_gain(told: Callable[..., Told]) -> None:
    run = told()
    run.searched()
    run.score("validation", "ab", 30, 20)
    run.run.close(2, "confirm", SEED)
    assert run.says == (
        "Nothing was gained: the prompts found did worse on 80 examples kept back (-25.0 points), so the run returned the prompts "
        "that it began with."
    )


def test_a_search_that_found_nothing(told: Callable[..., Told]) -> None:
    run = told()
    run.score("train", "ab", 24)
    run.run.close(0, "seed", SEED)
    run.run.close(1, "system", SEED)
    run.score("test", "ab", 30)
    run.run.close(2, "test", SEED)
    assert run.says == (
        "Nothing was gained: the run ended with the prompts that it began with. They score 75.0% on 80 examples of 2 tasks of the "
        "test."
    )


def test_what_selected_is_never_called_a_gain(told: Callable[..., Told]) -> None:
    run = told(status="stopped", reason="the budget of 100 calls is spent")
    assert run.says == (
        "Nothing is known yet: the run has not scored the prompts that it begins with. "
        "The run has stopped: the budget of 100 calls is spent."
    )
    run.searched()
    run.run.store.db.execute("UPDATE rounds SET score = CASE round WHEN 0 THEN 0.6 ELSE 0.9 END")
    assert run.says == (
        "On the 80 examples of 2 tasks that select, the score rose by 30.0 points, from 60.0% to 90.0%. Part of that is the luck "
        "of being selected, and no final test has been made. Not confirmed yet: the run has not come that far. "
        "The run has stopped: the budget of 100 calls is spent."
    )


def test_what_is_confirmed_without_a_test(told: Callable[..., Told]) -> None:
    run = told(status="waiting", reason="approval of the prompts found")
    run.searched()
    run.score("validation", "ab", 20, 30)
    run.run.close(2, "confirm", FOUND)
    assert run.says == (
        "Confirmed: +25.0 points over the seeds on 80 examples kept back (paired test, p < 0.001). No final test has been made. "
        "The run waits: approval of the prompts found."
    )


def test_a_placebo_is_a_control_and_takes_from_the_gain(told: Callable[..., Told], open_store: Callable[[], Store]) -> None:
    from metaspo.store.runs import PLACEBO, placebo_id

    run = told(problem={"placebo": True}, method="metaspo")
    run.searched()
    run.score("test", "ab", 20, 28)
    run.run.close(2, "test", FOUND)
    control = told(id=placebo_id("a-run"), method=f"{PLACEBO}metaspo")
    control.searched()
    for name in "ab":
        for system, right in ((SEED, 20), (FOUND, 27)):
            control.run.score(name, "test", (system, control.run.seed_user(name)), answers(right))
    control.run.close(2, "test", FOUND)
    says = gained_says(open_report(run.path, "a-run"))
    assert (
        "a real gain" in says
        and "Beside unrelated texts, chosen in the same way, the difference is +2.5 points, within" in says
    )
    run.run.store.db.execute("UPDATE runs SET parent = 'other', parent_round = 1 WHERE id = 'a-run'")
    branched = open_report(run.path, "a-run")
    assert branched.placebo is not None and branched.placebo.of_branch and "nrelated texts" not in gained_says(branched)
    # Nor does anything else compare the two: neither the words of `show` and of the page, nor the picture.
    [why, paid] = placebo_says(branched.placebo)
    assert "cannot tell" in why and paid.startswith("The placebo paid") and "points" not in why + paid
    curve = score_curve(run.run.store.db, branched.run)
    assert curve is not None and curve.placebo is None
    assert gained_says(open_report(run.path, placebo_id("a-run"))).startswith("A control of unrelated texts, no result: ")


def test_two_system_prompts_compared(make_task: Callable[..., object], store_path: Path) -> None:
    report = generalize(
        system_prompt="Never mind.", against="Be brief.", tasks=[make_task("numbers", 160)], base="scripted:novice",
        optimizer="scripted:novice", prompts=1, store=str(store_path),
    )  # fmt: skip
    assert isinstance(report, GeneralizationReport) and report.overall is not None
    said, change = gained_says(report), report.overall.difference
    assert f"on {change.examples} examples of 1 task" in said and "unseen" not in said
    assert ("a real" in said) == change.is_real and not report.run.reason
