"""A real Ray cluster on this machine, in a process of its own: a head without CPUs, and nodes that come and are killed."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ADDRESS = "RAY_ADDRESS"


class RayNodes:
    """The cluster. Every node has a folder of its own for what is temporary, as machines have."""

    def __init__(self, folder: Path, nodes: int = 2, cpus: int = 2) -> None:
        self.folder, self.cpus = folder, cpus
        self.count = 0
        environment = {name: value for name, value in os.environ.items() if name != ADDRESS}
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(folder / "said")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.address: str = self._answer()["address"]
        self.alive: list[int] = []
        self.add(nodes)

    def add(self, nodes: int = 1, **variables: str) -> None:
        """Further nodes, with variables in the environment of their workers."""
        numbers = [*range(self.count, self.count + nodes)]
        self.count += nodes
        for number in numbers:
            self.tmp(number).mkdir()
        self._ask(add=[{"TMPDIR": str(self.tmp(number)), **variables} for number in numbers], cpus=self.cpus)
        self.alive += numbers

    def kill(self, number: int) -> None:
        """The node is gone, without a word."""
        self.alive.remove(number)
        self._ask(kill=number)

    def restore(self, nodes: int = 2) -> None:
        """As many nodes as before what a test has killed or added."""
        while len(self.alive) > nodes:
            self.kill(self.alive[-1])
        if len(self.alive) < nodes:
            self.add(nodes - len(self.alive))

    def tmp(self, number: int) -> Path:
        """A node's folder for what is temporary."""
        return self.folder / f"node{number}"

    def left(self) -> list[Path]:
        """What of metaspo's is in the folders of the nodes that are there."""
        return [path for number in self.alive for path in self.tmp(number).glob("metaspo-*")]

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()

    def _ask(self, **what: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, (self.folder / "said").read_text(errors="replace")[-3000:]
        found: dict[str, Any] = json.loads(line)
        return found


def patiently(start: Callable[[], Any]) -> Any:
    """What comes of starting a node: Ray gives it 30 s, which on a busy machine may be too few."""
    for _ in range(3):
        try:
            return start()
        except Exception as error:
            failed = error
    raise failed


def main() -> None:
    # What Ray prints is nobody's answer.
    answers = os.fdopen(os.dup(1), "w")
    aside = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
    os.dup2(aside, 1)
    os.dup2(aside, 2)

    def answer(**what: Any) -> None:
        answers.write(json.dumps(what) + "\n")
        answers.flush()

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "include_dashboard": False}
    cluster = patiently(lambda: Cluster(initialize_head=True, head_node_args=head))
    nodes: list[Any] = []
    answer(address=cluster.address)

    def add(variables: dict[str, str], cpus: int) -> Any:
        return patiently(
            lambda: cluster.add_node(wait=False, num_cpus=cpus, env_vars=variables, object_store_memory=100 * 2**20)
        )

    try:
        for line in sys.stdin:
            asked = json.loads(line)
            if "add" in asked:
                nodes += [add(variables, asked["cpus"]) for variables in asked["add"]]
                cluster.wait_for_nodes()
            else:
                cluster.remove_node(nodes[asked["kill"]], allow_graceful=False)
            answer()
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    main()
