"""JSON in replies: read where there is one way to read it, and unparsed elsewhere."""

import json
from random import Random
from time import monotonic
from typing import Any

import pytest

from metaspo.tasks.answers.json_reader import read_json
from metaspo.tasks.answers.json_text import form
from metaspo.tasks.answers.reader_spec import ReaderSpec
from metaspo.tasks.answers.readers import read

A = '{"a": 1}'

READ = {
    "bare": ('{"a": 1}', A),
    "spaces and lines": ('\n {\n "a" :\t1\n}\n ', A),
    "byte order mark": ('\ufeff{"a": 1}', A),
    "no-break spaces": ('{\u00a0"a":\u00a01}', A),
    "fenced": ('```json\n{"a": 1}\n```', A),
    "fenced without a name": ('```\n{"a": 1}\n```', A),
    "fenced with another name": ('```JSON5\n{"a": 1}\n```', A),
    "fenced with tildes": ('~~~json\n{"a": 1}\n~~~', A),
    "fenced on one line": ('Here: ```json {"a": 1}``` as asked', A),
    "a fence that is not closed": ('Here:\n```json\n{"a": 1}', A),
    "four backticks around three": ('````json\n{"a": 1}\n````', A),
    "a fence within a string": ('{"a": "```python\\nx = {}\\n```"}', '{"a": "```python\\nx = {}\\n```"}'),
    "text around": ('Sure! The result is {"a": 1}. Let me know.', A),
    "text around a fence": ('Sure:\n\n```json\n{"a": 1}\n```\n\nHope that helps {really}.', A),
    "a fenced one beats bare ones": ('I first had {"a": 9}, now:\n```json\n{"a": 1}\n```\nnot {"b": 2}', A),
    "the same one twice": ('{"a": 1} ... as I said: {"a": 1.0}', A),
    "the final one of two": ('Draft: {"a": 2}.\nFinal answer: {"a": 1}', A),
    "what is called the answer": ('Step 1: {"a": 2}\nStep 2: {"a": 3}\nSo the answer is {"a": 1}, not {"a": 4}', A),
    "quotes around": ('“{"a": 1}”', A),
    "straight quotes around": ("'{\"a\": 1}'", A),
    "JSON as a JSON string": ('"{\\"a\\": 1.0}"', A),
    "code marks around": ('`{"a": 1}`', A),
    "a tag in entities": ('{"a": 2} &lt;answer&gt;{"a": 1}&lt;/answer&gt;', A),
    "a tag that is not closed": ('{"a": 2} <answer>{"a": 1}', A),
    "the final fence of two": ('```json\n{"a": 2}\n```\nCorrected version:\n```json\n{"a": 1}\n```', A),
    "a tag": ('{"a": 2} <answer>{"a": 1}</answer>', A),
    "a fence within a tag": ('<answer>\n```json\n{"a": 1}\n```\n</answer>', A),
    "a tag within a string": ('{"a": "<answer>{}</answer>"}', '{"a": "<answer>{}</answer>"}'),
    "after thoughts": ('<think>{"a": 7}?</think>{"a": 1}', A),
    "boxes to tick": ('- [ ] read\n- [x] {"a": 1}\n', A),
    "an empty list in a sentence": ("There are none: [].", "[]"),
    "brackets in prose": ('See [the note] and {this}: {"a": 1}', A),
    "a comma too many": ('{"a": [1, 2,], "b": 1,}', '{"a": [1, 2], "b": 1}'),
    "Python": ("{'a': True, 'b': None, 'c': False}", '{"a": true, "b": null, "c": false}'),
    "Python's quotes within": ("{'a': 'say \"no\"', 'b': \"it's\"}", '{"a": "say \\"no\\"", "b": "it\'s"}'),
    "an escaped apostrophe": ("{'a': 'it\\'s'}", '{"a": "it\'s"}'),
    "smart quotes": ("{“a”: “it’s”}", '{"a": "it’s"}'),
    "smart quotes within": ('{"a": "the “b” of"}', '{"a": "the “b” of"}'),
    "comments": ('{"a": 1, // one\n /* two, {"b": 2} */ "c": 3 # three\n}', '{"a": 1, "c": 3}'),
    "what looks like a comment": ('{"a": "http://x.org/#y"}', '{"a": "http://x.org/#y"}'),
    "keys without quotes": ('{a: 1, b_2: "x"}', '{"a": 1, "b_2": "x"}'),
    "a line break within a string": ('{"a": "x\ny"}', '{"a": "x\\ny"}'),
    "escapes": ('{"a": "\\u00e9\\n\\\\ \\"q\\" \\/"}', '{"a": "é\\n\\\\ \\"q\\" /"}'),
    "a whole pair of surrogates": ('{"a": "\\ud83d\\ude00"}', '{"a": "😀"}'),
    "JSON within a string": ('{"a": "{\\"b\\": [1, 2]}"}', '{"a": "{\\"b\\": [1, 2]}"}'),
    "the order of keys": ('{"b": 2, "a": 1}', '{"a": 1, "b": 2}'),
    "numbers alike": ("[1.0, 1e2, -0.0, 0.10, 1E-2]", "[1, 100, 0, 0.1, 0.01]"),
    "a large whole number": ('{"a": 12345678901234567890123}', '{"a": 12345678901234567890123}'),
    "a backslash before u0000": ('{"a": "\\\\u0000"}', '{"a": "\\\\u0000"}'),
    "a list": ('[{"a": 1}, {"a": 2}]', '[{"a": 1}, {"a": 2}]'),
    "empty ones": ("{}", "{}"),
    "a number alone": ("42", "42"),
    "a text alone": ('"x"', '"x"'),
    "a hundred brackets": ("[" * 100 + "]" * 100, "[" * 100 + "]" * 100),
}

