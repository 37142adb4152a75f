"""Sizes in one block and as keys of their own: the same run, whichever way they are written."""

from pathlib import Path
from typing import Any

import pytest

from metaspo import Problem
from metaspo.domain.errors import ConfigError
from metaspo.runs.config import config_of, read_config
from metaspo.workspace.generalization import Generalization
from metaspo.workspace.settings import Settings
from metaspo.workspace.sizes import Sizes, TransferSizes, flat, on_top


def test_the_block_holds_every_size_of_a_search_in_the_order_of_the_problem() -> None:
    assert set(Sizes.model_fields) == set(Settings.__dataclass_fields__)
    assert [name for name in Problem.model_fields if name in Sizes.model_fields] == [*Sizes.model_fields]
    assert set(TransferSizes.model_fields) < set(Generalization.model_fields)


@pytest.mark.parametrize(
    ("kind", "sizes"), [(Problem, {"iterations": 0, "keep": 2}), (Generalization, {"prompts": 3, "pairs": 5, "test_size": 7})]
)
def test_a_run_is_the_same_however_its_sizes_are_written(kind: Any, sizes: dict[str, int]) -> None:
    beside, inside = kind(tasks=["app_reviews"], **sizes), kind(tasks=["app_reviews"], sizes=sizes)
    assert inside == beside and inside.settings() == beside.settings()
    # The ids of runs are made from this text.
    assert inside.model_dump_json() == beside.model_dump_json() and "sizes" not in inside.model_dump()
    assert kind.model_validate(inside.model_dump()) == inside


def test_what_is_in_the_block_counts_and_what_is_left_empty_there_does_not() -> None:
    problem = Problem(iterations=5, keep=2, sizes={"iterations": 3, "keep": None})
    assert (problem.iterations, problem.keep) == (3, 2)


@pytest.mark.parametrize(
    ("sizes", "says"),
    [
        ({"iterations": "many"}, "sizes.iterations: 'many' is no whole number"),
        ({"keep": 0}, "sizes.keep: 0 is too small: write 1 or more"),
        ({"keep": True}, "sizes.keep: true is no whole number"),
        ({"iteration": 1}, "unknown key 'sizes.iteration'; known keys: iterations, "),
        (3, "sizes: 3 is not a block"),
        ([{"iterations": 3}], "sizes: a list is not a block"),
    ],
)
def test_mistakes_in_the_block_say_where_they_are(sizes: Any, says: str) -> None:
    for read in (Problem, config_of):
        with pytest.raises(ConfigError) as refused:
            read(sizes=sizes)
        assert str(refused.value).startswith(says)


def test_an_option_counts_before_the_file_wherever_either_has_the_size(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("tasks: [app_reviews]\nsizes:\n  iterations: 4\n  keep: 2\nprompt_length: 90\n")
    assert (read_config(file).iterations, read_config(file).keep) == (4, 2)
    set_beside = read_config(file, {"iterations": 1})
    assert (set_beside.iterations, set_beside.keep, set_beside.prompt_length) == (1, 2, 90)
    set_inside = read_config(file, {"sizes.keep": 5, "sizes.prompt_length": 70})
    assert (set_inside.iterations, set_inside.keep, set_inside.prompt_length) == (4, 5, 70)
    file.write_text("tasks: [app_reviews]\nsizes:\n  iterations: 4\n  keep: none\n")
    with pytest.raises(ConfigError, match=r"run\.yaml:4: sizes\.keep: 'none' is no whole number"):
        read_config(file, {"iterations": 1})


def test_a_key_in_the_block_that_is_no_size_stays_there_to_be_refused() -> None:
    assert flat({"sizes": {"store": "elsewhere.db", "keep": 2}}) == {"sizes": {"store": "elsewhere.db"}, "keep": 2}
    assert on_top({"keep": 1}, {"sizes": {"keep": 2, "method": "file:x"}}) == {"keep": 2, "sizes": {"method": "file:x"}}
