"""Regular expressions that people write: they find what Python's own find, and none holds anybody up."""

import re
import time
from pathlib import Path

import pytest

from metaspo.domain.errors import TaskError
from metaspo.tasks.answers.schemas import complaint_about_schema, complaints, text_of
from metaspo.tasks.patterns import found, limited
from metaspo.tasks.spec import TaskSpec
from metaspo.tasks.task import Task

from ..helpers.hostile import Traps, task

TEXTS = [
    "",
    "#### 12\n#### 3,4",
    r"so \boxed{3} or \boxed{x{2}}",
    "Answer: (B)\nANSWER: c",
    "a1b22 c333",
    "ÄÖ straße ١٢",
    "[x] {y} a{2}",
]
PATTERNS = [
    r"#### (.+)", r"\\boxed{(.*)}", r"(?i)answer:\s*\(?(\w)", r"(\d+)$", r"(?m)^(\w+)", r"([\[\]x]+)", r"(\w+)\b", r"(?s)(.*)",
    r"(a)?(\d)", r"([^\W\d]+)", r"(a{2})", r"(?P<it>[\w]+) (?P=it)|(c)", r"(\d{2,})",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_it_finds_what_python_finds(pattern: str) -> None:
    for text in TEXTS:
        assert found(pattern, text) == [match[1] or "" for match in re.finditer(pattern, text)]


EVIL, LONG = r"^((a|aa)+)$", "a" * 60 + "b"


@pytest.mark.long
def test_a_pattern_that_takes_long_is_told() -> None:
    began = time.monotonic()
    with pytest.raises(
        TimeoutError, match=r"takes longer than 1 s, or too long on all texts; write one without repeats within repeats"
    ):
        found(EVIL, LONG)
    opened = Task(TaskSpec.model_validate(task(reader={"pattern": EVIL, "from": "reply"})), {})
    with pytest.raises(TaskError, match="takes longer than 1 s"):
        opened.read(LONG)
    assert time.monotonic() - began < 60


def test_a_pattern_that_fills_the_memory_is_left_to_python() -> None:
    assert not limited(r"(a{60000}){60000}") and limited(r"(\d{4})-\d{2}-\d{2}")
    assert found(r"(a{999}){999}", "a" * 2000) == []


def test_nothing_is_fetched_for_a_schema(tmp_path: Path) -> None:
    traps = Traps(tmp_path)
    away = {"$id": f"{traps.url}/a", "$ref": "#/$defs/b"}
    for schema in (
        {"$ref": f"{traps.url}/a"}, {"$dynamicRef": f"{traps.url}/a"}, {"$defs": {"b": {}}, "properties": {"x": away}},
        {"$defs": {"b": {}}, "allOf": [{"then": away, "if": {}}]},
        {"$schema": "http://json-schema.org/draft-04/schema#", "definitions": {"b": {}}, "extends": {"id": f"{traps.url}/a", "$ref": "#/definitions/b"}},
    ):  # fmt: skip
        if complaint_about_schema(schema) is None:
            assert all("nothing is there" in said for said in complaints(text_of(schema), '{"x": 1}'))
    traps.refuse_sprung()
    traps.close()
