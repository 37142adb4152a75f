"""A study as a page: its tables with their intervals, as pictures too, and what its searches told on the way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..domain.calls import Usage
from ..domain.errors import ConfigError
from ..reports.pages.facts import rows, shown
from ..reports.pages.page import page
from ..reports.pages.scales import Chart, Line, Scale, chart, scale_of
from ..reports.places import file_name
from ..store import calls
from ..store.database import open_store
from .batch import statuses
from .leaders import leaders
from .plans import without_data
from .search_curves import Curve, mean_curve, search_curve
from .study import Cell, Study, plan_study, read_study
from .table import Entry, StudyReport, across, notes, study_report


@dataclass(frozen=True, slots=True)
class Table:
    """A measure under a setting: what each method came to, and the axis of its picture."""

    measure: str
    setting: str
    scale: Scale
    entries: Sequence[Entry]

    @property
    def tasks(self) -> list[str]:
        """The tasks that any entry has a score of."""
        return list(dict.fromkeys(task for entry in self.entries for task in entry.tasks))

    @property
    def beside(self) -> list[tuple[str, str]]:
        """What the scores stand beside, in words, with its range over the methods in %."""
        named = (("Majority answer", "majority"), ("unparsed replies", "unparsed"))
        found = [(words, across(self.entries, self.setting, name)) for words, name in named]
        return [(words, told) for words, told in found if told]


@dataclass(frozen=True, slots=True)
class SearchRun:
    """A cell's search: what it is, how it stands and what it paid itself."""

    method: str
    setting: str
    seed: int
    run: str
    status: str
    usage: Usage


def open_study_page(file: str, store: str | None = None) -> tuple[str, str]:
    """The page of a study by its file, or of a built-in one by its name, after the name of the file to keep it in.

    Nothing is run. Raises StoreError before anything of it is in its store.
    """
    name, study = read_study(file, {"store": store} if store else None)
    if missing := without_data(study):
        raise ConfigError(f"no data on this machine yet of {', '.join(missing)}; run 'metaspo tasks fetch {' '.join(missing)}'")
    with open_store(study.store):
        pass  # it says what to do where there is none, and makes none
    return f"report-{name}.html", study_page(name, study, plan_study(study))


def study_page(name: str, study: Study, cells: Sequence[Cell]) -> str:
    """The page of a study, as far as it is done."""
    report = study_report(name, study, cells)
    searches, curves = _searches(study, cells)
    return page(
        "study.html",
        f"Study {name}",
        name=name,
        report=report,
        says=leaders(report),
        measured=_measured(report, study),
        measures={measure: _tables(report, measure) for measure in study.measures},
        charts=_charts(study, cells, curves),
        notes=notes(report),
        searches=searches,
        facts=_facts(study),
        methods=len(report.paid),
        study=study,
    )


def _measured(report: StudyReport, study: Study) -> tuple[int, int]:
    """How many measurements are done, and of how many."""
    done = sum(entry.done for entry in report.entries if entry.setting in study.settings)
    return done, done + report.missing


def _tables(report: StudyReport, measure: str) -> list[Table]:
    """The settings of a measure, all on one axis."""
    own = [entry for entry in report.entries if entry.measure == measure]
    values = [value for entry in own for value in (entry.low, entry.high, entry.majority, entry.reference)]
    scale = scale_of(values, most=1.0)
    settings = dict.fromkeys(entry.setting for entry in own)
    return [Table(measure, setting, scale, [entry for entry in own if entry.setting == setting]) for setting in settings]


def _searches(study: Study, cells: Sequence[Cell]) -> tuple[list[SearchRun], dict[str, Curve]]:
    """Every search, and the curves of those that have begun, by run."""
    known = statuses(study.store)
    runs = {cell.search.run for cell in cells} & known.keys()
    with open_store(study.store, create=True) as store:
        paid = {run: calls.usage(store.db, run) for run in runs}
        curves = {run: search_curve(store.db, run) for run in runs}
    found = [
        SearchRun(cell.method, cell.setting, cell.seed, run, known.get(run, "not begun"), paid.get(run, Usage()))
        for cell in cells
        for run in [cell.search.run]
    ]
    return found, curves


def _charts(study: Study, cells: Sequence[Cell], curves: dict[str, Curve]) -> list[tuple[str, Chart]]:
    """Score against calls, a picture a setting, a line a method: the mean over those of its seeds that have begun."""
    made = []
    for setting in study.settings:
        lines = []
        for method in dict.fromkeys(cell.method for cell in cells):
            own = [cell.search.run for cell in cells if (cell.method, cell.setting) == (method, setting)]
            points = mean_curve(curves.get(run, []) for run in dict.fromkeys(own))
            lines += [Line(method, points)] if points else []
        if lines:
            made.append(
                (
                    setting,
                    chart(
                        f"{setting}: score on the selecting examples, in %",
                        "calls of a search, those included that were known already",
                        lines,
                        stays=True,
                    ),
                )
            )
    return made


def _facts(study: Study) -> list[tuple[str, str]]:
    """The study as it was written, in short."""
    told: dict[str, Any] = {
        "store": file_name(str(study.store)),
        "methods": [_block(row) for row in study.methods],
        "seeds": ", ".join(map(str, study.seeds)),
        "measures": {name: one.model_dump(exclude_none=True) for name, one in study.measures.items()},
        "budget": study.budget.limits(),
        "runs at the same time": study.parallel,
    }
    settings = {f"setting {name}": _block(block) for name, block in study.settings.items()}
    return [*rows(told), *rows(settings), *rows(study.config)]


def _block(block: str | dict[str, Any]) -> str:
    if isinstance(block, str):
        return block
    return ", ".join(f"{key}: {shown(key, value)}" for key, value in block.items())
