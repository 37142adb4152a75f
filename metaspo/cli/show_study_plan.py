"""What a study's runs will ask at most, as it looks in a terminal."""

from typing import TYPE_CHECKING

from .screen import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..studies.study import Cell, Study


def show_study_plan(study: "Study") -> None:
    """The calls of each cell, at most, and the tasks that have to be fetched first."""
    from ..studies.plans import with_stand_ins, without_data
    from ..studies.study import plan_study

    missing = without_data(study)
    show_cells(plan_study(with_stand_ins(study)), named=not missing)
    if missing:
        say(
            f"no data on this machine yet of {', '.join(missing)}: counted as if all of their examples came; get them with "
            f"'metaspo tasks fetch {' '.join(missing)}'",
            err=True,
        )


def show_cells(cells: "Sequence[Cell]", *, named: bool = True) -> None:
    """The calls of each cell, at most, and of all; by the run's id where that is known."""
    from ..studies.plans import plan_cell
    from ..tasks.examples import read_once

    total = 0
    with read_once():
        for cell in cells:
            total += (calls := sum(need.calls for need in plan_cell(cell)))
            # A run is named by what it is given, which is not all there yet.
            run = f"{cell.search.run[:8]}  " if named else ""
            say(f"{run}{cell.search.label}: at most {calls:,} calls")
    say(f"together at most {total:,} calls; what several runs ask alike is paid once", err=True)
