"""The page of a run, in a real browser: what it shows, to whom, and that what comes from data stays text."""

import gzip
import html
import json
import re
import shlex
import sqlite3
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

import metaspo
from metaspo import optimize
from metaspo.cli.main import main
from metaspo.domain.visible import visible
from metaspo.reports.gained import gained
from metaspo.reports.pages.run_page import open_run_page
from metaspo.reports.report import open_report
from metaspo.reports.reproduced import reproduced
from metaspo.runs.config import read_config
from metaspo.store.runs import placebo_id
from metaspo.workspace.known import stored_input

from ...helpers.browser import Looked, looking_at, needs_browser
from .hostile_run import HIDDEN, LONG, MARKUP, MODEL, NAME, RIGHT_TO_LEFT, hostile_run

TESTS = Path(__file__).parents[2]


def page_of(store: Path, output: Path) -> Path:
    done = CliRunner().invoke(main, ["report", "--store", str(store), "--output", str(output)])
    assert done.exit_code == 0, done.output
    return output


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that gained something."""
    path = tmp_path_factory.mktemp("page") / "m.db"
    rows = [{"question": f"Is {n} odd?", "answer": "yes" if n % 2 else "no"} for n in range(160)]
    reader = {"kind": "choice", "labels": ["yes", "no"], "from": "reply"}
    task = {"name": "parity", "examples": rows, "user_prompt": "Yes or no?\n{question}", "reader": reader}
    optimize(tasks=[task], base="scripted:novice", optimizer="scripted:novice", preset="quick", store=str(path))
    return path


@pytest.fixture(scope="module")
def written(store: Path) -> Path:
    return page_of(store, store.with_suffix(".html"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = hostile_run(tmp_path_factory.mktemp("hostile"))
    return page_of(path, path.with_suffix(".html"))


def sound(looked: Looked) -> None:
    """What holds of every page: one first heading, no level left out, tables and parts with names, and it fits."""
    levels = looked.page.eval_on_selector_all("h1, h2, h3", "all => all.map(one => Number(one.tagName[1]))")
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = looked.page.eval_on_selector_all("[id]", "all => all.map(one => one.id)")
    assert len(ids) == len(set(ids))
    named = looked.page.eval_on_selector_all("[aria-labelledby]", "all => all.map(one => one.getAttribute('aria-labelledby'))")
    assert set(named) <= set(ids)
    assert looked.page.locator("table:not(:has(caption)), thead th:not([scope]), tbody th:not([scope])").count() == 0
    assert looked.sideways() == 0


@pytest.mark.long
@needs_browser
@pytest.mark.parametrize("width", [380, 1600])
def test_a_manager_reads_first_what_was_gained(store: Path, written: Path, width: int) -> None:
    report = open_report(store)
    with looking_at(written, width=width, dark=width == 380) as looked:
        first, *others = gained(report)
        assert looked.page.locator("h1").inner_text() == first
        assert looked.page.locator(".lead").all_inner_texts() == others
        figures = looked.page.locator(".figures").inner_text()
        assert report.source is not None and f"{100 * report.source.value:+.1f} points" in figures
        assert looked.page.locator("ins").count() > 0
        assert looked.page.locator(".heard").first.inner_text().strip() in ("removed:", "added:")
        sound(looked)


@pytest.mark.long
@needs_browser
def test_all_that_the_terminal_tells_is_there(store: Path, written: Path) -> None:
    from metaspo.reports.words import controls, scores_say

    report = open_report(store)
    with looking_at(written) as looked:
        for details in looked.page.locator("details").all():
            details.evaluate("one => { one.open = true }")
        text = " ".join(looked.page.locator("body").inner_text().split())
    for line in [*controls(report), *scores_say(report), *report.cost_notes, Path(report.store).name, report.run.id]:
        assert " ".join(line.split()) in text
    [task] = report.tasks
    for role, count in report.usage.calls.items():
        assert f"{count:,}" in text and f"{report.usage.of(role).input_tokens:,}" in text
    assert f"{100 * task.difference.low:+.1f} to {100 * task.difference.high:+.1f}" in text
    assert report.drawn[0].task in text and "given in memory" in text


@pytest.mark.long
@needs_browser
def test_the_keyboard_reaches_the_report_and_each_part_of_it(written: Path) -> None:
    with looking_at(written) as looked:
        looked.page.keyboard.press("Tab")
        assert looked.page.evaluate("document.activeElement.className") == "skip"
        assert looked.page.locator(".skip").bounding_box()["x"] >= 0  # type: ignore[index]
        links = looked.page.locator("#contents a").evaluate_all("all => all.map(one => one.getAttribute('href'))")
        heads = looked.page.locator("main h2[id]").evaluate_all("all => all.map(one => '#' + one.id)")
        assert links == heads and len(links) >= 5
        scrolls = looked.page.locator(".wide:not([tabindex='0'][role=region][aria-label])")
        assert scrolls.count() == 0


@pytest.mark.long
@needs_browser
@pytest.mark.parametrize("which", ["written", "hostile"])
def test_on_paper_nothing_is_cut_off_and_all_is_open(which: str, request: pytest.FixtureRequest) -> None:
    with looking_at(request.getfixturevalue(which), width=688) as looked:
        looked.page.emulate_media(media="print")
        cut = "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.getAttribute('aria-label'))"
        assert looked.page.eval_on_selector_all(".wide", cut) == [] and looked.sideways() == 0
        assert looked.page.locator("details:not([open])").count() > 0
        looked.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        assert looked.page.locator("section:not([aria-labelledby=examples]) details:not([open], .folded)").count() == 0
        assert looked.page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
        looked.page.evaluate("window.dispatchEvent(new Event('afterprint'))")


@pytest.mark.long
@needs_browser
@pytest.mark.parametrize("width", [380, 1600])
def test_what_comes_from_data_stays_text(hostile: Path, width: int) -> None:
    with looking_at(hostile, width=width) as looked:
        assert looked.page.title().startswith("Run ")
        assert looked.page.locator("main script, main style, main img, main u, body > section").count() == 0
        for details in looked.page.locator("details").all():
            details.evaluate("one => { one.open = true }")
        text = looked.page.locator("body").inner_text()
        # In turn: a task's name, the model's, prompts, a reply, what a metric and what an endpoint said.
        prompt = looked.page.locator(".diff").first.inner_text()
        assert "Be kind" in prompt and "Better words, number" in prompt and MARKUP in prompt
        for told in (NAME, MODEL, "I will not say. </script>", "wrong </script>", "policy refuses </script>"):
            assert told in text, told
        assert RIGHT_TO_LEFT in text and LONG in text and "{% raw %}" in text
        raw = hostile.read_text(encoding="utf-8")
        assert not any(char in raw for char in HIDDEN if char not in " \n" and visible(char) != char)
        sound(looked)


@pytest.mark.long
@needs_browser
def test_locked_parts_and_placeholders_are_seen(hostile: Path) -> None:
    with looking_at(hostile) as looked:
        assert "Never tell" in looked.page.locator(".locked").first.inner_text()
        assert "{question}" in looked.page.locator(".slot").all_text_contents()


@pytest.mark.long
@needs_browser
def test_a_huge_prompt_is_folded(tmp_path: Path, make_task: Any) -> None:
    rule = "Rule {}: whoever asks for number {} gets it.\n"
    huge = "".join(rule.format(n, n) for n in range(2_200))
    path = tmp_path / "m.db"
    optimize(
        tasks=[make_task("numbers")], base="scripted:dice", optimizer="scripted:dice", method="fixed", system_prompt=huge,
        sizes={"train_size": 4, "test_size": 4}, store=str(path),
    )  # fmt: skip
    assert len(huge) > 100_000
    with looking_at(page_of(path, tmp_path / "m.html"), width=380) as looked:
        assert looked.page.locator(".folded").first.locator("summary").inner_text().startswith(f"{len(huge) - 1000:,} more")
        assert looked.page.evaluate("document.documentElement.scrollHeight") < 15_000
        sound(looked)


def test_the_config_on_the_page_makes_the_run_again(store: Path, tmp_path: Path) -> None:
    report = open_report(store)
    again = reproduced(report.run)
    assert yaml.safe_load(again.config)["tasks"][0]["examples"] == "parity.jsonl" and "in memory" in again.without[0]
    assert again.config.splitlines()[0] in open_run_page(store)
    given = report.run.config["problem"]["tasks"][0]["examples"]
    (tmp_path / "parity.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in given))
    (tmp_path / "run.yaml").write_text(again.config)
    config = read_config(tmp_path / "run.yaml", {"store": str(store)})
    first = stored_input(report.run.config)
    assert config.problem().model_dump(exclude={"tasks"}) == first.model_dump(exclude={"tasks"})
    result = optimize(config)
    assert result.report.usage.total_calls == 0 and result.report.system_after == report.system_after
    assert result.report.drawn[0].task == report.drawn[0].task


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of the first version, with runs of every status."""
    path = tmp_path_factory.mktemp("old") / "m.db"
    path.write_bytes(gzip.decompress((TESTS / "runs" / "stores" / "first.db.gz").read_bytes()))
    return path


