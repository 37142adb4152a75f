"""What many runs in one store cost: stores of 1, 10, 100 and 1,000 runs are made, and every command is tried on them.

    python benchmarks/many_runs.py make 100 --store hundred.db --together 20
    python benchmarks/many_runs.py measure one.db ten.db hundred.db
    python benchmarks/many_runs.py make 1000 --store thousand.db --small

Runs share tasks, seeds and first prompts, as those of a study do. A scripted model answers at once; its rows are as long
as a model's. `measure` runs every command in a process of its own, twice: once for seconds and memory, once for what
SQLite does: statements, and steps of its machine (a row that is read takes about ten).
"""

import argparse
import contextlib
import hashlib
import io
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from metaspo.domain.calls import Request

MODEL = {"provider": "scripted", "name": "many_runs:answer", "version": "1", "concurrency": 64}

WORDS = "The parcel came on time and the colour is just right, but one corner was dented. " * 5

METHODS = ("fixed", "metaspo", "outer_only", "protegi", "common_first")

TICK = 1000
"""Steps of SQLite's machine between two looks."""


def answer(request: Request) -> str:
    """A reply of some length, right or wrong by the hash of its prompts and the question."""
    text = "\0".join(str(content) for _, content in request.messages) + request.sample
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    if "between <prompt> and </prompt>" in request.messages[-1][1]:
        end = "\n{question}" if "{question} exactly once" in request.messages[-1][1] else ""
        return f"Well.\n<prompt>Prompt number {number % 10**9}. {WORDS[: number % 300]}{end}</prompt>"
    return f"{'yes' if number % 3 else 'no'}" if "BEGIN DATA" not in request.messages[-1][1] else f"{number} {WORDS}"


def study(runs: int, store: Path, together: int, *, small: bool) -> dict[str, Any]:
    """A study of so many runs: methods x two settings x seeds, on tasks that they share."""
    rows = [{"question": f"{n}: {WORDS}", "answer": "yes" if n % 2 else "no"} for n in range(30 if small else 400)]
    reader = {"kind": "choice", "labels": ["yes", "no"], "from": "reply"}
    task = {"user_prompt": "Yes or no?\n{question}", "reader": reader}
    tasks = [
        {**task, "name": name, "examples": [{**row, "question": f"{name} {row['question']}"} for row in rows]}
        for name in "abcde"
    ]
    sizes = (
        {"iterations": 1, "train_size": 4, "test_size": 4} if small else {"iterations": 2, "train_size": 30, "test_size": 150}
    )
    settings = {"one": {"tasks": tasks[:1]}} if small else {"one": {"tasks": tasks[:3]}, "two": {"tasks": tasks[2:]}}
    if runs < len(METHODS) * len(settings):
        methods, settings, seeds = ["metaspo"], {"one": settings["one"]}, runs
    else:
        methods, seeds = [*METHODS], runs // len(METHODS) // len(settings)
    shared = {"base": MODEL, "optimizer": MODEL, "preset": "quick", **sizes}
    return {
        "config": shared | ({} if small else {"user_candidates": 4, "system_candidates": 6, "keep": 2}), "methods": methods,
        "settings": settings, "seeds": [*range(seeds)], "parallel": together, "store": str(store.absolute()),
    }  # fmt: skip


def make(options: argparse.Namespace) -> None:
    """Run the study, and say what came of it."""
    from metaspo.studies.study import plan_study, read_study, run_study

    file = options.store.with_suffix(".yaml")
    file.write_text(yaml.safe_dump(study(options.runs, options.store, options.together, small=options.small)))
    _, planned = read_study(str(file))
    started = time.perf_counter()
    assert run_study(planned, plan_study(planned)) is None
    took = time.perf_counter() - started
    db = sqlite3.connect(options.store)
    found = {table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("runs", "calls", "outcomes")}
    print(json.dumps(found | {"seconds": round(took), "MB": round(options.store.stat().st_size / 1e6)}))


