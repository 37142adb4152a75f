"""What a run costs as it grows: calls, bytes, seconds, memory and money, by tasks and examples a task.

    python benchmarks/growth.py --quick          4 and 40 tasks; under two minutes
    python benchmarks/growth.py                  the table of docs/scale.md, at most 20 minutes on two quiet cores
    python benchmarks/growth.py --cell common_first,40,50

What many runs in one store cost, many_runs.py measures.

Everything has a process of its own and goes through metaspo's Python API, the real graph and a real SQLite store; models
answer at once, so that what is measured is metaspo's own. Seconds are of the processor (user and system), less what it
takes to import: other programs on the machine change them little. Examples lie in files. `planned` cells were not run:
their calls are the most that `--plan` finds, at the price that a call has with 4 tasks.

open       reading the tasks, checking them, drawing the splits; `plan` is that and the estimate
a round    the search from its first prompts to its end, by the number of its rounds
resume     a run that is done is opened again, as it is before it goes on: tasks, lease, state, report
money      the recorded texts at four characters a token and the list price of `MODEL` (datasets/prices.yaml)
"""

import argparse
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MODEL = "gpt-5-mini"
WORDS = "The parcel came on time and the colour is just right, but one corner was dented, and nobody answered. "
CELLS = [
    ("common_first", 4, 50), ("common_first", 4, 5000), ("common_first", 40, 50), ("common_first", 40, 5000),
    ("common_first", 400, 50), ("metaspo", 4, 50), ("metaspo", 4, 5000),
]  # fmt: skip
PLANNED = [("common_first", 400, 5000), *(("metaspo", tasks, size) for tasks in (40, 400) for size in (50, 5000))]
QUICK = [("common_first", 4, 50), ("common_first", 40, 50)]

PARTS = {
    "calls": ("calls",),
    "evaluations": ("evaluations", "outcomes", "run_evaluations"),
    "examples": ("examples", "tasks", "run_tasks", "dealt", "images"),
    "checkpoints": ("checkpoints", "writes", "checkpoint_blobs"),
    "events": ("events",),
    "runs": ("runs", "rounds", "candidates", "standing", "prompts"),
}
"""The parts of a store, by their tables."""


