"""What adaptations are tried with."""

from pathlib import Path

import pytest


@pytest.fixture
def prompt(tmp_path: Path) -> str:
    (tmp_path / "careful.txt").write_text("Be careful.\n")
    return str(tmp_path / "careful.txt")
