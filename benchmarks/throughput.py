"""How near a run comes to what its endpoint allows: wall time, CPU and memory beside the bare client's.

    python benchmarks/throughput.py --quick      three cells, under two minutes
    python benchmarks/throughput.py              all twelve and the growth of memory, about a quarter of an hour
    python benchmarks/throughput.py --replicas   one endpoint, two in our list, two behind vLLM's router; see replicas.py

A real optimization (graph, ledger, checkpoints, scoring) works against `endpoint.py` in a process of
its own, on the same machine. Then the very same requests go through the bare client (ChatOpenAI as
`metaspo/models/openai_compatible.py` builds it) in one gather: the floor. Everything has a process of its own.

ideal      calls x latency / in flight, or the chain of each superstep's slowest call if that is longer
supersteps the same, superstep by superstep: what no program that waits for the slowest call between two
           supersteps can beat. The difference to `ideal` is what the algorithm's barriers cost
floor      the bare gather: no barriers, no ledger, no scores
"""

import argparse
import asyncio
import itertools
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from endpoint import fixed, heavy_tailed, name_of, number_of
from openai import AsyncOpenAI, DefaultAioHttpClient

from metaspo import ModelSpec, aoptimize
from metaspo.models.openai_compatible import OpenAICompatible

HERE = Path(__file__).resolve().parent

TASKS = ("parcels", "letters", "invoices", "returns")
WORDS = "The parcel came on time and the colour is just right, but one corner was dented. " * 5

CELLS = [
    (in_flight, milliseconds, tail)
    for tail in ("fixed", "heavy")
    for milliseconds in (50, 500)
    for in_flight in (16, 64, 256)
]  # fmt: skip
QUICK = [(16, 50, "fixed"), (64, 50, "heavy"), (256, 500, "fixed")]

TRAIN = {(16, 500): 10, (64, 500): 25}
"""Training examples per task where the paper's 50 would take minutes."""

TARGETS = {(16, 50, "fixed"): 1.15, (256, 500, "fixed"): 1.3}
CPU_TARGET = 1.0


def task(name: str, size: int, guide: str = "") -> dict[str, Any]:
    """A task whose questions are half a kilobyte long, and whose user prompt begins with `guide`."""
    rows = [{"question": f"{name} {n}: {WORDS}Is it lucky?", "answer": "yes" if n % 2 else "no"} for n in range(size)]
    reader = {"kind": "choice", "labels": ["yes", "no"], "from": "reply"}
    return {"name": name, "examples": rows, "user_prompt": guide + "Yes or no?\n{question}", "reader": reader}


async def with_metaspo(job: dict[str, Any]) -> int:
    """One iteration of the paper's search on four tasks."""
    spec = ModelSpec(provider=job.get("provider", "server"), name="m", base_url=job["url"], concurrency=job["in_flight"])
    done = await aoptimize(
        tasks=[task(name, job["train"], job.get("guide", "")) for name in TASKS], base=spec, optimizer=spec, preset="paper",
        iterations=job.get("iterations", 1), train_size=job["train"], test_size=0, store=job["store"],
    )  # fmt: skip
    assert done.stopped is None, done.stopped
    return done.report.usage.total_calls


async def gathered(job: dict[str, Any], ask: Callable[[dict[str, Any]], Awaitable[Any]]) -> int:
    """Every request of a run in one gather, with the same limit on requests in flight."""
    slots = asyncio.Semaphore(job["in_flight"])

    async def one(request: dict[str, Any]) -> None:
        async with slots:
            await ask(request)

    await asyncio.gather(*(one(request) for request in job["requests"]))
    return len(job["requests"])


async def floor(job: dict[str, Any]) -> int:
    """The bare client: ChatOpenAI on the aiohttp transport, as a run uses it."""
    model = OpenAICompatible(ModelSpec(provider="server", name="m", base_url=job["url"]))

    async def ask(request: dict[str, Any]) -> None:
        messages = [(message["role"], message["content"]) for message in request["messages"]]
        await model._chat.ainvoke(messages, temperature=request["temperature"], max_tokens=request["max_tokens"])

    count = await gathered(job, ask)
    await model.close()
    return count


