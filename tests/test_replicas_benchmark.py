"""The benchmark of replicas counts what it says that it counts."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    yield
    for name in ("replicas", "throughput", "endpoint"):
        sys.modules.pop(name, None)


def test_a_prefix_cache_knows_beginnings_and_forgets_the_oldest(benchmarks: None) -> None:
    from endpoint import PrefixCache

    cache = PrefixCache(8)
    assert cache.share("a" * 256) == 0 and cache.share("a" * 256) == 1
    assert cache.share("a" * 128 + "b" * 128) == 0.5
    assert cache.share("c" * 512) == 0 and cache.share("a" * 256) == 0
    assert PrefixCache(0).share("a" * 256) == 0


def test_a_pair_is_what_stands_before_the_question(benchmarks: None) -> None:
    from replicas import pairs

    def text(system: str, user: str) -> str:
        return json.dumps([["system", system, None], ["user", user, None]])

    asked = [text(f"S{n % 2}", f"Prompt.\nparcels {n}: Was it late?") for n in range(6)]
    assert pairs([*asked, text("S", "Write a better prompt.")]) == {"S0\nPrompt.", "S1\nPrompt."}
