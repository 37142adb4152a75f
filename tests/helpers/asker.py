"""A process that asks calls: `python -m tests.helpers.asker '{"store": ..., "spec": {...}, "calls": 60}'`; prints what it paid.

With `"processes": 4` it becomes so many, which ask the same at once and print a line each.
"""

import asyncio
import json
import os
import sys
from typing import Any

from metaspo import ModelSpec
from metaspo.domain.calls import Request
from metaspo.domain.errors import MetaspoError
from metaspo.models import backends  # noqa: F401
from metaspo.models import claims as waiting
from metaspo.models.account import Account
from metaspo.models.registry import Registry
from metaspo.store import claims


async def main(job: dict[str, Any]) -> dict[str, Any]:
    """Ask so many different calls at once; `stale` are the seconds after which a silent process is taken for dead."""
    claims.STALE_AFTER = job["stale"]
    claims.BEAT_EVERY = waiting.BEAT_EVERY = job["stale"] / 3
    registry, account = Registry(), Account(job.get("run", "run"))
    _, ledger = await registry.ledger(job["store"])
    model = await registry.model(ModelSpec.parse(job["spec"]))
    requests = [Request((("user", f"call {number}"),), 16, 0.0) for number in range(job["calls"])]
    print("ready", flush=True)
    replies: list[Any] = await asyncio.gather(
        *(ledger.call(model, request, "base", account) for request in requests), return_exceptions=True
    )
    await registry.close()
    errors = [str(reply) for reply in replies if isinstance(reply, MetaspoError)]
    return {
        "paid": account.usage.total_calls,
        "cached": account.usage.cached,
        "errors": errors,
        "replies": [reply[1].text for reply in replies if not isinstance(reply, BaseException)],
    }


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    # What they load, most of what a process costs, is loaded once.
    children = []
    for _ in range(given.get("processes", 1) - 1):
        children.append(os.fork())
        if not children[-1]:
            children = []
            break
    print(json.dumps(asyncio.run(main(given))), flush=True)
    assert not any(os.waitpid(child, 0)[1] for child in children)
