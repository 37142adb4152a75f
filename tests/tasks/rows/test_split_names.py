import pytest

from metaspo.tasks.rows.split_names import by_split, split_named


@pytest.mark.parametrize(
    ("split", "names"),
    [
        ("train", ["train", "Training", " TRAIN "]),
        ("validation", ["validation", "valid", "val", "dev", "Development"]),
        ("test", ["test", "testing", "holdout", "held-out"]),
        (None, ["eval", "", "left", 3, None]),
    ],
)
def test_what_people_call_the_splits(split: str | None, names: list[object]) -> None:
    assert {split_named(name) for name in names} == {split}


def test_parts_under_the_names_that_they_have() -> None:
    assert by_split({"training": [1], "dev": [2], "Test": [3]}) == {"train": [1], "validation": [2], "test": [3]}


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("train", "eval"), r"unknown split 'eval'; use train, validation \(or valid, val, dev\) or test"),
        (("dev", "val"), "'dev' and 'val' both mean validation; put them together"),
    ],
)
def test_names_that_say_nothing_or_the_same(names: tuple[str, ...], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        by_split(dict.fromkeys(names, ()))
