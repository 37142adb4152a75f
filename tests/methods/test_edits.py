"""Component edits on small prompts made by hand."""

from random import Random

from metaspo.methods.edits import edits_of, lines_of, worth_adding
from metaspo.prompts.renderer import components

SEED = "Be kind."


def test_the_library_is_plain_lines_by_category_without_repeats() -> None:
    found = [line for lines in components().values() for line in lines]
    assert len(components()) >= 8 and 40 <= len(found) <= 60
    assert len(found) == len(set(found))
    assert all(lines_of(line) == [line] and line.endswith(".") and "{" not in line for line in found)


def test_every_edit_is_offered_once_and_none_that_was_tried() -> None:
    found = edits_of("A.\nB.\nC.", ["X.", "A."], {"A.\nB.": 0.5, "B.\nC.": 0.5}, Random(0))
    assert len(found) == len(set(found)) == 1 + 3 + 3 - 2
    assert {"A.\nC.", "B.\nA.\nC.", "C.\nB.\nA.", "A.\nC.\nB."} < set(found)
    [added] = [edit for edit in found if "X." in edit]
    assert [line for line in lines_of(added) if line != "X."] == ["A.", "B.", "C."]


def test_a_single_line_is_only_added_to() -> None:
    assert {frozenset(lines_of(edit)) for edit in edits_of(SEED, ["X.", "Y."], {}, Random(0))} == {
        frozenset({SEED, "X."}), frozenset({SEED, "Y."}),
    }  # fmt: skip
    assert edits_of(SEED, [], {}, Random(0)) == []


def test_chance_decides_which_kind_begins_and_the_seed_which_chance() -> None:
    first = {len(lines_of(edits_of("A.\nB.\nC.", ["X."], {}, Random(seed))[0])) for seed in range(20)}
    assert first == {2, 3, 4}
    assert edits_of("A.\nB.\nC.", ["X.", "Y."], {}, Random(5)) == edits_of("A.\nB.\nC.", ["X.", "Y."], {}, Random(5))


def test_components_below_the_average_are_pruned() -> None:
    library = ["X.", "Y.", "Z."]
    record = {SEED: 0.5, f"{SEED}\nX.": 0.4, f"{SEED}\nY.": 0.6, f"{SEED}\nX.\nY.": 0.5}
    assert worth_adding(library, record) == ["Y.", "Z."]
    assert worth_adding(library, {SEED: 0.5, f"{SEED}\nX.": 0.5}) == library
    assert worth_adding(library, {}) == library
