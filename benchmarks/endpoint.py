"""An OpenAI-compatible server on loopback with deterministic replies and a latency of your choice.

    python benchmarks/endpoint.py --latency 0.05 --heavy-tailed
    python benchmarks/endpoint.py --latency 0.5 --slots 16 --blocks 2000

The model behind it has no sense: its answers are drawn from the hash of the request, so that prompts
differ in quality and every run of the same requests gets the same replies after the same time. Run
as a program it prints its address and serves until its standard input is closed.

With `--slots` it works on so many requests at once, as a GPU does, and others wait. With `--blocks` it keeps
beginnings of requests that it has read, in blocks of 64 characters, and is faster with what begins alike, as
servers with a prefix cache are. What this process was asked, and how much of it was in the cache, is at `/served`.
"""

import argparse
import asyncio
import hashlib
import json
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import nullcontext
from random import Random
from types import TracebackType

from aiohttp import web

Latency = Callable[[int], float]
"""The seconds that a request of a given number takes."""


def fixed(seconds: float) -> Latency:
    """Always the same latency."""
    return lambda number: seconds


def heavy_tailed(seconds: float) -> Latency:
    """A log-normal latency with that median, by request: one call in a hundred takes ten times as long."""
    return lambda number: Random(number).lognormvariate(0, 1) * seconds


def reply(text: str, number: int, words: int = 0) -> str:
    """What the senseless model says to a last message: a proposal with so many words more, an analysis, or yes or no."""
    if "between <prompt> and </prompt>" in text:
        end = "\n{question}" if "{question} exactly once" in text else ""
        return f"<prompt>Prompt number {number}.{' Weigh every word.' * (words // 3)}{end}</prompt>"
    if "BEGIN DATA" in text:
        return f"Analysis number {number}."
    return "yes" if number % 2 else "no"


def name_of(messages: list[dict[str, str]], seed: int | None = None) -> str:
    """What tells one request apart from another."""
    return json.dumps([[message["role"], message["content"], seed] for message in messages])


def number_of(name: str) -> int:
    """A request's number, drawn from its name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big")


BLOCK = 64
"""Characters of a block: about the 16 tokens of one of vLLM's."""

SAVED = 0.8
"""The share of a request's latency that goes into reading it, where its reply is a word."""


class PrefixCache:
    """The beginnings of requests that were read, the oldest of so many blocks forgotten first."""

    def __init__(self, room: int) -> None:
        """Remember `room` blocks; 0 remembers nothing."""
        self.room, self.read, self.found = room, 0, 0
        self._known: OrderedDict[int, None] = OrderedDict()

    def share(self, text: str) -> float:
        """The share of a text that need not be read again, from 0 to 1; all of it is known from now on."""
        blocks = [hash(text[:end]) for end in range(BLOCK, len(text) + 1, BLOCK)] if self.room else []
        known = next((at for at, block in enumerate(blocks) if block not in self._known), len(blocks))
        for block in reversed(blocks):
            # The end of a text goes before its beginning, which others may have too.
            self._known[block] = None
            self._known.move_to_end(block)
        while len(self._known) > self.room:
            self._known.popitem(last=False)
        self.read, self.found = self.read + len(text), self.found + known * BLOCK
        return known * BLOCK / max(1, len(text))


class Endpoint:
    """The server, in a thread of its own; `seen` holds every request in order, by model and name."""

    def __init__(self, latency: Latency, *, slots: int = 0, blocks: int = 0, words: int = 0) -> None:
        """Prepare a server that answers a request after the seconds that `latency` gives it.

        It works on `slots` requests at once (0: on all), keeps `blocks` of them, and proposes prompts of `words` words.
        """
        self.latency, self.words = latency, words
        self.slots: asyncio.Semaphore | nullcontext[None] = asyncio.Semaphore(slots) if slots else nullcontext()
        self.cache = PrefixCache(blocks)
        self.seen: list[tuple[str, str]] = []
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "Endpoint":
        """Start serving on a free port."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop serving."""
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _start(self) -> None:
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/v1/chat/completions", self._answer)
        app.router.add_get("/health", self._health)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/served", self._served)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, backlog=1024).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"

    async def _health(self, request: web.Request) -> web.Response:
        return web.Response()

    async def _models(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": "m", "object": "model"}]})

    async def _served(self, request: web.Request) -> web.Response:
        texts = [name for _, name in self.seen]
        return web.json_response({"texts": texts, "read": self.cache.read, "found": self.cache.found})

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        name = name_of(body["messages"], body.get("seed"))
        number = number_of(name)
        self.seen.append((body["model"], name))
        async with self.slots:
            known = self.cache.share(name)
            await asyncio.sleep(self.latency(number) * (1 - SAVED * known))
        message = {"role": "assistant", "content": reply(body["messages"][-1]["content"], number, self.words)}
        usage = {"prompt_tokens": 100, "completion_tokens": 2, "total_tokens": 102}
        usage |= {"prompt_tokens_details": {"cached_tokens": round(100 * known)}} if known else {}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return web.json_response(
            {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
        )


def main() -> None:
    """Serve until standard input is closed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds")
    parser.add_argument("--heavy-tailed", action="store_true", help="the latency is the median of a log-normal one")
    parser.add_argument("--slots", type=int, default=0, help="requests that it works on at once; all if none")
    parser.add_argument("--blocks", type=int, default=0, help="blocks of its prefix cache; no cache if none")
    parser.add_argument("--words", type=int, default=0, help="words of a proposed prompt beyond its number")
    options = parser.parse_args()
    latency = (heavy_tailed if options.heavy_tailed else fixed)(options.latency)
    with Endpoint(latency, slots=options.slots, blocks=options.blocks, words=options.words) as endpoint:
        print(endpoint.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
