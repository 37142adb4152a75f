"""A cell of a notebook, as a process of its own: `python notebook.py WAY URL STORE`."""

import asyncio
import sys
from typing import Any

import metaspo


def settings(url: str, store: str) -> dict[str, Any]:
    model = {"provider": "server", "name": "m", "base_url": url, "concurrency": 2}
    rows = [{"question": f"Is {i} odd?", "answer": "yes" if i % 2 else "no"} for i in range(40)]
    reader = {"kind": "choice", "labels": ["yes", "no"], "from": "reply"}
    task = {"name": "a", "examples": rows, "user_prompt": "Say yes or no.\n{question}", "reader": reader}
    return {"tasks": [task], "base": model, "optimizer": model, "preset": "quick", "store": store}


def main(way: str, url: str, store: str) -> None:
    async def cell() -> metaspo.Result:
        return metaspo.optimize(**settings(url, store))

    if way == "in a thread beside asyncio.run":
        result = asyncio.run(cell())
    else:
        loop = asyncio.new_event_loop()
        result = loop.run_until_complete(metaspo.aoptimize(**settings(url, store)) if way == "await" else cell())
    print("stopped:", result.stopped, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
