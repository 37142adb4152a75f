"""What people get wrong in a task, and what they are told: the place, what is wrong there, what to do."""

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from metaspo.domain.errors import TaskError
from metaspo.tasks.catalogue import open_task
from metaspo.tasks.splits import Sizes

TASK = """\
name: tickets
examples: data.csv
user_prompt: "Pick one. {question}"
reader:
  kind: choice
  labels: [yes, no]
metric: accuracy
"""
ROWS = [{"question": f"q{i}", "answer": "yes"} for i in range(20)]
CSV = "question,answer\n" + "".join(f"{row['question']},{row['answer']}\n" for row in ROWS)
INLINE = "examples:\n  - {question: a, answer: yes}\n  - {question: b, answer: no}"
CODE = "def broken(*given):\n    raise KeyError('inside')\ndef far(*given):\n    return 7\nLIMIT = 3\n"


class Case(NamedTuple):
    id: str
    task: str | bytes
    file: str
    data: str | bytes
    says: tuple[str, ...]


def task(id: str, old: str, new: str, *says: str) -> Case:
    """A task file in which `old` became `new`."""
    assert old in TASK
    return Case(id, TASK.replace(old, new), "data.csv", CSV, says)


def data(id: str, file: str, content: Any, *says: str, more: str = "") -> Case:
    """A data file; `more` is added to the task file."""
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    return Case(id, TASK.replace("data.csv", file) + more, file, text, says)


def row(id: str, values: Any, *says: str, more: str = "") -> Case:
    """A bad row on line 3 of a JSONL file of good ones."""
    lines = [json.dumps(value) for value in [*ROWS[:2], values, *ROWS[2:]]]
    return data(id, "data.jsonl", "\n".join(lines), "data.jsonl:3", *says, more=more)


def reader(id: str, block: str, *says: str) -> Case:
    return task(id, "  kind: choice\n  labels: [yes, no]\n", "".join(f"  {line}\n" for line in block.split("; ")), *says)


