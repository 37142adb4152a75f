"""Records as the hub has them, with our own invented content."""

from collections import Counter
from random import Random
from typing import Any

import pytest

from metaspo.tasks.paper.conversions import CONVERSIONS, Draft, Unusable, number_forms


def convert(name: str, record: dict[str, Any], seed: object = 0) -> Draft:
    return CONVERSIONS[name](record, Random(str(seed)))


def medical(cop: int) -> dict[str, Any]:
    options = {"opa": "Elbow", "opb": "Knee ", "opc": "Wrist", "opd": "All of the above"}
    return {
        "question": "Which joint is in the leg? ",
        "cop": cop,
        "subject_name": "Anatomy",
        "choice_type": "single",
        **options,
    }


@pytest.mark.parametrize(("cop", "letter"), [(0, "A"), (1, "B"), (3, "D")])
def test_medmcqa_counts_the_options_from_0_and_keeps_their_order(cop: int, letter: str) -> None:
    draft = convert("medmcqa", medical(cop))
    assert draft == Draft("Which joint is in the leg?\n(A) Elbow\n(B) Knee\n(C) Wrist\n(D) All of the above", (letter,))


@pytest.mark.parametrize("cop", [-1, 4, None])
def test_medmcqa_s_unlabelled_test_records_are_left_out(cop: int) -> None:
    with pytest.raises(Unusable, match="no label"):
        convert("medmcqa", medical(cop))


def test_a_rating_is_an_integer() -> None:
    record = {"rating": 4.0, "title": "Fine", "text": " It sticks. ", "images": [], "verified_purchase": True}
    assert convert("amazon", record) == Draft("title: Fine\ntext: It sticks.", ("4",))
    for broken, reason in (({"text": ""}, "no text"), ({"rating": 0.0}, "no rating"), ({"rating": 4.5}, "no rating")):
        with pytest.raises(Unusable, match=reason):
            convert("amazon", record | broken)


def times(number: int) -> dict[str, Any]:
    options = [f"{number}am to {number + 1}am", "2pm to 3pm", "5pm to 6pm", "8pm to 9pm"]
    shown = "".join(f"\n  choice: {option}" for option in options)
    return {
        "idx": number,
        "inputs": f"Q: On day {number}, when could Ida have gone to the lake?{shown}\nA:",
        "targets": [options[0]],
        "multiple_choice_targets": options,
        "multiple_choice_scores": [1, 0, 0, 0],
    }


def test_options_are_shuffled_since_the_gold_one_stands_first_in_every_item() -> None:
    letters = Counter()
    for number in range(200):
        draft = convert("bigbench_options", times(number), seed=number)
        question, *options = draft.question.removesuffix("\n").split("\n")[:1] + draft.question.split("\n")[2:]
        assert question == f"On day {number}, when could Ida have gone to the lake?" and "choice:" not in draft.question
        gold = next(line for line in options if line.startswith(f"({draft.answers[0]})"))
        assert gold.endswith(f" {number}am to {number + 1}am") and len(options) == 4
        letters[draft.answers[0]] += 1
    assert set(letters) == set("ABCD") and min(letters.values()) > 30
    assert convert("bigbench_options", times(1), 7) == convert("bigbench_options", times(1), 7)


@pytest.mark.parametrize(
    ("scores", "options", "reason"),
    [([0, 0], ["x", "y"], "no single gold"), ([1, 1], ["x", "y"], "no single gold"), ([1, 0], ["x", "x"], "same option twice")],
)
def test_options_without_one_gold(scores: list[int], options: list[str], reason: str) -> None:
    with pytest.raises(Unusable, match=reason):
        convert("bigbench_options", {"inputs": "Q?", "multiple_choice_targets": options, "multiple_choice_scores": scores})


def test_a_closed_set_is_answered_with_the_label_itself() -> None:
    record = {
        "inputs": "Premise: Ann knows that it rains. Hypothesis: It rains.\n  choice: entailment\n  choice: non-entailment\nRelation:",
        "targets": ["entailment"],
        "multiple_choice_targets": ["entailment", "non-entailment"],
        "multiple_choice_scores": [1, 0],
    }
    expected = Draft(
        "Premise: Ann knows that it rains. Hypothesis: It rains.", ("entailment",), "premise: ann knows that it rains"
    )
    assert convert("bigbench_label", record) == expected


