"""The tasks that a driver gives to Ray. They are sent as code, so that a node without metaspo can say so."""

from collections.abc import Callable
from typing import Any


def run_task(ray: Any) -> Any:
    """A task that works on a run; how that ended, as the plain data of an `Outcome`."""

    def metaspo_run(leader: Any, order: dict[str, Any]) -> dict[str, Any]:
        import socket
        from importlib import import_module

        try:
            module = import_module("metaspo.studies.cluster.working")
        except ImportError as error:
            where = f"on node {socket.gethostname()}"
            said = f"{where}: {error}; install the metaspo that leads the study, with its extra 'ray', on every node"
            return {"kind": "ConfigError", "said": said, "raised": True}
        worked: dict[str, Any] = module.work(leader, order)
        return worked

    # Whoever loses a worker wants to know, and to say so: Ray tries nothing again by itself.
    return ray.remote(num_cpus=1, max_retries=0, scheduling_strategy="SPREAD")(metaspo_run)


def cleaning_task(ray: Any) -> Callable[[str, Any, str], Any]:
    """A task that has a node bring in what workers of a study that were killed have left there."""

    def metaspo_clean(leader: Any, study: str) -> None:
        from metaspo.studies.cluster.working import clean

        clean(leader, study)

    task = ray.remote(num_cpus=0, max_retries=0)(metaspo_clean)
    return lambda node, leader, study: task.options(scheduling_strategy=only_on(ray, node)).remote(leader, study)


def only_on(ray: Any, id: str) -> Any:
    """On this node and no other."""
    return ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node_id=id, soft=False)