TEXT = TASK.replace("  kind: choice\n  labels: [yes, no]\n", "  kind: text\n")
QUESTION = '"Pick one. {question}"'
FILES = [
    task("file: missing", "data.csv", "dta.csv", "dta.csv: no such file", "relative to"),
    task("file: a NUL in its name", "data.csv", r'"a\0.csv"', "task.yaml:2: examples: holds a NUL"),
    task("file: an unknown home", "data.csv", "~nobody-here/x.csv", "~nobody-here/x.csv: no such file"),
    data("file: wrong ending", "data.xlsx", b"PK\x03\x04\xff", "data.xlsx", "cannot read '.xlsx'", ".json, .jsonl or .csv"),
    data("file: empty", "data.csv", "", "data.csv: holds no examples"),
    data("file: blank", "data.jsonl", "\n \n", "data.jsonl: holds no examples"),
    data("file: header only", "data.csv", "question,answer\n", "data.csv: holds no examples", "add some"),
    data("file: wrong encoding", "data.csv", CSV.encode() + b"caf\xe9,yes\n", "data.csv:22: not utf-8", "'encoding'", "cp1252"),
    data("file: UTF-16", "data.csv", CSV.encode("utf-16-le"), "data.csv:1: holds a NUL byte", "'encoding'"),
    data("file: not UTF-16", "data.csv", CSV, "data.csv: not utf-16", more="encoding: utf-16\n"),
    data("file: unknown encoding", "data.csv", CSV, "unknown encoding 'utf-9'", more="encoding: utf-9\n"),
    data("file: no text encoding", "data.csv", CSV, "unknown encoding 'rot13'", more="encoding: rot13\n"),
    data("file: NUL byte", "data.csv", CSV + "a\0b,yes\n", "data.csv:22: holds a NUL byte"),
    data("json: invalid", "data.json", '[\n{"question": "a",\n}]', "data.json:3: not valid JSON"),
    data("json: lines", "data.json", '{"question": "a"}\n{"question": "b"', "data.json:2: not valid JSON", "on each line"),
    data("json: two lists", "data.json", "[]\n[]", "data.json:2: not valid JSON: Extra data"),
    data("json: too deep", "data.json", "[" * 100_000, "data.json:1: cannot be read as JSON"),
    data("json: endless number", "data.json", "[" + "1" * 5000 + "]", "data.json:1: cannot be read as JSON"),
    data("json: text", "data.json", '"yes"', "data.json: expected a list of objects"),
    data("json: one object", "data.json", ROWS[0], "data.json: expected a list", "found key 'answer'"),
    data("json: unknown split", "data.json", {"train": ROWS, "eval": ROWS}, "expected", "found key 'eval'"),
    data("json: a split twice", "data.json", {"dev": ROWS, "val": ROWS}, "'dev' and 'val' both mean validation"),
    data("json: split of objects", "data.json", {"train": {"a": 1}}, "data.json: expected a list"),
    data("json: empty list", "data.json", [], "data.json: holds no examples"),
    data("json: list of text", "data.json", ["a"], "data.json, item 1: expected an object", "found the text 'a'"),
    data("json: split of text", "data.json", {"train": ROWS, "test": [1]}, "test[0]: expected an object", "found 1"),
    data("jsonl: invalid", "data.jsonl", '{"question": "a", "answer": "yes"}\n{"question":\n', "data.jsonl:2: not valid JSON"),
    data("jsonl: a list", "data.jsonl", "[1]", "data.jsonl:1: expected an object", "found list", '{"question"'),
    data("csv: ragged, short", "data.csv", CSV + "alone\n", "data.csv:22", "number of columns", "quotes"),
    data("csv: ragged, long", "data.csv", CSV + "a,b,yes\n", "data.csv:22", "number of columns", "commas"),
    data("csv: open quote", "data.csv", CSV + '"never closed,yes\n', "data.csv:22: not valid CSV"),
    data("csv: text after a quote", "data.csv", CSV + '"a"b,yes\n', "data.csv:22: not valid CSV"),
    data("csv: a column twice", "data.csv", "question,answer,answer\na,yes,no\n", "data.csv:2", "answer.1, answer.2"),
    data("csv: no header", "data.csv", "a,yes\nb,no\n", "no field 'question'", "it has: a, yes", "write columns: [...]"),
    data("csv: two signs", "data.csv", CSV, "task.yaml:8: delimiter: is one sign", "'::'", more='delimiter: "::"\n'),
    data("csv: a name twice", "data.csv", CSV, "task.yaml:8: columns: two are named 'a'", more="columns: [a, a]\n"),
    data("csv: other columns", "data.csv", CSV, "data.csv:1: has another number", "'columns'", more="columns: [a, b, c]\n"),
    data("gz: damaged", "data.csv.gz", b"\x1f\x8bx", "data.csv.gz: not a whole gzip file", "unpack it"),
    data("gz: none", "data.csv.gz", CSV, "data.csv.gz: not a whole gzip file", "unpack it"),
]
ROW = [
    row("row: not an object", ["a", "yes"], "expected an object with named fields, found list"),
    row("row: no question", {"text": "a", "answer": "yes"}, "no field 'question'", "it has: text, answer", "set 'question'"),
    row("row: no answer", {"question": "a", "label": "yes"}, "no field 'answer'", "it has: question, label", "set 'answer'"),
    row("row: empty object", {}, "no field 'question'", "it has: nothing"),
    row("row: empty question", {"question": " \n", "answer": "yes"}, "field 'question': the question is empty"),
    row("row: empty answer", {"question": "a", "answer": " "}, "field 'answer': the answer is empty"),
    row("row: null question", {"question": None, "answer": "yes"}, "'question' is null"),
    row("row: null answer", {"question": "a", "answer": None}, "'answer' is null"),
    row("row: NaN", {"question": float("nan"), "answer": "yes"}, "'question' is nan"),
    row(
        "row: nested question",
        {"question": {"text": "a"}, "answer": "yes"},
        "'question' is a mapping of text, not text",
        "question.text",
    ),
    row("row: nested answer", {"question": "a", "answer": [["yes"]]}, "'answer' is a list of 1 item, not text"),
    row("row: no accepted answers", {"question": "a", "answer": "yes", "answers": []}, "accepted answers 'answers' is empty"),
    row("row: label outside the set", {"question": "a", "answer": "maybe"}, "'maybe' is not one of the labels yes, no", "fix"),
    row("row: one label outside", {"question": "a", "answers": ["yes", "maybe"]}, "'maybe' is not one of the labels"),
    row("row: half a character", {"question": "\ud83d", "answer": "yes"}, "question: half of a character", "write it again"),
    row("row: escaped NUL", {"question": "a\0", "answer": "yes"}, "'question' holds a NUL"),
    row("row: twice", {"question": " Q1 ", "answer": "no"}, "already at", "data.jsonl:2", "duplicates: drop"),
    data(
        "row: no column of a template",
        "data.csv",
        CSV,
        "data.csv:2",
        "no field 'title'",
        "set 'q",
        more='question: "{title}"\n',
    ),
    data("split: no column", "data.csv", CSV, "data.csv:2", "no field 'part'", "set 'split'", more="split: part\n"),
    data(
        "split: unknown",
        "data.json",
        [ROWS[0] | {"s": "eval"}],
        "item 1: field 's': unknown split 'eval'",
        "validation",
        more="split: s\n",
    ),
    data(
        "split: in part",
        "data.json",
        [ROWS[0] | {"s": "train"}, ROWS[1] | {"s": ""}],
        "item 2: has no split",
        more="split: s\n",
    ),
    data(
        "split: question in two", "data.json", {"train": ROWS, "test": ROWS[:1]}, "test[0]", "already at", "train[0]", "remove"
    ),
    data(
        "split: no test", "data.json", {"train": ROWS}, "'tickets' has 0 examples for test and the run wants 1", "add examples"
    ),
    data("split: too few", "data.json", ROWS[:3], "has 3 examples for train and the run wants 4", "train_size"),
]
YAML = [
    Case("yaml: empty", "", "data.csv", CSV, ("task.yaml: expected 'key: value' lines", "nothing")),
    Case("yaml: a list", "- a\n- b\n", "data.csv", CSV, ("task.yaml: expected 'key: value' lines", "list")),
    Case("yaml: not UTF-8", b"name: caf\xe9\n", "data.csv", CSV, ("task.yaml: not UTF-8", "save it as UTF-8")),
    Case("yaml: NUL", TASK + "\0", "data.csv", CSV, ("task.yaml: not valid YAML",)),
    Case("yaml: too deep", "[" * 5000, "data.csv", CSV, ("task.yaml: nested too deeply",)),
    task("yaml: invalid", "metric: accuracy", "metric: accuracy: 1", "task.yaml:7: not valid YAML"),
    task("yaml: a tab", "  labels", "\tlabels", "task.yaml:6: not valid YAML"),
    task("yaml: a key twice", "metric: accuracy", "name: other", "task.yaml:7", "'name' stands here twice"),
    task("yaml: impossible value", "metric: accuracy", "max_tokens: !!int many", "task.yaml: not valid YAML"),
    task("key: unknown", "metric:", "metrics:", "task.yaml:7: unknown key 'metrics'", "known keys: name,"),
    task(
        "key: unknown in a block",
        "  labels",
        "  lables",
        "task.yaml:6: unknown key 'reader.lables'",
        "known keys: kind, labels, from",
    ),
    task("name: missing", "name: tickets\n", "", "task.yaml:1: 'name' is missing"),
    task("name: bad", "name: tickets", "name: my tickets", "task.yaml:1: name: 'my tickets' is no name", "letters"),
    task("name: a path", "name: tickets", "name: ../tickets", "task.yaml:1: name", "such as my_task"),
    task("examples: missing", "examples: data.csv\n", "", "'examples' is missing"),
    task("examples: empty", "data.csv", "[]", "task.yaml:2: examples: is empty", "name a file or write rows"),
    task("examples: a number", "data.csv", "5", "task.yaml:2: examples: is a file, a list of rows"),
    task("examples: list of text", "data.csv", "[a, b]", "task.yaml:2: examples: is a file, a list of rows"),
    task(
        "examples: unknown split",
        "data.csv",
        "{eval: data.csv}",
        "task.yaml:2: examples: unknown split 'eval'",
        "train, validation",
    ),
    task(
        "examples: label outside",
        "examples: data.csv",
        f"{INLINE}\n  - {{question: c, answer: 1}}",
        "'tickets', example 3",
        "labels",
    ),
    task("user_prompt: missing", f"user_prompt: {QUESTION}\n", "", "'user_prompt' is missing"),
    task("user_prompt: no place", " {question}", "", "task.yaml:3: user_prompt holds {question} 0 times", "write one like"),
    task(
        "user_prompt: two places", "one.", "{question}", "task.yaml:3: user_prompt holds {question} 2 times", "write one like"
    ),
    task("user_prompt: nothing else", "Pick one. ", "", "task.yaml:3: user_prompt holds no instruction", "write one like"),
    reader(
        "reader: bad kind", "kind: letters", "task.yaml:5: reader.kind", "'letters' is none of 'choice', 'labels', 'integer'"
    ),
    reader(
        "reader: no labels", "kind: choice", "task.yaml:4: reader: a 'choice' reader needs at least two labels", "labels: ["
    ),
    reader("reader: one label", "kind: choice; labels: [yes]", "task.yaml:4: reader", "at least two labels"),
    reader("reader: same labels", "kind: choice; labels: [yes, Yes ]", "task.yaml:4: reader: two labels are the same"),
    reader("reader: empty label", 'kind: choice; labels: [yes, " "]', "task.yaml:4: reader: a label is empty"),
    reader("reader: label is no text", "kind: choice; labels: [yes, [no]]", "task.yaml:6: reader.labels.1"),
    reader("reader: labels on text", "kind: text; labels: [yes, no]", "task.yaml:4: reader: labels belong to a 'choice'"),
    reader(
        "reader: bad regex",
        "kind: text; pattern: '(a'",
        "task.yaml:4: reader: pattern is not a regular expression",
        "position 0",
    ),
    reader("reader: no group", "kind: text; pattern: 'a+'", "task.yaml:4: reader: pattern needs a group ( )"),
    reader("reader: bad from", "kind: text; from: last_line", "task.yaml:4: reader: from is 'tag', 'reply' or", "'last_line'"),
    reader("reader: regex and callable", "kind: text; from: 'a:b'; pattern: (a)", "task.yaml:4: reader", "keep one"),
    reader("reader: no range", "kind: integer; minimum: 5; maximum: 1", "task.yaml:4: reader: minimum 5 is above maximum 1"),
    reader("reader: gold is no integer", "kind: integer; maximum: 5", "data.csv:2", "'yes' is not one integer, at most 5"),
    reader(
        "reader: no module",
        "kind: text; from: no_such_module:f",
        "reader no_such_module:f cannot be imported",
        "PYTHONPATH",
    ),
    task("metric: unknown", "accuracy", "bleu", "task.yaml:7: metric: unknown metric 'bleu'", "known: accuracy"),
    task("metric: a number", "accuracy", "5", "task.yaml:7: metric"),
    reader(
        "metric: macro_f1 without choice", "kind: text", "task.yaml:6: metric macro_f1 needs a reader of kind 'choice'"
    )._replace(task=TEXT.replace("accuracy", "macro_f1")),
    task(
        "metric: numeric without number", "accuracy", "numeric", "task.yaml:7: metric numeric needs a reader of kind 'integer'"
    ),
    task("metric: negative tolerance", "accuracy", "{kind: numeric, tolerance: -1}", "task.yaml:7: metric.tolerance", "0"),
    task("metric: failing_below", "accuracy", "{kind: token_f1, failing_below: 50}", "task.yaml:7: metric.failing_below", "1"),
    task("metric: judge without rubric", "accuracy", "judge", "task.yaml:7: metric: a 'judge' metric needs a rubric"),
    task("metric: rubric without judge", "accuracy", "{kind: accuracy, rubric: r}", "task.yaml:7: metric", "only a 'judge'"),
    task(
        "metric: no module", "accuracy", "no_such_module:f", "'tickets': metric no_such_module:f cannot be imported", "beside"
    ),
    task("metric: no function", "accuracy", "malformed_code:f", "malformed_code:f cannot be imported", "that the module has"),
    task("metric: not a function", "accuracy", "malformed_code:LIMIT", "malformed_code:LIMIT is int, not a function"),
    task("metric: relative module", "accuracy", "..code:f", "..code:f cannot be imported", "mend"),
    task(
        "metric: module that fails",
        "accuracy",
        "malformed_module:f",
        "malformed_module:f cannot be imported: ZeroDivisionError",
    ),
    task("metric: raises", "accuracy", "malformed_code:broken", "metric malformed_code:broken failed on 'yes': KeyError"),
    task(
        "metric: out of range", "accuracy", "malformed_code:far", "malformed_code:far returned 7.0; a score is between 0 and 1"
    ),
    row(
        "metric: macro_f1 of several", {"question": "a", "answer": ["yes", "no"]}, "has 2 accepted answers", "use accuracy"
    )._replace(task=TASK.replace("data.csv", "data.jsonl").replace("accuracy", "macro_f1")),
    Case(
        "constrain: without choice", TEXT + "constrain: true\n", "data.csv", CSV, ("task.yaml:7: constrain needs", "'choice'")
    ),
    Case(
        "constrain: no boolean",
        TASK + "constrain: perhaps\n",
        "data.csv",
        CSV,
        ("task.yaml:8: constrain", "neither true nor false"),
    ),
    Case("max_tokens: none", TASK + "max_tokens: 0\n", "data.csv", CSV, ("task.yaml:8: max_tokens", "above 0")),
    Case("duplicates: unknown", TASK + "duplicates: keep\n", "data.csv", CSV, ("task.yaml:8: duplicates", "'error', 'drop'")),
]


@pytest.mark.long
@pytest.mark.parametrize("case", FILES + ROW + YAML, ids=lambda case: case.id)
def test_a_mistake_is_told_as_one(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, content in [
        ("task.yaml", case.task),
        (case.file, case.data),
        ("malformed_code.py", CODE),
        ("malformed_module.py", "1/0"),
    ]:
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(TaskError) as raised:
        opened = open_task(str(tmp_path / "task.yaml"), Sizes(4, 0, 5), 0)
        opened.score("yes", opened.splits["test"][0])
    sys.modules.pop("malformed_code", None)
    message = str(raised.value)
    assert all(words in message for words in case.says), message
    assert "Traceback" not in message and "pydantic" not in message
