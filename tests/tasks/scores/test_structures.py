"""Tasks whose answers are JSON or sets of labels: golds, metrics, words, and what does not go together."""

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from metaspo.domain.errors import TaskError
from metaspo.domain.results import Example
from metaspo.tasks.answers.schemas import complaints
from metaspo.tasks.catalogue import open_task, read_task
from metaspo.tasks.cautions import cautions
from metaspo.tasks.examples import load_pools
from metaspo.tasks.inspection import described
from metaspo.tasks.splits import Sizes
from metaspo.tasks.task import Task

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "total": {"type": "number"}},
    "required": ["name"],
}


def block(**settings: Any) -> dict[str, Any]:
    return {
        "name": "t", "user_prompt": "Extract.\n\n{question}", "examples": [{"question": "q", "answer": {"name": "Ann"}}],
        "reader": {"kind": "json"}, "metric": "fields", **settings,
    }  # fmt: skip


def opened(**settings: Any) -> Task:
    rows = settings.get("examples") or block()["examples"]
    return open_task(block(**settings), Sizes(len(rows), 0, 0), 0)


def judged(task: Task, reply: str) -> tuple[float, str]:
    """The score of a reply to the only example, and the words about it."""
    [example] = task.examples.values()
    answer = task.read(reply)
    assert answer is not None
    return task.score(answer, example), task.words(answer, example)


def golds(**settings: Any) -> list[tuple[str, ...]]:
    return [example.answers for example in opened(**settings).examples.values()]


def row(answer: Any, key: str = "answer") -> dict[str, Any]:
    return {"examples": [{"question": "q", key: answer}]}


GOLDS = {
    "a mapping": (row({"b": 1.0, "a": "x"}), ('{"a": "x", "b": 1}',)),
    "a text": (row('{"b": 1.0, "a": "x"}'), ('{"a": "x", "b": 1}',)),
    "a list is one answer": (row([1, {"a": 2}]) | {"metric": "accuracy"}, ('[1, {"a": 2}]',)),
    "answers are several": (row([{"a": 1}, {"a": 2}], "answers"), ('{"a": 1}', '{"a": 2}')),
    "a number": (row(4) | {"metric": "accuracy"}, ("4",)),
    "another column": (row({"a": 1}, "output") | {"answer": "output"}, ('{"a": 1}',)),
}


