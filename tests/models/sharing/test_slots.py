"""The slots of an endpoint over several workers: never more than it bears, for whoever waits, and back from who is gone."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from metaspo.domain.calls import Request
from metaspo.models.sharing.messages import SlotWish, Worker
from metaspo.models.sharing.pool import Pool
from metaspo.models.sharing.seats import Seat
from metaspo.models.sharing.shared_limiter import SharedLimiter
from metaspo.models.sharing.sharing import Sharing

from ...helpers.study_desk import Direct, Study, until


class Work:
    """Requests that take a moment each, counted over all workers."""

    def __init__(self, level: int) -> None:
        self.level, self.open, self.most = level, 0, 0
        self.done: dict[str, int] = {}
        self.order: list[str] = []

    async def request(self, name: str, limiter: SharedLimiter, seconds: float, first: bool = False) -> None:
        async with limiter.first() if first else limiter.turn(Request((("user", name),), 1, 0.0)):
            self.open += 1
            self.most = max(self.most, self.open)
            assert self.open <= self.level
            self.order.append(name)
            await asyncio.sleep(seconds)
            self.open -= 1
        self.done[name] = self.done.get(name, 0) + 1


@pytest.fixture
async def study(tmp_path: Path) -> AsyncIterator[Study]:
    found = await Study(tmp_path).open()
    yield found
    await found.close()


async def opened(study: Study, run: str, level: int | None, slow: float = 0.002) -> tuple[Sharing, SharedLimiter]:
    sharing = Sharing(Direct(study.desk, Worker(run, 1), slow))
    limiter = sharing.limiter("endpoint", level)
    (await sharing.store(study.folder / f"{run}.db")).close()
    assert isinstance(limiter, SharedLimiter)
    return sharing, limiter


@pytest.mark.long
@pytest.mark.parametrize(("level", "workers"), [(1, 3), (2, 6), (8, 3)])
async def test_any_mix_of_workers_stays_within_the_limit_and_all_come_to_their_turn(
    study: Study, level: int, workers: int
) -> None:
    work, random = Work(level), Random(level)
    there = [await opened(study, f"run {number}", level) for number in range(workers)]

    async def at_work(name: str, limiter: SharedLimiter) -> None:
        for _ in range(4):
            await asyncio.sleep(random.random() * 0.03)
            several = [
                work.request(name, limiter, random.random() * 0.004, random.random() < 0.1)
                for _ in range(random.randint(1, 12))
            ]
            gone = asyncio.create_task(work.request("cancelled", limiter, 0.001))
            await asyncio.gather(*several)
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)

    await asyncio.gather(*(at_work(f"run {number}", limiter) for number, (_, limiter) in enumerate(there)))
    assert work.open == 0 and len([name for name in work.done if name != "cancelled"]) == workers
    for sharing, _ in there:
        await sharing.close()
    assert study.desk._pools["endpoint"].free == level


async def test_one_worker_alone_may_have_all_and_gives_way_when_another_comes(study: Study) -> None:
    work = Work(6)
    (one, first), (other, second) = [await opened(study, run, 6) for run in ("a", "b")]
    many = [asyncio.create_task(work.request("a", first, 0.02)) for _ in range(120)]
    await until(lambda: work.open == 6)
    await work.request("b", second, 0.02)
    assert work.done.get("a", 0) < 60, "it waited behind all that the first one has"
    await asyncio.gather(*many)
    assert work.most == 6
    asked = one._wire._line.asked.count("slots")  # type: ignore[attr-defined]
    await asyncio.gather(*(work.request("a", first, 0.0) for _ in range(200)))
    assert one._wire._line.asked.count("slots") <= asked + 4  # type: ignore[attr-defined]
    for sharing in (one, other):
        await sharing.close()


async def test_slots_of_who_is_gone_go_to_who_waits_and_witnesses_go_first(study: Study) -> None:
    work = Work(2)
    (lost, theirs), (other, ours) = [await opened(study, run, 2) for run in ("lost", "b")]
    dead = [asyncio.create_task(work.request("lost", theirs, 60)) for _ in range(2)]
    await until(lambda: work.open == 2)
    waiting = [asyncio.create_task(work.request(f"b {number}", ours, 0.01)) for number in range(6)]
    waiting.append(asyncio.create_task(work.request("witness", ours, 0.01, first=True)))
    await asyncio.sleep(0.05)
    assert len(work.order) == 2
    for task in dead:
        task.cancel()
    await asyncio.gather(*dead, return_exceptions=True)
    work.open = 0
    await study.desk.forget("lost")
    await asyncio.gather(*waiting)
    assert work.order[2] == "witness" and work.most == 2
    for sharing in (lost, other):
        await sharing.close()


async def test_auto_stays_each_worker_s_own_within_one_bound(study: Study) -> None:
    sharing, limiter = await opened(study, "a", None)
    work = Work(limiter.most)
    await asyncio.gather(*(work.request("a", limiter, 0.001) for _ in range(100)))
    assert work.done == {"a": 100} and work.most <= 16
    await sharing.close()


def test_what_is_told_late_or_twice_changes_nothing() -> None:
    pool, seat, other = Pool("e", 4), Seat(Worker("a", 1)), Seat(Worker("b", 1))
    pool.wish(seat, SlotWish("e", 4, 3))
    pool.wish(seat, SlotWish("e", 4, 3))  # As if it had not heard yet: the three are under way.
    assert seat.granted == {"e": 3} and pool.free == 1
    pool.wish(other, SlotWish("e", 4, 2))
    assert other.granted == {"e": 1} and seat.contended == {"e": True}
    back = SlotWish("e", 4, 0, granted=3, returned=1)
    pool.wish(seat, back)
    pool.wish(seat, back)
    assert other.granted == {"e": 2} and pool.free == 0 and seat.contended == {"e": False}
    pool.forget(seat)
    assert pool.free == 2
