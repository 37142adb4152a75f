"""promptfoo's configs and tables of tests."""

from pathlib import Path

import pytest

from metaspo.domain.errors import TaskError
from metaspo.tasks.rows.row import Row
from metaspo.tasks.sources.opening import open_source

CONFIG = """\
prompts: ["Answer: {{question}}"]
providers: [openai:gpt-4o-mini]
defaultTest:
  vars: {expected: yes}
  assert: [{type: latency, threshold: 1000}]
tests:
  - description: a capital
    vars: {question: "What is the capital of France?"}
    assert:
      - {type: icontains, value: Paris}
      - {type: llm-rubric, value: is short}
  - vars: {question: "Is water wet?"}
  - vars: {question: "2 + 2?", expected: no}
    assert: [{type: equals, value: 4}]
"""


def written(folder: Path, config: str, **files: str) -> list[Row]:
    for name, text in files.items():
        path = folder / name.replace("__", ".")
        path.write_text(text, encoding="utf-8")
    (folder / "promptfooconfig.yaml").write_text(config, encoding="utf-8")
    return opened(folder / "promptfooconfig.yaml")


def opened(path: Path) -> list[Row]:
    from metaspo.tasks.rows.files import read_rows

    return open_source(str(path), None, read_rows)


def test_a_config(tmp_path: Path) -> None:
    rows = written(tmp_path, CONFIG)
    assert [row.values["question"] for row in rows] == ["What is the capital of France?", "Is water wet?", "2 + 2?"]
    assert [row.values["answer"] for row in rows] == ["Paris", "yes", 4]
    assert rows[0].place == f"{tmp_path / 'promptfooconfig.yaml'}:7, test 1" and rows[2].place.endswith(":13, test 3")
    assert rows[0].values["vars"] == {"question": "What is the capital of France?", "expected": "yes"}
    assert [one["type"] for one in rows[0].values["assert"]] == ["latency", "icontains", "llm-rubric"]
    assert rows[0].values["description"] == "a capital"


def test_tests_in_other_files(tmp_path: Path) -> None:
    config = "tests: [file://a.yaml, b*.csv, file://c.jsonl, {vars: {q: d, expected: four}}]\n"
    table = "q,__expected\nb,contains: two\n"
    one = "- vars: {q: a}\n  assert: [{type: equals, value: one}]\n"
    lines = '{"vars": {"q": "c"}, "assert": [{"type": "equals", "value": "three"}]}\n'
    rows = written(tmp_path, config, a__yaml=one, b1__csv=table, b2__csv=table.replace("b,", "bb,"), c__jsonl=lines)
    assert [(row.values["question"], row.values["answer"]) for row in rows] == [
        ("a", "one"), ("b", "two"), ("bb", "two"), ("c", "three"), ("d", "four")
    ]  # fmt: skip
    assert rows[1].place == f"{tmp_path / 'b1.csv'}:2"
    assert [row.values["answer"] for row in opened(tmp_path / "a.yaml")] == ["one"]
    assert [row.values["answer"] for row in opened(tmp_path / "b1.csv")] == ["two"]
    assert len(written(tmp_path, "tests: file://b1.csv\n")) == 1


def test_a_list_stands_for_several_tests(tmp_path: Path) -> None:
    test = "{vars: {q: [a, b], to: [x, y]}, assert: [{type: equals, value: '{{q}}-{{to}}'}]}"
    rows = written(tmp_path, f"tests: [{test}]\n")
    assert [row.values["answer"] for row in rows] == ["a-x", "a-y", "b-x", "b-y"]
    assert rows[1].place.endswith(":1, test 1 (q=a, to=y)")
    assert rows[1].hint("question").startswith('write question: "{vars.q} {vars.to}" in the task')
    kept = written(tmp_path, f"defaultTest: {{options: {{disableVarExpansion: true}}}}\ntests: [{test}]\n")
    assert [row.values["vars"]["q"] for row in kept] == [["a", "b"]]


def test_a_variable_in_a_text_file(tmp_path: Path) -> None:
    [row] = written(tmp_path, "tests: [{vars: {q: file://long.txt, expected: x}}]\n", long__txt="Much\ntext")
    assert row.values["question"] == "Much\ntext"


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("prompts: [a]\n", "yaml:1: no 'tests' there; write a list of tests"),
        ("prompts: [a]\ntests: []\n", r"yaml:2: no 'tests' there; write a list of tests"),
        ("tests:\n  - 7\n  - {vars: {q: a}}\n", r"yaml:2, test 1: is no test; write a list of tests"),
        ("tests:\n  - vars: {q: a}\n  - vars: [a]\n", r"yaml:3, test 2: 'vars' is \['a'\]; write the variables themselves"),
        ("tests:\n  - {vars: {q: a}, assert: equals}\n", r"yaml:2, test 1: 'assert' is a list such as \[\{type: equals"),
        ("tests: file://tests.py\n", r"yaml:1: tests are not read from file://tests.py; name a .yaml"),
        ("tests: https://docs.google.com/x\n", r"tests are not read from https://docs.google.com/x"),
        ("tests: [file://none*.csv]\n", r"no file is called .*none\*.csv; name one that is there"),
        ("tests: none.yaml\n", r"none.yaml: no such file"),
        ("tests:\n  - vars: {q: file://a.pdf}\n", r"test 1, vars.q: file://a.pdf is not read; name a text file"),
        ("tests:\n  - vars: {q: file://a.txt}\n", r"test 1, vars.q: .*a.txt cannot be read: No such file"),
        ("scenarios: [1]\ntests: [a.csv]\n", r"yaml:1: scenarios are not read; write them out under 'tests'"),
        ("defaultTest: 3\ntests: [a.csv]\n", r"yaml:1: defaultTest is a mapping with vars and assert"),
        ("tests: [a: b: c]\n", r"yaml:1: not valid YAML"),
    ],
    ids=lambda value: value[:40],
)
def test_what_is_said_of_what_cannot_be_read(config: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=says):
        written(tmp_path, config)
