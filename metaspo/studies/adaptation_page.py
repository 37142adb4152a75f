"""An adaptation as a page: how fast, and with how little data, tasks get good under a frozen system prompt."""

from dataclasses import dataclass

from ..reports.pages.facts import facts
from ..reports.pages.page import page
from ..reports.pages.prompts import compared
from ..reports.pages.scales import Chart, Line, Scale, chart, scale_of
from ..reports.set_aside import says
from ..store import runs
from ..store.database import Store
from .adapt import Adaptation, Search, ends_say
from .tested_rounds import RoundScore, tested_rounds


@dataclass(frozen=True, slots=True)
class Drawn:
    """A search as the page shows it: its name, and its scores by round, none before it is done."""

    name: str
    search: Search
    rounds: list[RoundScore]

    @property
    def last(self) -> RoundScore | None:
        """What it ended with."""
        return self.rounds[-1] if self.rounds else None


def adaptation_page(store: Store, found: Adaptation) -> str:
    """The page of an adaptation, finished or not."""
    drawn = [_drawn(store, search) for search in found.searches]
    shown = [one for one in drawn if one.last and one.last.test]
    known = runs.known(store.db, found.searches[0].run) if found.searches else None
    return page(
        "adaptation.html",
        "Adaptation",
        found=found,
        says=_says(found),
        drawn=drawn,
        missing=[one for one in drawn if one.search.status != "done"],
        rounds=sorted({row.round for one in shown for row in one.rounds}),
        by_round=_by_round(shown),
        by_data=_by_data(shown),
        scale=_scale(shown),
        at=[{row.round: row for row in one.rounds} for one in shown],
        shown=shown,
        system=compared("System prompt", found.against, found.system_prompt),
        remarks=says(found.set_aside, 10),
        facts=[row for row in facts(known, found.store) if row[0] not in OF_ONE] if known else [],
    )


OF_ONE = ("run", "status", "began", "worked for", "train_size")
"""Facts of one search that say nothing of the others."""


def _says(found: Adaptation) -> list[str]:
    if said := ends_say(found):
        return said
    return ["Nothing to compare yet: the search with all of the data is not done under both system prompts."]


def _drawn(store: Store, search: Search) -> Drawn:
    rounds = tested_rounds(store.db, search.run) if search.status == "done" else []
    return Drawn(f"{search.side}, {search.train_size} training examples", search, rounds)


def _by_round(shown: list[Drawn]) -> Chart:
    """Test scores by round, a line a search."""
    lines = []
    for one in shown:
        tests = [(row.round, row.test) for row in one.rounds if row.test]
        # The intervals of six lines on one picture hide each other: those of the searches with all of the data alone.
        widest = max(other.search.train_size for other in shown) == one.search.train_size
        band = [(round, test.low, test.high) for round, test in tests] if widest else []
        lines.append(Line(one.name, [(round, test.value) for round, test in tests], band))
    return chart("Mean test score by round, in %", "round", lines)


def _by_data(shown: list[Drawn]) -> Chart:
    """What the searches ended with by how many examples they had, a line a system prompt."""
    lines = []
    for side in ("candidate", "baseline"):
        ends = [(one.search.train_size, one.last.test) for one in shown if one.search.side == side and one.last]
        there = sorted((size, test.value, test.low, test.high) for size, test in ends if test)
        points, band = [(size, value) for size, value, _, _ in there], [(size, low, high) for size, _, low, high in there]
        lines += [Line(side, points, band)] if there else []
    return chart("Mean test score in the end, in %, by training examples of a task", "training examples of a task", lines)


def _scale(shown: list[Drawn]) -> Scale:
    tests = [one.last.test for one in shown if one.last and one.last.test]
    return scale_of([edge for test in tests for edge in (test.low, test.high)], most=1.0, steps=4)
