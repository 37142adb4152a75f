"""Workers in processes of their own that are killed while they ask, and a desk that is: what is recorded is never asked again."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiohttp import web

from metaspo.models.account import Account
from metaspo.models.budget import Budget
from metaspo.models.sharing.desk import Desk
from metaspo.store import calls
from metaspo.store.database import Store

from ...helpers.desk_line import Served
from ...helpers.endpoint import Endpoint, say
from ...helpers.study_desk import until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]


class Living:
    """Answers after a moment, and counts the requests of processes that are there."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.most = seconds, 0
        self._open: dict[int, web.Request] = {}

    async def __call__(self, request: web.Request, body: Any, number: int) -> Any:
        self._open[number] = request
        self.most = max(
            self.most, sum(one.transport is not None and not one.transport.is_closing() for one in self._open.values())
        )
        await asyncio.sleep(self.seconds)
        del self._open[number]
        return say(f"answer to {body['messages'][0]['content']}")


class Workers:
    """Processes that ask; `pids` by run, `ends` what became of each."""

    def __init__(self, folder: Path, spec: dict[str, Any]) -> None:
        self.folder, self.spec = folder, spec
        self.pids: dict[str, int] = {}
        self.ends: dict[str, dict[str, Any]] = {}
        self._reading: list[asyncio.Task[None]] = []

    async def start(self, runs: dict[str, list[str]], attempt: int = 1, fresh: bool = False, idle: float = 0) -> None:
        jobs = [
            json.dumps({
                "socket": str(self.folder / "line"), "run": run, "attempt": attempt, "spec": self.spec, "calls": texts, "idle": idle,
                "store": str(self.folder / f"{run}{attempt if fresh else ''}.db"),
            })
            for run, texts in runs.items()
        ]  # fmt: skip
        for run in runs:
            self.pids.pop(run, None)
            self.ends.pop(run, None)
        words = [sys.executable, "-m", "tests.helpers.sharer", *jobs]
        process = await asyncio.create_subprocess_exec(*words, cwd=ROOT, stdout=subprocess.PIPE, limit=2**24)
        self._reading.append(asyncio.create_task(self._read(process)))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            said = json.loads(line)
            if "pid" in said:
                self.pids[said["run"]] = said["pid"]
            else:
                self.ends[said["run"]] = said
        await process.wait()

    def kill(self, run: str) -> None:
        os.kill(self.pids[run], signal.SIGKILL)

    async def ended(self) -> None:
        await asyncio.gather(*self._reading)

    async def end(self) -> None:
        """Whoever is left, where a test failed."""
        for run in set(self.pids) - set(self.ends):
            with contextlib.suppress(ProcessLookupError):
                self.kill(run)
        await self.ended()


def asked(endpoint: Endpoint) -> list[str]:
    return [body["messages"][0]["content"] for body in endpoint.seen]


def recorded(store: Store) -> set[str]:
    return {call.request["messages"][0]["content"] for call in calls.since(store.db, 0)}


async def led(folder: Path, endpoint: Endpoint, work: Callable[[Desk, Workers], Any], **budget: Any) -> None:
    """Do some work with a desk behind a socket; what holds after any of it is checked at its end."""
    endpoint.act = living = Living(0.1)
    desk = await Desk(folder / "study.db", Account("", Budget.model_validate(budget))).open()
    served = await Served(desk, folder / "line").open()
    workers = Workers(folder, endpoint.spec(concurrency=4, timeout=60))
    try:
        await work(desk, workers)
        await workers.ended()
        # The totals are those of the store, nothing is left over, and nobody went beyond the limit.
        rows = calls.since(desk.store.db, 0)
        assert desk.account.usage.total_calls == len(rows) and desk.account.reserved == 0
        assert desk.account.usage.input_tokens == sum(row.reply.input_tokens for row in rows)
        assert desk._pools and all(pool.free == 4 for pool in desk._pools.values()) and living.most <= 4
        assert not desk.store.db.execute("SELECT count(*) FROM claims").fetchone()[0]
    finally:
        await workers.end()
        await served.close()
        await desk.close()