@pytest.mark.parametrize(("settings", "expected"), GOLDS.values(), ids=GOLDS)
def test_json_golds_are_kept_in_one_form(settings: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert golds(**settings) == [expected]


LABELS = {"reader": {"kind": "labels", "labels": ["a", "b", "c"], "from": "reply"}, "metric": "set_f1"}
SETS = {
    "a list": (row(["b", "A"]), ('["a", "b"]',)),
    "one label": (row("b"), ('["b"]',)),
    "commas": (row("b, a"), ('["a", "b"]',)),
    "bars": (row("b|a"), ('["a", "b"]',)),
    "an empty list": (row([]), ("[]",)),
    "lists are several": (row([["a"], ["b", "a"]]), ('["a"]', '["a", "b"]')),
    "lists under answers": (row([["a"], []], "answers"), ('["a"]', "[]")),
    "one list under answers": (row(["b", "a"], "answers"), ('["a", "b"]',)),
}


@pytest.mark.parametrize(("settings", "expected"), SETS.values(), ids=SETS)
def test_label_golds_are_sets(settings: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert golds(**{**LABELS, **settings}) == [expected]


REFUSED = {
    "a gold that is no JSON": (row("Ann"), "example 1: the answer in field 'answer' is no JSON: 'Ann'"),
    "a gold that breaks the schema": (
        row({"name": 3}) | {"reader": {"kind": "json", "schema": SCHEMA}},
        "example 1: the answer in field 'answer' breaks the schema: name: 3 is not of type 'string'",
    ),
    "a gold with a number no JSON has": (row({"a": float("nan")}), "is no JSON"),
    "a gold with NUL": (row({"a": "\0"}), "NUL"),
    "a gold with keys that are no text": (row({"a": {1: 2}}), "its key 1 is no text"),
    "a gold without fields": (row([1, 2]), "has no fields"),
    "a gold that is no label": ({**LABELS, **row("a, d")}, "no set of the labels a, b, c: 'a, d'"),
    "a gold label in a list": ({**LABELS, **row(["a", "d"])}, "no set of the labels a, b, c"),
    "a field that is nowhere": (
        {"metric": {"kind": "fields", "fields": {"nmae": "exact"}}},
        "no gold answer has the field 'nmae'",
    ),
    "a text compared as a number": ({"metric": {"kind": "fields", "fields": {"name": "numeric"}}}, 'has "Ann" there'),
    "a way to compare that there is none of": ({"metric": {"kind": "fields", "fields": {"name": "fuzzy"}}}, "fields.name"),
    "a weight of nothing": ({"metric": {"kind": "fields", "fields": {"name": {"weight": 0}}}}, "weight"),
    "a weight without end": ({"metric": {"kind": "fields", "fields": {"name": {"weight": float("inf")}}}}, "weight"),
    "a schema that is a number": ({"reader": {"kind": "json", "schema": 5}}, "a mapping or the path of a .json file, not 5"),
    "a schema of a plain class": ({"reader": {"kind": "json", "schema": TaskError}}, "give a pydantic model"),
    "fields of another metric": ({"metric": {"kind": "accuracy", "fields": ["a"]}}, "fields belong to a 'fields' metric"),
    "no fields": ({"metric": {"kind": "fields", "fields": {}}}, "dotted paths such as total.amount"),
    "fields without json": ({"reader": {"kind": "text"}}, "metric fields needs a reader of kind 'json'"),
    "set_f1 without labels": ({"metric": "set_f1"}, "'json' reader reads; use accuracy, fields, judge"),
    "jaccard of a choice": (
        {"reader": {"kind": "choice", "labels": ["a", "b"]}, "metric": "jaccard"}, "needs a reader of kind 'labels'",
    ),
    "macro_f1 of sets": ({**LABELS, "metric": "macro_f1"}, "macro_f1"),
    "words of JSON": ({"metric": "token_f1"}, "metric token_f1 does not score what a 'json' reader reads"),
    "labels without labels": ({"reader": {"kind": "labels"}, "metric": "set_f1"}, "at least two labels"),
    "none that is a label": (
        {**LABELS, "reader": {"kind": "labels", "labels": ["a", "none"], "none": "None"}}, "no label",
    ),
    "none of a choice": ({"reader": {"kind": "choice", "labels": ["a", "b"], "none": "no"}}, "none belongs to a 'labels'"),
    "a schema of text": ({"reader": {"kind": "text", "schema": SCHEMA}}, "schema belongs to a 'json' reader"),
    "a schema that is none": ({"reader": {"kind": "json", "schema": {"type": "objekt"}}}, "is no JSON schema: type"),
    "a reference that leads nowhere": (
        {"reader": {"kind": "json", "schema": {"properties": {"a": {"$ref": "#/$defs/a"}}}}}, "leads nowhere",
    ),
    "a reference to elsewhere": ({"reader": {"kind": "json", "schema": {"$ref": "https://example.org/a"}}}, "nothing is fetched"),
    "a pattern that is none": (
        {"reader": {"kind": "json", "schema": {"properties": {"a": {"pattern": "("}}}}}, "'(' is not a 'regex'",
    ),
    "a schema of itself": ({"reader": {"kind": "json", "schema": {"$ref": "#"}}}, "cannot be used"),
    "a schema file that is not there": ({"reader": {"kind": "json", "schema": "no.json"}}, "no.json: the schema cannot be read"),
    "constrained without a schema": ({"constrain": True}, "constrain needs the reader's schema"),
    "constrained within a tag": (
        {"constrain": True, "reader": {"kind": "json", "from": "tag", "schema": SCHEMA}}, "needs reader.from: reply",
    ),
    "constrained labels within a tag": (
        {"reader": {"kind": "labels", "labels": ["a", "b"]}, "metric": "set_f1", "constrain": True}, "needs reader.from: reply",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("settings", "says"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_go_together_is_told(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(TaskError) as raised:
        opened(**settings)
    assert says in str(raised.value)


INVOICE = {
    "vendor": "ACME Ltd", "total": {"amount": 12.5, "currency": "EUR"}, "items": [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}],
    "note": "paid in full by card", "due": None,
}  # fmt: skip
FIELDS = {
    "vendor": "exact", "total.amount": {"kind": "numeric", "tolerance": 0.1, "weight": 2}, "items.*.sku": "set",
    "items.0.n": "numeric", "note": "token_f1", "due": "exact",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "score", "says"),
    [
        ({}, 1.0, ""),
        ({"vendor": " acme ltd", "extra": 1}, 1.0, ""),
        ({"vendor": "ACME"}, 6 / 7, 'vendor: expected "ACME Ltd", got "ACME"'),
        ({"total": {"amount": "€12.55"}}, 1.0, ""),
        ({"total": {"amount": 13}}, 5 / 7, "total.amount: expected 12.5, got 13"),
        ({"total": "12.5"}, 5 / 7, "total.amount: expected 12.5, got nothing"),
        ({"items": [{"sku": "B", "n": 1}]}, (6 + 2 / 3) / 7, 'items.*.sku: expected ["a", "b"], got ["B"]'),
        ({"items": []}, 5 / 7, 'items.*.sku: expected ["a", "b"], got []; items.0.n: expected 1, got nothing'),
        ({"note": "paid by card"}, (6 + 0.75) / 7, 'note: expected "paid in full by card", got "paid by card"'),
        ({"due": "today"}, 6 / 7, 'due: expected nothing, got "today"'),
    ],
)
def test_fields_are_compared_each_in_its_way(changes: dict[str, Any], score: float, says: str) -> None:
    task = opened(**row(INVOICE), metric={"kind": "fields", "fields": FIELDS})
    assert judged(task, json.dumps({**INVOICE, **changes})) == (pytest.approx(score), says)


@pytest.mark.parametrize(
    ("how", "given", "right"),
    [
        ({}, 1250.5, True), ({}, "1,250.50", True), ({}, "$1250.50", True), ({}, "1.250,50", False), ({}, True, False),
        ({"decimal": "comma"}, "1.250,50 €", True), ({"decimal": "comma"}, 1250.5, True),
        ({"decimal": "comma"}, "1,250.50", False), ({}, "1250 or 1250.5", False), ({}, [1250.5], False),
    ],
)  # fmt: skip
def test_numbers_in_texts_are_read_in_full_or_not_at_all(how: dict[str, Any], given: Any, right: bool) -> None:
    task = opened(**row({"total": 1250.5}), metric={"kind": "fields", "fields": {"total": {"kind": "numeric", **how}}})
    assert judged(task, json.dumps({"total": given}))[0] == right


def test_without_fields_each_of_the_gold_answer_counts_by_its_type() -> None:
    task = opened(**row({"name": "Ann", "age": 30, "tags": ["x", "y"], "home": {"city": "Rome"}, "ok": True}))
    reply = '{"name": "ann", "age": "30.0", "tags": ["y"], "home": {"city": "Oslo"}, "ok": true}'
    score, words = judged(task, reply)
    assert score == pytest.approx((1 + 1 + 2 / 3 + 0 + 1) / 5)
    assert words == 'home.city: expected "Rome", got "Oslo"; tags: expected ["x", "y"], got ["y"]'
    assert judged(task, "[]")[0] == 0


def test_the_best_of_several_accepted_answers_counts() -> None:
    task = opened(**row([{"a": 1, "b": 1}, {"a": 2, "b": 2}], "answers"))
    assert judged(task, '{"a": 2, "b": 2}') == (1.0, "")
    assert judged(task, '{"a": 2, "b": 1}')[0] == 0.5


def test_sets_of_labels_are_held_to_a_list_of_them() -> None:
    task = opened(**{**LABELS, **row("a, b"), "constrain": True})
    assert task.constraint is not None
    assert json.loads(task.constraint.schema) == {"type": "array", "items": {"type": "string", "enum": ["a", "b", "c"]}}
    assert judged(task, '["b", "a"]') == (1.0, "")


def test_a_check_counts_labels_one_by_one() -> None:
    rows = [{"question": f"What is text {at} about?", "answer": answer} for at, answer in enumerate(["a, b", "c", "b", []])]
    written = {**block(**{**LABELS, "examples": rows}), "user_prompt": "Name a, b or c, or [] for none.\n{question}"}
    spec = read_task(written)
    pools = load_pools(spec)
    assert described(spec, pools, {})["answers"] == "b 2, a 1, c 1"
    assert not [said for said in cautions(Task(spec, {}), pools) if "label" in said or "read as" in said]
    lacking = {**written, "reader": {**LABELS["reader"], "labels": ["a", "b", "c", "d"]}}
    assert any("no row has the answer 'd'" in said for said in cautions(Task(read_task(lacking), {}), pools))


@pytest.mark.parametrize(
    ("reader", "reply", "says"),
    [
        ({"kind": "json"}, "I cannot tell.", "it holds no JSON object or list"),
        ({"kind": "json"}, '{"name": "An', "its JSON is cut off or broken"),
        ({"kind": "json"}, '{"name": "Ann", "name": "Bob"}', "its JSON is cut off or broken"),
        ({"kind": "json"}, '{"name": "Ann"} or {"name": "Bob"}', "it holds 2 different JSON values"),
        ({"kind": "json", "from": "tag"}, '{"name": "Ann"}', "there is no <answer> tag with text in it"),
        (LABELS["reader"], "a, sports", "'sports' is none of the labels"),
        (LABELS["reader"], '["a", "sports"]', "'sports' is none of the labels"),
        (LABELS["reader"], '{"a": 1}', "it holds no list of labels alone"),
        ({"kind": "json"}, '{"name": "Ann"}', ""),
    ],
)
def test_it_is_told_why_an_answer_is_unparsed(reader: dict[str, Any], reply: str, says: str) -> None:
    task = Task(read_task({**block(), "reader": reader, "metric": "accuracy"}), {})
    assert (task.read(reply) is None) == bool(says)
    assert not says or task.unread(reply) == says


def test_names_alone_are_compared_exactly() -> None:
    task = opened(metric={"kind": "fields", "fields": ["name"]})
    assert judged(task, '{"name": "ANN", "more": 1}') == (1.0, "")
    assert judged(task, '{"name": "Anna"}') == (0.0, 'name: expected "Ann", got "Anna"')


def test_accuracy_compares_whole_values_and_whole_sets() -> None:
    task = opened(**row({"a": [1, "x"], "b": {"c": 2}}), metric="accuracy")
    assert judged(task, '```json\n{"b": {"c": 2.0}, "a": [1, "X"]}\n```')[0] == 1
    assert judged(task, '{"a": ["x", 1], "b": {"c": 2}}')[0] == 0
    assert judged(task, '{"a": [1], "b": {"c": 2}}') == (0.0, 'a: expected [1, "x"], got [1]')
    listed = opened(**row([1, 2]), metric="accuracy")
    assert judged(listed, "[2, 3]") == (0.0, "$: expected [1, 2], got [2, 3]")
    labelled = opened(**{**LABELS, **row("a, b"), "metric": "accuracy"})
    assert judged(labelled, "B, A") == (1.0, "")
    assert judged(labelled, "a, c") == (0.0, "missing: b; too many: c")


def test_the_words_say_what_breaks_the_schema() -> None:
    task = opened(reader={"kind": "json", "schema": SCHEMA})
    score, words = judged(task, '{"total": "much"}')
    assert score == 0
    assert words == (
        "it breaks the schema: 'name' is a required property; total: 'much' is not of type 'number'; "
        'name: expected "Ann", got nothing'
    )


@pytest.mark.long
@pytest.mark.parametrize("pattern", [r"^(\w+\s?)*$", "^(a+)+$", "^(a|aa)+$", "^(a|a?)+$"])
def test_a_pattern_of_the_schema_takes_no_long_on_any_answer(pattern: str) -> None:
    schema = json.dumps({"properties": {"a": {"pattern": pattern}}, "patternProperties": {pattern: {"type": "string"}}})
    begun = time.process_time()
    assert complaints(schema, json.dumps({"a": "a" * 80 + "!", "a" * 80 + "!": 1}))
    assert time.process_time() - begun < 10
    assert not complaints(schema, json.dumps({"a": "aaa"}))


def test_properties_whose_names_match_are_looked_at() -> None:
    schema = json.dumps({"patternProperties": {"^x": {"type": "integer", "minimum": 3}}})
    assert complaints(schema, '{"x1": 2, "y": "text"}') == ["x1: 2 is less than the minimum of 3"]


def test_a_schema_may_stand_in_a_file_beside_the_task(tmp_path: Path) -> None:
    (tmp_path / "invoice.json").write_text(json.dumps(SCHEMA))
    task = block(reader={"kind": "json", "schema": "invoice.json"})
    (tmp_path / "task.yaml").write_text(json.dumps(task))
    read = read_task(str(tmp_path / "task.yaml"))
    assert read.reader.json_schema == SCHEMA
    first = Task(read, {}).id
    (tmp_path / "invoice.json").write_text(json.dumps({**SCHEMA, "required": []}))
    assert Task(read_task(str(tmp_path / "task.yaml")), {}).id != first
    (tmp_path / "invoice.json").write_text("[1]")
    with pytest.raises(TaskError, match=r"invoice.json: a schema is an object such as"):
        read_task(str(tmp_path / "task.yaml"))


def test_a_schema_may_be_a_pydantic_model_or_a_dataclass() -> None:
    class Invoice(BaseModel):
        name: str
        total: float | None = None

    @dataclass
    class Bill:
        name: str

    for schema in (Invoice, Bill):
        task = opened(reader={"kind": "json", "schema": schema}, constrain=True)
        assert task.constraint is not None and json.loads(task.constraint.schema)["required"] == ["name"]
        with pytest.raises(TaskError, match="breaks the schema: 'name' is a required property"):
            opened(reader={"kind": "json", "schema": schema}, **row({"nmae": "Ann"}))


def test_what_decides_a_score_is_in_the_name_of_a_task() -> None:
    ids = {
        Task(read_task(block(**settings)), {}).id
        for settings in (
            {}, {"metric": {"kind": "fields", "fields": ["name"]}}, {"metric": {"kind": "fields", "fields": {"name": "set"}}},
            {"reader": {"kind": "json", "schema": SCHEMA}}, {**LABELS}, {"reader": {**LABELS["reader"], "none": "no"}, "metric": "set_f1"},
        )
    }  # fmt: skip
    assert len(ids) == 6


def test_the_commonest_answer_has_a_score_on_every_metric_of_structures() -> None:
    rows = [{"question": f"q{at}", "answer": answer} for at, answer in enumerate(["a, b", "a, b", "a"])]
    task = opened(**{**LABELS, "examples": rows})
    assert task.majority("train") == pytest.approx((1 + 1 + 2 / 3) / 3)
    rows = [{"question": f"q{at}", "answer": {"x": 1, "y": at // 2}} for at in range(3)]
    assert opened(examples=rows).majority("train") == pytest.approx((1 + 1 + 0.5) / 3)


def test_the_example_in_the_docs_reads_and_scores() -> None:
    page = (Path(__file__).parents[3] / "docs" / "tasks.md").read_text(encoding="utf-8")
    [text] = [block for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if "kind: json" in block]
    answer = {"vendor": "ACME", "total": {"amount": 12.5}, "items": [{"sku": "a"}, {"sku": "b"}]}
    rows = {"examples": [{"question": "An invoice", "answer": answer}]}
    task = open_task(yaml.safe_load(text) | rows, Sizes(1, 0, 0), 0)
    reply = 'Here:\n```json\n{"vendor": "acme", "total": {"amount": "12.50"}, "items": [{"sku": "b"}],}\n```'
    assert judged(task, reply) == (pytest.approx((1 + 2 + 2 / 3) / 4), 'items.*.sku: expected ["a", "b"], got ["b"]')
    assert task.constraint is not None and json.loads(task.constraint.schema)["required"] == ["vendor", "total", "items"]


def test_an_example_keeps_its_answers_as_text() -> None:
    [example] = opened(**row(INVOICE)).examples.values()
    assert isinstance(example, Example)
    assert json.loads(example.answer) == INVOICE
