"""Kill running optimizations at random moments and see what is lost: nothing should be.

    python benchmarks/kills.py --kills 200

Each run is the real command line against a server on loopback. It is killed with SIGKILL after a
random time and resumed, over and over, until it is done, and then compared with a run that nobody
disturbed. A call counts as repeated when it was asked for again after its reply had been recorded.
"""

import argparse
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from endpoint import Endpoint, fixed, name_of

from metaspo.models.sent import draw_seed

SEED = 1

SECONDS = (1.2, 3.0)
"""How long a process lives before it is killed; the first second is its start."""

RESULT = {
    "rounds": "SELECT round, level, system, score, accepted, dropped FROM rounds WHERE run = ? ORDER BY round",
    "lineage": "SELECT round, level, task, position, prompt, parent, status, reason, score, stage, examples, gain"
    " FROM candidates WHERE run = ? ORDER BY round, level, task, position",
    "standing": 'SELECT task, position, system, "user", score FROM standing WHERE run = ? ORDER BY task, position',
    "evaluations": "SELECT DISTINCT e.task, e.split, e.system, e.user, e.score FROM run_evaluations r"
    " JOIN evaluations e ON e.id = r.evaluation WHERE r.run = ? ORDER BY 1, 2, 3, 4, 5",
}


def command(*words: str) -> list[str]:
    """The metaspo command line in this Python."""
    return [sys.executable, "-m", "metaspo", *words]


def write_config(folder: Path, url: str, model: str) -> Path:
    """A small run whose models are told apart by name."""
    rows = [{"question": f"Is {n} lucky?", "answer": "yes" if n % 2 else "no"} for n in range(40)]
    reader = {"kind": "choice", "labels": ["yes", "no"], "from": "reply"}
    task = {"user_prompt": "Yes or no?\n{question}", "reader": reader}
    spec = {"provider": "server", "name": model, "base_url": url, "concurrency": 8, "seed": SEED}
    config = {
        "tasks": [
            {**task, "name": name, "examples": [{**row, "question": f"{name}: {row['question']}"} for row in rows]}
            for name in "abc"
        ],
        "base": spec, "optimizer": spec, "preset": "quick", "iterations": 3, "train_size": 20, "test_size": 20,
        "store": str(folder / f"{model}.db"),
    }  # fmt: skip
    path = folder / f"{model}.yaml"
    path.write_text(json.dumps(config))
    return path


def outcome(store: Path) -> dict[str, Any]:
    """All that a run decided, without its id and its times."""
    db = sqlite3.connect(store)
    try:
        [(run, status)] = db.execute("SELECT id, status FROM runs").fetchall()
        return {"status": status, **{name: db.execute(query, [run]).fetchall() for name, query in RESULT.items()}}
    finally:
        db.close()


def recorded(store: Path) -> set[str]:
    """Every recorded call, named as the endpoint names requests."""
    if not store.exists():
        return set()
    db = sqlite3.connect(store)
    try:
        rows = [json.loads(request) for (request,) in db.execute("SELECT request FROM calls")]
    except sqlite3.OperationalError:
        return set()  # killed before the tables were made
    finally:
        db.close()
    return {name_of(row["messages"], draw_seed(SEED, row.get("sample", ""))) for row in rows}


def started(store: Path) -> bool:
    """Whether the file holds a run to resume."""
    if not store.exists():
        return False
    db = sqlite3.connect(store)
    try:
        return bool(db.execute("SELECT count(*) FROM runs").fetchone()[0])
    except sqlite3.OperationalError:
        return False
    finally:
        db.close()


class Victim:
    """One run that is killed until it is done."""

    def __init__(self, folder: Path, endpoint: Endpoint, model: str, chance: random.Random) -> None:
        """A run with a model name of its own, so that its requests can be told apart."""
        self.config, self.store = write_config(folder, endpoint.url, model), folder / f"{model}.db"
        self.endpoint, self.model, self.chance = endpoint, model, chance
        self.kills = self.repeated = 0

    def live(self, allowance: "Allowance") -> None:
        """Run, be killed, resume, until done."""
        words = command("optimize", str(self.config))
        while True:
            paid, heard = recorded(self.store), len(self.endpoint.seen)
            process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            allowed = allowance.take()
            try:
                process.wait(self.chance.uniform(*SECONDS) if allowed else None)
                allowance.give_back(allowed)
            except subprocess.TimeoutExpired:
                process.kill()
                self.kills += 1
            error = process.communicate()[1]
            asked = [name for model, name in self.endpoint.seen[heard:] if model == self.model]
            self.repeated += len(asked) - len(set(asked)) + len(paid.intersection(asked))
            if process.returncode == 0:
                return
            if process.returncode > 0:
                raise SystemExit(f"{self.model} failed: {error}")
            if started(self.store):
                words = command("resume", "--store", str(self.store))


class Allowance:
    """How many kills are left, for all victims together."""

    def __init__(self, kills: int) -> None:
        """Allow that many."""
        self.left = kills
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Whether one more process may be killed."""
        with self._lock:
            if self.left <= 0:
                return False
            self.left -= 1
            return True

    def give_back(self, unused: bool) -> None:
        """A process was done before it could be killed."""
        with self._lock:
            self.left += unused


def torture(kills: int, seed: int, workers: int) -> dict[str, int | float]:
    """Kill until the allowance is used up; the tally."""
    started = time.monotonic()
    tally: dict[str, int | float] = {"kills": 0, "runs": 0, "repeated completed calls": 0, "runs that ended differently": 0}
    with tempfile.TemporaryDirectory() as name, Endpoint(fixed(0.02)) as endpoint:
        folder = Path(name)
        calm = Victim(folder, endpoint, "calm", random.Random(0))
        calm.live(Allowance(0))
        expected, allowance, counter = outcome(calm.store), Allowance(kills), iter(range(10**6))

        def worker(_: int) -> None:
            while allowance.left > 0:
                number = next(counter)
                victim = Victim(folder, endpoint, f"m{number}", random.Random(f"{seed}/{number}"))
                victim.live(allowance)
                tally["kills"] += victim.kills
                tally["runs"] += 1
                tally["repeated completed calls"] += victim.repeated
                tally["runs that ended differently"] += outcome(victim.store) != expected

        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(worker, range(workers)))
    tally["seconds"] = round(time.monotonic() - started, 1)
    return tally


def main() -> None:
    """Parse, torture, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=3, help="runs at the same time")
    given = parser.parse_args()
    print(json.dumps(torture(given.kills, given.seed, given.workers), indent=2))


if __name__ == "__main__":
    main()