async def openai_alone(job: dict[str, Any]) -> int:
    """The openai client on the same transport, without langchain-openai on top."""
    http = DefaultAioHttpClient(timeout=120)
    client = AsyncOpenAI(base_url=job["url"], api_key="none", http_client=http, max_retries=0)

    async def ask(request: dict[str, Any]) -> None:
        await client.chat.completions.create(
            model="m", messages=request["messages"], temperature=request["temperature"], max_tokens=request["max_tokens"]
        )

    count = await gathered(job, ask)
    await http.aclose()
    return count


KINDS = {"metaspo": with_metaspo, "floor": floor, "openai": openai_alone}


def child(job: dict[str, Any]) -> None:
    """Do one job and print what it took."""
    if job["kind"] != "metaspo":
        job["requests"] = [json.loads(request) for _, request in calls(job["store"])]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started, cpu = time.perf_counter(), time.process_time()
    count = asyncio.run(KINDS[job["kind"]](job))
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        json.dumps(
            {"calls": count, "wall": wall, "cpu": 1000 * cpu / count, "peak": peak / 1e3, "grown": (peak - before) / 1e3}
        )
    )


def calls(store: str) -> list[tuple[str, str]]:
    """The kind and the request of every recorded call, in the order in which they were recorded."""
    connection = sqlite3.connect(store)
    rows = connection.execute("SELECT role, request FROM calls ORDER BY rowid").fetchall()
    connection.close()
    return [(f"{role} proposal" if "between <prompt> and </prompt>" in request else role, request) for role, request in rows]


def measure(job: dict[str, Any], repeat: int = 1) -> dict[str, float]:
    """The best of some repetitions of a job, each in a process of its own."""
    found: list[dict[str, float]] = []
    for number in range(repeat):
        if job["kind"] == "metaspo":
            job = {**job, "store": str(Path(job["folder"]) / f"{number}.db")}
        done = subprocess.run([sys.executable, __file__, "--job", json.dumps(job)], stdout=subprocess.PIPE, check=True)
        found.append(json.loads(done.stdout))
    return {key: min(one[key] for one in found) for key in found[0]}


@contextmanager
def endpoint(seconds: float, tail: str, *flags: str) -> Iterator[str]:
    """The server, in a process of its own; its address."""
    command = [sys.executable, str(HERE / "endpoint.py"), "--latency", str(seconds), *flags]
    command += ["--heavy-tailed"] if tail == "heavy" else []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None and server.stdout is not None
        yield server.stdout.readline().strip()
        server.stdin.close()


def ideals(store: str, seconds: float, tail: str, in_flight: int) -> tuple[float, float]:
    """The seconds that the calls of a run need, without and with the barriers between supersteps."""
    latency = (heavy_tailed if tail == "heavy" else fixed)(seconds)
    supersteps = []
    for _, group in itertools.groupby(calls(store), key=lambda call: call[0]):
        supersteps.append([latency(number_of(name_of(json.loads(request)["messages"]))) for _, request in group])
    work = sum(map(sum, supersteps)) / in_flight
    return max(work, sum(map(max, supersteps))), sum(max(sum(step) / in_flight, max(step)) for step in supersteps)


