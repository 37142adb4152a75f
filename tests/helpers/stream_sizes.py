"""What each stream mode of a server brings in bytes, and the table of docs/studio.md that says so.

python -m tests.helpers.stream_sizes    # measures the demo's run and writes the table's figures anew
"""

import asyncio
import json
import re
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from .agent_server import ROOT, AgentServer

PAGE = ROOT / "docs" / "studio.md"
ROW = re.compile(r"^(\| `([a-z-]+)`[^|]*\|[^|]*\|) ([\d,]+) \|$", re.MULTILINE)
"""A row of the table: its mode, what that brings, kilobytes."""

CALLS = re.compile(r"(the demo's )([\d,]+) calls")

DICE = {"base": "scripted:dice", "optimizer": "scripted:dice"}
TOGETHER = ["custom", "updates", "values", "tasks", "checkpoints", "debug", "messages-tuple"]
APART = ["events"]
"""A server makes these in another way, and all others with them."""


def begun(folder: Path) -> AgentServer:
    """A server of what langgraph.json serves, at work in a folder."""
    config = json.loads((ROOT / "langgraph.json").read_text())
    (folder / "langgraph.json").write_text(json.dumps(config | {"dependencies": [str(ROOT)]}))
    return AgentServer(folder, "langgraph", "dev", "--no-reload", "--n-jobs-per-worker", "4")


async def streamed(client: LangGraphClient, graph: str, given: dict[str, Any], modes: Any) -> AsyncIterator[tuple[str, Any]]:
    """The parts of a new thread's first run: their modes and data."""
    thread = (await client.threads.create())["thread_id"]
    async for part in client.runs.stream(thread, graph, input=given, context=DICE, stream_mode=modes):
        assert part.event != "error", part.data
        yield part.event, part.data


async def measured(client: LangGraphClient) -> tuple[int, dict[str, int]]:
    """The demo's run: its calls, and the bytes that its streams have as JSON, by mode."""
    sizes, calls = Counter[str](), 0
    for modes in (TOGETHER, APART):
        async for mode, data in streamed(client, "metaspo", {"method": "metaspo"}, modes):
            sizes[mode] += len(json.dumps(data)) if mode in modes else 0
            if mode == "custom" and data["event"] == "round_closed":
                calls = data["spent"]["calls"]
    return calls, {mode: size for mode, size in sizes.items() if size}


def told() -> tuple[int, dict[str, int]]:
    """The calls, and kilobytes by mode, as the page has them."""
    text = PAGE.read_text(encoding="utf-8")
    [(_, calls)] = CALLS.findall(text)
    return int(calls.replace(",", "")), {mode: int(figure.replace(",", "")) for _, mode, figure in ROW.findall(text)}


async def _measure(url: str) -> tuple[int, dict[str, int]]:
    async with get_client(url=url) as client:
        return await measured(client)


def write(calls: int, sizes: dict[str, int]) -> None:
    """Put the calls and the sizes, in bytes, into the page."""
    text = CALLS.sub(lambda found: f"{found[1]}{calls:,} calls", PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(ROW.sub(lambda row: f"{row[1]} {round(sizes[row[2]] / 1000):,} |", text), encoding="utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        server = begun(Path(folder))
        try:
            write(*asyncio.run(_measure(server.url)))
        finally:
            server.stop()
