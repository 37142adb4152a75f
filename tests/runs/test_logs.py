"""What a served process logs of the libraries below it. That a run logs a line a round: tests/runs/test_guard.py."""

import logging
from collections.abc import Iterator

import pytest

from metaspo.runs.logs import LIBRARIES, quiet_libraries


@pytest.fixture(autouse=True)
def levels() -> Iterator[None]:
    """The levels that the libraries have, restored afterwards."""
    before = {name: logging.getLogger(name).level for name in LIBRARIES}
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.NOTSET)
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def test_libraries_log_warnings_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOG_LEVEL", raising=False)
    logging.getLogger("httpx").setLevel(logging.DEBUG)
    quiet_libraries()
    assert logging.getLogger("httpx").level == logging.DEBUG  # as its owner set it
    loud = [
        name for name in ("openai._base_client", "langgraph_api.worker") if logging.getLogger(name).isEnabledFor(logging.INFO)
    ]
    assert not loud and logging.getLogger("langgraph_api.worker").isEnabledFor(logging.WARNING)


def test_a_level_that_is_asked_for_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "INFO")
    quiet_libraries()
    assert all(logging.getLogger(name).level == logging.NOTSET for name in LIBRARIES)
