"""The pages of generalizations, adaptations and comparisons, in a real browser, for prompts full of markup."""

import gzip
import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import metaspo
from metaspo import Task
from metaspo.domain.errors import ConfigError
from metaspo.reports.paired_runs import paired_runs
from metaspo.reports.report import open_report
from metaspo.store import runs
from metaspo.store.database import open_store
from metaspo.studies import tested_rounds as by_round
from metaspo.studies.adapt import adapt, plan_adaptation
from metaspo.studies.adaptations import known_adaptation
from metaspo.studies.any_page import open_page
from metaspo.studies.generalize import open_generalization

from ...helpers.browser import Looked, looking_at, needs_browser

pytestmark = pytest.mark.long

UNEVEN = "scripted:tests.helpers.scripts:uneven"
MARKUP = (
    "<script>document.title = 'taken'</script><img src=x onerror=alert(1)>{{ 7 * 7 }} \u202eback</pre></section><b>bold</b>"
)


@dataclass(frozen=True)
class Made:
    """A store with one run of every kind, by their ids."""

    store: str
    first: str
    second: str
    general: str
    adapted: str
    folder: Path

    def page(self, *names: str) -> Path:
        path = self.folder / f"{'-'.join(name[:8] for name in names)}.html"
        path.write_text(open_page(self.store, *names), encoding="utf-8")
        return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, make_task: Callable[..., Task]) -> Made:
    folder = tmp_path_factory.mktemp("kinds")
    store = str(folder / "m.db")
    models: dict[str, Any] = {"base": UNEVEN, "optimizer": UNEVEN, "store": store}
    hostile = {"user_prompt": f"Say yes or no. {MARKUP}\n{{question}}"}
    a, b, x, y = (
        make_task(name, size=120, **hostile) for name in ("a", "a_task_with_a_rather_long_name_that_goes_on", "x", "y")
    )
    small: dict[str, Any] = {"preset": "quick", "iterations": 1, "test_size": 12, **models}
    first = metaspo.optimize(tasks=[a, b], targets=[x, y], system_prompt=f"Be kind. {MARKUP}", **small)
    second = metaspo.optimize(tasks=[a, b], targets=[x], seed=1, method="outer_only", **small)
    general = metaspo.generalize(
        tasks=[x, a],
        **models,
        system_prompt=f"Be careful. {MARKUP}",
        prompts=2,
        train_size=8,
        test_size=10,
        made_by=[first.run],
    )
    (folder / "careful.txt").write_text(f"Be careful. {MARKUP}", encoding="utf-8")
    settings = {"tasks": [x, y], "preset": "quick", "iterations": 1, "train_size": 12, "test_size": 8, **models}
    del settings["store"]
    adapted = adapt(plan_adaptation(str(folder / "careful.txt"), settings, shares=[0.5, 1], store=store))
    return Made(store, first.run, second.run, general.run.id, adapted.curves[0].run, folder)


KINDS: list[tuple[str, ...]] = [("general",), ("adapted",), ("first", "second")]


@needs_browser
@pytest.mark.parametrize("kind", KINDS)
def test_each_page_fits_and_what_prompts_hold_is_text(made: Made, kind: tuple[str, ...]) -> None:
    path = made.page(*(getattr(made, name) for name in kind))
    with looking_at(path, width=1600) as looked:
        for width in (380, 800, 1600):
            looked.page.set_viewport_size({"width": width, "height": 900})
            assert looked.sideways() == 0, width
        assert "taken" not in looked.page.title()
        assert looked.page.locator("main script, main img, main b").count() == 0
        assert "<script>document.title" in looked.page.locator(".diff").first.inner_text()
        assert "{{ 7 * 7 }}" in looked.page.content() and "\u202e" not in looked.page.content()
        _is_readable(looked)


def _is_readable(looked: Looked) -> None:
    """Headings in order, none twice; tables named by their cells; nothing that a reader of screens would stumble over."""
    ids = looked.page.evaluate("[...document.querySelectorAll('[id]')].map(one => one.id)")
    assert len(ids) == len(set(ids))
    named = looked.page.evaluate(
        "[...document.querySelectorAll('[aria-labelledby]')].map(one => one.getAttribute('aria-labelledby'))"
    )
    assert set(named) <= set(ids)
    assert looked.page.locator("h1").count() == 1
    assert looked.page.locator("table:not(:has(th[scope=col]))").count() == 0


