"""Records as the hub has them, with our own invented content."""

import sys
from random import Random
from typing import Any

import pytest

from metaspo.domain.errors import MissingExtraError
from metaspo.tasks.paper.conversions import Draft, Unusable
from metaspo.tasks.paper.grounding import GROUNDING, MOST_PASSAGES, retrieved
from metaspo.tasks.scores.metrics import exact_match


def convert(name: str, record: dict[str, Any]) -> Draft:
    return GROUNDING[name](record, Random(0))


def test_every_annotator_s_answer_is_accepted() -> None:
    record = {
        "id": "1",
        "context": "The mill stands by the river. ",
        "question": " Where does the mill stand?",
        "answers": {"text": ["by the river", "the river", "by the river"], "answer_start": [16, 19, 16]},
    }
    draft = convert("squad", record)
    expected = ("by the river", "the river")
    assert draft == Draft("Context: The mill stands by the river.\nQuestion: Where does the mill stand?", expected)
    assert exact_match("River.", draft.answers) == 1 and exact_match("the mill", draft.answers) == 0
    with pytest.raises(Unusable, match="no answer"):
        convert("squad", record | {"answers": {"text": [], "answer_start": []}})


def test_all_paragraphs_are_the_context() -> None:
    record = {
        "question": "Who owns the town of the fair?",
        "answer": "Nobody",
        "context": {"title": ["Fair", "Town"], "sentences": [["The fair is", " in Ems."], ["Nobody owns Ems."]]},
        "supporting_facts": {"title": ["Fair"], "sent_id": [0]},
    }
    question = "Context: [Fair] The fair is in Ems.\n[Town] Nobody owns Ems.\nQuestion: Who owns the town of the fair?"
    assert convert("hotpot", record) == Draft(question, ("Nobody",))


def spans(*texts: str) -> dict[str, Any]:
    record = {"section_id": "nfl_7", "query_id": "q", "passage": "Two teams met.", "question": "Who met?"}
    return record | {"answers_spans": {"spans": list(texts), "types": ["span"] * len(texts)}}


@pytest.mark.parametrize(
    ("texts", "accepted"),
    [
        (("3",), ("3",)),
        (("Bears", "Lions"), ("Bears and Lions", "Bears, Lions", "Bears, and Lions")),
        (("a1", "b2", "c3"), ("a1 and b2 and c3", "a1, b2, c3", "a1, b2, and c3")),
    ],
)
def test_several_spans_are_one_answer(texts: tuple[str, ...], accepted: tuple[str, ...]) -> None:
    draft = convert("drop", spans(*texts))
    assert draft.answers == accepted and draft.group == "nfl_7"
    if len(texts) > 1:
        assert exact_match(texts[0], draft.answers) == 0


def test_aliases_are_accepted_and_pages_cut_into_passages() -> None:
    page = " ".join(f"word{number}" for number in range(250))
    record = {
        "question": "Which sea is the saltiest?",
        "answer": {"value": "Dead Sea", "aliases": ["The Dead Sea", "Salt Sea", "Dead Sea"], "type": "WikipediaEntity"},
        "entity_pages": {"title": ["Seas"], "wiki_context": [page], "filename": ["s.txt"]},
    }
    draft = convert("trivia", record)
    assert draft.answers == ("Dead Sea", "The Dead Sea", "Salt Sea") and draft.question == record["question"]
    assert [len(passage.split()) for passage in draft.passages] == [101, 101, 51]
    with pytest.raises(Unusable, match="no evidence"):
        convert("trivia", record | {"entity_pages": {"title": [], "wiki_context": []}})


def test_a_question_of_dpr_brings_its_passages() -> None:
    def passage(number: int) -> dict[str, str]:
        return {"docid": str(number), "title": f"T{number}", "text": f"Text {number}."}

    record = {"query_id": "1", "query": "who sang it?", "answers": ["Ida", "Ida"], "positive_passages": [passage(0)]}
    draft = convert("dpr", record | {"negative_passages": [passage(number) for number in range(1, 99)]})
    assert draft.answers == ("Ida",) and draft.passages[:2] == ("[T0] Text 0.", "[T1] Text 1.")
    assert len(draft.passages) == MOST_PASSAGES
    with pytest.raises(Unusable, match="no passages"):
        convert("dpr", record | {"positive_passages": [], "negative_passages": []})


TOWNS = ["Ulm", "Bern", "Graz", "Nice", "Brno", "Kiel", "Lyon"]


def test_bm25_puts_the_passages_that_share_the_question_s_words_first() -> None:
    drafts = [
        Draft(
            f"Where is the tower of {town}?", (town,), town, (f"Its tower makes {town} proud.", f"{town} has a market.", *noise)
        )
        for town in TOWNS
        for noise in [[f"Nobody reads note {number} on {town.lower()}er things." for number in range(4)]]
    ]
    found = retrieved(drafts, 5)
    for draft, town in zip(found, TOWNS, strict=True):
        context, question = draft.question.split("\nQuestion: ")
        lines = context.removeprefix("Context: ").split("\n")
        assert question == f"Where is the tower of {town}?" and (draft.answers, draft.group) == ((town,), town)
        assert lines[0] == f"Its tower makes {town} proud." and len(lines) == 5


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("langchain_community.retrievers", "langchain_community"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'metaspo\[hub\]'"):
        retrieved([Draft("q", ("a",), "", ("p",))], 5)
