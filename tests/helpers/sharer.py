"""A worker of a study that a desk leads: `python -m tests.helpers.sharer JOB...`; each asks its calls and prints how it went.

A job is JSON, or @ and the file with it: {"socket": ..., "run": ..., "attempt": 1, "store": ..., "spec": {...}, "calls": ["a", ...]}; each has a process
of its own, which says its number first.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from metaspo import ModelSpec
from metaspo.domain.calls import Request
from metaspo.domain.errors import MetaspoError
from metaspo.models import backends  # noqa: F401
from metaspo.models.account import Account
from metaspo.models.registry import Registry
from metaspo.models.sharing.messages import Worker

from .desk_line import SocketLine


async def main(job: dict[str, Any]) -> dict[str, Any]:
    registry = Registry()
    line = SocketLine(job["socket"], Worker(job["run"], job.get("attempt", 1))) if job.get("socket") else None
    account = Account(job["run"])
    account.under(registry.share(line) if line else None)
    replies: list[Any] = []
    try:
        _, ledger = await registry.ledger(job["store"])
        model = await registry.model(ModelSpec.parse(job["spec"]))

        async def ask(text: str) -> Any:
            return await ledger.call(model, Request((("user", text),), 16, 0.0), "base", account)

        begun, cpu = time.monotonic(), time.process_time()
        async with asyncio.TaskGroup() as group:
            asked = await model.limiter.queue.start(group, lambda text: settled(ask(text)), job["calls"])
        replies = [task.result() for task in asked]
        seconds, cpu = time.monotonic() - begun, time.process_time() - cpu
        if job.get("idle"):
            await account.sleep(job["idle"])
            replies += [] if account.stopped is None else [account.stopped]
    except MetaspoError as error:
        replies, seconds, cpu = [error], 0.0, 0.0
    await registry.close()
    if line is not None:
        await line.close()
    return {
        "run": job["run"],
        "paid": account.usage.total_calls,
        "cached": account.usage.cached,
        "kinds": sorted({type(reply).__name__ for reply in replies if isinstance(reply, BaseException)}),
        "errors": sorted({str(reply) for reply in replies if isinstance(reply, BaseException)}),
        "replies": [reply[1].text for reply in replies if not isinstance(reply, BaseException)],
        "seconds": seconds,
        "cpu": cpu,
    }


async def settled(work: Any) -> Any:
    try:
        return await work
    except MetaspoError as error:
        return error


def say(what: dict[str, Any]) -> None:
    # In one write, where Python does not buffer either: others write into the same pipe.
    print(json.dumps(what) + "\n", end="", flush=True)


if __name__ == "__main__":
    # What they load, most of what a process costs, is loaded once.
    children = []
    for given in sys.argv[1:]:
        job = json.loads(Path(given[1:]).read_text() if given.startswith("@") else given)
        children.append(os.fork())
        if not children[-1]:
            say({"run": job["run"], "pid": os.getpid()})
            say(asyncio.run(main(job)))
            os._exit(0)
    for child in children:
        os.waitpid(child, 0)
