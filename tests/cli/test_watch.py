"""A run of another process is followed from its store alone: to its end, its kill, its question, and never disturbed."""

import asyncio
import json
import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from metaspo import optimize
from metaspo.cli.main import main
from metaspo.reports.watching import watch
from metaspo.store import leases, runs
from metaspo.store.database import Store
from metaspo.store.events import tell, told
from metaspo.store.rollback import put_back, rows_of

from ..helpers import forked
from ..helpers.agent_server import ROOT, AgentServer

BIN = Path(sys.executable).parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
SLOW = dict.fromkeys(("base", "optimizer"), "scripted:tests.helpers.scripts:slow,concurrency=2")
UNEVEN = dict.fromkeys(("base", "optimizer"), "scripted:tests.helpers.scripts:uneven")
ROWS = [{"question": f"Does ann like {n}?", "answer": "yes" if n % 2 else "no"} for n in range(30)]
TASK = {
    "name": "ann", "examples": ROWS, "user_prompt": "Say yes or no.\n{question}",
    "reader": {"kind": "choice", "labels": ["yes", "no"], "from": "reply"},
}  # fmt: skip
PROBLEM: dict[str, Any] = {"tasks": [TASK], "preset": "quick", "method": "metaspo", "test_size": 8}
DUMPS = ROOT / "tests" / "store" / "schemas"


def started(folder: Path, **settings: Any) -> "forked.Popen[str]":
    """A real `metaspo optimize` in a process of its own, once its run is at work."""
    (folder / "run.yaml").write_text(json.dumps(PROBLEM | SLOW | settings))
    command = [str(BIN / "metaspo"), "optimize", "run.yaml", "--json"]
    process = forked.Popen(command, cwd=folder, env=ENVIRONMENT, stdout=forked.DEVNULL, stderr=forked.PIPE, text=True)
    until(lambda: counted(folder / "metaspo.db", "events") > 2, process)
    return process


def until(there: Any, process: "forked.Popen[str] | None" = None) -> None:
    late = time.monotonic() + 60
    while not there():
        assert time.monotonic() < late and (process is None or process.poll() is None)
        time.sleep(0.05)


def counted(path: Path, table: str) -> int:
    if not path.exists():
        return 0
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()


def watched(store: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["watch", *words, "--store", str(store)])


def files(folder: Path) -> dict[str, bytes]:
    """What the store's file and its log hold."""
    return {path.name: path.read_bytes() for path in folder.glob("metaspo.db*") if not path.name.endswith("-shm")}


@pytest.mark.long
def test_a_run_is_followed_to_its_end_and_ctrl_c_leaves_the_watch_alone(tmp_path: Path) -> None:
    store = tmp_path / "metaspo.db"
    one_by_one = dict.fromkeys(SLOW, "scripted:tests.helpers.scripts:slow,concurrency=1")
    with started(tmp_path, **one_by_one) as process:
        first = forked.Popen(
            [str(BIN / "metaspo"), "watch"],
            cwd=tmp_path,
            env=ENVIRONMENT,
            stdout=forked.PIPE,
            stderr=forked.PIPE,
            text=True,
        )
        assert first.stderr is not None
        said = first.stderr.readline()
        assert f"process {process.pid} on " in said and "Ctrl-C leaves it at work" in said
        first.send_signal(signal.SIGINT)
        _, left = first.communicate(timeout=60)
        assert first.returncode == 130 and "the run goes on\nwatch it again: metaspo watch" in left and process.poll() is None
        second = watched(store)
        assert second.exit_code == 0, second.output
        assert process.wait(60) == 0
    assert "is done" in second.stdout and "examples" in second.stdout and "see it: metaspo show" in second.stdout
    assert "final test done" in second.stderr and "Traceback" not in second.output
    # What a script reads is every event, also of a run that is over.
    lines = [json.loads(line) for line in watched(store, "--json").stdout.splitlines()]
    connection = Store(store)
    events = [event for _, _, event in told(connection.db, lines[0]["run"])]
    connection.close()
    assert [{k: v for k, v in line.items() if k not in ("run", "at")} for line in lines[:-1]] == events
    assert lines[-1]["event"] == "ended" and lines[-1]["status"] == "done" and lines[-1]["exit_code"] == 0


def test_a_run_that_is_killed_is_told_by_both_who_watch_and_nothing_is_written(tmp_path: Path) -> None:
    store = tmp_path / "metaspo.db"
    with started(tmp_path) as process:
        other: list[Result] = []
        thread = threading.Thread(target=lambda: other.append(watched_apart(tmp_path)))
        thread.start()
        looks = watch(store, run := newest(store), 0.1)
        assert next(looks).end is None
        process.kill()
        process.wait()
        *_, last = looks
        thread.join(60)
    assert last.end is not None and last.end.kind == "killed" and last.end.exit_code == 1
    assert last.end.command == f"metaspo resume {run[:8]} --store {store}"
    assert "was killed" in other[0].output and f"go on with: metaspo resume {run[:8]}" in other[0].output
    before = files(tmp_path)
    again = watched(store, run[:6])
    assert again.exit_code == 1 and f"metaspo resume {run[:8]}" in again.stderr
    assert files(tmp_path) == before and not leases.at_work(Store(store).db)


