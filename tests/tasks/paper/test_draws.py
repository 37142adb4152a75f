from metaspo.tasks.paper.conversions import Draft
from metaspo.tasks.paper.draws import distinct, draw, shared_questions


def drafts(names: str, group: str = "") -> list[Draft]:
    return [Draft(name, ("x",), group) for name in names]


def test_the_draw_depends_on_the_seed_alone() -> None:
    pool = drafts("abcdefghijklmnop")
    first = draw(pool, pool, (5, 5), "0")
    assert first == draw(pool, pool, (5, 5), "0") != draw(pool, pool, (5, 5), "1")
    assert [len(one.kept) for one in first.values()] == [5, 5]


def test_train_takes_nothing_that_is_in_test() -> None:
    same = [Draft("Is it  HOT?", ("yes",)), Draft("is it hot?", ("yes",)), Draft("Is it cold?", ("no",))]
    drawn = draw(same, same[:1], (10, 10), "0")
    assert [draft.question for draft in drawn["train"].kept] == ["Is it cold?"]
    assert drawn["train"].dropped == {"in test": 2} and shared_questions(drawn["train"].kept, drawn["test"].kept) == 0
    assert shared_questions(same[:1], same[1:]) == 1


def test_a_group_stays_on_one_side() -> None:
    pool = [Draft(f"{group}{name}", ("x",), group) for group in "1234567" for name in "abcd"]
    drawn = draw(pool, pool, (100, 4), "0")
    train, test = ({draft.group for draft in drawn[split].kept} for split in ("train", "test"))
    assert train and test and not train & test
    assert len(drawn["train"].kept) == 4 * len(train) and drawn["test"].dropped == {"not drawn": 24}


def test_a_whole_file_keeps_its_order_and_test_keeps_what_is_in_both() -> None:
    both = distinct(drafts("abca"), drafts("xyby"))
    assert ["".join(draft.question for draft in one.kept) for one in both.values()] == ["ac", "xyb"]
    assert both["train"].dropped == {"in test": 1, "asked twice": 1} and both["test"].dropped == {"asked twice": 1}
