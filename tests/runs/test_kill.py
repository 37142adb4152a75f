"""Real processes, killed at random moments over real HTTP."""

import json
import sys
from pathlib import Path

import pytest

from ..helpers import forked

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("kills", [4, pytest.param(20, marks=pytest.mark.slow)])
def test_kills_lose_nothing_and_pay_nothing_twice(kills: int) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "kills.py"), "--kills", str(kills), "--workers", "2"]
    done = forked.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    tally = json.loads(done.stdout)
    assert tally["kills"] == kills and tally["runs"] > 0
    assert tally["repeated completed calls"] == 0
    assert tally["runs that ended differently"] == 0