UNPARSED = {
    "nothing": "I do not know.",
    "null": "null",
    "None": "None",
    "cut off": '{"a": 1, "b": "x',
    "cut off after a value": '{"a": 1, "b": {"c": 2}',
    "cut off in a fence": '```json\n{"a": {"b": 1}, "c": [2',
    "a list that is cut off": '[{"a": 1}, {"a": 2}',
    "a draft, and an answer that is cut off": 'Draft: {"a": 1}. Then: {"a": 2, "b',
    "what is not the answer": 'The answer is not {"a": 2} and {"a": 1}',
    "two that differ": '{"a": 1} or {"a": 2}',
    "two fences that differ": '```json\n{"a": 1}\n```\n```json\n{"a": 2}\n```',
    "two in one fence": '```json\n{"a": 1}\n{"a": 2}\n```',
    "two tags' worth in one": '<answer>{"a": 1} {"a": 2}</answer>',
    "an object and a list": 'Of {"a": 1} comes [1, 2]',
    "the form repeated": 'The final JSON has the form {"a": 0}:\n```json\n{"a": 1}\n```',
    "a key twice": '{"a": 1, "a": 2}',
    "a key twice alike": '{"a": 1, "a": 1}',
    "a key twice inside": '{"x": [{"a": 1, "a": 2}]}',
    "NaN": '{"a": NaN}',
    "infinity": '{"a": -Infinity, "b": {"c": 1}}',
    "a number no double holds": '{"a": 1e999}',
    "a huge exponent": '{"a": 1e999999999}',
    "a number of 5,000 digits": '{"a": 1' + "0" * 5000 + "}",
    "half a character": '{"a": "\\ud800"}',
    "half a character as a key": '{"\\udfff": 1}',
    "NUL": '{"a": "\\u0000"}',
    "NUL as it is": '{"a": "x\0"}',
    "10,000 brackets": "[" * 10_000 + "]" * 10_000,
    "10,000 objects": '{"a":' * 10_000 + "1" + "}" * 10_000,
    "brackets that cross": '{"a": [1, 2}]',
    "a bracket too many": '{"a": {"b": 1}}}{',
    "two commas": '{"a": 1,, "b": 2}',
    "a comma of nothing": "[,]",
    "no comma": '{"a": 1 "b": 2}',
    "no colon": '{"a" 1}',
    "no value": '{"a": , "b": 2}',
    "a word for a value": '{"a": yes}',
    "a number with a comma": '{"a": 1,250}',
    "a leading zero": '{"a": 007}',
    "an apostrophe within": "{'a': 'Tom's', 'b': 'x'}",
    "a quote within": '{"a": "say "no" now"}',
    "an escape that there is none of": '{"a": "\\x41"}',
    "Python's sum": '{"a": 1 + 1}',
    "a tuple": '{"a": (1, 2)}',
    "keys that are no text": "{1: 2}",
    "a comment that is not closed": '{"a": 1 /* }',
    "dots for the rest": '{"a": [1, 2, ...]}',
    "an empty tag": '{"a": 1} <answer></answer>',
    "only a thought": '<think>{"a": 1}',
}


