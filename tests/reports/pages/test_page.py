"""Styles of a page, in a real browser: that of a part holds in that part and nowhere else."""

from pathlib import Path
from typing import Any

import metaspo
from metaspo.reports.pages.page import HERE
from metaspo.reports.pages.run_page import open_run_page

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
