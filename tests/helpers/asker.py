"""A process that asks calls: `python -m tests.helpers.asker '{"store": ..., "spec": {...}, "calls": 60}'`; prints what it paid."""

import asyncio
import json
import sys
from typing import Any

from metaspo import ModelSpec
from metaspo.domain.calls import Request
from metaspo.domain.errors import MetaspoError
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
    print(json.dumps(asyncio.run(main(json.loads(sys.argv[1])))))