def newest(store: Path) -> list[str]:
    """Two runs of a store that can be compared: the last search, and another one of its method if there is one."""
    db = sqlite3.connect(store)
    rows = db.execute("SELECT id FROM runs WHERE method = 'metaspo' ORDER BY rowid").fetchall()
    return [rows[0][0], rows[-1][0]]


def commands(store: Path) -> Iterator[tuple[str, list[str]]]:
    """What people do with a store, in words and as arguments."""
    first, second = newest(store)
    at, out = ["--store", str(store)], tempfile.mkdtemp()
    yield "runs", ["runs", *at]
    yield "runs --json", ["runs", *at, "--json"]
    yield "show", ["show", first, *at]
    yield "history", ["history", first, *at]
    yield "report", ["report", first, *at, "--output", f"{out}/page.html"]
    yield "verify RUN", ["verify", first, *at]
    yield "watch", ["watch", first, *at]
    yield "export", ["export", first, *at]
    yield "diff", ["diff", first, second, *at]
    yield "resume (done)", ["resume", first, *at]
    yield "study (all done)", ["study", str(store.with_suffix(".yaml")), "--output", out]
    yield "report --study", ["report", "--study", str(store.with_suffix(".yaml")), "--output", f"{out}/study.html"]


def measure(options: argparse.Namespace) -> None:
    """Every command on every store, as rows of a table."""
    for store in options.stores:
        for words, arguments in commands(store):
            if options.only and options.only != words:
                continue
            found = [
                json.loads(subprocess.run(
                    [sys.executable, __file__, how, "--", *arguments], stdout=subprocess.PIPE, text=True, check=True,
                ).stdout.splitlines()[-1])
                for how in ("timed", "counted")
            ]  # fmt: skip
            print(json.dumps({"store": store.name, "command": words, **found[0], **found[1]}), flush=True)


def one(how: str, arguments: list[str]) -> None:
    """Run one command of the command line in this process, and say what it took."""
    from metaspo.cli.main import main

    seen: Counter[str] = Counter()
    if how == "counted":
        _count(seen)
    said = io.StringIO()
    started, cpu = time.perf_counter(), time.process_time()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(SystemExit):
        main(arguments)
    took = {"s": round(time.perf_counter() - started, 2), "cpu s": round(time.process_time() - cpu, 2)}
    took["MB"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    took["shown"] = len(said.getvalue())
    print(json.dumps(took if how == "timed" else {"statements": seen["statements"], "steps": seen["ticks"] * TICK}))


def _count(seen: "Counter[str]") -> None:
    """Have every connection to SQLite counted."""
    connect = sqlite3.connect

    def tick() -> None:
        seen["ticks"] += 1

    def counted(*arguments: Any, **settings: Any) -> sqlite3.Connection:
        made = connect(*arguments, **settings)
        made.set_progress_handler(tick, TICK)
        made.set_trace_callback(lambda statement: seen.update(["statements"]))
        return made

    sqlite3.connect = counted  # type: ignore[assignment]


def arguments() -> argparse.Namespace:
    """What is to be done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = parser.add_subparsers(dest="what", required=True)
    making = which.add_parser("make")
    making.add_argument("runs", type=int)
    making.add_argument("--store", type=Path, required=True)
    making.add_argument("--together", type=int, default=20, help="Runs at the same time.")
    making.add_argument("--small", action="store_true", help="Some fifty calls a run instead of thousands.")
    measuring = which.add_parser("measure")
    measuring.add_argument("stores", type=Path, nargs="+")
    measuring.add_argument("--only", help="One command, as the table calls it.")
    for how in ("timed", "counted"):
        which.add_parser(how).add_argument("arguments", nargs=argparse.REMAINDER)
    return parser.parse_args()


if __name__ == "__main__":
    options = arguments()
    if options.what == "make":
        make(options)
    elif options.what == "measure":
        measure(options)
    else:
        one(options.what, [word for word in options.arguments if word != "--"])
