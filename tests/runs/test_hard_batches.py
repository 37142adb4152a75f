"""Whole runs whose batches go wrong: in part, for good, in two processes at once, over and over again, and within a budget."""

import os
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import metaspo
from metaspo import Task
from metaspo.domain.errors import BudgetSpent, ModelError
from metaspo.models import batches, collecting

from ..helpers import forked
from ..helpers.batch_host import BatchHost
from ..helpers.endpoint import completion
from .test_bad_days import answer, what
from .test_batched_runs import ROOT, command, optimized, result_of, run_id, started

pytestmark = pytest.mark.slow


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchHost]:
    monkeypatch.setattr(batches, "SETTLED", 0.05)
    monkeypatch.setattr(collecting, "FIRST_LOOK", 0.02)
    host = BatchHost(lambda body: completion(answer(body)))
    host.act = lambda request, body, number: None
    yield host
    host.close()


BATCHED: dict[str, Any] = {"model": {"batch": True}, "iterations": 1}


@pytest.mark.parametrize("end", ["expired", "cancelled", "completed"])
def test_what_batches_leave_out_is_asked_again_and_changes_nothing(
    make_task: Callable[..., Task], host: BatchHost, tmp_path: Path, end: str
) -> None:
    expected = optimized(make_task, host, tmp_path / "calm.db", **BATCHED)
    paid = list(host.lines)
    host.lines.clear()
    met: set[str] = set()

    def left_out(key: str, number: int) -> bool:
        first, _ = key not in met, met.add(key)
        return first and int(key, 16) % 3 == 0

    host.end_as, host.leave_out = end, left_out
    result = optimized(make_task, host, tmp_path / "hard.db", **BATCHED)
    assert what(result) == what(expected)
    twice = {key for key, times in Counter(host.lines).items() if times > 1}
    # Nothing that was answered is asked again, and all that was not.
    assert twice == {key for key in paid if int(key, 16) % 3 == 0} and set(host.lines) == set(paid)
    assert result.report.usage.calls == expected.report.usage.calls
    assert result.report.usage.total_calls == len(paid)


def test_a_budget_is_kept_and_a_larger_one_goes_on_without_paying_again(
    make_task: Callable[..., Task], host: BatchHost, tmp_path: Path
) -> None:
    expected = optimized(make_task, host, tmp_path / "calm.db", **BATCHED)
    paid, store = len(host.lines), tmp_path / "budget.db"
    host.lines.clear()
    result = optimized(make_task, host, store, budget={"calls": 50}, **BATCHED)
    assert isinstance(result.stopped, BudgetSpent) and len(host.lines) == 50 == result.report.usage.total_calls
    result = metaspo.resume(result.run, store=store, budget={"calls": None})
    assert what(result) == what(expected) and len(host.lines) == len(set(host.lines)) == paid
    assert result.report.usage.total_calls == paid


def test_a_failed_batch_stops_the_run_in_the_endpoints_words_and_it_goes_on(
    make_task: Callable[..., Task], host: BatchHost, tmp_path: Path
) -> None:
    host.end_as, store = "failed", tmp_path / "failed.db"
    with pytest.raises(ModelError, match="The model does not exist"):
        optimized(make_task, host, store, **BATCHED)
    assert host.begun == 1
    host.end_as = "completed"
    host.lines.clear()
    assert metaspo.resume(run_id(store), store=store).stopped is None
    assert len(host.lines) == len(set(host.lines))


@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_killed_at_every_batch_nothing_is_paid_twice(host: BatchHost, tmp_path: Path, kills: int) -> None:
    environment, store = os.environ | {"PYTHONPATH": str(ROOT)}, tmp_path / "killed.db"
    forked.run(started(host, tmp_path / "calm.db"), check=True, env=environment, cwd=tmp_path, capture_output=True)
    paid = len(host.lines)
    host.lines.clear()
    process: list[forked.Popen[bytes]] = []
    killed_in: set[int] = set()

    def kill(moment: int) -> Callable[[], None]:
        def now() -> None:
            # In every batch once, at one moment after the other.
            if host.begun % 3 == moment and host.begun not in killed_in and len(killed_in) < kills:
                killed_in.add(host.begun)
                os.kill(process[-1].pid, signal.SIGKILL)
                process[-1].wait()

        return now

    host.when_begun, host.when_looked_at, host.when_downloaded = map(kill, range(3))
    words = started(host, store)
    for _ in range(50):
        process.append(forked.Popen(words, env=environment, cwd=tmp_path, stdout=forked.DEVNULL, stderr=forked.PIPE))
        _, said = process[-1].communicate(timeout=60)
        if process[-1].returncode == 0:
            break
        assert process[-1].returncode == -signal.SIGKILL, said.decode()
        words = command(host, store, "resume", run_id(store))
    assert process[-1].returncode == 0 and len(process) == len(killed_in) + 1 > min(kills, 6)
    assert len(host.lines) == len(set(host.lines)) == paid
    assert result_of(store) == result_of(tmp_path / "calm.db")


def test_two_processes_at_once_share_what_is_alike(host: BatchHost, tmp_path: Path) -> None:
    environment, store = os.environ | {"PYTHONPATH": str(ROOT)}, tmp_path / "shared.db"
    host.looks = 3
    both = [
        forked.Popen(started(host, store), env=environment, cwd=tmp_path, stdout=forked.PIPE, stderr=forked.PIPE)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert len(host.lines) == len(set(host.lines)) > 0
    with sqlite3.connect(store) as db:
        assert db.execute("SELECT count(*) FROM calls").fetchone() == (len(host.lines),)
        assert db.execute("SELECT count(*) FROM batches WHERE state != 'ended'").fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM runs WHERE status = 'done'").fetchone() == (2,)
