"""Runs to push."""

from collections.abc import Callable
from typing import Any

import pytest

from metaspo.store.database import Store

from ...helpers.kept_run import HOSTILE, USER, write_run

__all__ = ["HOSTILE", "USER"]


@pytest.fixture
def written(open_store: Callable[[], Store]) -> Callable[..., str]:
    """Writes a run and returns its id, as `write_run` does."""

    def make(id: str = "0a1b2c3d-run", **about: Any) -> str:
        return write_run(open_store(), id, **about)

    return make
