"""Files in the forms in which people of the field have them, read as docs/tasks.md says."""

import gzip
import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from click.testing import CliRunner

from metaspo.cli.main import main
from metaspo.domain.errors import TaskError
from metaspo.tasks.catalogue import read_task
from metaspo.tasks.examples import load_pools

LETTERS = "reader: {kind: choice, labels: [A, B, C, D]}"
WORDS = "reader: {kind: choice, labels: [negative, positive]}"
BASE = 'name: mine\nuser_prompt: "Go.\\n{question}"\nexamples: '


class Case(NamedTuple):
    """A file, what is written of it, and the examples that it holds by split."""

    id: str
    file: str
    content: Any
    task: str
    found: dict[str, list[tuple[str, ...]]]


def lines(*rows: Any) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def dealt(*examples: tuple[str, ...]) -> dict[str, list[tuple[str, ...]]]:
    return {"": list(examples)}


CASES = [
    Case(
        "GSM8K", "x.jsonl",
        lines({"question": "Eggs?", "answer": "9 * 2 = <<9*2=18>>18.\n#### 1,018"}, {"question": "Bolts?", "answer": "So 3.\n#### -3"}),
        "answer_pattern: '#### (.+)'\nreader: {kind: number}",
        dealt(("Eggs?", "1018"), ("Bolts?", "-3")),
    ),
    Case(
        "MMLU without a header", "x.csv", '"What, and why?","1, 2",2,3,4,D\nThen?,a,b,c,d,A\n',
        f"columns: [q, a, b, c, d, gold]\nquestion: |-\n  {{q}}\n  A. {{a}}\n  B. {{b}}\nanswer: gold\n{LETTERS}",
        dealt(("What, and why?\nA. 1, 2\nB. 2", "D"), ("Then?\nA. a\nB. b", "A")),
    ),
    Case(
        "an index into a list of options", "x.jsonl", lines({"question": "Which?", "choices": ["red", "blue"], "answer": 1}),
        f'question: "{{question}}\\n{{choices:A.}}"\nanswer_map: {{0: A, 1: B, 2: C, 3: D}}\n{LETTERS}',
        dealt(("Which?\nA. red\nB. blue", "B")),
    ),
    Case(
        "the text of the option that an index names", "x.jsonl", lines({"question": "Which?", "choices": ["red", "blue"], "answer": 1}),
        'question: "{question}\\n{choices}"\nanswer_map: choices', dealt(("Which?\nred\nblue", "blue")),
    ),
    Case(
        "SST-2", "x.tsv", 'sentence\tlabel\nit \'s a "great" film , really\t1\n"never closed\t0\n',
        f"question: sentence\nanswer: label\nanswer_map: {{0: negative, 1: positive}}\n{WORDS}",
        dealt(('it \'s a "great" film , really', "positive"), ('"never closed', "negative")),
    ),
    Case(
        "AG News", "x.csv", '"3","Wall St. (Reuters)","Short-sellers\\band ""cynics"", say"\n"4","New","None"\n',
        'columns: [label, title, text]\nquestion: "{title}: {text}"\nanswer: label\nanswer_map: {3: business, 4: technology}\n'
        "reader: {kind: choice, labels: [business, technology]}",
        dealt(('Wall St. (Reuters): Short-sellers\\band "cynics", say', "business"), ("New: None", "technology")),
    ),
    Case(
        "SQuAD", "x.json",
        {"version": "2", "data": [{"title": "T", "paragraphs": [{"context": "It is so.", "qas": [
            {"id": "1", "question": "Is it?", "answers": [{"text": "so", "answer_start": 6}, {"text": "is so", "answer_start": 3}]},
        ]}]}]},
        'rows: data.*.paragraphs.*.qas.*\nquestion: "{context}\\n{question}"\nanswer: answers.*.text',
        dealt(("It is so.\nIs it?", "so", "is so")),
    ),
    Case(
        "SQuAD from the hub", "x.jsonl", lines({"question": "Is it?", "answers": {"text": ["so", "so"], "answer_start": [6, 7]}}),
        "answer: answers.text", dealt(("Is it?", "so")),
    ),
    Case(
        "BoolQ", "x.jsonl", lines({"question": "is it", "answer": True}, {"question": "was it", "answer": False}),
        "answer_map: {true: yes, false: no}\nreader: {kind: choice, labels: [yes, no]}", dealt(("is it", "yes"), ("was it", "no")),
    ),
    Case(
        "ARC", "x.jsonl",
        lines({"question": {"stem": "Which?", "choices": [{"text": "red", "label": "A"}, {"text": "blue", "label": "B"}]}, "answerKey": "B"}),
        f'question: "{{question.stem}}\\n{{question.choices:(A)}}"\nanswer: answerKey\n{LETTERS}',
        dealt(("Which?\n(A) red\n(B) blue", "B")),
    ),
    Case(
        "ARC from the hub", "x.jsonl",
        lines({"question": "Which?", "choices": {"text": ["red", "blue"], "label": ["1", "2"]}, "answerKey": "2"}),
        f'question: "{{question}}\\n{{choices.text:A.}}"\nanswer: answerKey\nanswer_map: {{1: A, 2: B, 3: C, 4: D}}\n{LETTERS}',
        dealt(("Which?\nA. red\nB. blue", "B")),
    ),
    Case(
        "TruthfulQA", "x.csv", 'Type,Question,Best Answer,Correct Answers\nAdversarial,"What, then?",Nothing,"Nothing; none"\n',
        "question: Question\nanswer: Best Answer", dealt(("What, then?", "Nothing")),
    ),
    Case(
        "TruthfulQA, scored answers", "x.json", [{"question": "Is it?", "mc1_targets": {"It is.": 1, "It is not.": 0}}],
        "answer: mc1_targets", dealt(("Is it?", "It is.")),
    ),
    Case(
        "HumanEval", "x.jsonl.gz",
        gzip.compress(lines({"prompt": "def f():\n", "canonical_solution": "    return 1\n", "test": "f()"}).encode()),
        "question: prompt\nanswer: canonical_solution", dealt(("def f():\n", "return 1")),
    ),
    Case(
        "Excel in German", "x.csv", '\ufeffFrage;Preis;\r\n"Was, wann; wie?";3,50;\r\nUnd dann?;12,00;\r\n;;\r\n'.encode(),
        "question: Frage\nanswer: Preis", dealt(("Was, wann; wie?", "3,50"), ("Und dann?", "12,00")),
    ),
    Case(
        "Excel with sep=", "x.csv", b"sep=;\r\nquestion;answer\r\nHow much?;1,5\r\n", "", dealt(("How much?", "1,5")),
    ),
    Case(
        "Excel's Unicode text", "x.txt", 'question\tanswer\r\n"Caf\u00e9 ""Zoo""?"\tja\r\n'.encode("utf-16"), "", dealt(('Café "Zoo"?', "ja")),
    ),
    Case(
        "Kaggle in Latin-1", "x.csv", 'v1,v2,,,\r\nham,"Go, \xa3100",,,\r\nspam,Free," more",,\r\n'.encode("latin-1"),
        "encoding: latin-1\nquestion: v2\nanswer: v1\nreader: {kind: choice, labels: [ham, spam]}",
        dealt(("Go, £100", "ham"), ("Free", "spam")),
    ),
    Case(
        "Label Studio", "x.json",
        [{"id": 1, "data": {"text": "Nice."}, "annotations": [{"result": [{"value": {"choices": ["Positive"]}, "from_name": "s"}]}]}],
        f"question: data.text\nanswer: annotations.0.result.0.value.choices\n{WORDS}", dealt(("Nice.", "positive")),
    ),
    Case(
        "doccano", "x.jsonl", lines({"id": 1, "text": "Nice.", "label": ["positive"]}),
        f"question: text\nanswer: label\n{WORDS}", dealt(("Nice.", "positive")),
    ),
    Case(
        "Argilla", "x.jsonl", lines({"fields": {"text": "Nice."}, "responses": {"mood": [{"value": "positive", "user": "u"}]}}),
        f"question: fields.text\nanswer: responses.mood.0.value\n{WORDS}", dealt(("Nice.", "positive")),
    ),
    Case(
        "columns with dots in their names", "x.csv", "inputs.text,outputs.label\nNice.,1.0\n",
        f"question: inputs.text\nanswer: outputs.label\nanswer_map: {{0: negative, 1: positive}}\n{WORDS}", dealt(("Nice.", "positive")),
    ),
    Case(
        "Alpaca", "x.json", [{"instruction": "Name it.", "input": "red, blue", "output": "colours"}],
        'question: "{instruction}\\n{input}"\nanswer: output', dealt(("Name it.\nred, blue", "colours")),
    ),
    Case(
        "ShareGPT", "x.json", [{"id": "1", "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]}],
        "question: conversations.0.value\nanswer: conversations.1.value", dealt(("Hi", "Hello")),
    ),
    Case(
        "OpenAI's fine-tuning", "x.jsonl",
        lines({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}),
        "question: messages.1.content\nanswer: messages.-1.content", dealt(("Hi", "Hello")),
    ),
    Case(
        "BIG-bench", "x.json",
        {"name": "n", "keywords": ["a", "b"], "metrics": ["m", "n"],
         "examples": [{"input": "Is it?", "target_scores": {"Yes": 1, "No": 0}}, {"input": "Was it?", "target_scores": {"Yes": 0, "No": 1}}]},
        "question: input\nanswer: target_scores\nreader: {kind: choice, labels: [yes, no]}", dealt(("Is it?", "yes"), ("Was it?", "no")),
    ),
    Case(
        "BIG-bench Hard", "x.json", {"canary": "c", "examples": [{"input": "Which?\n(A) x\n(B) y", "target": "(B)"}]},
        f"question: input\nanswer: target\n{LETTERS}", dealt(("Which?\n(A) x\n(B) y", "B")),
    ),
    Case(
        "the hub's server", "x.json",
        {"features": [{"name": "text"}], "rows": [{"row_idx": 0, "row": {"text": "Nice.", "label": 1}}], "partial": False},
        f"rows: rows.*.row\nquestion: text\nanswer: label\nanswer_map: {{0: negative, 1: positive}}\n{WORDS}",
        dealt(("Nice.", "positive")),
    ),
    Case(
        "CLINC", "x.json", {"train": [["Hi", "greeting"]], "val": [["Bye", "parting"]], "test": [["Hello", "greeting"]]},
        "columns: [question, answer]",
        {"train": [("Hi", "greeting")], "validation": [("Bye", "parting")], "test": [("Hello", "greeting")]},
    ),
    Case(
        "DROP", "x.json", {"nfl_1": {"passage": "P", "qa_pairs": [{"question": "How many?", "answer": {"number": "2", "spans": []}}]}},
        'rows: "*.qa_pairs.*"\nquestion: "{passage}\\n{question}"\nanswer: answer.number\nreader: {kind: integer}',
        dealt(("P\nHow many?", "2")),
    ),
    Case(
        "MRQA", "x.jsonl", lines({"context": "C", "qas": [{"question": "a", "answers": ["x", "y"]}, {"question": "b", "answers": ["z"]}]}),
        'rows: qas\nquestion: "{context}\\n{question}"', dealt(("C\na", "x", "y"), ("C\nb", "z")),
    ),
    Case(
        "pandas to_json", "x.json", {"question": {"0": "a", "1": "b"}, "answer": {"0": "x", "1": "y"}}, "", dealt(("a", "x"), ("b", "y")),
    ),
    Case(
        "pandas to_csv of lists", "x.csv", ',question,answers\n0,a,"{\'text\': [\'x\', \'y\'], \'start\': [1, 2]}"\n',
        "answer: answers.text", dealt(("a", "x", "y")),
    ),
    Case(
        "ARC as pandas writes it",
        "x.csv",
        "question,choices,answerKey\nWhich?,\"{'text': array(['red', 'blue'], dtype=object), 'label': array(['1', '2'], dtype=object)}\",2\n",
        f'question: "{{question}}\\n{{choices.text:A.}}"\nanswer: answerKey\nanswer_map: {{1: A, 2: B}}\n{LETTERS}',
        dealt(("Which?\nA. red\nB. blue", "B")),
    ),
    Case(
        "the text of an option for its letter",
        "x.csv",
        "question,options,answer\nWhich?,\"['red' 'blue']\",blue\n",
        f'question: "{{question}}\\n{{options:A)}}"\nanswer_map: options:A\n{LETTERS}',
        dealt(("Which?\nA) red\nB) blue", "B")),
    ),
    Case(
        "a split in a nested field", "x.jsonl",
        lines(*({"q": q, "a": "x", "meta": {"part": part}} for q, part in (("a", "train"), ("b", "Dev"), ("c", "holdout")))),
        "question: q\nanswer: a\nsplit: meta.part", {"train": [("a", "x")], "validation": [("b", "x")], "test": [("c", "x")]},
    ),
    Case(
        "SNLI, with rows without a gold label", "x.jsonl",
        lines({"sentence1": "a", "gold_label": "positive"}, {"sentence1": "b", "gold_label": "-"}),
        f'question: sentence1\nanswer: gold_label\ndrop: {{gold_label: "-"}}\n{WORDS}', dealt(("a", "positive")),
    ),
    Case(
        "MTurk's results", "x.csv", "HITId,AssignmentStatus,Input.text,Answer.mood\n1,Approved,a,positive\n2,Rejected,b,negative\n",
        f"question: Input.text\nanswer: Answer.mood\nwhere: {{AssignmentStatus: Approved}}\n{WORDS}", dealt(("a", "positive")),
    ),
    Case(
        "Qualtrics, three lines of header", "x.csv",
        'StartDate,Q1,Q2\nStart Date,What?,Mood\n"{""ImportId"":""startDate""}","{""ImportId"":""Q1""}",x\n2024-01-01,Nice.,positive\n',
        f"question: Q1\nanswer: Q2\ndrop:\n  StartDate: [Start Date, '{{\"ImportId\":\"startDate\"}}']\n{WORDS}",
        dealt(("Nice.", "positive")),
    ),
    Case(
        "SurveyMonkey, two lines of header", "x.csv", "Respondent ID,How?,Mood,\n,Open-Ended Response,Response,Other\n17,Nice.,positive,\n",
        f"question: How?\nanswer: Mood\ndrop: {{Respondent ID: null}}\n{WORDS}", dealt(("Nice.", "positive")),
    ),
    Case(
        "a title above the header", "x.csv", "Tickets, 2024\n\ntext,label\nNice.,positive\n",
        f"skip_lines: 2\nquestion: text\nanswer: label\n{WORDS}", dealt(("Nice.", "positive")),
    ),
    Case(
        "Jira, columns of one name", "x.csv", "Summary,Labels,Labels,Mood\nNice.,ui,web,positive\n",
        f'question: "{{Summary}} {{Labels.1}} {{Labels.2}}"\nanswer: Mood\n{WORDS}', dealt(("Nice. ui web", "positive")),
    ),
    Case(
        "TREC", "x.txt", "DESC:manner How, then ?\nHUM:ind Who ?\n",
        "columns: [line]\nquestion: line\nquestion_pattern: '^\\S+ (.+)'\nanswer: line\nanswer_pattern: '^(\\w+):'\n"
        "reader: {kind: choice, labels: [DESC, HUM]}",
        dealt(("How, then ?", "DESC"), ("Who ?", "HUM")),
    ),
    Case(
        "HH-RLHF", "x.jsonl", lines({"chosen": "\n\nHuman: Hi\n\nAssistant: Hello.", "rejected": "x"}),
        "question: chosen\nquestion_pattern: '(?s)Human: (.*)\\n\\nAssistant:'\nanswer: chosen\nanswer_pattern: '(?s)Assistant: (.+)$'",
        dealt(("Hi", "Hello.")),
    ),
    Case(
        "several answers in a cell", "x.csv", "question,answer\nWho?,Ann; Bo ;\n", 'answer_separator: ";"', dealt(("Who?", "Ann", "Bo")),
    ),
    Case(
        "GoEmotions", "x.tsv", 'Nice.\t0,3\teu1\nSo.\t2\teu2\n',
        'columns: [text, labels, id]\nquestion: text\nanswer: labels\nanswer_separator: ","\nanswer_map: {0: joy, 2: fear, 3: love}\n'
        "reader: {kind: labels, labels: [joy, fear, love]}\nmetric: set_f1",
        dealt(("Nice.", '["joy", "love"]'), ("So.", '["fear"]')),
    ),
    Case(
        "Jigsaw, a column a label", "x.csv", "id,text,toxic,threat\n1,a,1,1\n2,b,0,0\n",
        "question: text\nanswer_columns: [toxic, threat]\nreader: {kind: labels, labels: [toxic, threat]}\nmetric: set_f1",
        dealt(("a", '["toxic", "threat"]'), ("b", "[]")),
    ),
    Case(
        "one column of 0 and 1 for each label", "x.csv", "text,is_pos,is_neg\na,1.0,0.0\nb,False,True\n",
        f"question: text\nanswer_columns: [is_pos, is_neg]\nanswer_map: {{is_pos: positive, is_neg: negative}}\n{WORDS}",
        dealt(("a", "positive"), ("b", "negative")),
    ),
    Case(
        "TruthfulQA from the hub", "x.jsonl", lines({"question": "Is it?", "mc1_targets": {"choices": ["So.", "No.", "Yes."], "labels": [0, 1, 0]}}),
        f'question: "{{question}}\\n{{mc1_targets.choices:A.}}"\nanswer: mc1_targets.labels\nanswer_map: mc1_targets.choices:A.\n{LETTERS}',
        dealt(("Is it?\nA. So.\nB. No.\nC. Yes.", "B")),
    ),
    Case(
        "Gemini's contents", "x.jsonl",
        lines({"contents": [{"role": "user", "parts": [{"text": "Nice."}]}, {"role": "model", "parts": [{"text": "positive"}]}]}),
        f"question: contents\n{WORDS}", dealt(("Nice.", "positive")),
    ),
    Case(
        "Bedrock's messages", "x.jsonl",
        lines({"messages": [{"role": "user", "content": [{"text": "Nice."}]}, {"role": "assistant", "content": [{"text": "positive"}]}]}),
        f"question: messages\n{WORDS}", dealt(("Nice.", "positive")),
    ),
    Case(
        "Cohere's messages", "x.jsonl", lines({"messages": [{"role": "User", "content": "Nice."}, {"role": "Chatbot", "content": "positive"}]}),
        f"question: messages\n{WORDS}", dealt(("Nice.", "positive")),
    ),
    Case(
        "lines of files put together, each with its mark", "x.jsonl",
        lines({"question": "a", "answer": "x"}) + "\ufeff" + lines({"question": "b", "answer": "y"}), "", dealt(("a", "x"), ("b", "y")),
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_file_is_read_as_it_lies(case: Case, tmp_path: Path) -> None:
    content = case.content if isinstance(case.content, str | bytes) else json.dumps(case.content)
    (tmp_path / case.file).write_bytes(content.encode() if isinstance(content, str) else content)
    task = tmp_path / "task.yaml"
    task.write_text(f"{BASE}{case.file}\n{case.task}\n", encoding="utf-8")
    pools = load_pools(read_task(str(task)))
    assert {split: [(e.question, *e.answers) for e in pool] for split, pool in pools.items()} == case.found
    checked = CliRunner().invoke(main, ["tasks", "check", str(task), "--json"])
    assert checked.exit_code == 0, checked.output
    # What Python is given means the same, and so does what a run has stored.
    block = yaml.safe_load(json.dumps(read_task(str(task)).model_dump(mode="json", by_alias=True, exclude_defaults=True)))
    assert load_pools(read_task(block, tmp_path)) == pools


def test_a_delimiter_may_be_named_for_a_file_of_any_ending(tmp_path: Path) -> None:
    (tmp_path / "SMSSpamCollection").write_text("ham\tGo, until; you\nspam\tFree\n", encoding="utf-8")
    block = {"name": "t", "examples": "SMSSpamCollection", "user_prompt": "Go.\n{question}", "answer": "label"}
    found = load_pools(read_task(block | {"delimiter": "tab", "columns": ["label", "question"]}, tmp_path))
    assert [(e.question, e.answer) for e in found[""]] == [("Go, until; you", "ham"), ("Free", "spam")]
    with pytest.raises(TaskError, match=r"cannot read '' files; use .json.*or name the 'delimiter' of a table"):
        load_pools(read_task(block, tmp_path))


@pytest.mark.parametrize(
    ("file", "content", "task", "says"),
    [
        ("x.csv", "text,label\nNice.,2\n", f"question: text\nanswer: label\n{WORDS}", "x.csv:2: field 'label': the answer '2'"),
        ("x.jsonl", lines({"data": {"text": "Nice."}}), "question: text", "x.jsonl:1: no field 'text' (it has: data.text)"),
        ("x.json", {"data": [{"a": 1}]}, "rows: date", "x.json: 'rows: date' leads to no rows: it has no 'date'"),
        ("x.xlsx", "PK", "", "x.xlsx: cannot read '.xlsx' files; save the sheet as .csv"),
        ("x.csv", "a,b\n", "answer_map: {0: a, '0.0': b}", "task.yaml:4: answer_map: 0 stands for two answers, a and b"),
        ("x.csv", "a,b\n", "answer_map: {}", "task.yaml:4: answer_map: is empty; write what stands in the data"),
        ("x.csv", "a,b\n", "answer_map: {a: [b]}", "task.yaml:4: answer_map: 'a': ['b'] is not text or a number on both sides"),
        ("x.csv", "a,b\n", "answer_pattern: '#### .+'", "task.yaml:4: answer_pattern: needs a group ( ) around what counts"),
        ("x.csv", "a,b\n", "answer_pattern: '(a'", "task.yaml:4: answer_pattern: is not a regular expression"),
        ("x.csv", "a,b\n", "columns: []", "task.yaml:4: columns: is empty; name each field"),
        (
            "x.csv",
            "text,label\nNice.,-\n",
            f"question: text\nanswer: label\n{WORDS}",
            "write drop: {label: '-'} to leave such rows out",
        ),
        (
            "x.csv",
            "text,label\na,x\n",
            "drop: {lable: x}",
            "x.csv:2: no field 'lable' (it has: text, label), nor in any other row",
        ),
        ("x.csv", "question,answer\na,x\n", "where: {answer: y}", "'where' and 'drop' leave none of 1 rows; mend their values"),
        ("x.csv", "a,b\n", "drop: [a]", "task.yaml:4: drop: names fields and what stands in them"),
        ("x.csv", "a,b\n", "where: {a: {b: c}}", "task.yaml:4: where: a: {'b': 'c'} is no text, number, null or list of these"),
        (
            "x.csv",
            "t,p,n\na,1,1\n",
            f"question: t\nanswer_columns: [p, n]\n{WORDS}",
            "x.csv:2: holds 1 in 2 of answer_columns (p, n)",
        ),
        (
            "x.csv",
            "t,p,n\na,1,2\n",
            f"question: t\nanswer_columns: [p, n]\n{WORDS}",
            "x.csv:2: field 'n' of answer_columns is '2'",
        ),
        (
            "x.csv",
            "question,answer\na,x\n",
            "question_pattern: '(b)'",
            "x.csv:2: field 'question': question_pattern '(b)' finds nothing",
        ),
        ("x.csv", "question,answer,answer\na,x,y\n", "", "x.csv:2: no field 'answer' (it has: question, answer.1, answer.2)"),
        ("x.csv", "q,a\nx,y\n(c) 2024\n", "", "x.csv:3: has another number of columns (1)"),
        ("x.csv", "Tickets\nquestion,answer\na,x\n", "", "skip_lines: 1 if the header stands below it"),
        ("x.csv", "question,answer\na,x\n", "skip_lines: 9", "x.csv: holds no examples"),
        ("x.jsonl", '{"question": "a", "answer": "x", "answer": "y"}', "", "x.jsonl:1: 'answer' stands twice in one object"),
        ("x.json", '[{"question": "a", "answer": "x", "answer": "y"}]', "", "x.json: 'answer' stands twice in one object"),
        ("x.json", "\n<!DOCTYPE html><html>404</html>", "", "x.json: a web page, not the data; download the file itself"),
        (
            "x.csv",
            "version https://git-lfs.github.com/spec/v1\noid sha256:a\n",
            "",
            "x.csv: a pointer of Git LFS, not the data",
        ),
    ],
)
def test_a_failure_on_the_command_line_names_file_row_field_and_what_to_write(
    file: str, content: Any, task: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(file).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    Path("task.yaml").write_text(f"{BASE}{file}\n{task}\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["tasks", "check", "task.yaml"])
    assert result.exit_code == 2 and says in " ".join(result.output.split()), result.output
    assert "Traceback" not in result.output and "pydantic" not in result.output
