"""A real Ray cluster, a model behind real HTTP that notes what it is asked, and a study of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from metaspo.compat import quiet_ray

from ...helpers.noted_endpoint import NotedEndpoint
from ...helpers.ray_nodes import ADDRESS, RayNodes
from .studied import BLOCKS, Studied


@pytest.fixture(scope="session")
def all_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayNodes]:
    nodes = RayNodes(tmp_path_factory.mktemp("ray"))
    try:
        yield nodes
    finally:
        nodes.close()


@pytest.fixture(scope="module")
def driving(all_nodes: RayNodes) -> Iterator[RayNodes]:
    """This process as a driver of the cluster for many studies, so that each finds workers that have loaded all there is."""
    import ray

    with quiet_ray():
        ray.init(all_nodes.address, log_to_driver=False, logging_level="ERROR")
        try:
            yield all_nodes
        finally:
            ray.shutdown()


@pytest.fixture
def nodes(driving: RayNodes, monkeypatch: pytest.MonkeyPatch) -> RayNodes:
    """Three nodes, of which two work, and the address of their cluster in the environment."""
    driving.restore()
    monkeypatch.setenv(ADDRESS, driving.address)
    return driving


@pytest.fixture
def endpoint() -> Iterator[NotedEndpoint]:
    made = NotedEndpoint()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studied]:
    """The same study as it is done by one process."""
    endpoint = NotedEndpoint()
    try:
        made = study_in(tmp_path_factory.mktemp("alone"), endpoint)
        assert made.run(engine=None) is None
        yield made
    finally:
        endpoint.close()


@pytest.fixture
def studied(tmp_path: Path, endpoint: NotedEndpoint) -> Studied:
    return study_in(tmp_path, endpoint)


def study_in(folder: Path, endpoint: NotedEndpoint, **keys: Any) -> Studied:
    """A study of three searches, each measured on a task that it has not seen."""
    config = {
        "base": endpoint.model(), "optimizer": endpoint.model(), "preset": "quick", "method": "metaspo", "iterations": 1,
        "train_size": 8, "test_size": 8,
    }  # fmt: skip
    data = {
        "config": config, "methods": ["fixed", "metaspo", {"name": "longer", "method": "outer_only", "iterations": 3}],
        "settings": {"one": {"tasks": [BLOCKS[0]], "targets": [BLOCKS[1]]}}, "measures": {"own": {"test": {}}, "unseen": {"generalize": {"prompts": 2}}},
        "parallel": 4, **keys,
    }  # fmt: skip
    file = folder / "table.yaml"
    file.write_text(yaml.safe_dump(data))
    return Studied(file, endpoint)
