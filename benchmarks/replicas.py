"""What a second endpoint is worth: behind our list of replicas, and behind vLLM's router.

    python benchmarks/throughput.py --replicas      about two minutes
    python benchmarks/replicas.py --in-flight 64    the same with a limit of its own on requests in flight

The same optimization, call for call, against one `endpoint.py`, two of them in a list of base_urls, and two
behind vLLM's router (`pip install vllm-router`; without it its rows say so). Each endpoint is a process with a
limit on what it works on at once and a prefix cache: what it has read of a request's beginning saves four fifths
of that part's time (`--blocks 0`: nothing does).

at each      the share of requests that either endpoint got
pairs at one how many (system prompt, user prompt) pairs were asked of one endpoint only
cached       the share of all that was asked which an endpoint had read before
"""

import argparse
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from throughput import TASKS, endpoint, measure, table

SLOTS, SECONDS, WORDS, TRAIN = 4, 0.4, 240, 12
"""Requests that an endpoint works on at once, what one takes that it has read nothing of, words of a prompt, examples."""

GUIDE = "Read the whole letter before you decide, and weigh what it praises against what it complains of. " * 12 + "\n"

QUESTION = re.compile(rf"\n(?:{'|'.join(TASKS)}) \d+: ")


def served(url: str) -> dict[str, Any]:
    """What an endpoint was asked, and how much of it was in its cache."""
    with urlopen(url.removesuffix("/v1") + "/served", timeout=60) as reply:
        found: dict[str, Any] = json.load(reply)
    return found


def pairs(texts: Sequence[str]) -> set[str]:
    """The pairs of prompts in requests: what is before the question."""
    asked = ["\n".join(content for _, content, _ in json.loads(text)) for text in texts]
    return {QUESTION.split(one)[0] for one in asked if QUESTION.search(one)}


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    with ExitStack() as open_ones:
        found = [open_ones.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in found]


@contextmanager
def router(command: str, policy: str, urls: Sequence[str], log: Path) -> Iterator[str]:
    """The router before the endpoints, in a process of its own; its address."""
    port, metrics = free_ports(2)
    workers = [url.removesuffix("/v1") for url in urls]
    flags = ["--host", "127.0.0.1", "--port", str(port), "--prometheus-port", str(metrics), "--policy", policy]
    with log.open("wb") as said:
        process = subprocess.Popen([command, "--worker-urls", *workers, *flags], stdout=said, stderr=said)
    try:
        for _ in range(300):
            try:
                with urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=5):
                    break
            except OSError:
                assert process.poll() is None, log.read_text()[-2000:]
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait()


def row(what: str, blocks: int, in_flight: int | str, command: str | None) -> dict[str, Any]:
    """One setting: `one`, `list`, or a policy of the router's."""
    flags = ["--slots", str(SLOTS), "--blocks", str(blocks), "--words", str(WORDS)]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        count = 1 if what == "one" else 2
        urls = [running.enter_context(endpoint(SECONDS, "fixed", *flags)) for _ in range(count)]
        job: dict[str, Any] = {"kind": "metaspo", "folder": folder, "in_flight": in_flight, "train": TRAIN, "guide": GUIDE}
        if what in ("one", "list"):
            job |= {"provider": "vllm", "url": urls}
        else:
            assert command is not None
            job["url"] = running.enter_context(router(command, what, urls, Path(folder) / "router.log"))
        took, found = measure(job), [served(url) for url in urls]
    asked = [pairs(one["texts"]) for one in found]
    everywhere = set.union(*asked)
    shares = [len(one["texts"]) / sum(len(other["texts"]) for other in found) for one in found]
    return {
        "endpoints": {"one": "one", "list": "two, our list"}.get(what, f"two, router {what}"),
        "calls": int(took["calls"]), "seconds": took["wall"], "calls a second": took["calls"] / took["wall"],
        "CPU ms a call": took["cpu"], "at each": " + ".join(f"{share:.0%}" for share in shares),
        "pairs at one": f"{sum(sum(pair in one for one in asked) == 1 for pair in everywhere)} of {len(everywhere)}",
        "cached": f"{sum(one['found'] for one in found) / sum(one['read'] for one in found):.0%}",
    }  # fmt: skip


def compare(policies: Sequence[str], blocks: int, in_flight: int | str, command: str | None) -> list[dict[str, Any]]:
    """All rows, each with how many times as fast it is as one endpoint."""
    rows = [row(what, blocks, in_flight, command) for what in ("one", "list", *(policies if command else ()))]
    assert len({one["calls"] for one in rows}) == 1, "the same run makes the same calls"
    return [one | {"times one": rows[0]["seconds"] / one["seconds"]} for one in rows]


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--in-flight", default="auto", help="the limit on requests in flight to all endpoints together")
    parser.add_argument("--policies", nargs="*", default=["cache_aware", "round_robin"], help="of the router's")
    parser.add_argument("--blocks", type=int, default=100_000, help="of 64 characters that an endpoint's cache has room for")
    parser.add_argument("--router", help="the path of vllm-router, if it is in another environment")
    o = parser.parse_args(arguments)
    beside = Path(sys.executable).with_name("vllm-router")
    command = o.router or (str(beside) if beside.exists() else shutil.which("vllm-router"))
    table(compare(o.policies, o.blocks, int(o.in_flight) if o.in_flight.isdecimal() else o.in_flight, command))
    if not command:
        print("two, vLLM's router: not measured, there is no vllm-router; pip install vllm-router, or --router PATH")


if __name__ == "__main__":
    main()
