"""Many callers, few batches: what goes into one, and what each caller gets."""

import asyncio
import time

import pytest

from metaspo.store.batcher import Batcher


class Desk:
    """Work that records its batches and takes as long as `gate` is closed."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def work(self, items: list[int]) -> list[int | Exception]:
        self.batches.append(items)
        await self.gate.wait()
        if 13 in items:
            raise OSError("the disk is full")
        return [ValueError(f"{item} is negative") if item < 0 else 10 * item for item in items]


@pytest.fixture
async def desk() -> Desk:
    return Desk()


async def test_what_comes_together_is_one_batch_and_what_comes_meanwhile_the_next(desk: Desk) -> None:
    batcher = Batcher(desk.work)
    desk.gate.clear()
    first = [asyncio.create_task(batcher.submit(item)) for item in (1, 2, 3)]
    await asyncio.sleep(0.01)
    second = [asyncio.create_task(batcher.submit(item)) for item in (4, 5)]
    await asyncio.sleep(0.01)
    assert desk.batches == [[1, 2, 3]]
    desk.gate.set()
    assert await asyncio.gather(*first, *second) == [10, 20, 30, 40, 50]
    assert desk.batches == [[1, 2, 3], [4, 5]]


async def test_nothing_is_waited_for_unless_asked(desk: Desk) -> None:
    batcher = Batcher(desk.work)
    alone = asyncio.create_task(batcher.submit(1))
    # In one turn of the loop the item is handed in, in the next its batch begins.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert desk.batches == [[1]] and await alone == 10


async def test_a_batch_waits_for_what_comes_with_its_first_item(desk: Desk) -> None:
    batcher = Batcher(desk.work, gather=0.05)
    started = time.monotonic()
    tasks = [asyncio.create_task(batcher.submit(1))]
    await asyncio.sleep(0.01)
    tasks.append(asyncio.create_task(batcher.submit(2)))
    assert await asyncio.gather(*tasks) == [10, 20]
    assert desk.batches == [[1, 2]] and time.monotonic() - started >= 0.05


async def test_an_error_of_the_work_is_everyones_in_that_batch_and_nobody_elses(desk: Desk) -> None:
    batcher = Batcher(desk.work)
    for task in [asyncio.create_task(batcher.submit(item)) for item in (1, 13, 2)]:
        with pytest.raises(OSError, match="the disk is full"):
            await task
    assert await batcher.submit(4) == 40 and desk.batches == [[1, 13, 2], [4]]


async def test_a_result_that_is_an_error_is_raised_for_its_item_alone(desk: Desk) -> None:
    batcher = Batcher(desk.work)
    one, failing, two = (asyncio.create_task(batcher.submit(item)) for item in (1, -1, 2))
    with pytest.raises(ValueError, match="-1 is negative"):
        await failing
    assert (await one, await two) == (10, 20) and desk.batches == [[1, -1, 2]]


@pytest.mark.parametrize(("skip", "then"), [(False, [[4], [1, 2, 3]]), (True, [[4], [1, 3]])])
async def test_what_was_handed_in_is_done_even_if_nobody_waits_unless_it_may_be_skipped(
    desk: Desk, skip: bool, then: list[list[int]]
) -> None:
    batcher = Batcher(desk.work, skip_cancelled=skip)
    desk.gate.clear()
    under_way = asyncio.create_task(batcher.submit(4))
    await asyncio.sleep(0.01)
    tasks = [asyncio.create_task(batcher.submit(item)) for item in (1, 2, 3)]
    await asyncio.sleep(0.01)
    tasks[1].cancel()
    under_way.cancel()
    desk.gate.set()
    assert await asyncio.gather(tasks[0], tasks[2]) == [10, 30]
    assert desk.batches == then


async def test_a_batch_of_nobody_is_no_batch(desk: Desk) -> None:
    batcher = Batcher(desk.work, gather=0.01, skip_cancelled=True)
    task = asyncio.create_task(batcher.submit(1))
    await asyncio.sleep(0)
    task.cancel()
    await batcher.join()
    assert not desk.batches and await batcher.submit(2) == 20


async def test_join_waits_for_all_that_was_submitted(desk: Desk) -> None:
    batcher = Batcher(desk.work)
    await batcher.join()
    desk.gate.clear()
    tasks = [asyncio.create_task(batcher.submit(1))]
    await asyncio.sleep(0.01)
    tasks.append(asyncio.create_task(batcher.submit(2)))
    await asyncio.sleep(0.01)
    asyncio.get_running_loop().call_later(0.02, desk.gate.set)
    await batcher.join()
    assert desk.batches == [[1], [2]]
    assert await asyncio.gather(*tasks) == [10, 20]
