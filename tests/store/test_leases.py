"""One process per run at a time: who is dead, who lives, and what clocks have to say in it."""

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from metaspo.domain.errors import RunHeldError
from metaspo.domain.processes import host
from metaspo.store import leases
from metaspo.workspace import lease as run_lease

from ..helpers import forked


def test_a_lease_is_held_by_one(open_store: Any) -> None:
    store = open_store()
    lease = leases.acquire(store.db, "r", "2026-01-01T00:00:00+00:00")
    with pytest.raises(RunHeldError, match=r"is being worked on by process .* since 2026-01-01"):
        leases.acquire(open_store().db, "r", "later")
    assert leases.beat(store.db, lease)
    leases.release(store.db, lease)
    assert not leases.beat(store.db, lease)
    leases.acquire(open_store().db, "r", "later")


def test_the_lease_of_the_dead_is_taken_over(open_store: Any) -> None:
    """The pid lives on in another process: only its start tells them apart."""
    store = open_store()
    lease = leases.acquire(store.db, "r", "then")
    for holder in ("h/1/12.5/9", lease.holder.replace("@", "9@")):
        store.db.execute("UPDATE leases SET holder = ?", [holder])
        assert not leases.is_held(store.db, "r")
        leases.acquire(store.db, "r", "now")


@pytest.mark.parametrize("seconds", [5, -5, 3600, -3600])
def test_a_clock_that_is_set_kills_nobody(seconds: float, open_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store()
    leases.acquire(store.db, "r", "then")
    now, booted = time.time, psutil.boot_time()
    monkeypatch.setattr("time.time", lambda: now() + seconds)
    if sys.platform == "linux":  # where a process's time of creation moves with the clock
        created = psutil.Process().create_time()
        monkeypatch.setattr("psutil._pslinux.boot_time", lambda: booted + seconds)
        assert psutil.Process().create_time() == pytest.approx(created + seconds, abs=0.1)
    assert leases.is_held(store.db, "r")
    with pytest.raises(RunHeldError, match="is being worked on"):
        leases.acquire(store.db, "r", "now")


HOLD = """
import os, sys, time
from metaspo.store import leases
from metaspo.store.database import Store
leases.acquire(Store(sys.argv[1]).db, "r", "then")
print("held", flush=True)
time.sleep(60)
"""


def test_a_killed_process_is_dead_even_if_nobody_collects_it(open_store: Any, store_path: Path) -> None:
    store = open_store()
    with forked.Popen([sys.executable, "-c", HOLD, str(store_path)], stdout=forked.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        assert leases.is_held(store.db, "r")
        process.kill()
        end = time.monotonic() + 10
        while leases.is_held(store.db, "r") and time.monotonic() < end:
            time.sleep(0.02)
        leases.acquire(store.db, "r", "now")


@pytest.mark.long
@pytest.mark.parametrize(
    ("ahead", "beats"), [(0, True), (0, False), (-3600, True), (-3600, False), (3600, True), (3600, False)]
)
async def test_a_holder_elsewhere_lives_as_long_as_it_gives_signs_whatever_its_clock_says(
    ahead: float, beats: bool, open_store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On another machine, whose clock may differ, or was set."""
    monkeypatch.setattr(run_lease, "WATCH", 0.5)
    store = open_store()
    leases.acquire(store.db, "r", "then")
    there = time.time() + ahead
    store.db.execute("UPDATE leases SET holder = 'far/1/5@boot.1/9', host = 'another-machine', beat = ?", [there])
    asking = asyncio.create_task(run_lease.acquired(store, "r"))
    await asyncio.sleep(0.2)
    if beats:
        await store.run(lambda db: db.execute("UPDATE leases SET beat = beat + 10"))
    if beats or not ahead:
        with pytest.raises(RunHeldError, match=r"by process .* on another-machine"):
            await asking
    else:
        assert (await asking).holder.startswith(host())
