"""The JSON schema of a task block: what people write is of its form, and it is that of the checks."""

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from metaspo import Problem
from metaspo.domain.errors import TaskError
from metaspo.tasks.catalogue import builtin_tasks, read_task
from metaspo.tasks.examples import load_pools
from metaspo.tasks.paper.benchmarks import benchmarks
from metaspo.tasks.spec import EXAMPLE, TaskSpec

SCHEMA = Draft202012Validator(TaskSpec.model_json_schema())


def test_the_tasks_that_come_with_it_are_of_the_form(tmp_path: Path) -> None:
    for path in builtin_tasks().values():
        SCHEMA.validate(yaml.safe_load(path.read_text()))
    for benchmark in benchmarks().values():
        SCHEMA.validate(benchmark.spec(tmp_path).model_dump(mode="json", by_alias=True, exclude_defaults=True))


@pytest.mark.parametrize(
    "wrong",
    [{"examples": 3}, {"examples": [1]}, {"reader": {"kind": "magic"}}, {"usr_prompt": "x"}, {"metric": 3}, {"name": None}],
)
def test_what_is_not_of_the_form_is_refused_by_both(wrong: dict[str, object]) -> None:
    block = EXAMPLE | wrong
    assert not SCHEMA.is_valid(block)
    with pytest.raises(TaskError):
        load_pools(read_task(block))


def test_a_problem_shows_the_same_form_and_takes_what_it_took() -> None:
    shown = Problem.model_json_schema()["$defs"]["TaskSpec"]
    assert shown["properties"] == TaskSpec.model_json_schema()["properties"]
    # A block is checked when its run is, with the file and line that it stands in.
    assert Problem(tasks=[{"name": 3}]).tasks == [{"name": 3}]