@pytest.mark.parametrize(("reply", "answer"), READ.values(), ids=READ)
def test_json_is_read_where_there_is_one_way_to_read_it(reply: str, answer: str) -> None:
    assert read(ReaderSpec(kind="json"), reply) == answer
    json.loads(answer)


@pytest.mark.parametrize("reply", UNPARSED.values(), ids=UNPARSED)
def test_what_is_cut_off_broken_or_ambiguous_is_unparsed(reply: str) -> None:
    assert read(ReaderSpec(kind="json"), reply) is None


def test_what_has_been_read_is_read_as_itself() -> None:
    for _, answer in READ.values():
        assert read_json(answer) == answer


def test_of_several_values_the_one_that_fits_the_schema_is_the_answer() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    spec = ReaderSpec.model_validate({"kind": "json", "schema": schema})
    assert read(spec, 'As in [1], {"b": 2} gives {"a": 3}.') == '{"a": 3}'
    assert read(spec, '{"a": 1} or {"a": 2}') is None
    assert read(spec, '[1] {"a": 1, "b": NaN}') is None


def test_one_value_that_breaks_the_schema_is_an_answer_all_the_same() -> None:
    spec = ReaderSpec.model_validate({"kind": "json", "schema": {"type": "object", "required": ["a"]}})
    assert read(spec, '{"b": 2}') == '{"b": 2}'


def test_a_string_that_the_schema_asks_for_stays_one() -> None:
    spec = ReaderSpec.model_validate({"kind": "json", "schema": {"type": "string"}})
    assert read(spec, '"{\\"a\\": 1}"') == '"{\\"a\\": 1}"'


def test_only_the_tag_counts_where_that_is_asked_for() -> None:
    spec = ReaderSpec.model_validate({"kind": "json", "from": "tag"})
    assert read(spec, '{"a": 1}') is None
    assert read(spec, '<answer>{"a": 1}</answer> {"a": 2}') == A


SIGNS = "abc {}[]:,\"'\\/#\n`~<>é“”‘’*-_ 1.0 TrueNone//final"
AROUND = [("", ""), ("Here it is:\n```json\n", "\n```\nDone."), ("The result: ", " as asked."), ("~~~\n", "\n~~~")]


def anything(random: Random, depth: int = 0) -> Any:
    """A JSON value of odd strings."""
    kind = random.randrange(8 if depth < 3 else 5)
    if kind == 0:
        return random.choice([True, False, None])
    if kind == 1:
        return random.choice([0, -1, 10**20, 1.5, -0.25, 1e-7, 2.0])
    if kind < 5:
        return "".join(random.choices(SIGNS, k=random.randrange(8)))
    size = random.randrange(4)
    if kind < 7:
        return {"".join(random.choices(SIGNS, k=random.randrange(1, 5))): anything(random, depth + 1) for _ in range(size)}
    return [anything(random, depth + 1) for _ in range(size)]


@pytest.mark.long
@pytest.mark.parametrize("seed", range(5))
def test_any_value_is_read_whole_or_not_at_all(seed: int) -> None:
    random, spec = Random(seed), ReaderSpec(kind="json")
    for _ in range(100):
        value = {"it": anything(random)}
        for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=2), repr(value)):
            for before, after in AROUND:
                assert read(spec, before + text + after) == form(value), before + text + after
        for cut in range(1, len(text := json.dumps(value))):
            for before in ("", 'Draft: {"q": 1}. Then:\n```json\n'):
                assert read(spec, before + text[:cut]) is None, before + text[:cut]


@pytest.mark.long
@pytest.mark.parametrize("piece", ['[{"a": ', '{"', "`" * 3, '/*{"a"', "{'a': '", '"\\', "{“", "{a:[//", '{"a":1}'])
def test_a_long_reply_of_anything_is_read_in_no_time(piece: str) -> None:
    began = monotonic()
    read(ReaderSpec(kind="json"), piece * (100_000 // len(piece)))
    assert monotonic() - began < 5
