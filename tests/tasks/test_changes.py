"""What changed between two data sets, whatever their order and size."""

from dataclasses import replace
from typing import Any

import pytest

from metaspo.domain.results import Example, example_id
from metaspo.tasks.changes import DataChanges, TaskChange, changes_say, data_changes, task_change
from metaspo.tasks.inventory import Inventory, inventory, settings_of
from metaspo.tasks.spec import TaskSpec


def examples(*rows: tuple[str, str]) -> list[Example]:
    return [Example(example_id(question, [answer]), question, (answer,)) for question, answer in rows]


def numbers(*odd: int, wrong: tuple[int, ...] = ()) -> list[Example]:
    return examples(*((f"Is {i} odd?", "yes" if (i % 2 == 1) != (i in wrong) else "no") for i in odd))


def stock(*pool: Example, settings: Any = None, **more: Any) -> Inventory:
    return inventory({"": pool}, settings or {}, **more)


def test_examples_are_new_gone_the_same_or_have_another_answer() -> None:
    before = stock(*numbers(*range(100)))
    after = stock(*numbers(*range(150, 2, -1), wrong=(7, 9)))
    assert task_change("odd", before, after) == TaskChange("odd", 148, new=51, gone=3, same=95, answers=2)
    found = data_changes({"odd": before}, {"odd": after})
    assert changes_say(found, "run x") == ["Since run x: 51 new examples, 3 gone, 2 with another answer, 95 the same."]
    assert DataChanges.from_data(found.as_data()) == found and found.new == 51


def test_order_spacing_and_case_change_nothing() -> None:
    before = stock(*numbers(*range(40)))
    after = stock(*(replace(one, question=f" {one.question.upper()} ") for one in reversed(numbers(*range(40)))))
    found = data_changes({"odd": before}, {"odd": after})
    assert found.nothing
    assert changes_say(found, "run x") == ["Since run x nothing has changed in the data: 40 examples, all the same."]


def test_an_inventory_is_the_same_after_being_stored() -> None:
    split = inventory({"train": numbers(*range(9)), "test": numbers(*range(9, 12))}, {"metric": {"kind": "accuracy"}})
    assert Inventory.from_data(split.as_data()) == split


def test_examples_that_moved_between_splits_are_told() -> None:
    before = inventory({"train": numbers(1, 2, 3), "test": numbers(4, 5)}, {})
    after = inventory({"train": numbers(1, 2), "test": numbers(3, 4, 5)}, {})
    found = data_changes({"odd": before}, {"odd": after})
    assert found.tasks[0].moved == 1 and not found.nothing and "1 of them in another split" in changes_say(found, "run x")[0]


def test_tasks_are_new_and_gone_and_one_is_renamed() -> None:
    old, other = stock(*numbers(*range(30))), stock(*examples(("Who?", "me"), ("Where?", "here")))
    fresh = stock(*examples(("When?", "now")))
    found = data_changes({"odd": old, "w": other}, {"parity": stock(*numbers(*range(35))), "when": fresh})
    assert (found.new_tasks, found.gone_tasks) == (["when"], ["w"])
    assert (found.tasks[0].task, found.tasks[0].was, found.tasks[0].new) == ("parity", "odd", 5)
    assert changes_say(found, "run x") == [
        "Since run x: 5 new examples, 0 gone, 0 with another answer, 30 the same; new: when; gone: w.",
        "parity: it was called odd.",
    ]


def test_settings_that_differ_are_named() -> None:
    block = {"name": "t", "examples": [{"question": "a", "answer": "b"}], "user_prompt": "Say.\n{question}"}
    changed: list[dict[str, Any]] = [
        {"user_prompt": "Tell.\n{question}"}, {"metric": "exact_match"}, {"reader": {"kind": "integer", "from": "tag"}},
        {"answer_format": "Say it in a word."}, {"max_tokens": 9},
    ]  # fmt: skip
    said = []
    for change in changed:
        after = settings_of(TaskSpec.model_validate(block | change))
        one = task_change("t", stock(settings=settings_of(TaskSpec.model_validate(block))), stock(settings=after))
        said.append(one.settings)
    assert said == [
        ("user prompt",), ("metric",), ("reader",), ("user prompt", "answer format"), ("max_tokens",),
    ]  # fmt: skip
    assert "t: another user prompt." in changes_say(DataChanges([TaskChange("t", 1, 0, 0, 1, 0, settings=said[0])]), "run x")


def test_of_large_data_a_part_is_kept_and_stands_for_all() -> None:
    before = stock(*numbers(*range(4000)), most=500)
    after = stock(*numbers(*range(1000, 8000), wrong=tuple(range(1000, 2000))), most=500)
    assert len(before.kept) == len(after.kept) == 500 and len(before.as_data()["kept"]) == 500 * 12 * 4 / 3
    found = task_change("odd", before, after)
    assert found.about and found.examples == 7000
    assert found.new == pytest.approx(4000, rel=0.2) and found.gone == pytest.approx(1000, rel=0.5)
    assert found.answers == pytest.approx(1000, rel=0.5) and found.new + found.same + found.answers == pytest.approx(
        7000, abs=2
    )
    assert changes_say(DataChanges([found]), "run x")[0].startswith("Since run x: about ")
    same = task_change("odd", before, stock(*numbers(*reversed(range(4000))), most=500))
    assert (same.new, same.gone, same.answers, same.same) == (0, 0, 0, 4000)


def test_of_a_run_without_an_inventory_only_what_it_drew_is_known() -> None:
    before = inventory({"train": numbers(*range(10)), "test": numbers(*range(10, 30))}, {}, whole=False)
    found = task_change("odd", before, stock(*numbers(*range(2, 60))))
    assert (found.new, found.gone, found.same, found.moved, found.whole) == (30, 2, 28, 0, False)
    said = changes_say(DataChanges([found]), "run x")[0]
    assert said == (
        "Since run x: of the 30 examples that it drew 28 are the same, 2 gone, 0 with another answer, 30 that it did not draw "
        "(it kept no record of others)."
    )


def test_nothing_is_a_change_too_when_there_is_no_data() -> None:
    assert data_changes({}, {}).nothing
    assert task_change("t", stock(), stock(*numbers(1), most=0)).new == 0
