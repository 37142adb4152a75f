"""Workers, nodes and the driver of a study are killed: the table is that of one process, and nothing recorded is asked twice."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from ...helpers.noted_endpoint import NotedEndpoint
from ...helpers.ray_nodes import RayNodes
from .studied import Studied

NAME = "ray::metaspo"


def workers(name: str = NAME) -> list[psutil.Process]:
    """The processes that work for a study."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if name in " ".join(process.info["cmdline"] or ()):
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


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studied]:
    """The same study as it is done by one process."""
    from .conftest import study_in

    endpoint = NotedEndpoint()
    try:
        made = study_in(tmp_path_factory.mktemp("alone"), endpoint)
        assert made.run(engine=None) is None
        yield made
    finally:
        endpoint.close()


def is_whole(studied: Studied, alone: Studied, nodes: RayNodes) -> None:
    """The study is done, and only calls whose replies nobody was there for were asked again."""
    assert studied.table() == alone.table()
    assert studied.recorded() == alone.recorded()
    again = studied.endpoint.asked.total() - studied.recorded()
    assert again <= studied.endpoint.unheard.total(), (again, studied.endpoint.unheard.total())
    assert studied.endpoint.most_open <= 3 + studied.endpoint.unheard.total()
    studied.check()
    left = [path for path in nodes.left() if int(path.parent.name.removeprefix("node")) in nodes.alive]
    assert left == []


def test_workers_are_killed_and_their_runs_go_on(nodes: RayNodes, studied: Studied, alone: Studied) -> None:
    studied.endpoint.delay = 0.05
    noted: list[str] = []
    killing = when(lambda: studied.endpoint.asked.total() >= 40, lambda: [one.kill() for one in workers()])
    again = when(lambda: studied.endpoint.asked.total() >= 120, lambda: [one.kill() for one in workers()[:1]])
    assert studied.run(heard=lambda label, event: noted.append(event.get("text", ""))) is None
    killing.join()
    again.join()
    assert any("its process is gone" in text for text in noted)
    is_whole(studied, alone, nodes)


def test_a_node_is_lost_in_a_round_and_another_while_a_run_is_shipped(
    nodes: RayNodes, studied: Studied, alone: Studied
) -> None:
    studied.endpoint.delay = 0.05
    noted: list[str] = []
    first, second = nodes.alive

    def shipping() -> bool:
        return any(nodes.tmp(second).glob("metaspo-*/tmp*/*"))

    def second_lost() -> None:
        nodes.kill(second)

    def first_lost() -> None:
        nodes.kill(first)
        nodes.add()
        when(shipping, second_lost)

    killing = when(lambda: studied.endpoint.asked.total() >= 60, first_lost)
    assert studied.run(heard=lambda label, event: noted.append(event.get("text", ""))) is None
    killing.join()
    assert second not in nodes.alive
    assert any("was lost (the node is gone)" in text for text in noted)
    is_whole(studied, alone, nodes)


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
    is_whole(studied, alone, nodes)