@needs_browser
def test_the_figures_of_a_generalization_are_those_of_its_report(made: Made) -> None:
    report = open_generalization(made.store, made.general)
    assert report.overall is not None and report.seen == ["a"]
    with looking_at(made.page(made.general), width=380) as looked:
        rows = looked.page.locator("table.cards tbody tr")
        assert rows.count() == len(report.tasks) + 1
        for at, task in enumerate(report.tasks):
            said = rows.nth(at).inner_text()
            for value in (task.candidate.mean.value, task.baseline.mean.value, task.difference.low, task.difference.high):
                assert f"{100 * value:.1f}" in said
            assert ("(seen)" in said) == (task.task in report.seen)
        # Where there is little room, each figure stands beside its name.
        assert rows.first.evaluate("row => getComputedStyle(row.children[1], '::before').content") == '"Change"'
        looked.page.locator("details").first.locator("summary").click()
        assert MARKUP.split("\u202e")[0] not in looked.page.locator("h1").inner_text()
        texts = looked.page.locator("details[open] li pre").all_inner_texts()
        assert texts == next(iter(report.user_prompts.values()))


@needs_browser
def test_the_figures_of_an_adaptation_are_those_that_the_command_prints(made: Made) -> None:
    with open_store(made.store) as store:
        found = known_adaptation(store, runs.find(store.db, made.adapted))
        rounds = {curve.run: by_round.tested_rounds(store.db, curve.run) for curve in found.curves}
    for curve in found.curves:
        told = [(row.round, row.selecting, row.test.value if row.test else None) for row in rounds[curve.run]]
        assert told == [(at, pytest.approx(score), pytest.approx(test)) for at, score, test in curve.means()]
        assert all(row.test and row.test.low <= row.test.value <= row.test.high for row in rounds[curve.run])
    with looking_at(made.page(made.adapted)) as looked:
        assert looked.page.locator("h1").inner_text().startswith("In the end, the candidate against the baseline")
        assert looked.page.locator("figure.chart").count() == 2
        last = looked.page.locator("table:not(.cards)").first.locator("tbody tr").last.inner_text()
        for curve in found.curves:
            assert f"{100 * (curve.means()[-1][2] or 0):.1f}" in last
        for path in looked.page.locator("path.series, path.area, path.points").all():
            assert re.fullmatch(r"[MLHVhZ\d. -]+", path.get_attribute("d") or "")


def test_an_adaptation_is_known_by_any_of_its_runs(made: Made) -> None:
    with open_store(made.store) as store:
        every = [run for run in runs.all_runs(store.db) if run.method == "adapt"]
        found = [known_adaptation(store, run) for run in every]
        assert len(every) == 4 and all(one == found[0] for one in found)
        assert found[0].system_prompt.startswith("Be careful.")
        # Without the record, as while it is at work or in older stores, it is found by what its searches share.
        bare = [known_adaptation(store, _bare(run)) for run in every]
        assert all(one == found[0] for one in bare)
    assert "In the end" in open_page(made.store, made.adapted)
    assert "In the end" not in open_page(made.store, made.adapted, alone=True)


def _bare(run: runs.Run) -> runs.Run:
    from dataclasses import replace

    return replace(run, config={key: value for key, value in run.config.items() if key != "adaptation"})


