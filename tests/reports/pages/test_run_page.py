"""The page of a run, in a real browser."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from metaspo import optimize
from metaspo.cli.main import main

from ...helpers.browser import looking_at, needs_browser


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    rows = [{"question": f"Is {n} odd?", "answer": "yes" if n % 2 else "no"} for n in range(160)]
    reader = {"kind": "choice", "labels": ["yes", "no"], "from": "reply"}
    task = {"name": "parity", "examples": rows, "user_prompt": "Yes or no?\n{question}", "reader": reader}
    optimize(tasks=[task], base="scripted:novice", optimizer="scripted:novice", preset="quick", store=str(folder / "m.db"))
    page = folder / "page.html"
    done = CliRunner().invoke(main, ["report", "--store", str(folder / "m.db"), "--output", str(page)])
    assert done.exit_code == 0, done.output
    return page


@needs_browser
@pytest.mark.parametrize("width", [380, 1600])
def test_a_page_needs_nothing_and_fits(written: Path, width: int) -> None:
    with looking_at(written, width=width) as looked:
        assert looked.page.locator("h1").inner_text().strip()
        assert looked.page.locator("ins").count() > 0
        assert looked.sideways() == 0