async def test_a_worker_that_is_killed_loses_no_call_and_others_go_on(tmp_path: Path, endpoint: Endpoint) -> None:
    texts = [f"call {number}" for number in range(40)]

    async def work(desk: Desk, workers: Workers) -> None:
        await workers.start({"a": texts, "b": texts})
        await until(lambda: len(endpoint.seen) >= 12 and desk.account.usage.total_calls >= 6)
        workers.kill("a")
        before, known = len(endpoint.seen), recorded(desk.store)
        await asyncio.sleep(0.1)  # Until anybody knows.
        await desk.forget("a")
        await workers.start({"a": texts}, attempt=2, fresh=True)
        await until(lambda: len(workers.ends) == 2)
        assert all(end["replies"] == [f"answer to {text}" for text in texts] for end in workers.ends.values())
        assert known and not known.intersection(asked(endpoint)[before + 4 :])
        counted = Counter(asked(endpoint))
        assert set(counted) == set(texts) and sum(counted.values()) <= 40 + 4  # What was in flight in the one that died.
        assert desk.account.usage.total_calls == 40

    await led(tmp_path, endpoint, work)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
async def test_however_often_workers_are_killed_a_budget_is_kept_to_the_call(
    tmp_path: Path, endpoint: Endpoint, seed: int
) -> None:
    random = Random(seed)
    shared = [f"call {number}" for number in range(150)]

    async def work(desk: Desk, workers: Workers) -> None:
        mine = {run: random.sample(shared, 100) for run in "abc"}
        attempts = dict.fromkeys(mine, 1)
        await workers.start(mine, idle=60)
        for _ in range(4):
            goal = desk.account.usage.total_calls + random.randint(3, 20)
            await until(lambda goal=goal: desk.account.usage.total_calls >= goal or desk.account.stopped)  # type: ignore[misc]
            run = random.choice("abc")
            await until(lambda run=run: run in workers.pids)  # type: ignore[misc]
            if run not in workers.ends:
                workers.kill(run)
            known, before = recorded(desk.store), len(endpoint.seen)
            await asyncio.sleep(0.1)
            await desk.forget(run)
            attempts[run] += 1
            await workers.start({run: mine[run]}, attempt=attempts[run], fresh=random.random() < 0.5, idle=60)
            await until(lambda run=run: run in workers.pids)  # type: ignore[misc]
            assert not known.intersection(asked(endpoint)[before + 4 :])
        await until(lambda: len(workers.ends) == 3)
        assert {kind for end in workers.ends.values() for kind in end["kinds"]} == {"BudgetSpent"}
        assert desk.account.usage.total_calls == 100 == len(recorded(desk.store))

    await led(tmp_path, endpoint, work, calls=100)


@pytest.mark.slow
async def test_a_desk_that_is_killed_ends_its_workers_and_nothing_is_asked_twice(tmp_path: Path, endpoint: Endpoint) -> None:
    endpoint.act = Living(0.3)
    texts = {run: [f"{run if number % 2 else 'shared'} {number}" for number in range(24)] for run in "ab"}
    job = json.dumps({"socket": str(tmp_path / "line"), "store": str(tmp_path / "study.db")})

    async def lead() -> asyncio.subprocess.Process:
        (tmp_path / "line").unlink(missing_ok=True)
        words = [sys.executable, "-m", "tests.helpers.desk_line", job]
        process = await asyncio.create_subprocess_exec(*words, cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.PIPE)
        assert process.stdout is not None and await process.stdout.readline() == b"ready\n"
        return process

    desk, workers = await lead(), Workers(tmp_path, endpoint.spec(concurrency=4, timeout=60))
    await workers.start(texts, idle=600)
    await until(lambda: len(endpoint.seen) >= 10)
    desk.kill()
    await desk.wait()
    await workers.ended()
    for end in workers.ends.values():
        assert end["kinds"] == ["LineLost"] and "run the same command again" in end["errors"][0]
    desk = await lead()
    await workers.start(texts, attempt=2)
    await workers.ended()
    assert all(not end["errors"] and len(end["replies"]) == 24 for end in workers.ends.values())
    counted = Counter(asked(endpoint))
    assert set(counted) == {text for of_run in texts.values() for text in of_run} and set(counted.values()) == {1}
    assert desk.stdin is not None
    desk.stdin.close()
    await desk.wait()
