"""Keeps the prompts of an agent good while its data grow, on the budget of a week: begun by cron, or by itself with --every.

    python examples/continual.py run.yaml --calls 2000 --every 6     # looks every six hours, until Ctrl-C
    0 */6 * * * python examples/continual.py run.yaml --cost 5.00    # the same from cron, in money

Each time it looks it goes on with what was interrupted; or, where the tasks of the config have at least --new new
examples since the last run, it starts a run from the newest confirmed prompts, with what is left of the week's budget.
That is read from the store, so restarts and kills spend nothing twice. The file prompts.json always holds the newest
confirmed prompts, continual.log what happened. The store is this program's own.
"""

import argparse
import json
import os
import sqlite3
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import metaspo
from metaspo.approval.request import asks_a_person
from metaspo.domain.errors import MetaspoError, StoreError
from metaspo.reports.confirmed import newest_confirmed
from metaspo.reports.listing import list_runs
from metaspo.reports.spending import spent_since
from metaspo.runs.from_run import changes_since
from metaspo.store.runs import PLACEBO
from metaspo.tasks.changes import changes_say


class Continual:
    """What is looked after: the tasks of a config, the prompts that are in use, and the week's budget."""

    def __init__(self, given: argparse.Namespace, now: datetime) -> None:
        """Read the config anew, as it stands today."""
        self.given, self.now = given, now
        self.config = metaspo.read_config(given.config)
        self.store = self.config.store

    def say(self, text: str) -> None:
        """Put a line into the log, and on the screen."""
        line = f"{self.now:%Y-%m-%d %H:%M} {text}"
        print(line, flush=True)
        with Path(self.given.log).open("a", encoding="utf-8") as log:
            log.write(f"{line}\n")

    def left(self) -> dict[str, Any]:
        """What is left of the budget of this week, which begins on Monday at midnight, UTC."""
        monday = (self.now - timedelta(days=self.now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
        spent = spent_since(self.store, monday) if Path(self.store).exists() else None
        most = {"calls": self.given.calls, "cost": self.given.cost}
        used = {"calls": spent.total_calls if spent else 0, "cost": (spent.cost or 0.0) if spent else 0.0}
        return {name: max(0, limit - used[name]) for name, limit in most.items() if limit is not None}

    def look(self) -> int:
        """Do what there is to do now, if nobody else does; the exit code is 0, or that of whatever stopped a run."""
        # A lock that a kill gives back, for what comes before a run has begun: from then on the run's lease would do.
        with ExitStack() as held:
            try:
                lock = sqlite3.connect(f"{self.store}.look", timeout=0, isolation_level=None)
                held.callback(lock.close)
                lock.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise StoreError(f"{self.store}.look: {error}; a store needs a folder to write in") from None
                self.say("Another process looks after this store right now; nothing is begun beside it.")
                return 0
            return self.looked()

    def looked(self) -> int:
        """The same, alone."""
        rows = list_runs(self.store) if Path(self.store).exists() else []
        every = [row for row in rows if not row["method"].startswith(PLACEBO)]
        last = every[-1] if every else None
        self.take()  # A kill may have come between the end of a run and this.
        left = self.left()
        if not all(left.values()):
            self.say(f"The budget of this week is spent; {_is_left(left)}.")
            return 3
        if last and (last["status"] == "running" or self.asks_a_person(last)):
            self.say(f"Run {last['run'][:8]} is {last['status']}; nothing is begun beside it.")
            return 0
        if last and last["status"] != "done":
            return self.go_on(last["run"], left)
        return self.begin(last, left)

    def asks_a_person(self, last: dict[str, Any]) -> bool:
        """Whether a run waits for a person; one that waits for a batch is gone on with."""
        return last["status"] == "waiting" and asks_a_person(metaspo.open_report(self.store, last["run"]).run.reason)

    def go_on(self, run: str, left: dict[str, Any]) -> int:
        """Go on with a run that was stopped or killed, within what is left: a run's budget counts from its beginning."""
        before = metaspo.open_report(self.store, run).usage
        used = {"calls": before.total_calls, "cost": before.cost or 0.0}
        self.say(f"Run {run[:8]} goes on; {_is_left(left)}.")
        return self.ended(metaspo.resume(run, store=self.store, budget={name: used[name] + left[name] for name in left}))

    def begin(self, last: dict[str, Any] | None, left: dict[str, Any]) -> int:
        """Start a run where the data have grown enough since the last one, or where there was none."""
        settings: dict[str, Any] = {f"budget.{name}": limit for name, limit in left.items()}
        if last:
            changes = changes_since(self.config, self.store, last["run"])
            if not changes.new_tasks and changes.new < self.given.new:
                said = changes_say(changes, f"run {last['run'][:8]}")[0]
                self.say(f"{said} {self.given.new} new ones are waited for.")
                return 0
            confirmed = newest_confirmed(self.store)
            settings |= {"from_run": {"run": confirmed.id, "allow_unchanged": True}} if confirmed else {}
        config = metaspo.read_config(self.given.config, settings)
        for line in config.from_run.says if config.from_run else ["A first run begins, with the prompts of the config."]:
            self.say(line)
        self.say(f"A run begins; {_is_left(left)}.")
        return self.ended(metaspo.optimize(config))

    def ended(self, result: metaspo.Result) -> int:
        """Say what came of a run, and take its prompts if they are confirmed."""
        if result.stopped:
            self.say(f"Run {result.run[:8]} stopped: {result.stopped}. The prompts in use stay.")
            return result.stopped.exit_code
        self.say(f"Run {result.run[:8]} is done. {result.report.verdict_says}")
        self.take()
        return 0

    def take(self) -> None:
        """Have the file hold the newest confirmed prompts: whole, at any moment."""
        confirmed = newest_confirmed(self.store) if Path(self.store).exists() else None
        if confirmed is None:
            return
        report = metaspo.open_report(self.store, confirmed.id)
        users = {task: texts[0] for task, texts in report.user_after.items()}
        found = {"run": confirmed.id, "says": report.verdict_says, "system_prompt": report.system_after, "user_prompts": users}
        there, text = Path(self.given.output), json.dumps(found, ensure_ascii=False, indent=2)
        if there.exists() and there.read_bytes() == text.encode():
            return
        new = there.with_name(f"{there.name}.new")
        new.write_bytes(text.encode())
        os.replace(new, there)
        self.say(f"{there} holds the prompts of run {confirmed.id[:8]} now.")


def _is_left(left: dict[str, Any]) -> str:
    return (
        ", ".join(f"{limit:,.2f} {name}" if name == "cost" else f"{limit:,} {name}" for name, limit in left.items()) + " left"
    )


def main(argv: Sequence[str] | None = None, now: datetime | None = None) -> int:
    """Look once, or every so many hours until Ctrl-C. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Optimize prompts again whenever their data have grown.")
    parser.add_argument("config", help="a config of metaspo, with its tasks and a store of its own")
    parser.add_argument("--calls", type=int, help="the most calls of a week")
    parser.add_argument("--cost", type=float, help="the most cost of a week")
    parser.add_argument("--new", type=int, default=50, help="how many new examples make it worth while")
    parser.add_argument("--every", type=float, metavar="HOURS", help="look again after so many hours")
    parser.add_argument("--output", default="prompts.json")
    parser.add_argument("--log", default="continual.log")
    given = parser.parse_args(argv)
    if given.calls is None and given.cost is None:
        parser.error("say what a week may take: --calls, --cost or both")
    while True:
        try:
            code = Continual(given, now or datetime.now(UTC)).look()
            if code == 130 or given.every is None:
                return code
            time.sleep(3600 * given.every)
        except KeyboardInterrupt:
            return 130
        except (MetaspoError, OSError) as error:
            # A file that is being written, an endpoint that is down, a full disk: the next look may find it mended.
            print(f"error: {error}", file=sys.stderr, flush=True)
            if given.every is None:
                return getattr(error, "exit_code", 1)
            time.sleep(3600 * given.every)


if __name__ == "__main__":
    sys.exit(main())