def written(folder: Path, tasks: int, size: int) -> list[str]:
    """So many task files with so many examples each; those of one run are found again by the next."""
    for name in (f"task_{number}" for number in range(tasks)):
        if (folder / f"{name}.yaml").exists():
            continue
        rows = [{"question": f"{name} {n}: {WORDS}Is {n} odd?", "answer": "yes" if n % 2 else "no"} for n in range(size)]
        (folder / f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        reader = {"kind": "choice", "labels": ["yes", "no"], "from": "reply"}
        task = {"name": name, "examples": f"{name}.jsonl", "user_prompt": "Yes or no?\n{question}", "reader": reader}
        (folder / f"{name}.yaml").write_text(json.dumps(task), encoding="utf-8")
    return [str(folder / f"task_{number}.yaml") for number in range(tasks)]


def settings(job: dict[str, Any], model: str = "scripted:novice") -> dict[str, Any]:
    """What a run of a cell is given."""
    tasks = written(Path(job["folder"]), job["tasks"], job["examples"])
    store = Path(job["folder"]) / "growth.db"
    given = {"tasks": tasks, "base": model, "optimizer": model, "method": job["method"], "preset": "paper", "store": store}
    # The paper's method takes a number of training examples, the default at most so many: half of 50 is left to test.
    return given | ({"train_size": min(50, job["examples"] // 2)} if job["method"] == "metaspo" else {})


def planned(job: dict[str, Any]) -> dict[str, Any]:
    """Opening and planning, and the most calls that the plan finds."""
    from metaspo.runs.config import RunConfig
    from metaspo.runs.plan import plan
    from metaspo.workspace.dealing import open_tasks

    given = settings(job, f"openai:{MODEL}")
    config = RunConfig(**given | {"store": str(given["store"])})
    seconds = {}
    with timed(seconds, "open s"):
        open_tasks(config.problem(), config.problem().settings())
    with timed(seconds, "plan s"):
        needs = plan(config)
    return {"at most": sum(need.calls for need in needs), **seconds}


def searched(job: dict[str, Any]) -> dict[str, Any]:
    """The run itself."""
    import metaspo

    given, seconds = settings(job), {}
    sizes = {"iterations": 1, "train_size": 2, "validation_size": 2, "test_size": 2}
    small = {**given, **sizes, "tasks": given["tasks"][:1], "store": given["store"].with_name("small.db")}
    metaspo.optimize(**small)  # imports what a run imports
    with timed(seconds, "run s"):
        done = metaspo.optimize(**given)
    assert done.stopped is None, done.stopped
    rounds = [row for row in done.report.rounds if row.level in ("user", "system")]
    calls = done.report.usage.total_calls
    return {
        "calls": calls, "rounds": len(rounds), **seconds, "ms a call": 1000 * seconds["run s"] / calls,
        "s a round": seconds["run s"] / (len(rounds) or 1),
    }  # fmt: skip


def afterwards(job: dict[str, Any]) -> dict[str, Any]:
    """What is done with a run that is over."""
    import metaspo
    from metaspo.reports.export import export
    from metaspo.reports.pages.run_page import open_run_page
    from metaspo.reports.report import open_report
    from metaspo.reports.verification.verify import verify

    store, seconds = Path(job["folder"]) / "growth.db", {}
    if job["what"] == "resume":
        with timed(seconds, "resume s"):
            metaspo.resume(store=store)
    if job["what"] == "show":
        with timed(seconds, "show s"):
            report = open_report(store)
        with timed(seconds, "export s"):
            export(report, "json")
    if job["what"] == "page":
        with timed(seconds, "page s"):
            size = len(open_run_page(store).encode())
        seconds["page KB"] = size / 1e3
    if job["what"] == "verify":
        with timed(seconds, "verify s"):
            assert verify("last", store=store).well
    return seconds


@contextmanager
def timed(seconds: dict[str, Any], name: str) -> Iterator[None]:
    """The seconds of the processor that a piece of work takes."""
    started = time.process_time()
    yield
    seconds[name] = time.process_time() - started


KINDS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "planned": planned, "searched": searched, "afterwards": afterwards,
}  # fmt: skip


def child(job: dict[str, Any]) -> None:
    """Do one job and print what it took."""
    import metaspo
    import metaspo.reports.pages.run_page
    import metaspo.reports.verification.verify
    import metaspo.runs.plan

    metaspo.optimize  # noqa: B018  # the face imports what is named
    found = KINDS[job["kind"]](job)
    print(json.dumps({**found, "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3}))


def measured(job: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A job done in a process of its own."""
    command = [sys.executable, __file__, "--job", json.dumps({**job, **more})]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=job["folder"])
    return json.loads(done.stdout.splitlines()[-1])


def sizes(store: Path) -> dict[str, float]:
    """The megabytes of a store, by part, indexes included."""
    db = sqlite3.connect(store)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    by_table: dict[str, int] = {}
    asked = "SELECT m.tbl_name, sum(s.pgsize) FROM dbstat s JOIN sqlite_master m ON m.name = s.name GROUP BY 1"
    try:
        by_table = dict(db.execute(asked))
    except sqlite3.OperationalError:
        print("this SQLite has no dbstat: bytes are those of the whole file", file=sys.stderr)
    found = {f"{part} MB": sum(by_table.get(name, 0) for name in tables) / 1e6 for part, tables in PARTS.items()}
    db.close()
    return {**found, "store MB": os.path.getsize(store) / 1e6}


def paid(store: Path) -> float:
    """What the recorded calls would have cost, in dollars."""
    from metaspo.models.priced import priced
    from metaspo.models.spec import ModelSpec

    spec = priced(ModelSpec.parse(f"openai:{MODEL}"))
    db = sqlite3.connect(store)
    read, wrote = db.execute("SELECT sum(length(request)) / 4, sum(length(reply)) / 4 FROM calls").fetchone()
    db.close()
    return spec.cost(int(read or 0), int(wrote or 0), 0) or 0.0


def cell(method: str, tasks: int, examples: int, run: bool) -> dict[str, Any]:
    """One row of the table."""
    with tempfile.TemporaryDirectory() as folder:
        job = {"folder": folder, "method": method, "tasks": tasks, "examples": examples}
        written(Path(folder), tasks, examples)
        row = {"method": method, "tasks": tasks, "examples": examples, **measured(job, kind="planned")}
        if run:
            row |= measured(job, kind="searched")
            for what in ("resume", "show", "page", "verify"):
                took = measured(job, kind="afterwards", what=what)
                row |= took | {"peak MB": max(row["peak MB"], took["peak MB"])}
            store = Path(folder) / "growth.db"
            row |= sizes(store) | {"dollars": paid(store)}
    return row


def shown(value: Any) -> str:
    """A figure as the tables have it."""
    if not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) else str(value)
    return f"{value:.2f}" if abs(value) < 10 else f"{value:,.0f}"


def table(rows: list[dict[str, Any]]) -> None:
    """Print rows side by side: a line for each figure, since there are many."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [[name, *(shown(row[name]) if name in row else "-" for row in rows)] for name in names]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)), flush=True)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few small cells only")
    parser.add_argument("--cell", help="one cell only, such as common_first,40,50")
    parser.add_argument("--json", action="store_true", help="print JSON at the end")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        child(json.loads(options.job))
        return
    cells = [*QUICK] if options.quick else [*CELLS]
    plans = [] if options.quick or options.cell else PLANNED
    if options.cell:
        method, tasks, examples = options.cell.split(",")
        cells = [(method, int(tasks), int(examples))]
    rows = []
    for run, chosen in ((True, cells), (False, plans)):
        for one in chosen:
            rows.append(cell(*one, run) | ({} if run else {"calls": "planned"}))
            print(".", end="", file=sys.stderr, flush=True)
    each = {row["method"]: row["dollars"] / row["calls"] for row in reversed(rows) if "dollars" in row}
    for row in rows:
        row.setdefault("dollars", each.get(row["method"], 0.0) * row["at most"])
    print(file=sys.stderr)
    table(rows)
    if options.json:
        print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
