"""Workers that are stopped, or out of reach: the leader finds out, and nothing that they have paid for is lost."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from metaspo.domain.calls import Usage
from metaspo.domain.errors import ConfigError, MissingExtraError, StoreError
from metaspo.models.budget import Budget
from metaspo.models.sharing.messages import LineLost, Reason, Worker
from metaspo.studies.cluster import leading, working
from metaspo.studies.cluster.leading import LONG, SILENT, Leader
from metaspo.studies.cluster.order import Order, on_node, written_by


class Clock:
    """What a leader takes for the time."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


async def looked(leader: Leader, clock: Clock, seconds: float) -> list[Any]:
    """What a leader tells while some time passes in which it is asked every second, as its driver does."""
    told: list[Any] = []
    for _ in range(int(seconds)):
        clock.now += 1
        told += await leader.news()
    return told


async def test_a_silent_worker_is_told_of_once_and_a_leader_that_was_stopped_blames_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(leading, "time", clock)
    leader = Leader(str(tmp_path / "study.db"), Budget(), Usage(), [])
    await leader.open([])
    try:
        quiet, talking, gone, lost = (Worker(name, 1) for name in ("quiet", "talking", "gone", "lost"))
        for worker in (quiet, talking, gone, lost):
            await leader.answer(worker, "note", ("here",))
        await leader.answer(gone, "leave", ())
        await leader.forget("lost", 1)
        assert SILENT not in str(await looked(leader, clock, LONG / 2))
        await leader.answer(talking, "note", ("here",))
        clock.now += 10 * LONG  # This process was stopped itself.
        await leader.news()
        assert SILENT not in str(await looked(leader, clock, LONG / 2))
        await leader.answer(talking, "note", ("here",))
        assert await looked(leader, clock, LONG / 2 + 2) == [("quiet", {"event": SILENT, "attempt": 1})]
    finally:
        await leader.close()


async def test_a_worker_that_cannot_reach_its_study_says_so_and_hands_over_what_it_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    brought: list[str] = []

    async def lost(*given: Any) -> None:
        raise LineLost

    async def bring_in(line: Any, study: str) -> None:
        brought.append(study)
        raise LineLost

    monkeypatch.setattr(working, "_worked", lost)
    monkeypatch.setattr(working, "bring_in", bring_in)
    order = Order(versions=written_by(), run="r", attempt=1, problem={}, context={}, builds_on=[], study="mine", folder=".")
    found = await working._outcome(None, order, "here")  # type: ignore[arg-type]
    assert found.lost and found.reason() is None and brought == ["mine"]


def test_an_error_without_words_of_its_own_names_the_node_too() -> None:
    assert str(on_node("first", ConfigError("no"))).startswith("on node first: no; every node needs")
    assert "on node first: scoring needs the extra 'x'" in str(on_node("first", MissingExtraError("scoring", "x")))


async def test_a_leader_without_room_is_not_taken_for_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: Any, **keys: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/there/run.db")

    leader = Leader(str(tmp_path / "study.db"), Budget(), Usage(), [])
    await leader.open([])
    try:
        monkeypatch.setattr(leading, "join", full)
        said = await leader.ship(Worker("r", 1), b"")
        assert isinstance(said, Reason) and isinstance(said.error(), StoreError)
        assert said.said.startswith("the process that leads the study cannot go on: No space left on device (/there/run.db)")
    finally:
        await leader.close()


async def test_a_node_without_room_says_so_and_a_mistake_of_ours_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    order = Order(versions=written_by(), run="r", attempt=1, problem={}, context={}, builds_on=[], study="mine", folder=".")

    async def fails(*given: Any) -> None:
        raise failure

    monkeypatch.setattr(working, "_worked", fails)
    failure: Exception = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/there/run.db")
    full = await working._outcome(None, order, "here")  # type: ignore[arg-type]
    assert full.raised and isinstance(full.reason(), StoreError) and full.said.startswith("node here cannot go on: No space")
    failure = ZeroDivisionError("division by zero")
    ours = await working._outcome(None, order, "here")  # type: ignore[arg-type]
    assert ours.raised and "node here has an error of ours in test_silent.py, line" in ours.said
