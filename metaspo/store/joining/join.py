"""A store file joined into an open store, in one transaction: all of it, or nothing."""

from collections.abc import Collection, Container
from dataclasses import dataclass, field
from pathlib import Path

from sqlite_utils import Database

from ...domain.errors import StoreError
from .. import leases
from ..transactions import writing
from .attached import attached, file_of
from .chosen import THERE, forget, has_threads, list_of, name_all
from .compared import Compared, compare, holds, in_both
from .content import join_content
from .payments import join_calls
from .rows import join_batches, join_runs, remove_runs
from .scores import claim_own, compare_scores, join_scores
from .threads import join_threads, prepare_threads


@dataclass(slots=True)
class Joined:
    """What came from a file. The `known` are those that were here already, the `kept` runs stand further on here.

    `lost` counts calls that the file itself has lost, `orphans` are runs whose parents are in neither, and `elsewhere`
    those that have rounds and no checkpoints in the file: they are in a PostgreSQL, or gone.
    """

    runs: list[str] = field(default_factory=list)
    known_runs: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    calls: int = 0
    known_calls: int = 0
    evaluations: int = 0
    known_evaluations: int = 0
    lost: int = 0
    orphans: dict[str, str] = field(default_factory=dict)
    elsewhere: list[str] = field(default_factory=list)


class Every:
    """Contains every run."""

    def __contains__(self, run: object) -> bool:
        """Always."""
        return True


def join(db: Database, origin: Path, *, further: Container[str] = (), at_work: Container[str] = ()) -> Joined:
    """Join a store file into an open database, in one transaction.

    A run of `further` may stand further on in the file than here, and is taken from there then; where it stands further
    on here, it stays. Raises StoreError where the file is none of ours or is damaged, where a run stands in both and goes on
    in one of them, or went different ways; RunHeldError where somebody works on one of its runs that is not among those
    `at_work`, which are taken as they would be had their processes been killed.
    """
    prepare_threads(db)
    with attached(db, origin, THERE) as unchanged, writing(db):
        name_all(db)
        refuse_held(db, THERE, origin, at_work)
        done = join_named(db, origin, further, at_work=at_work)
        unchanged()
    return done


def join_named(
    db: Database, origin: Path, further: Container[str], before: Collection[str] = (), at_work: Container[str] = ()
) -> Joined:
    """Join what the views name, in a transaction that has begun. Runs `before` come along as what others descend from."""
    here = str(file_of(db))
    refuse_held(db, "main", file_of(db), at_work)
    done = Joined(lost=int(db.execute(f"SELECT coalesce(max(rowid) - count(*), 0) FROM {THERE}.calls").fetchone()[0]))
    _choose(db, origin, (further, before), done)
    join_content(db, origin, here)
    stood = _count(db, "calls")
    done.known_calls = join_calls(db)
    done.calls = _count(db, "calls") - stood
    done.known_evaluations = compare_scores(db)
    claim_own(db)
    join_threads(db, origin)
    done.evaluations = join_scores(db)
    join_runs(db)
    join_batches(db)
    _look_round(db, done)
    forget(db)
    return done


def _choose(db: Database, origin: Path, allowed: tuple[Container[str], Collection[str]], done: Joined) -> None:
    """Fill `coming` with the runs whose own rows are taken over; what they replace here is gone then."""
    further, before = allowed
    every = {run: thread for run, thread in db.execute("SELECT id, coalesce(thread, id) FROM from_runs ORDER BY nth")}
    refused: list[tuple[str, Compared]] = []
    for thread, runs in in_both(db).items():
        if all(run in before and holds(db, run) for run in runs):
            done.known_runs += [run for run in runs if every.pop(run, None)]
            continue
        found, named = compare(db, thread, runs), all(run in before or run in further for run in runs)
        if found.ahead == "there" and named:
            remove_runs(db, runs, [thread])
        elif found.ahead == "same" or (found.ahead == "here" and named):
            (done.known_runs if found.ahead == "same" else done.kept).extend(run for run in runs if run in every)
            for run in runs:
                every.pop(run, None)
        else:
            refused.append((thread, found))
    if refused:
        raise StoreError(_refusal(refused, str(origin), str(file_of(db))))
    done.runs = [*every]
    list_of(db, "coming", done.runs)


def _refusal(refused: list[tuple[str, Compared]], there: str, here: str) -> str:
    """One sentence a run that cannot be joined."""
    said = []
    for thread, found in refused:
        first, second = (here, there) if found.ahead == "here" else (there, here)
        end = (
            f"it went different ways; leave it out, and take the other runs of {there} one by one with 'metaspo move'"
            if found.ahead == "apart"
            else f"{first} goes on from where {second} stands; --further takes that"
        )
        said.append(f"run {thread} is not the same in both: {found.says(here, there)}: {end}")
    return "\n".join([*said, "nothing was joined"])


def refuse_held(db: Database, schema: str, file: Path, at_work: Container[str] = ()) -> None:
    """Raise RunHeldError where somebody works on a run that is about to be joined, as one of the two files says."""
    every = [run for (run,) in db.execute("SELECT id FROM from_runs")]
    leases.refuse_held(db, [run for run in every if run not in at_work], schema, f", in {file}")


def _look_round(db: Database, done: Joined) -> None:
    """Note what the runs that came lack."""
    came = "r.id IN (SELECT id FROM temp.coming)"
    lacking = f"SELECT r.id, r.parent FROM main.runs r WHERE {came} AND r.parent NOT IN (SELECT id FROM main.runs)"
    done.orphans = dict(db.execute(lacking).fetchall())
    begun = "EXISTS (SELECT 1 FROM main.rounds o WHERE o.run = r.id)"
    kept = "EXISTS (SELECT 1 FROM main.checkpoints c WHERE c.thread_id = coalesce(r.thread, r.id))"
    there = f" AND NOT {kept}" if has_threads(db, "main") else ""
    done.elsewhere = [run for (run,) in db.execute(f"SELECT r.id FROM main.runs r WHERE {came} AND {begun}{there}")]


def _count(db: Database, table: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM main.{table}").fetchone()[0])
