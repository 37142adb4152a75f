import json
import unicodedata
from pathlib import Path

import pytest

from metaspo.domain.errors import TaskError
from metaspo.tasks.catalogue import open_task
from metaspo.tasks.examples import load_pools
from metaspo.tasks.likeness import comparable, context, evenly_spaced
from metaspo.tasks.paper.conversions import Draft
from metaspo.tasks.paper.draws import draw
from metaspo.tasks.splits import Dealing, Sizes
from tests.tasks.test_examples import PAPER_DATA, spec_of

ONE = 'The café\'s "file" is open - he said so.'
TWINS = {
    "decomposed": unicodedata.normalize("NFD", ONE),
    "ligature": ONE.replace("fi", "ﬁ"),
    "full width": ONE.replace("open", "ｏｐｅｎ").replace(".", "．"),
    "zero width": ONE.replace("open", "o\u200bp\ufeffe\u00adn\u2060"),
    "curly": ONE.replace("'", "’").replace('"file"', "“file”"),
    "other quotes": ONE.replace('"file"', "«file»"),
    "single": ONE.replace('"file"', "'file'"),
    "dash": ONE.replace("-", "–"),
    "no stop": ONE[:-1],
    "ideographic stop": ONE[:-1] + "。",
    "hard space": ONE.replace(" ", "\u00a0"),
}


@pytest.mark.parametrize("twin", TWINS.values(), ids=TWINS)
def test_a_question_in_another_spelling_is_the_same(twin: str) -> None:
    assert twin != ONE and comparable(twin) == comparable(ONE)
    rows = [{"question": text, "answer": "x"} for text in (ONE, twin, "Another")]
    with pytest.raises(TaskError, match=r"example 2: .* already at task 't', example 1"):
        load_pools(spec_of(rows))
    assert len(load_pools(spec_of(rows, duplicates="drop"))[""]) == 2
    pool = [Draft(row["question"], ("x",)) for row in rows]
    drawn = draw(pool, pool[:1], (9, 9), "0")
    assert [one.question for one in drawn["train"].kept] == ["Another"] and drawn["train"].dropped == {"in test": 2}


@pytest.mark.parametrize(
    ("one", "other"),
    [("2²", "22"), ("H₂", "H2"), ("1½", "11⁄2"), ('Is 5" long?', "Is 5' long?"), ("He left?", "He left!"), ("...", "")],
)
def test_what_means_something_else_stays_apart(one: str, other: str) -> None:
    assert comparable(one) != comparable(other)


def test_what_is_compared_stays_as_it_is_when_compared_again() -> None:
    for text in (*TWINS.values(), "Is 5″ long?", "ſ. ﬆ.", "a.\nb. \nc"):
        assert comparable(comparable(text)) == comparable(text)


@pytest.mark.parametrize(("dealing", "tested"), [("one test set", 2), ("test first", 3), ("train first", 3)])
def test_runs_of_earlier_dealings_keep_their_examples(dealing: Dealing, tested: int) -> None:
    rows = [{"question": text, "answer": "x"} for text in (ONE, ONE[:-1], "Another")]
    task = open_task(spec_of(rows, duplicates="drop"), Sizes(0, 0, 9, dealing=dealing), 0, target=True)
    assert len(task.splits["test"]) == tested
    assert evenly_spaced(ONE) != evenly_spaced(ONE[:-1])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (
            "Ann has a red ball. They swap. At the end, Ann has the",
            "Ann has a red ball. They swap. At the end, Bob has the",
            True,
        ),
        ("Two houses.\nClue: x.\nWhere is the cat?", "Two houses.\nClue: x.\nWhere is the dog?", True),
        ("Premise: It rains. Hypothesis: It is wet.", "Premise: It rains. Hypothesis: It is dry.", True),
        ("Three birds. The jay is first.", "Three birds. The jay is last.", False),
        ("Where is the cat?", "Where is the dog?", False),
    ],
)
def test_what_several_questions_are_asked_about(one: str, other: str, same: bool) -> None:
    assert (context(one) == context(other)) is same


@pytest.mark.parametrize("name", ["logical_deduction", "tracking_shuffled_objects"])
def test_what_big_bench_asks_about_one_paragraph_stays_on_one_side(name: str) -> None:
    path: Path = PAPER_DATA / "bigbench" / f"{name}.json"
    if not path.is_file():
        pytest.skip("the paper's data is not beside this checkout")
    rows = [row["question"].partition("\nOptions:") for part in json.loads(path.read_text("utf-8")).values() for row in part]

    def shared(grouped: bool) -> int:
        pool = [Draft("".join(row), ("A",), context(row[0]) if grouped else "") for row in rows]
        drawn = draw(pool, pool, (200, 150), "0")
        train, test = ({context(one.question.partition("\nOptions:")[0]) for one in drawn[k].kept} for k in ("train", "test"))
        assert train and test
        return len(train & test)

    assert shared(grouped=False) > 20 and shared(grouped=True) == 0
