"""Several labels at once: read from replies, and scored as sets."""

import pytest

from metaspo.tasks.answers.label_sets import jaccard, said_of, set_f1
from metaspo.tasks.answers.reader_spec import ReaderSpec
from metaspo.tasks.answers.readers import read

SPEC = ReaderSpec.model_validate(
    {"kind": "labels", "from": "reply", "labels": ["sports", "politics", "rock and roll", "C", "C#"], "none": "none"}
    | {"synonyms": {"sports": ["football", "tennis"]}}
)
TWO = '["sports", "politics"]'

READ = {
    "commas": ("sports, politics", TWO),
    "another order, and case": ("POLITICS; Sports.", TWO),
    "a JSON list": ('["politics", "sports"]', TWO),
    "a fenced JSON list": ('```json\n["politics", "sports"]\n```', TWO),
    "a list in a sentence": ('My labels are ["sports", "politics"] here.', TWO),
    "a list without quotes": ("[sports, politics]", TWO),
    "Python's set": ("{'sports', 'politics'}", TWO),
    "bullets": ("- sports\n- politics", TWO),
    "other bullets": ("\n\u2022 **Sports**\n\u2022 **Politics**\n", TWO),
    "numbers": ("1. sports\n2) politics", TWO),
    "lines": ("sports\n\npolitics", TWO),
    "bars": ("sports | politics", TWO),
    "the last one joined": ("sports and politics", TWO),
    "a comma before it": ("sports, C, and politics", '["sports", "politics", "C"]'),
    "a label that holds an and": ("rock and roll, and sports", '["sports", "rock and roll"]'),
    "announced": ("The labels are: sports, politics.", TWO),
    "announced after words": ("It speaks of both.\n\n**Labels:** sports, politics", TWO),
    "announced in Spanish": ("El texto trata de dos.\nEtiquetas: sports, politics", TWO),
    "announced in German": ("Es geht um beides. Die Labels sind: sports, politics", TWO),
    "announced in French": ("**Catégories :** sports ; politics", TWO),
    "announced in Russian": ("Текст об этом.\nМетки: sports, politics", TWO),
    "announced in Chinese": ("这段文字谈到两者。标签：sports、politics", TWO),
    "announced in Chinese with a verb": ("答案是：sports，politics。", TWO),
    "announced in Japanese": ("ラベルは sports、politics", TWO),
    "synonyms": ("football and politics", TWO),
    "quotes": ("\"sports\", 'politics', `C#`", '["sports", "politics", "C#"]'),
    "smart quotes": ("“sports”, “politics”", TWO),
    "full-width commas": ("sports，politics、C", '["sports", "politics", "C"]'),
    "one": ("sports", '["sports"]'),
    "one twice": ("sports, Sports", '["sports"]'),
    "signs of a label": ("C, C#", '["C", "C#"]'),
    "the empty list": ("[]", "[]"),
    "none": ("None.", "[]"),
    "a tag is not looked for": ('["sports"]', '["sports"]'),
}

UNPARSED = {
    "one that is none": "sports, music",
    "one that is none in a list": '["sports", "music"]',
    "a part of a label": "sport, politics",
    "none beside others": "sports, none",
    "cut off": '["sports", "politics',
    "cut off before the bracket": '["sports", "politics"',
    "two lists": '["sports"]\n["sports", "politics"]',
    "one or the other": "sports or politics",
    "negated": "sports, not politics",
    "wrong ones": "The wrong labels: sports, politics",
    "ones that do not apply": "It is about art.\nNot labels: sports",
    "words after them": "sports, politics, since it is about both",
    "an object": '{"sports": true}',
    "nothing": "...",
    "a list within": '[["sports"]]',
    "null": "[null]",
}


@pytest.mark.parametrize(("reply", "answer"), READ.values(), ids=READ)
def test_labels_are_read_in_the_order_of_the_task(reply: str, answer: str) -> None:
    assert read(SPEC, reply) == answer


@pytest.mark.parametrize("reply", UNPARSED.values(), ids=UNPARSED)
def test_what_is_not_labels_alone_is_unparsed(reply: str) -> None:
    assert read(SPEC, reply) is None


def test_a_word_for_none_counts_where_it_is_named() -> None:
    spec = SPEC.model_copy(update={"none": None})
    assert read(spec, "none") is None
    assert read(spec, "[]") == "[]"


def test_digits_are_labels() -> None:
    spec = ReaderSpec.model_validate({"kind": "labels", "from": "reply", "labels": [1, 2, 3]})
    assert read(spec, "[3, 1]") == '["1", "3"]'
    assert read(spec, "1,3") == '["1", "3"]'


def test_the_tag_is_where_labels_stand_by_default() -> None:
    spec = ReaderSpec.model_validate({"kind": "labels", "labels": ["a", "b"]})
    assert read(spec, "a. <answer>b, a</answer>") == '["a", "b"]'
    assert read(spec, "a, b") is None


def test_sets_are_compared_with_the_nearest_accepted_one() -> None:
    golds = ['["a", "b", "c"]', '["d"]']
    assert set_f1('["a", "b"]', golds) == pytest.approx(0.8)
    assert jaccard('["a", "b"]', golds) == pytest.approx(2 / 3)
    assert set_f1('["d"]', golds) == jaccard('["d"]', golds) == 1
    assert set_f1("[]", golds) == jaccard("[]", golds) == 0
    assert set_f1("[]", ["[]"]) == jaccard("[]", ["[]"]) == 1
    assert said_of('["a", "e"]', golds) == "missing: b, c; too many: e"
    assert said_of('["d"]', golds) == ""
