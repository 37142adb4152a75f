"""Other spellings of labels: they count in replies and in gold answers, and one spelling is of one label."""

from typing import Any

import pytest

from metaspo.tasks.answers.reader_spec import ReaderSpec
from metaspo.tasks.answers.readers import canonical, labels_of, read
from metaspo.tasks.examples import load_pools
from metaspo.tasks.spec import TaskSpec

SENTIMENT = ReaderSpec.model_validate(
    {
        "kind": "choice",
        "labels": ["positive", "negative"],
        "synonyms": {"positive": ["pos", "good", 1], "negative": ["neg", "bad", 0]},
    }
)
LETTERS = ReaderSpec(kind="choice", labels=["A", "B"], synonyms={"B": ["option b", "the second"], "A": ["Paris"]})
CHINESE = ReaderSpec(
    kind="choice", labels=["positive", "negative"], synonyms={"positive": ["正面", "积极"], "negative": ["负面"]}
)


@pytest.mark.parametrize(
    ("spec", "text", "answer"),
    [
        (SENTIMENT, "pos", "positive"),
        (SENTIMENT, "Good.", "positive"),
        (SENTIMENT, "1", "positive"),
        (SENTIMENT, "It is bad", "negative"),
        (SENTIMENT, "The answer is pos, that is positive", "positive"),
        (SENTIMENT, "positive (good)", "positive"),
        (SENTIMENT, "good or bad", None),
        (SENTIMENT, "good but negative", None),
        (SENTIMENT, "It is not good", None),
        (SENTIMENT, "goodness", None),
        (SENTIMENT, "position", None),
        (LETTERS, "The second.", "B"),
        (LETTERS, "I'd say the second", "B"),
        (LETTERS, "option B", "B"),
        (LETTERS, "Paris", "A"),
        (LETTERS, "It is Paris", "A"),
        (LETTERS, "It isn't Paris", None),
        (LETTERS, "A: Paris", "A"),
        (CHINESE, "答案是积极", "positive"),
        (CHINESE, "不是正面而是负面", "negative"),
        (CHINESE, "positive（正面）", "positive"),
    ],
)
def test_a_synonym_is_its_label(spec: ReaderSpec, text: str, answer: str | None) -> None:
    assert canonical(spec, text) == answer
    assert read(spec, f"<answer>{text}</answer>") == answer


def test_a_gold_answer_may_be_a_synonym() -> None:
    block = {"name": "t", "user_prompt": "Say. {question}", "reader": SENTIMENT.model_dump(by_alias=True)}
    rows = [{"question": str(at), "answer": answer} for at, answer in enumerate(["pos", "Positive", 1, "BAD", "０"])]
    [pool] = load_pools(TaskSpec.model_validate(block | {"examples": rows})).values()
    assert [example.answer for example in pool] == ["positive"] * 3 + ["negative"] * 2


def test_labels_of_a_reader_are_spelled_by_one_function() -> None:
    labels = labels_of(SENTIMENT)
    assert labels.labels == ("positive", "negative")
    assert [labels.spelled(text) for text in ("POS", "neg ", "Positive", "other", "")] == [
        "positive", "negative", "positive", None, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("reader", "says"),
    [
        ({"kind": "choice", "labels": ["a", "b"], "synonyms": {"c": ["x"]}}, "'c' is none of a, b"),
        ({"kind": "choice", "labels": ["a", "b"], "synonyms": {"a": ["B"]}}, "'B' of label 'a' counts as label 'b' as well"),
        ({"kind": "choice", "labels": ["a", "b"], "synonyms": {"a": ["x"], "b": ["Ｘ"]}}, "counts as label 'a' as well"),
        ({"kind": "choice", "labels": ["a", "b"], "synonyms": {"a": [" "]}}, "a synonym of label 'a' is empty"),
        ({"kind": "number", "synonyms": {"1": ["one"]}}, "synonyms belong to a reader with labels"),
        ({"kind": "number", "decimal": "point "}, "'point' or 'comma'"),
        ({"kind": "text", "decimal": "comma"}, "decimal belongs to a reader of numbers"),
    ],
)
def test_mistakes_are_told_in_words(reader: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ReaderSpec.model_validate(reader)
