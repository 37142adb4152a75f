"""What a report says of the prompts found: confirmed by a paired test on examples that chose nothing, or not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from metaspo.domain.significance import FEWEST
from metaspo.reports.export import as_data
from metaspo.reports.report import Report, open_report
from metaspo.store.database import Store

from ..helpers.written import FOUND, SEED, WrittenRun


def answers(right: int, size: int) -> list[str | None]:
    return ["yes"] * right + ["no"] * (size - right)


@pytest.fixture
def confirmed(open_store: Callable[[], Store], store_path: Path) -> Callable[..., Report]:
    """The report of a run with two tasks: `seeds` and `found` right answers of `size` held back, and 6 and 9 of 10 trained on."""

    def make(seeds: int, found: int, size: int = 20, returned: bool = False, **about: object) -> Report:
        run = WrittenRun(open_store(), **about)
        for name in "ab":
            run.task(name, ["yes"] * max(size, 10))
        for name in "ab":
            run.score(name, "train", (SEED, run.seed_user(name)), answers(6, 10))
        run.close(0, "seed", SEED)
        for name in "ab":
            run.score(name, "train", (FOUND, run.seed_user(name)), answers(9, 10))
        run.close(1, "system", FOUND)
        for name in "ab":
            run.score(name, "validation", (SEED, run.seed_user(name)), answers(seeds, size))
            run.score(name, "validation", (FOUND, run.seed_user(name)), answers(found, size))
        run.close(2, "confirm", SEED if returned else FOUND)
        return open_report(store_path)

    return make


def test_a_gain_that_the_test_finds_is_confirmed(confirmed: Callable[..., Report]) -> None:
    report = confirmed(8, 16)
    found = report.confirmation
    assert found is not None and (report.verdict, found.verdict) == ("confirmed", "confirmed")
    assert found.change.value == pytest.approx(0.4) and (found.change.examples, found.change.differing) == (40, 16)
    assert found.change.p <= 0.001 and found.selecting == pytest.approx(0.3)
    assert report.verdict_says == "Confirmed: +40.0 points over the seeds on 40 examples kept back (paired test, p < 0.001)."
    assert as_data(report)["verdict"] == "confirmed" and as_data(report)["confirmation"]["change"]["p"] == found.change.p


def test_one_that_enough_examples_do_not_show_is_unconfirmed(confirmed: Callable[..., Report]) -> None:
    report = confirmed(15, 16, size=40)
    assert report.verdict == "unconfirmed" and report.verdict_says.startswith("Unconfirmed: +2.5 points over the seeds on 80")


def test_too_few_examples_are_called_that(confirmed: Callable[..., Report]) -> None:
    report = confirmed(1, 2, size=4)
    found = report.confirmation
    assert found is not None and report.verdict == "too few" and found.change.differing == 2 < FEWEST
    # 13 examples are what a McNemar test of three in ten mended and none spoilt takes; a third more with four tasks' fewest.
    assert found.needed is not None and 10 <= found.needed <= 15
    assert "the two differ on 2 of them; on fewer than 6 no test can tell" in report.verdict_says
    assert f"takes about {found.needed} examples a task" in report.verdict_says


@pytest.mark.parametrize("size", [1, 2])
def test_a_handful_never_confirms(size: int, confirmed: Callable[..., Report]) -> None:
    report = confirmed(0, size, size=size)
    assert report.verdict == "too few" and report.confirmation is not None and report.confirmation.change.value == 1


def test_seeds_that_came_back_are_told(confirmed: Callable[..., Report]) -> None:
    report = confirmed(16, 12, returned=True)
    assert report.verdict == "unconfirmed" and report.system_after == SEED
    assert report.confirmation is not None and report.confirmation.seeds_returned and report.confirmation.system_found == FOUND
    assert "did worse, so the run returned the seeds" in report.verdict_says


def test_so_is_what_was_kept_all_the_same(confirmed: Callable[..., Report]) -> None:
    report = confirmed(16, 12)
    assert report.confirmation is not None and not report.confirmation.seeds_returned
    assert report.system_after == FOUND and "they were kept all the same" in report.verdict_says


def _searched(store: Store, **about: object) -> None:
    run = WrittenRun(store, **about)
    run.task("a", ["yes"] * 4)
    run.score("a", "train", (SEED, run.seed_user("a")), answers(1, 4))
    run.close(0, "seed", SEED)
    run.score("a", "train", (FOUND, run.seed_user("a")), answers(3, 4))
    run.close(1, "system", FOUND)


@pytest.mark.parametrize("status", ["done", "stopped"])
def test_a_method_that_keeps_no_examples_back_confirms_nothing(
    status: str, open_store: Callable[[], Store], store_path: Path
) -> None:
    _searched(open_store(), method="metaspo", status=status)
    report = open_report(store_path)
    assert report.confirmation is None and report.verdict == "unconfirmed"
    assert report.verdict_says == "Unconfirmed: this method keeps no examples back."


def test_one_that_has_not_come_that_far_says_so(open_store: Callable[[], Store], store_path: Path) -> None:
    _searched(open_store(), status="stopped")
    report = open_report(store_path)
    assert report.verdict == "not yet" and report.verdict_says == "Not confirmed yet: the run has not come that far."


def test_a_method_that_nobody_knows_any_more_confirms_nothing(open_store: Callable[[], Store], store_path: Path) -> None:
    _searched(open_store(), method="somebody's", status="stopped")
    assert open_report(store_path).verdict == "unconfirmed"


def test_what_changed_nothing_has_nothing_to_confirm(open_store: Callable[[], Store], store_path: Path) -> None:
    run = WrittenRun(open_store(), method="fixed")
    run.task("a", ["yes"])
    run.score("a", "train", (SEED, run.seed_user("a")), ["no"])
    run.close(0, "seed", SEED)
    assert "nothing to confirm" in open_report(store_path).verdict_says