def cell(in_flight: int, milliseconds: int, tail: str, repeat: int, folder: str) -> dict[str, Any]:
    """One row of the table."""
    train = TRAIN.get((in_flight, milliseconds), 50)
    with endpoint(milliseconds / 1000, tail) as url:
        job = {"folder": folder, "url": url, "in_flight": in_flight, "train": train, "store": str(Path(folder) / "0.db")}
        mine, bare = measure({**job, "kind": "metaspo"}, repeat), measure({**job, "kind": "floor"}, repeat)
    ideal, supersteps = ideals(job["store"], milliseconds / 1000, tail, in_flight)
    assert mine["calls"] == bare["calls"]
    return {
        "in flight": in_flight, "latency ms": milliseconds, "tail": tail, "calls": mine["calls"],
        "ideal s": ideal, "supersteps s": supersteps, "floor s": bare["wall"], "metaspo s": mine["wall"],
        "metaspo/ideal": mine["wall"] / ideal, "metaspo/floor": mine["wall"] / bare["wall"],
        "CPU ms a call": mine["cpu"], "of it client": bare["cpu"], "metaspo beyond": mine["cpu"] - bare["cpu"],
        "peak MB": mine["peak"], "grown MB": mine["grown"], "floor's": bare["grown"],
    }  # fmt: skip


def growth(folder: str, iterations: int) -> dict[str, float]:
    """What a longer run adds to the peak of memory: the same one with `iterations` instead of one."""
    with endpoint(0.005, "fixed") as url:
        job = {"kind": "metaspo", "folder": folder, "url": url, "in_flight": 64, "train": 50}
        short, long = measure(job), measure({**job, "iterations": iterations})
    return {
        "calls": short["calls"],
        "peak MB": short["peak"],
        "calls of the longer": long["calls"],
        "its peak MB": long["peak"],
    }


def clients(folder: str, in_flight: int, milliseconds: int) -> dict[str, float]:
    """CPU milliseconds per call: each layer of the client alone, and metaspo with all of them."""
    with endpoint(milliseconds / 1000, "fixed") as url:
        job = {"folder": folder, "url": url, "in_flight": in_flight, "train": 20, "store": str(Path(folder) / "0.db")}
        return {kind: measure({**job, "kind": kind})["cpu"] for kind in ("metaspo", "floor", "openai")}


def table(rows: list[dict[str, Any]]) -> None:
    """Print the rows in columns."""
    shown = [[f"{value:.2f}" if isinstance(value, float) else str(value) for value in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(rows[0], *shown, strict=True)]
    for line in [list(rows[0]), *shown]:
        print("  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)), flush=True)


def verdicts(rows: list[dict[str, Any]]) -> None:
    """Print which targets are met."""
    for row in rows:
        target = TARGETS.get((row["in flight"], row["latency ms"], row["tail"]))
        if target:
            ratio, cell = row["metaspo/floor"], f"{row['in flight']} in flight, {row['latency ms']} ms"
            print(f"{cell}: {ratio:.2f} of the floor, at most {target}: {'met' if ratio <= target else 'MISSED'}")
    most = max(row["metaspo beyond"] for row in rows)
    print(f"CPU beyond the client's: {most:.2f} ms a call, at most {CPU_TARGET:g}: {'met' if most <= CPU_TARGET else 'MISSED'}")


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="three cells only")
    parser.add_argument("--cell", help="one cell only, such as 16,50,fixed")
    parser.add_argument("--repeat", type=int, default=1, help="the best of so many, for a busy machine")
    parser.add_argument("--json", action="store_true", help="print JSON at the end")
    parser.add_argument("--replicas", action="store_true", help="one endpoint and two, see replicas.py")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        child(json.loads(options.job))
        return
    if options.replicas:
        import replicas

        replicas.main([])
        return
    cells = QUICK if options.quick else CELLS
    if options.cell:
        in_flight, milliseconds, tail = options.cell.split(",")
        cells = [(int(in_flight), int(milliseconds), tail)]
    rows = []
    for one in cells:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(cell(*one, options.repeat, folder))
        print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    table(rows)
    verdicts(rows)
    if not options.cell:
        with tempfile.TemporaryDirectory() as folder:
            print("CPU ms a call, 64 in flight, 50 ms:", {k: round(v, 2) for k, v in clients(folder, 64, 50).items()})
    if not options.quick and not options.cell:
        with tempfile.TemporaryDirectory() as folder:
            print("memory:", {key: round(value) for key, value in growth(folder, 3).items()})
    if options.json:
        print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
