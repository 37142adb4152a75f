"""Score against calls and the tree of candidates on the page of a run, in a real browser."""

import gzip
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from metaspo import branch, open_report, optimize
from metaspo.domain.prompts import Prompt
from metaspo.reports.pages.candidate_tree import became, candidate_trees
from metaspo.reports.pages.run_page import open_run_page
from metaspo.reports.pages.score_curve import score_curve
from metaspo.reports.pages.tree_picture import tree_picture
from metaspo.store import prompts, runs
from metaspo.store.database import Store
from metaspo.store.events import tell, told
from metaspo.store.prompts import CandidateRow, RoundRow

from ...helpers.browser import looking_at, needs_browser
from ...helpers.paper_sized import Size, write_search

ROWS = [{"question": f"Is {n} odd?", "answer": "yes" if n % 2 else "no"} for n in range(60)]
FIRST = Path(__file__).parents[2] / "runs" / "stores"


def task(name: str, **more: Any) -> dict[str, Any]:
    reader = {"kind": "choice", "labels": ["yes", "no"], "from": "reply"}
    return {"name": name, "examples": ROWS, "user_prompt": "Yes or no?\n{question}", "reader": reader, **more}


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a run of every kind of thing: several first prompts, kept ones, markup, dropped ones, a placebo."""
    store = tmp_path_factory.mktemp("searched") / "m.db"
    optimize(
        tasks=[task("a"), task("b", user_prompts=["Odd? {question}"])], base="scripted:tests.helpers.scripts:writes_markup",
        optimizer="scripted:tests.helpers.scripts:writes_markup", preset="quick", method="metaspo", iterations=2, keep=2,
        system_prompts=["You are <b>brief</b>."], train_size=8, test_size=8, proposal_attempts=1, curve=True, placebo=True,
        store=str(store),
    )  # fmt: skip
    return store


@pytest.fixture(scope="module")
def shown(searched: Path) -> Path:
    page = searched.with_name("page.html")
    page.write_text(open_run_page(searched), encoding="utf-8")
    return page


@pytest.mark.long
@needs_browser
@pytest.mark.parametrize(("width", "dark"), [(380, False), (1600, True)])
def test_the_curve_has_a_mark_a_round_words_and_a_table(searched: Path, shown: Path, width: int, dark: bool) -> None:
    report = open_report(searched)
    search = [row for row in report.rounds if row.level in ("seed", "user", "system")]
    with looking_at(shown, width=width, dark=dark) as looked:
        assert looked.sideways() == 0
        part = looked.page.locator("section[aria-labelledby=curve]")
        picture = part.get_by_role("img")
        assert picture.locator(".own-mark").count() == len(search) == 5
        assert picture.locator(".placebo-mark").count() == 5 and picture.locator("path.own-test").count() > 1
        said = part.locator("figure + p").inner_text()
        assert said.startswith(f"The score that selects rose from {100 * search[0].score:.1f} with the first prompts")
        assert picture.locator("title").first.text_content() == f"{said} The table below has the figures."
        # Everything drawn is inside the picture, the labels too.
        frame = picture.bounding_box()
        assert frame is not None
        for each in [*picture.locator("text").all(), *picture.locator(".own-mark").all()]:
            box = each.bounding_box()
            assert box is not None and frame["x"] - 8 <= box["x"] and box["x"] + box["width"] <= frame["x"] + frame["width"] + 8
        part.locator("summary").press("Enter")
        rows = part.locator("tbody").first.locator("tr")
        paid = [e["spent"]["calls"] for _, _, e in events(searched) if e["event"] == "round_closed"]
        told_rows = [row.inner_text().split() for row in rows.all()]
        assert [row[0] for row in told_rows] == [str(row.round) for row in search]
        assert [row[2] for row in told_rows] == [f"{100 * row.score:.1f}" for row in search]
        assert [int(row[-1].replace(",", "")) for row in told_rows] == paid[:5]


def events(path: Path) -> Any:
    store = Store(path)
    try:
        return told(store.db, runs.find(store.db, "last").id)
    finally:
        store.close()


@pytest.mark.long
@needs_browser
def test_every_candidate_is_on_the_page_once_and_the_keyboard_opens_it(searched: Path, shown: Path) -> None:
    store = Store(searched)
    run = runs.find(store.db, "last").id
    rows = prompts.candidates(store.db, run)
    texts = prompts.prompt_texts(store.db, sorted({row.prompt for row in rows if row.prompt}))
    store.close()
    dropped = [row for row in rows if row.prompt is None]
    assert dropped and any("<script>" in text for text in texts.values())
    with looking_at(shown) as looked:
        page, part = looked.page, looked.page.locator("section[aria-labelledby=tree]")
        found = [each.text_content() for each in part.locator(".candidate pre").all()]
        # Of a prompt that several tasks begin with, each task's tree has it.
        assert sorted(found) == sorted(texts[id] for _, id in {(row.task, row.prompt) for row in rows if row.prompt})
        assert part.locator(".candidate p.text").count() == len(dropped)
        assert page.evaluate("window.sprung") is None and part.locator("script, img").count() == 0
        # From summary to summary with Tab, opened with Enter, until all are open.
        page.locator("section[aria-labelledby=tree] summary").first.focus()
        for _ in range(400):
            inside = page.evaluate("document.activeElement.closest('.tree') !== null")
            if not inside or part.locator("details:not([open])").count() == 0:
                break
            if page.evaluate("document.activeElement.parentElement.open === false"):
                page.keyboard.press("Enter")
            page.keyboard.press("Tab")
        assert part.locator("details:not([open])").count() == 0
        assert all(each.is_visible() for each in part.locator(".candidate pre").all())
        last = part.locator("h3 ~ .way").first.locator("> li").last
        assert last.locator("> .candidate > summary").inner_text().startswith("Stands in the end:")
        assert last.locator("> .candidate > pre").text_content() == open_report(searched).system_after


@pytest.mark.long
@needs_browser
def test_a_branch_says_what_it_carried_over_and_shows_the_way_through_both_runs(searched: Path, tmp_path: Path) -> None:
    store, page = tmp_path / "m.db", tmp_path / "page.html"
    shutil.copy(searched, store)
    parent = open_report(store).run.id
    made = branch(parent, at=2, store=str(store), iterations=2, seed=7, placebo=False)
    page.write_text(open_run_page(store, made.run), encoding="utf-8")
    with looking_at(page, width=380) as looked:
        assert (
            f"goes on from what stood after round 2 of run {parent[:8]}"
            in looked.page.locator("section[aria-labelledby=curve]").inner_text()
        )
        tree = looked.page.locator("section[aria-labelledby=tree]")
        way = tree.locator(".way").first.locator("> li > .candidate > summary")
        assert (
            way.first.inner_text().startswith("first prompt")
            and f"carried over from run {parent[:8]}" in way.first.inner_text()
        )
        assert looked.sideways() == 0


@pytest.mark.parametrize("name", ["done", "search", "beam", "waiting"])
def test_a_store_of_the_first_version_has_rounds_along_the_bottom(name: str, tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    path.write_bytes(gzip.decompress((FIRST / "first.db.gz").read_bytes()))
    page = open_run_page(path, json.loads((FIRST / "first.json").read_text())[name]["run"])
    assert "Score against rounds" in page and "no record of what had been paid" in page
    assert "Score against calls" not in page


def test_a_round_that_was_told_twice_counts_as_it_was_told_last(searched: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    shutil.copy(searched, path)
    store = Store(path)
    run = runs.find(store.db, "last")
    [again] = [event for _, _, event in told(store.db, run.id) if event["event"] == "round_closed" and event["round"] == 4]
    tell(store.db, run.id, {**again, "spent": {**again["spent"], "calls": 4711}})
    curve = score_curve(store.db, run)
    store.close()
    assert curve is not None and curve.own.marks[-1].calls == 4711 and len(curve.own.marks) == 5
    assert curve.own.places[-1].x == 97.0 and curve.amounts[-1].says == "4,000"


def test_nothing_is_drawn_before_a_round_has_closed(tmp_path: Path) -> None:
    store = Store(tmp_path / "m.db")
    run = runs.Run("r", None, None, "metaspo", {"context": {}, "problem": {}}, "running", None, "now", "now", 0, "0")
    runs.create(store.db, run)
    trees = candidate_trees(store.db, run)
    assert score_curve(store.db, run) is None and trees.system is None and trees.users == []
    store.close()
    assert "Score against" not in open_run_page(tmp_path / "m.db")


def test_what_became_of_a_candidate_is_said_as_far_as_it_came() -> None:
    row = CandidateRow("r", 1, "system", "", 0, "p", "q", "rejected", None, None, "gate", 4, 0.0)
    assert became(row) == "mended none of the failures that it was written from"
    assert became(replace(row, gain=0.5)) == "mended 50% of the failures that it was written from, and others more"
    sample = replace(row, stage="16 examples", examples=16, gain=-0.094)
    assert became(sample) == "-9.4 points on a sample of 16 examples"
    assert became(replace(sample, gain=0.2)) == "+20.0 points on a sample of 16 examples, but others did better there"
    last = replace(row, stage="everything", examples=96, gain=0.25, score=0.75)
    assert became(last) == "+25.0 points on all 96 examples, but another was preferred; score 75.0"
    assert became(replace(last, status="incumbent")) == "+25.0 points on all 96 examples; score 75.0"
    assert became(replace(last, reason="task a lost 20 points")).endswith(
        "+25.0 points on all 96 examples; score 75.0; task a lost 20 points"
    )
    edited = CandidateRow("r", 1, "system", "", 0, "p", "q", "incumbent", "edited by a person", 0.5)
    assert became(edited) == "score 50.0; edited by a person"
    assert became(replace(edited, prompt=None, status="dropped", reason="no {question} in it")) == "no {question} in it"


@pytest.mark.long
@needs_browser
def test_five_hundred_candidates_stay_readable_and_small(tmp_path: Path) -> None:
    store = Store(tmp_path / "m.db")
    size = Size(sources=30, targets=0, examples=2, iterations=3, users=5, systems=9, kept=2)
    run = runs.find(
        store.db, write_search(store, lambda kind, number: f"{kind} {number} {'so <it> is' * (150 * (kind == 'prompt'))}", size)
    )
    trees = candidate_trees(store.db, run)
    assert trees.system is not None and trees.system.tried == 27 and len(trees.users) == 30 and trees.shortened
    assert sum(tree.tried for tree in trees.users) == 450
    drawn = tree_picture(trees.system)
    assert drawn is not None and len(drawn.dots) == 28 and drawn.height < 200
    store.close()
    page = tmp_path / "page.html"
    page.write_text(open_run_page(tmp_path / "m.db"), encoding="utf-8")
    with looking_at(page, width=380) as looked:
        part = looked.page.locator("section[aria-labelledby=tree]")
        assert len(part.evaluate("one => one.outerHTML").encode()) < 900_000
        box = part.bounding_box()
        assert box is not None and box["height"] < 1500 and looked.sideways() == 0
        assert part.locator(".candidate").count() >= 477


def test_hundreds_of_rounds_are_folded_and_not_drawn(tmp_path: Path) -> None:
    store = Store(tmp_path / "m.db")
    run = runs.Run("r", None, None, "metaspo", {"context": {}, "problem": {}}, "stopped", None, "now", "now", 0, "0")
    runs.create(store.db, run)
    made = [Prompt("system", f"Prompt {at}.") for at in range(301)]
    prompts.save_prompts(store.db, made)
    for at, prompt in enumerate(made):
        status: prompts.CandidateStatus = "seed" if not at else "incumbent" if at == 150 else "rejected"
        parent = made[150 if at > 150 else 0].id if at else None
        row = CandidateRow("r", at, "system", "", 0, prompt.id, parent, status, None, 0.5)
        stands = made[150 if at >= 150 else 0].id
        kept = [prompts.KeptPair("r", at, "a", 0, stands, stands, 0.5)]
        prompts.save_round(store.db, RoundRow("r", at, "system" if at else "seed", stands, 0.5, 0, 0), [row], kept, [])
    tree = candidate_trees(store.db, run).system
    assert tree is not None and [len(step.groups) for step in tree.way] == [150, 150] and tree_picture(tree) is None
    store.close()
    page = open_run_page(tmp_path / "m.db")
    assert "Rounds 1 to 150: 150 made from it, 1 kept" in page and "Rounds 151 to 300: 150 made from it, none kept" in page