class Apart:
    """How a process of its own ended, in the words of a `Result`."""

    def __init__(self, done: "forked.CompletedProcess[str]") -> None:
        self.exit_code, self.output = done.returncode, done.stdout + done.stderr


def watched_apart(folder: Path) -> Any:
    command = [str(BIN / "metaspo"), "watch"]
    return Apart(forked.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=90, check=False))


def newest(store: Path) -> str:
    connection = Store(store)
    try:
        return runs.find(connection.db).id
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("settings", "code", "says", "command"),
    [
        ({"budget": {"calls": 20}}, 3, "has stopped: the budget of 20 calls is spent", "resume"),
        ({"approve": "both"}, 4, "waits: waiting for a person to approve", "approve"),
    ],
    ids=["budget", "approval"],
)
def test_the_end_of_a_run_is_the_end_of_the_watch(
    settings: dict[str, Any], code: int, says: str, command: str, store_path: Path
) -> None:
    run = optimize(**PROBLEM, **UNEVEN, **settings, store=store_path).run
    done = watched(store_path)
    assert done.exit_code == code and says in done.stderr
    assert f"go on with: metaspo {command} {run[:8]} --store {store_path}" in done.stderr


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    missing = watched(tmp_path / "no.db")
    assert missing.exit_code == 2 and "no such store" in missing.stderr
    assert not (tmp_path / "no.db").exists()
    Store(tmp_path / "empty.db").close()
    empty = watched(tmp_path / "empty.db")
    assert empty.exit_code == 2 and "holds no runs yet" in empty.stderr
    unknown = watched(tmp_path / "empty.db", "3f2a")
    assert unknown.exit_code == 2 and "no run starts with '3f2a'" in unknown.stderr


@pytest.mark.parametrize("dump", sorted(DUMPS.glob("*.sql")), ids=lambda path: path.stem)
def test_a_store_of_an_earlier_version_is_watched_and_stays_as_it_is(dump: Path, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "metaspo.db")
    connection.executescript(dump.read_text(encoding="utf-8"))
    connection.close()
    before = files(tmp_path)
    done = watched(tmp_path / "metaspo.db")
    assert (done.exit_code in (0, 1, 3, 4) and not done.exception) or isinstance(done.exception, SystemExit)
    assert "Traceback" not in done.output and ("is done" in done.stdout or "go on with" in done.stderr)
    assert files(tmp_path) == before


def test_a_run_that_is_taken_back_and_goes_another_way_is_told_anew(store_path: Path) -> None:
    run = optimize(**PROBLEM, **UNEVEN, store=store_path).run
    store = Store(store_path)
    lease = leases.acquire(store.db, run, "now")
    runs.mark(store.db, run, "running", None)
    before = rows_of(store.db, run)
    first = len(told(store.db, run))
    looks = watch(store_path, run, 0.01)
    assert len(next(looks).told) == first and next(looks).told == []
    tell(store.db, run, {"event": "noted", "text": "a"})
    assert [event["text"] for _, event in next(looks).told] == ["a"]
    put_back(store.db, run, before)
    tell(store.db, run, {"event": "noted", "text": "b"})
    runs.mark(store.db, run, "running", None)
    again = next(looks)
    assert again.anew and len(again.told) == first + 1 and again.told[-1][1]["text"] == "b"
    put_back(store.db, run, dict.fromkeys(before, ()))
    *_, last = looks
    assert last.end is not None and last.end.kind == "taken back" and last.end.exit_code == 1
    leases.release(store.db, lease)
    store.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentServer]:
    server = AgentServer(tmp_path_factory.mktemp("server"), "metaspo", "studio")
    yield server
    server.stop()


@pytest.mark.long
async def test_the_servers_runs_are_followed_also_when_it_is_killed(server: AgentServer) -> None:
    async with get_client(url=server.url) as client:
        await followed_in_the_server(server, client)


async def followed_in_the_server(server: AgentServer, client: LangGraphClient) -> None:
    thread = (await client.threads.create())["thread_id"]
    working = asyncio.create_task(client.runs.wait(thread, "metaspo", input=PROBLEM, context=SLOW))
    await asyncio.to_thread(until, lambda: counted(server.store, "events") > 2)
    done = await asyncio.to_thread(watched, server.store)
    assert done.exit_code == 0, done.output
    assert f"process {server.pid} on " in done.stderr and f"run {thread[:8]} is done" in done.stdout
    await working
    thread = (await client.threads.create())["thread_id"]
    await client.runs.create(thread, "metaspo", input=PROBLEM | {"seed": 1}, context=SLOW)
    events = counted(server.store, "events")
    await asyncio.to_thread(until, lambda: counted(server.store, "events") > events + 2)
    looks = watch(server.store, thread, 0.1)
    assert next(looks).end is None
    server.kill()
    *_, last = await asyncio.to_thread(list, looks)
    assert last.end is not None and last.end.kind == "killed"
