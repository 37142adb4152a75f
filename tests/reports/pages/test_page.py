"""What all pages share, in a real browser: the style of a part holds in it alone, names fit, axes count whole things."""

from pathlib import Path
from typing import Any

import pytest

import metaspo
from metaspo.reports.pages.page import HERE
from metaspo.reports.pages.run_page import open_run_page
from metaspo.reports.pages.scales import Line, chart

from ...helpers.browser import looking_at, needs_browser

REACH = """part => {
  const own = [...document.styleSheets[0].cssRules].filter(rule => rule.selectorText === part)
  const flat = rules => [...rules].flatMap(rule => rule.selectorText ? [rule] : flat(rule.cssRules || []))
  const rules = own.flatMap(rule => flat(rule.cssRules))
  const found = root => rules.flatMap(rule => [...root.querySelectorAll(rule.selectorText.replaceAll('&', part))]
    .map(one => [rule.selectorText, one.closest(part) !== null]))
  const inside = found(document).length
  const outside = found(document).filter(([, within]) => !within).map(([selector]) => selector)
  for (const one of document.querySelectorAll(part)) one.classList.remove(part.slice(1))
  return [own.length, own.reduce((all, rule) => all + rule.style.length, 0), inside, outside, found(document).length]
}"""

HEIGHT = """one => { const range = document.createRange(); range.selectNodeContents(one)
  return new Set([...range.getClientRects()].map(each => Math.round(each.top))).size }"""
"""The lines that a name takes."""


@pytest.mark.long
@needs_browser
def test_no_part_but_the_base_styles_what_is_not_its_own(tmp_path: Path, make_task: Any) -> None:
    dice, store = "scripted:dice", tmp_path / "m.db"
    sizes: Any = {"preset": "quick", "iterations": 1, "test_size": 8, "store": store}
    runs = [
        metaspo.optimize(tasks=[make_task("numbers")], base=dice, optimizer=dice, method=method, **sizes).run
        for method in ("metaspo", "outer_only")
    ]
    from metaspo.studies.any_page import named_page

    pages = {"run": open_run_page(store, runs[0]), "kinds": named_page(store, runs[0], runs[1], alone=False)[1]}
    parts = sorted(path.stem for path in HERE.glob("*.css") if path.stem != "base")
    for part in parts:
        file = tmp_path / f"{part}.html"
        file.write_text(pages.get(part, pages["run"]), encoding="utf-8")
        with looking_at(file) as looked:
            rules, declared, inside, outside, without = looked.page.evaluate(REACH, f".{part}")
        assert rules == 1 and declared == 0 and inside > 5, part
        assert outside == [] and without == 0, part
    with looking_at(file) as looked:
        selectors = looked.page.evaluate("[...document.styleSheets[0].cssRules].map(rule => rule.selectorText)")
    assert selectors[-len(parts) :] == [f".{part}" for part in parts]


def test_rounds_and_examples_lie_at_whole_numbers() -> None:
    made = chart("score by round", "round", [Line("a", [(0, 0.5), (1, 0.6), (2, 0.7)])])
    assert made.x.ticks == (0, 1, 2) and len(made.y.ticks) > 2
    wide = chart("score by calls", "calls", [Line("a", [(0, 0.5), (9_000, 0.6)])])
    assert wide.x.ticks == (0, 2500, 5000, 7500, 10000)


@pytest.mark.long
@needs_browser
@pytest.mark.parametrize(("width", "paper"), [(380, False), (1600, False), (700, True)])
def test_names_are_not_cut_in_two_where_there_is_room_and_long_ones_fit(tmp_path: Path, width: int, paper: bool) -> None:
    names = ["outer_only", "support_tickets_of_the_second_quarter_sorted_by_the_team_that_answers_no_1"]
    rows = [{"question": f"Is {n} odd?", "answer": "yes" if n % 2 else "no"} for n in range(40)]
    reader = {"kind": "choice", "labels": ["yes", "no"], "from": "reply"}
    tasks = [{"name": name, "examples": rows, "user_prompt": "Say.\n{question}", "reader": reader} for name in names]
    dice, file = "scripted:dice", tmp_path / "page.html"
    metaspo.optimize(tasks=tasks, base=dice, method="fixed", preset="quick", test_size=8, store=tmp_path / "m.db")
    file.write_text(open_run_page(tmp_path / "m.db"), encoding="utf-8")
    with looking_at(file, width=width) as looked:
        if paper:
            looked.page.emulate_media(media="print")
        scores = looked.page.get_by_role("region", name="Test scores by task")
        short, long = (scores.get_by_role("rowheader", name=name).evaluate(HEIGHT) for name in names)
        assert short < 2 < long <= 7
        hidden = scores.evaluate("one => one.scrollWidth - one.clientWidth")
        assert hidden == 0 or width == 380
