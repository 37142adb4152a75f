"""What a served process logs. That a run logs a line a round, and its requests none: tests/runs/test_guard.py."""

import logging
from collections.abc import Iterator

import pytest

from metaspo.runs.server.logs import quiet_libraries


@pytest.fixture(autouse=True)
def levels() -> Iterator[None]:
    """The levels as the Agent Server sets them, and afterwards as they were."""
    loggers = [logging.getLogger(name) for name in ("", "metaspo", "theirs", "theirs.own")]
    before = [logger.level for logger in loggers]
    for logger, level in zip(loggers, (logging.INFO, logging.NOTSET, logging.NOTSET, logging.NOTSET), strict=True):
        logger.setLevel(level)
    yield
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


def heard(name: str, level: int = logging.INFO) -> bool:
    return logging.getLogger(name).isEnabledFor(level)


def test_libraries_log_warnings_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOG_LEVEL", raising=False)
    logging.getLogger("theirs.own").setLevel(logging.DEBUG)
    quiet_libraries()
    assert heard("metaspo.rounds") and not heard("metaspo.rounds", logging.DEBUG)
    assert not heard("theirs") and heard("theirs", logging.WARNING)
    assert heard("theirs.own", logging.DEBUG)  # as whoever runs the server has set it


def test_a_level_that_is_asked_for_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "INFO")
    quiet_libraries()
    assert heard("theirs") and heard("metaspo.rounds")
