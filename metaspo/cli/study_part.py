"""`study --part`: some of a study's runs, in a store of their own, for a job of an array; no table before all are merged."""

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..domain.counting import counted
from ..domain.errors import ConfigError
from .options import stopped
from .screen import say, say_command, say_json
from .show_study_plan import show_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..studies.parts import Part
    from ..studies.study import Cell, Study


def study_part(study: "Study", options: dict[str, Any], *, plan_only: bool, as_json: bool) -> None:
    """Do what is missing of part K/N, or only count it; ends with the commands that bring all parts together."""
    from ..studies.engines import ALONE
    from ..studies.parts import Part, take
    from ..studies.plans import without_data
    from ..studies.study import run_study
    from .progress import Several

    if options["engine"]:
        raise ConfigError(ALONE)
    part, store = Part.parse(options["part"]), options["store"]
    if missing := without_data(study):
        raise ConfigError(
            f"no data on this machine yet of {', '.join(missing)}, which say what is in a part; run "
            f"'metaspo tasks fetch {' '.join(missing)}'"
        )
    mine = take(study, part, store)
    for note in mine.notes:
        say(f"{part}: {note}", err=True)
    if plan_only:
        show_cells(mine.cells)
        return
    reason = run_study(mine.study, mine.cells, Several(quiet=as_json).listen, mine.portion) if mine.cells else None
    done = _done(mine.study, mine.cells)
    merge = _merge(study.store, part, store)
    if as_json:
        runs = [{"run": cell.search.run, "cell": cell.search.label, "done": cell.search.run in done} for cell in mine.cells]
        say_json({"part": part.number, "of": part.of, "store": mine.study.store, "runs": runs, "merge": merge})
    else:
        _show(part, mine.study.store, mine.cells, done, merge)
    if reason is not None:
        stopped(reason, "the same command")


def _show(part: "Part", store: str, cells: "Sequence[Cell]", done: set[str], merge: str) -> None:
    if not cells:
        say(f"{part} has no runs: the study has fewer than {counted(part.of, 'run')}. There is nothing to do")
        return
    runs = {cell.search.run for cell in cells}
    say(f"{part}: {len(done)} of {counted(len(runs), 'run')} done, with what measures them, in {_near(store)}")
    say_command("when all parts are through, join them", merge)
    say("then the same 'metaspo study' without --part does what is missing, and writes the table")


def _done(study: "Study", cells: "Sequence[Cell]") -> set[str]:
    """The searches that are done with all that measures them."""
    from ..studies.batch import statuses

    known = statuses(study.store)

    def through(cell: "Cell") -> bool:
        run = cell.search.run
        return known.get(run) == "done" and all(known.get(one) == "done" for one in cell.measuring(study, run).values())

    return {cell.search.run for cell in cells if through(cell)}


def _merge(whole: str, part: "Part", store: str | None) -> str:
    """The command that joins the parts' stores; of those in other places than ours, only this part's is known."""
    if store:
        return f"metaspo merge {shlex.quote(_near(whole))} {shlex.quote(_near(store))} ..."
    folder, pattern = os.path.split(_near(part.stores(whole)))
    # The star is the shell's; all else may hold a space.
    found = "*".join(shlex.quote(one) if one else "" for one in pattern.rsplit("*", 1))
    return f"metaspo merge {shlex.quote(_near(whole))} {shlex.quote(folder) + '/' if folder else ''}{found}"


def _near(path: str) -> str:
    """A path as it is written from here, if it is below."""
    here = Path(path).absolute()
    return str(here.relative_to(Path.cwd())) if here.is_relative_to(Path.cwd()) else str(here)