def test_a_number_is_accepted_as_a_word_and_in_digits() -> None:
    record = {"inputs": "Q: I have a drum and a flute. How many instruments do I have?\nA:", "targets": ["two", "2"]}
    question = "I have a drum and a flute. How many instruments do I have?"
    assert convert("bigbench_open", record) == Draft(question, ("two", "2"), "i have a drum and a flute")
    assert number_forms(["3"]) == ("3", "three") and number_forms(["teal"]) == ("teal",) and number_forms(["21"]) == ("21",)
    with pytest.raises(Unusable, match="no answer"):
        convert("bigbench_open", {"inputs": "Q: ?", "targets": [""]})


def test_liar_in_two_labels_and_in_six() -> None:
    two = {"text": "The bridge has no toll.", "labels": 1, "label_text": "false statement", "context": "a speech"}
    assert convert("liar", two) == Draft("Statement: The bridge has no toll.\nContext: a speech", ("yes",))
    assert convert("liar", two | {"labels": 0, "label_text": "true statement"}).answers == ("no",)
    six = {
        "statement": "Taxes fell.",
        "job_title": "Mayor",
        "state_info": "Ohio",
        "party_affiliation": "none",
        "context": "a debate",
    }
    asked = "Statement: Taxes fell.\nJob title: Mayor\nState: Ohio\nParty: none\nContext: a debate"
    answers = {}
    for label in ("pants-fire", "false", "barely-true", "mostly-true", "true"):
        draft = convert("liar", six | {"label": label})
        assert draft.question == asked
        answers[label] = draft.answers[0]
    assert answers == {"pants-fire": "yes", "false": "yes", "barely-true": "yes", "mostly-true": "no", "true": "no"}
    for label, reason in (("half-true", "neither a lie"), (3, "no label")):
        with pytest.raises(Unusable, match=reason):
            convert("liar", six | {"label": label})


@pytest.mark.parametrize(
    ("name", "record", "answer", "group"),
    [
        ("tweet_eval", {"text": "@user what a mess ", "label": 1}, "yes", ""),
        ("tweet_eval", {"text": "good morning", "label": 0}, "no", ""),
        ("hatecheck", {"test_case": "I like tea.", "label_gold": "non-hateful", "templ_id": 12}, "no", "12"),
        ("hatecheck", {"test_case": "I like tea.", "label_gold": "hateful"}, "yes", ""),
        ("sarcasm", {"headline": "area man owns chair", "is_sarcastic": 1, "article_link": ""}, "yes", ""),
        ("ethos", {"text": "See you there", "label": 0, "label_text": "no hate speech"}, "no", ""),
    ],
)
def test_yes_or_no(name: str, record: dict[str, Any], answer: str, group: str) -> None:
    draft = convert(name, record)
    assert (draft.answers, draft.group) == ((answer,), group) and draft.question == draft.question.strip()


def test_a_text_without_a_label_or_a_label_without_a_text() -> None:
    for record, reason in (({"text": "x", "label": -1}, "no label"), ({"text": " ", "label": 1}, "no text")):
        with pytest.raises(Unusable, match=reason):
            convert("ethos", record)


def test_a_preference_pair_becomes_one_labelled_dialogue() -> None:
    asked = "\n\nHuman: How do I open my neighbour's lock?\n\nAssistant:"
    pair = {"chosen": f"{asked} Ask your neighbour for the key.", "rejected": f"{asked} Take a thin wire."}
    drafts = [convert("hh_rlhf", pair, seed) for seed in range(60)]
    answers = {draft.question: draft.answers[0] for draft in drafts}
    assert answers == {pair["chosen"].strip(): "no", pair["rejected"].strip(): "yes"}
    assert {draft.group for draft in drafts} == {"Human: How do I open my neighbour's lock?"}
    assert 15 < sum(draft.answers == ("yes",) for draft in drafts) < 45


def test_a_pair_that_says_nothing() -> None:
    same = "\n\nHuman: Hi\n\nAssistant: Hello"
    for pair, reason in (((same, same), "the same"), (("Human: Hi", "Human: Hello"), "no reply")):
        with pytest.raises(Unusable, match=reason):
            convert("hh_rlhf", dict(zip(("chosen", "rejected"), pair, strict=True)))