@needs_browser
def test_two_runs_are_compared_on_what_both_tested(made: Made) -> None:
    first, second = (open_report(made.store, run) for run in (made.first, made.second))
    with open_store(made.store) as store:
        both = paired_runs(store.db, made.first, made.second)
        back = paired_runs(store.db, made.second, made.first)
    scores = [{task.name: task.after for task in report.tasks} for report in (first, second)]
    assert {task.task: task.first for task in both.tasks if task.first is not None} == pytest.approx(scores[0])
    for one, other in zip(sorted(both.tasks, key=str), sorted(back.tasks, key=str), strict=True):
        assert (one.change is None) == (other.change is None) == bool(one.why_not)
    compared = {task.task: task for task in both.tasks if task.change}
    assert set(compared) == {"a", "a_task_with_a_rather_long_name_that_goes_on", "x"}
    for task in compared.values():
        assert task.change and task.shared == task.change.examples == 12
        assert task.change.value == pytest.approx((task.second or 0) - (task.first or 0))
    assert both.unseen and back.unseen and both.unseen.value == pytest.approx(-back.unseen.value)
    with looking_at(made.page(made.first, made.second)) as looked:
        y = looked.page.locator("table.cards tr", has_text="y (unseen)").inner_text()
        assert "not comparable: only the first run has this task" in y
        assert "method" in looked.page.locator("table.words").inner_text()
        assert "outer_only" in looked.page.locator("table.words").inner_text()


def test_tasks_that_are_scored_in_other_ways_are_not_compared(store_path: Path, make_task: Callable[..., Task]) -> None:
    found = []
    for metric in ("accuracy", "macro_f1"):
        task = make_task("a", metric={"kind": metric})
        found.append(
            metaspo.optimize(tasks=[task], base=UNEVEN, method="fixed", preset="quick", test_size=6, store=str(store_path)).run
        )
    found.append(
        metaspo.optimize(
            tasks=[make_task("b")], base=UNEVEN, method="fixed", preset="quick", test_size=0, store=str(store_path)
        ).run
    )
    with open_store(store_path) as store:
        [task] = paired_runs(store.db, found[0], found[1]).tasks
        assert task.change is None and task.why_not == "the task is not scored alike: metric differs"
        assert [one.why_not for one in paired_runs(store.db, found[2], found[2]).tasks] == ["not tested by either run"]
    page = open_page(store_path, found[0], found[2])
    assert "since no example was tested by both" in page and "only the first run has this task" in page


def test_what_is_not_done_has_a_page_that_says_so(store_path: Path, make_task: Callable[..., Task], tmp_path: Path) -> None:
    models: dict[str, Any] = {"base": UNEVEN, "optimizer": UNEVEN}
    settings: dict[str, Any] = {
        "system_prompt": "Be careful.",
        "prompts": 2,
        "train_size": 10,
        "test_size": 10,
        "budget": {"calls": 1},
    }
    general = metaspo.generalize(tasks=[make_task("a")], **settings, **models, store=str(store_path))
    page = open_page(store_path, general.run.id)
    assert "Nothing is compared yet" in page and f"metaspo resume {general.run.id[:8]}" in page
    (tmp_path / "careful.txt").write_text("Be careful.")
    plan = plan_adaptation(
        str(tmp_path / "careful.txt"),
        {
            "tasks": [make_task("a")],
            "preset": "quick",
            "iterations": 1,
            "train_size": 8,
            "test_size": 4,
            "budget": {"calls": 110},
            **models,
        },
        shares=[0.5, 1],
        store=store_path,
    )
    stopped = adapt(plan, parallel=1)
    assert stopped.stopped is not None and 0 < len(stopped.curves) < 4
    page = open_page(store_path, stopped.curves[0].run)
    assert "of 4 searches are not done" in page and "(not begun)" in page and "Nothing to compare yet" in page


def test_runs_of_the_first_version_have_pages(store_path: Path) -> None:
    stores = Path(__file__).parents[2] / "runs" / "stores"
    store_path.write_bytes(gzip.decompress((stores / "first.db.gz").read_bytes()))
    with open_store(store_path) as store:
        every = runs.all_runs(store.db)
    pages = {run.method: open_page(store_path, run.id) for run in every}
    assert "Nothing is compared yet" in pages["generalize"] and len(pages) == 3
    searches = [run.id for run in every if run.method != "generalize"]
    assert "can't be compared" in html.unescape(open_page(store_path, searches[0], searches[1]))
    with pytest.raises(ConfigError, match="is a generalization; only searches can be compared"):
        open_page(store_path, searches[0], next(run.id for run in every if run.method == "generalize"))
