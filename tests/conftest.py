"""What most tests start from: small tasks and a store of their own."""

import gc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from metaspo import Task
from metaspo.store.database import Store

from .helpers.endpoint import Endpoint
from .helpers.mlflow_server import mlflow_server


@pytest.fixture(scope="session")
def make_task() -> Callable[..., Task]:
    def make(name: str, size: int = 40, **settings: Any) -> Task:
        rows = [{"question": f"Is {i} a number that {name} likes?", "answer": "yes" if i % 2 else "no"} for i in range(size)]
        block: dict[str, Any] = {
            "name": name,
            "examples": rows,
            "user_prompt": "Say yes or no.\n{question}",
            "reader": {"kind": "choice", "labels": ["yes", "no"], "from": "reply"},
        }
        return Task.model_validate(block | settings)

    return make


# Python's own 700 new objects have it look for cycles twice as long as this does, from the first import on.
gc.set_threshold(10_000, 10, 10)

LONGEST = (
    "test_batched_runs", "test_local", "test_widths", "test_forks", "test_endings", "test_main", "test_hard_batches",
    "test_claims", "test_docs", "test_files", "test_bad_days", "test_face", "test_signals", "test_staged", "test_first_replies",
    "test_approve", "test_scoring", "test_strict_server", "test_watch", "test_identity", "test_kill", "test_mlflow_prompts",
    "test_approvers", "test_study", "test_wheel", "test_round_tracer", "test_threads", "test_ledger", "test_plan", "test_server",
)  # fmt: skip
"""The files that take longest, in order: begun first, none of them keeps one worker busy while the other has nothing left."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {name: at for at, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


def pytest_collection_finish() -> None:
    # Thousands of modules and tests that stay: without this a tenth of all seconds goes into looking for cycles in them.
    gc.freeze()


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    return tmp_path / "metaspo.db"


@pytest.fixture
def open_store(store_path: Path) -> Any:
    """Opens the test's store file; closes whatever was opened."""
    opened: list[Store] = []

    def open_it() -> Store:
        opened.append(Store(store_path))
        return opened[-1]

    yield open_it
    for store in opened:
        store.close()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    yield server
    server.close()


@pytest.fixture(scope="session")
def mlflow_at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real MLflow server, one for all tests of this process."""
    with mlflow_server(tmp_path_factory.mktemp("mlflow")) as address:
        yield address


@pytest.fixture
def mlflow_uri(mlflow_at: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same, in the variable that MLflow's client reads."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_at)
    return mlflow_at
