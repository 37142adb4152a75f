"""What the ledger and the store can do: replay, record, grow, open.

    python benchmarks/ledger.py

Prints one JSON object. Replies come from a scripted model in this process, so that what is measured
is metaspo's own: hashing, look-up, recording, account.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from metaspo import ModelSpec, aoptimize, aresume
from metaspo.domain.calls import Request
from metaspo.models.account import Account
from metaspo.models.ledger import Ledger
from metaspo.models.model import Model
from metaspo.models.registry import Registry
from metaspo.store.database import Store

WORDS = "The parcel came on time and the colour is just right, but one corner was dented. " * 6


def request(number: int) -> Request:
    """A request of about a kilobyte, as a base call has."""
    return Request((("system", "You are a careful assistant. " * 10), ("user", f"{number}: {WORDS}")), 64, 0.0)


async def ask(ledger: Ledger, model: Model, account: Account, numbers: range, width: int) -> float:
    """Ask for all of them, `width` at a time; seconds."""
    started = time.perf_counter()
    for start in range(numbers.start, numbers.stop, width):
        group = range(start, min(start + width, numbers.stop))
        await asyncio.gather(*(ledger.call(model, request(number), "base", account) for number in group))
    return time.perf_counter() - started


def resident() -> float:
    """This process's resident memory in MB."""
    return psutil.Process().memory_info().rss / 1e6


def size(path: Path) -> int:
    """The bytes of a store file after its log is folded in."""
    store = Store(path)
    store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    return path.stat().st_size


async def calls(folder: Path, count: int) -> dict[str, Any]:
    """Record `count` calls, then replay them in a fresh registry."""
    path, found = folder / "calls.db", {}
    for name in ("record", "replay"):
        registry = Registry()
        _, ledger = await registry.ledger(path)
        model = await registry.model(ModelSpec.parse("scripted:dice,concurrency=256"))
        account = Account("run")
        await ask(ledger, model, account, range(count // 10), 500)
        before, cpu = resident(), time.process_time()
        seconds = await ask(ledger, model, account, range(count // 10, count), 500)
        found[f"{name}: calls per second"] = round((count - count // 10) / seconds)
        found[f"{name}: CPU ms per call"] = round(1000 * (time.process_time() - cpu) / (count - count // 10), 3)
        found[f"{name}: memory growth, MB"] = round(resident() - before, 1)
        assert account.usage.total_calls == (count if name == "record" else 0)
        await registry.close()
    store = Store(path)
    text = store.db.execute("SELECT sum(length(CAST(request AS BLOB)) + length(CAST(reply AS BLOB))) FROM calls").fetchone()[0]
    store.close()
    found["bytes per call beyond its text"] = round((size(path) - text) / count)
    return found


async def identical(folder: Path) -> dict[str, Any]:
    """A thousand identical calls at once."""
    registry = Registry()
    _, ledger = await registry.ledger(folder / "identical.db")
    model, account = await registry.model(ModelSpec.parse("scripted:dice")), Account("run")
    await asyncio.gather(*(ledger.call(model, request(0), "base", account) for _ in range(1000)))
    await registry.close()
    return {"paid of 1,000 identical calls at once": account.usage.total_calls}


def hundreds(name: str, count: int) -> dict[str, Any]:
    """A task of `count` questions."""
    rows = [{"question": f"Is {n} a lucky number for {name}?", "answer": "yes" if n % 2 else "no"} for n in range(count)]
    reader = {"kind": "choice", "labels": ["yes", "no"], "from": "reply"}
    return {"name": name, "examples": rows, "user_prompt": "Yes or no?\n{question}", "reader": reader, "constrain": True}


async def paper_run(folder: Path) -> dict[str, Any]:
    """A run of the paper's sizes on five source tasks, stopped near its end and resumed."""
    path = folder / "paper.db"
    settings: dict[str, Any] = {"base": "scripted:dice", "optimizer": "scripted:dice", "method": "metaspo", "preset": "paper"}
    tasks = [hundreds(name, 100) for name in "abcde"]
    first = await aoptimize(tasks=tasks, **settings, store=path, budget={"calls": 20_000})
    assert first.stopped is not None
    made = first.report.usage.total_calls
    first_events: list[float] = []
    started = time.perf_counter()
    done = await aresume(store=path, budget={}, listener=lambda event: first_events.append(time.perf_counter()))
    store = Store(path)
    rows = store.db.execute("SELECT sum(length(checkpoint)) FROM checkpoints").fetchone()[0]
    rows += store.db.execute("SELECT sum(length(value)) FROM writes").fetchone()[0]
    store.close()
    return {
        "run of the paper's sizes on five tasks: paid calls": done.report.usage.total_calls,
        "checkpoints of that run, MB": round(rows / 1e6, 2),
        f"opening and resuming it after {made:,} calls, seconds to the first event": round(first_events[0] - started, 2),
    }


async def measure(count: int) -> dict[str, Any]:
    """Everything, in a temporary folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return {"cores": os.cpu_count(), **await calls(folder, count), **await identical(folder), **await paper_run(folder)}


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=50_000)
    print(json.dumps(asyncio.run(measure(parser.parse_args().calls)), indent=2))


if __name__ == "__main__":
    main()
