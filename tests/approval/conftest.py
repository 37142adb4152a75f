"""What the tests of approval start from."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from metaspo import Task

UNEVEN = "scripted:tests.helpers.scripts:uneven"


@pytest.fixture
def settings(make_task: Callable[..., Task], store_path: Path) -> dict[str, Any]:
    """A search whose four rounds all find something new."""
    return {
        "tasks": [make_task("a"), make_task("b")], "base": UNEVEN, "optimizer": UNEVEN, "preset": "quick", "method": "metaspo", "keep": 2,
        "test_size": 4, "seed": 4, "store": store_path,
    }  # fmt: skip
