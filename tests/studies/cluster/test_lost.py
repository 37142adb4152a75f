"""Workers, nodes and the driver of a study are killed: the table is that of one process, and nothing recorded is asked twice."""

import contextlib
import os
import pty
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from metaspo.domain.errors import MetaspoError
from metaspo.studies.cluster import driver
from metaspo.studies.cluster.losses import MOST_LOSSES

from ...helpers.noted_endpoint import NotedEndpoint
from ...helpers.ray_nodes import ADDRESS, RayNodes
from .conftest import study_in
from .studied import Studied

pytestmark = pytest.mark.slow

NAME = "ray::metaspo"


def workers(folder: Path) -> list[psutil.Process]:
    """The processes that work for a study on nodes which have their temporary folders in this one."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        with contextlib.suppress(psutil.Error):
            if NAME in " ".join(process.info["cmdline"] or ()) and str(folder) in process.environ().get("TMPDIR", ""):
                found.append(process)
    return found


def when(ready: Callable[[], Any], act: Callable[[], Any]) -> threading.Thread:
    """Act in a thread as soon as it is time."""

    def wait() -> None:
        until = time.monotonic() + 120
        while not ready() and time.monotonic() < until:
            time.sleep(0.01)
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


IN_FLIGHT = 3


def is_whole(studied: Studied, alone: Studied, nodes: RayNodes, kills: int) -> None:
    """The study is done, and no calls but those in flight at a kill were asked again."""
    assert studied.table() == alone.table()
    assert studied.recorded() == alone.recorded()
    assert studied.endpoint.asked.total() - studied.recorded() <= kills * IN_FLIGHT
    # What was in flight from those who are gone still is at the endpoint.
    assert studied.endpoint.most_open <= IN_FLIGHT + studied.endpoint.unheard.total()
    studied.check()
    assert nodes.left() == []


@pytest.mark.slow
def test_workers_are_killed_and_their_runs_go_on(nodes: RayNodes, studied: Studied, alone: Studied) -> None:
    studied.endpoint.delay = 0.05
    noted: list[str] = []
    killing = when(lambda: studied.endpoint.asked.total() >= 40, lambda: [one.kill() for one in workers(nodes.folder)])
    again = when(lambda: studied.endpoint.asked.total() >= 120, lambda: [one.kill() for one in workers(nodes.folder)[:1]])
    assert studied.run(heard=lambda label, event: noted.append(event.get("text", ""))) is None
    killing.join()
    again.join()
    assert any("its process is gone" in text for text in noted)
    is_whole(studied, alone, nodes, kills=2)


def test_a_node_is_lost_in_a_round_and_another_while_a_run_is_shipped(
    nodes: RayNodes, studied: Studied, alone: Studied
) -> None:
    studied.endpoint.delay = 0.05
    noted: list[str] = []
    first, second = nodes.alive

    def shipping() -> bool:
        # It may be over between two looks: then the node is lost in a round as well.
        return any(nodes.tmp(second).glob("metaspo-*/tmp*/*")) or studied.endpoint.asked.total() >= 150

    def first_lost() -> None:
        nodes.kill(first)
        nodes.add()
        when(shipping, lambda: nodes.kill(second)).join()

    killing = when(lambda: studied.endpoint.asked.total() >= 60, first_lost)
    assert studied.run(heard=lambda label, event: noted.append(event.get("text", ""))) is None
    killing.join()
    assert second not in nodes.alive
    assert any("was lost (the node is gone)" in text for text in noted)
    is_whole(studied, alone, nodes, kills=2)


def command(studied: Studied, *more: str) -> list[str]:
    store = str(studied.file.parent / "study.db")
    output = str(studied.file.parent)
    return [
        sys.executable,
        "-m",
        "metaspo",
        "study",
        str(studied.file),
        "--engine",
        "ray",
        "--store",
        store,
        "--output",
        output,
        *more,
    ]


@pytest.mark.slow
def test_the_driver_is_killed_and_the_command_repeated(nodes: RayNodes, studied: Studied, alone: Studied) -> None:
    studied.endpoint.delay = 0.05
    driver = subprocess.Popen(command(studied), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        when(lambda: studied.endpoint.asked.total() >= 80, driver.kill).join()
    finally:
        driver.kill()
        driver.wait()
    assert studied.rows("SELECT count(*) FROM runs")[0][0] > 0
    assert studied.run() is None
    is_whole(studied, alone, nodes, kills=1)


def in_a_terminal(studied: Studied, keys: bytes, ready: Callable[[], Any], **variables: str) -> tuple[int, str]:
    """The command in a pseudo-terminal of its own in which keys are pressed when it is time; how it ended, and what it said."""
    pid, terminal = pty.fork()
    if not pid:
        os.execvpe(sys.executable, command(studied), {**os.environ, "TERM": "xterm", **variables})

    def press() -> None:
        for key in keys:
            os.write(terminal, bytes([key]))
            time.sleep(1)

    pressing, said = when(ready, press), b""
    while True:
        try:
            if not (part := os.read(terminal, 65536)):
                break
        except OSError:  # The other side is closed.
            break
        said += part
    pressing.join()
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said.decode(errors="replace")


CTRL_C = b"\x03"


@pytest.mark.slow
def test_ctrl_c_in_a_terminal_drains_and_the_same_command_goes_on(nodes: RayNodes, studied: Studied, alone: Studied) -> None:
    studied.endpoint.delay = 0.05
    code, said = in_a_terminal(studied, CTRL_C, lambda: studied.endpoint.asked.total() >= 60)
    assert code == 130 and "go on with: the same command" in said
    assert "Traceback" not in said and "raylet" not in said
    assert studied.recorded() == studied.endpoint.asked.total() < alone.recorded()
    studied.check()
    assert nodes.left() == [] and workers(nodes.folder) == []
    assert {reason for (reason,) in studied.rows("SELECT reason FROM runs WHERE status = 'stopped'")} == {"interrupted"}
    assert studied.run() is None
    is_whole(studied, alone, nodes, kills=0)


@pytest.mark.slow
@pytest.mark.parametrize("keys", [CTRL_C, 2 * CTRL_C])
def test_a_cluster_that_the_command_has_started_ends_with_it(
    keys: bytes, studied: Studied, alone: Studied, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ADDRESS, raising=False)
    studied.endpoint.delay = 0.2 if len(keys) == 1 else 5
    tmp_path.joinpath("tmp").mkdir()
    code, said = in_a_terminal(
        studied, keys, lambda: studied.endpoint.asked.total() >= 20, TMPDIR=str(tmp_path / "tmp"), RAY_ADDRESS="local"
    )
    assert code == 130 and "go on with: the same command" in said and "Traceback" not in said
    if len(keys) == 1:
        assert studied.recorded() == studied.endpoint.asked.total()
    studied.check()
    assert not [path for path in (tmp_path / "tmp").iterdir() if path.name.startswith("metaspo")]
    assert workers(tmp_path) == []
    studied.endpoint.delay = 0.02
    assert studied.run(engine=None) is None
    assert studied.table() == alone.table()


@pytest.mark.slow
def test_a_run_that_kills_its_workers_ends_the_study_with_a_sentence(
    nodes: RayNodes, tmp_path: Path, endpoint: NotedEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "MOST_LOSSES", 1)
    dies = "scripted:tests.helpers.scripts:dies"
    study = study_in(tmp_path, endpoint, methods=[{"name": "deadly", "method": "fixed", "base": dies}])
    with pytest.raises(
        MetaspoError, match=r"its worker was lost 2 times and came no further, the last time on node .*'ray logs'"
    ):
        study.run()
    study.check()
    assert nodes.left() == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_killed_at_whatever_moment(seed: int, nodes: RayNodes, studied: Studied, alone: Studied) -> None:
    studied.endpoint.delay = 0.05
    chance, over, kills = random.Random(seed), threading.Event(), [0]

    def kill_on() -> None:
        while kills[0] < MOST_LOSSES and not over.wait(chance.uniform(1, 6)):
            kills[0] += 1
            if chance.random() < 0.3:
                nodes.kill(nodes.alive[0])
                nodes.add()
            elif found := workers(nodes.folder):
                chance.choice(found).kill()

    killing = threading.Thread(target=kill_on)
    killing.start()
    try:
        assert studied.run() is None
    finally:
        over.set()
        killing.join()
    is_whole(studied, alone, nodes, kills[0])


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [40, 100])
def test_a_worker_that_is_stopped_for_long_holds_nobody_up(
    seconds: int, nodes: RayNodes, studied: Studied, alone: Studied
) -> None:
    """Ray sees nothing of it. After 40 s it says itself that it was away; before 100 s nobody waits for it any more."""
    studied.endpoint.delay = 0.05
    noted: list[str] = []
    stopped: list[psutil.Process] = []

    def stop() -> None:
        stopped.append(workers(nodes.folder)[0])
        stopped[0].suspend()
        time.sleep(seconds)
        stopped[0].resume()

    stopping = when(lambda: studied.endpoint.asked.total() >= 60, stop)
    assert studied.run(heard=lambda label, event: noted.append(event.get("text", ""))) is None
    stopping.join()
    assert any("it was stopped, or cut off from the study, for too long" in text for text in noted)
    is_whole(studied, alone, nodes, kills=1)