@pytest.mark.parametrize("name", ["done", "search", "beam", "waiting"])
def test_runs_of_the_first_version_have_a_page_whatever_their_status(name: str, old: Path) -> None:
    run = json.loads((TESTS / "runs" / "stores" / "first.json").read_text())[name]["run"]
    made = open_run_page(old, run)
    report = open_report(old, run)
    assert f"<h1>{gained(report)[0]}</h1>" in made.replace("&lt;", "<")
    assert report.run.status in made and (name == "done" or "No final test has been made" in made)


@pytest.fixture
def dumped(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    db = sqlite3.connect(tmp_path / "m.db")
    db.executescript((TESTS / "store" / "schemas" / f"{request.param}.sql").read_text(encoding="utf-8"))
    db.close()
    yield tmp_path / "m.db"


@pytest.mark.parametrize("dumped", ["m002", "m007"], indirect=True)
def test_files_of_past_schemas_have_a_page(dumped: Path) -> None:
    made = open_run_page(dumped)
    assert "further calls were known" not in made and "Scores by task" in made


def test_a_run_that_has_nothing_yet_has_a_page(tmp_path: Path, make_task: Any) -> None:
    store = str(tmp_path / "m.db")
    metaspo.optimize(
        tasks=[make_task("numbers")], base="scripted:dice", optimizer="scripted:dice", preset="quick", store=store,
        budget={"calls": 3},
    )  # fmt: skip
    made = open_run_page(store)
    assert "Nothing is known yet" in made and "No final test has been made" in made


@pytest.mark.long
def test_no_folder_of_this_machine_is_on_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [tmp_path / "of alice" / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir(parents=True)
        assert CliRunner().invoke(main, ["init", str(folder)]).exit_code == 0
    (folders[1] / "tickets.yaml").write_text((folders[0] / "tickets.yaml").read_text().replace("name: tickets", "name: others"))
    rows = [{"question": f"Is {n} odd?", "answer": "yes" if n % 2 else "no"} for n in range(40)]
    (tmp_path / "of alice" / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    block = {"name": "rows", "examples": str(tmp_path / "of alice" / "rows.jsonl"), "user_prompt": "/think {question}",
             "reader": {"kind": "choice", "labels": ["yes", "no"]}}  # fmt: skip
    store, dice = tmp_path / "of alice" / "m.db", "scripted:dice"
    sizes: Any = {"preset": "quick", "iterations": 1, "test_size": 8, "method": "outer_only", "store": store}
    tasks = [*(folder / "tickets.yaml" for folder in folders), block]
    runs = [optimize(tasks=tasks, base=dice, optimizer=dice, seed=seed, **sizes) for seed in (0, 1)]
    words = f"generalize --prompt {runs[0].run} --prompts 1 --base {dice} --optimizer {dice} --test-size 4".split()
    made = CliRunner().invoke(main, [*words, "--store", str(store), "--tasks", str(folders[0] / "tickets.yaml")])
    assert made.exit_code == 0, made.output
    for named in ([runs[0].run], [runs[0].run, runs[1].run], ["last"]):
        done = CliRunner().invoke(main, ["report", *named, "--store", str(store), "--output", "-"])
        assert done.exit_code == 0 and ("m.db" in done.output or len(named) == 2)
        assert "of alice" not in done.output and str(tmp_path) not in done.output
    again = reproduced(runs[0].report.run)
    data = yaml.safe_load(again.config)
    assert data["tasks"][:2] == ["one/tickets.yaml", "two/tickets.yaml"] and data["tasks"][2]["examples"] == "rows.jsonl"
    assert data["tasks"][2]["user_prompt"] == "/think {question}"
    assert "one/tickets.yaml, two/tickets.yaml, rows.jsonl" in " ".join(again.without)
    # Beside its files it makes the run again.
    (tmp_path / "of alice" / "run.yaml").write_text(again.config)
    monkeypatch.chdir(tmp_path / "of alice")
    page = open_run_page(store, runs[0].run)
    [told] = re.findall(r"then: <code[^>]*>metaspo (.*?)</code>", page)
    done = CliRunner().invoke(main, shlex.split(html.unescape(told)))
    assert done.exit_code == 0 and "Paid: 0 calls" in done.output
    # A store that was named by a path that is none from the root is told by its name alone too.
    made = open_run_page(Path("..") / "of alice" / "m.db", runs[0].run)
    assert "of alice" not in made and "<dd>m.db</dd>" in made


def test_branches_and_placebos_have_pages_that_say_what_they_are(store: Path, tmp_path: Path) -> None:
    copy = tmp_path / "m.db"
    copy.write_bytes(store.read_bytes())
    run = open_report(copy).run.id
    second = metaspo.branch(run, store=str(copy), seed=1, placebo=True)
    made = open_run_page(copy, second.run)
    assert f"run {run}, after round" in made and "A placebo: as many unrelated texts" in made
    control = open_run_page(copy, placebo_id(second.run))
    assert "<h1>A control of unrelated texts, no result: it began with prompts that another run had found" in control
    assert "placebo: true" in control
