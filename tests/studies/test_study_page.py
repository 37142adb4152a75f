"""The page of a study, in a real browser: its tables, pictures and curves, and what is not done yet."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from metaspo.cli.main import main
from metaspo.domain.errors import BudgetSpent
from metaspo.store.database import open_store
from metaspo.studies.leaders import leaders
from metaspo.studies.search_curves import mean_curve, search_curve
from metaspo.studies.study import ALL, Cell, Study, plan_study, read_study, run_study
from metaspo.studies.study_page import study_page
from metaspo.studies.table import Entry, StudyReport, study_report

from ..helpers.browser import looking_at, needs_browser
from .test_study import block

pytestmark = pytest.mark.long

UNEVEN = "scripted:tests.helpers.scripts:uneven"
ODD = "two </section><script>document.title = 'taken'</script>"


DATA: dict[str, Any] = {
    "config": {"base": UNEVEN, "optimizer": UNEVEN, "preset": "quick", "method": "metaspo", "iterations": 1, "train_size": 12, "test_size": 8},
    "methods": ["fixed", "metaspo", {"name": "longer <b>bold</b>", "method": "outer_only", "iterations": 2}],
    "settings": {"one": {"tasks": [block("a")], "targets": [block("x"), block("z")]}, ODD: {"tasks": [block("b")], "targets": [block("y")]}},
    "seeds": [0, 1],
    "measures": {"own": {"test": {}}, "unseen": {"generalize": {"prompts": 1}}},
    "reference": {"unseen": {"one": {"metaspo": 62.7}}},
    "store": "table.db",
}  # fmt: skip


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "table.yaml"
    path.write_text(yaml.safe_dump(DATA))
    return path


@pytest.fixture(scope="module")
def done(file: Path) -> tuple[Study, list[Cell], StudyReport]:
    output = str(file.parent)
    said = CliRunner().invoke(main, ["study", str(file), "--output", output])
    assert said.exit_code == 0, said.output
    assert f"{output}/table.html" in said.output.replace("\n", "")
    name, study = read_study(str(file))
    cells = plan_study(study)
    return study, cells, study_report(name, study, cells)


@needs_browser
def test_a_study_has_a_page_that_fits_and_says_what_its_tables_say(done: tuple[Any, ...], file: Path) -> None:
    study, _, report = done
    assert report.missing == 0
    with looking_at(file.with_suffix(".html"), width=1600, dark=True) as looked:
        for width in (380, 800, 1600):
            looked.page.set_viewport_size({"width": width, "height": 900})
            assert looked.sideways() == 0, width
        assert looked.page.title() == "Study table" and looked.page.locator("main script, main b").count() == 0
        assert looked.page.locator("h1").inner_text() == leaders(report)[0]
        for measure in study.measures:
            section = looked.page.locator("section", has=looked.page.locator(f"h2:text-is('{measure}')"))
            figures = section.locator("figure")
            assert figures.count() == 3 and figures.last.locator("figcaption").inner_text() == ALL
            for at, setting in enumerate([*study.settings, ALL]):
                entries = [one for one in report.entries if (one.measure, one.setting) == (measure, setting)]
                rows = figures.nth(at).locator("> .wide tbody tr")
                assert rows.count() == len(entries)
                for row, entry in zip(rows.all(), entries, strict=True):
                    said = row.inner_text()
                    assert entry.method in said and _has(said, entry.score) and _has(said, entry.low) and _has(said, entry.high)
                    assert ("reference 62.7" in said) == (entry.reference is not None)
                    assert row.locator("path.told").count() == (entry.reference is not None)
        dot = looked.page.locator("figure path.value").first.get_attribute("d")
        assert dot and re.fullmatch(r"M[\d.]+ 10h0", dot)


def _has(said: str, score: float | None) -> bool:
    return score is not None and f"{100 * score:.1f}" in said


@needs_browser
def test_the_curves_are_the_means_of_what_the_searches_told(done: tuple[Any, ...], file: Path) -> None:
    study, cells, report = done
    own = [cell.search.run for cell in cells if (cell.method, cell.setting) == ("metaspo", "one")]
    with open_store(study.store) as store:
        curves = [search_curve(store.db, run) for run in own]
        for run, curve in zip(own, curves, strict=True):
            scores = store.db.execute("SELECT score FROM rounds WHERE run = ? AND level != 'test' ORDER BY round", [run])
            assert [score for _, score in curve] == pytest.approx([score for (score,) in scores])
            assert [calls for calls, _ in curve] == sorted(calls for calls, _ in curve)
    mean = mean_curve(curves)
    assert mean[-1][0] == max(curve[-1][0] for curve in curves)
    assert mean[-1][1] == pytest.approx(sum(curve[-1][1] for curve in curves) / len(curves))
    with looking_at(file.with_suffix(".html"), width=380) as looked:
        charts = looked.page.locator("figure.chart")
        assert charts.count() == len(study.settings)
        assert charts.first.locator("path.series title").all_text_contents() == [*report.paid]
        looked.page.locator("summary", has_text="Where the searches").click()
        assert f"{100 * mean[-1][1]:.1f}" in looked.page.locator("tr", has_text="one, metaspo").inner_text()


def test_mean_curves_keep_each_score_until_the_next() -> None:
    mean = mean_curve([[(10, 0.2), (30, 0.6)], [(20, 0.4), (25, 0.8)]])
    assert [calls for calls, _ in mean] == [20, 25, 30] and [score for _, score in mean] == pytest.approx([0.3, 0.5, 0.7])
    assert mean_curve([[], []]) == [] and mean_curve([[(5, 0.5)], []]) == [(5, 0.5)]
    long = mean_curve([[(at, at / 1000) for at in range(1000)]])
    assert len(long) <= 151 and long[0] == (0, 0.0) and long[-1] == (999, 0.999)


@needs_browser
def test_a_study_that_has_just_begun_has_a_page(file: Path, tmp_path: Path) -> None:
    store = str(tmp_path / "early.db")
    words = ["report", "--study", str(file), "--store", store, "--output", str(tmp_path / "early.html")]
    refused = CliRunner().invoke(main, words)
    assert refused.exit_code == 2 and "no such store" in refused.output and not Path(store).exists()
    _, study = read_study(str(file), {"store": store, "budget": {"calls": 120}})
    assert isinstance(run_study(study, plan_study(study)), BudgetSpent)
    assert CliRunner().invoke(main, words).exit_code == 0
    with looking_at(tmp_path / "early.html", width=380) as looked:
        said = looked.page.locator("main").inner_text()
        assert "of 24 measurements are done" in said and "not done" in said and "run the same command again" in said
        assert looked.sideways() == 0


def test_a_page_of_somebody_else_is_no_place_for_a_studys(done: tuple[Any, ...], file: Path, tmp_path: Path) -> None:
    (tmp_path / "table.html").write_text("<p>mine</p>")
    said = CliRunner().invoke(main, ["study", str(file), "--output", str(tmp_path)])
    assert said.exit_code == 0 and "left as it is" in said.output
    assert (tmp_path / "table.html").read_text() == "<p>mine</p>" and (tmp_path / "table.md").exists()


def test_no_method_is_called_better_than_its_interval_shows() -> None:
    def says(*scores: tuple[str, float | None, float, float]) -> str:
        entries = [
            Entry("m", "s", name, score, low, high, "seeds", 3 if score is not None else 0, 3, None, None, None, {})
            for name, score, low, high in scores
        ]
        return leaders(StudyReport("t", entries, {}, 0, []))[0]

    assert "overlap, so which of them is better is not shown" in says(("a", 0.5, 0.4, 0.6), ("b", 0.7, 0.55, 0.8))
    assert says(("a", 0.5, 0.4, 0.6), ("b", 0.7, 0.65, 0.8)) == (
        "m: of 2 methods b has the highest mean score, 70.0% [65.0, 80.0]; next is a with 50.0% [40.0, 60.0]: their 95% "
        "intervals do not overlap."
    )
    assert "2 of 2 methods have the same highest mean score" in says(("a", 0.5, 0.4, 0.6), ("b", 0.5, 0.4, 0.6))
    assert says(("a", None, 0, 0)) == "m: nothing is measured yet."
    assert "the only method that is measured so far" in says(("a", None, 0, 0), ("b", 0.5, 0.4, 0.6))


def test_a_study_of_thirteen_methods_is_no_heavy_page(done: tuple[Study, list[Cell], StudyReport]) -> None:
    study, cells, _ = done
    rows: list[str | dict[str, Any]] = [{"name": f"a method with a name {at}", "method": "metaspo"} for at in range(13)]
    many = study.model_copy(update={"methods": rows, "seeds": [0, 1, 2]})
    copies = [
        Cell(str(row["name"]), cell.setting, seed, cell.search, cell.measures)
        for row in rows
        if isinstance(row, dict)
        for cell in cells
        if cell.method == "metaspo" and cell.seed == 0
        for seed in many.seeds
    ]
    page = study_page("many", many, copies)
    assert page.count('class="series s') >= 2 * 13 and len(page.encode()) < 400_000
