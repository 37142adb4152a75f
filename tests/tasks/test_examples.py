import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from metaspo.domain.errors import TaskError
from metaspo.tasks.catalogue import open_task, read_task
from metaspo.tasks.examples import load_pools
from metaspo.tasks.likeness import comparable
from metaspo.tasks.spec import TaskSpec
from metaspo.tasks.splits import Sizes

PAPER_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
WORDS = {"kind": "text"}


def spec_of(rows: Any, **settings: Any) -> TaskSpec:
    block = {"name": "t", "examples": rows, "user_prompt": "Say it.\n{question}", "reader": WORDS}
    return TaskSpec.model_validate(block | settings)


def only(spec: TaskSpec) -> Any:
    ((example,),) = load_pools(spec).values()
    return example


def test_a_template_is_filled_in_a_single_pass() -> None:
    row = {"title": "{text}", "text": "{title} {question} {}", "answer": "x"}
    assert only(spec_of([row], question="{title}: {text}")).question == "{text}: {title} {question} {}"


def test_a_column_may_have_any_name() -> None:
    row = {"The Q?": "why", "gold answer": "so"}
    assert only(spec_of([row], question="The Q?", answer="gold answer")).question == "why"
    assert only(spec_of([row], question="Q: {The Q?}", answer="gold answer")).question == "Q: why"


@pytest.mark.parametrize(
    ("row", "answers"),
    [
        ({"answer": "a"}, ("a",)),
        ({"answer": " a "}, ("a",)),
        ({"answer": 5}, ("5",)),
        ({"answer": True}, ("true",)),
        ({"answer": ["a", "b", "a"]}, ("a", "b")),
        ({"answer": "a", "answers": ["a", "b"]}, ("a", "b")),
        ({"answers": ["b", 1]}, ("b", "1")),
        ({"answer": "a", "answers": "no list"}, ("a",)),
    ],
)
def test_accepted_answers(row: dict[str, Any], answers: tuple[str, ...]) -> None:
    assert only(spec_of([{"question": "q", **row}])).answers == answers


@pytest.mark.parametrize(
    ("reader", "answer", "gold"),
    [
        ({"kind": "choice", "labels": ["Yes", "No"]}, "yes", "Yes"),
        ({"kind": "choice", "labels": [1, 2]}, 2, "2"),
        ({"kind": "choice", "labels": [True, False]}, True, "true"),
        ({"kind": "integer"}, "4.0", "4"),
        ({"kind": "number"}, 1e-7, "0.0000001"),
        ({"kind": "number"}, "1,234.50", "1234.5"),
    ],
)
def test_gold_answers_are_canonical(reader: dict[str, Any], answer: Any, gold: str) -> None:
    assert only(spec_of([{"question": "q", "answer": answer}], reader=reader)).answer == gold


def test_a_judged_task_s_reference_is_any_text() -> None:
    spec = spec_of([{"question": "q", "answer": "long text"}], reader={"kind": "text"}, metric={"kind": "judge", "rubric": "r"})
    assert only(spec).answer == "long text"


def test_a_split_column_knows_the_usual_names() -> None:
    rows = [{"question": str(i), "answer": "x", "part": part} for i, part in enumerate(("train", "Val", "dev", " TEST "))]
    pools = load_pools(spec_of(rows, split="part"))
    assert {split: len(examples) for split, examples in pools.items()} == {"train": 1, "validation": 2, "test": 1}


def test_rows_and_files_per_split(tmp_path: Path) -> None:
    (tmp_path / "test.jsonl").write_text('{"question": "b", "answer": "x"}\n', encoding="utf-8")
    spec = read_task(
        {
            "name": "t",
            "examples": {"train": [{"question": "a", "answer": "x"}], "test": "test.jsonl"},
            "user_prompt": "Say.\n{question}",
        },
        tmp_path,
    )
    assert {split: [e.question for e in examples] for split, examples in load_pools(spec).items()} == {
        "train": ["a"],
        "test": ["b"],
    }


@pytest.mark.parametrize("twin", ["Is it so?", "is it SO?", "  Is it\n so? "])
@pytest.mark.parametrize("splits", [("", ""), ("train", "test"), ("train", "train")])
def test_a_question_that_comes_twice(twin: str, splits: tuple[str, str]) -> None:
    rows = [{"question": "Is it so?", "answer": "x"}, {"question": twin, "answer": "y"}]
    examples: Any = rows if not splits[0] else [row | {"part": part} for row, part in zip(rows, splits, strict=True)]
    settings = {"split": "part"} if splits[0] else {}
    with pytest.raises(TaskError, match=r"example 2: .* already at task 't', example 1"):
        load_pools(spec_of(examples, **settings))
    kept = load_pools(spec_of(examples, duplicates="drop", **settings))
    assert {split: [e.answer for e in pool] for split, pool in kept.items()} == {splits[0]: ["x"]}


def test_one_file_for_two_splits_is_one_question_twice(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("question,answer,part\na,x,train\nb,x,train\n", encoding="utf-8")
    examples = {"train": str(tmp_path / "x.csv"), "test": str(tmp_path / "x.csv")}
    for settings in ({}, {"split": "part"}):
        with pytest.raises(TaskError, match=r"x\.csv:2: .* already at .*x\.csv:2"):
            load_pools(spec_of(examples, **settings))


def test_an_example_s_id_is_its_content(make_task: Callable[..., TaskSpec]) -> None:
    first, again = (load_pools(make_task(name, 5))[""] for name in ("t", "t"))
    assert [e.id for e in first] == [e.id for e in again]
    assert len({e.id for e in first}) == 5
    assert only(spec_of([{"question": "q", "answer": "x"}])).id != only(spec_of([{"question": "q", "answer": "y"}])).id


READERS = {
    "amazon": {"kind": "integer", "minimum": 1, "maximum": 5},
    "medmcqa": {"kind": "choice", "labels": ["A", "B", "C", "D"]},
    "bigbench": {"kind": "text"},
    "safety": {"kind": "choice", "labels": ["yes", "no"]},
    "grounding": {"kind": "text"},
}
FILES = sorted(PAPER_DATA.glob("*/*.json"))


@pytest.mark.skipif(not FILES, reason="the paper's data is not beside this checkout")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_paper_s_data_in_its_own_form(path: Path) -> None:
    block = {
        "name": path.stem,
        "examples": str(path),
        "user_prompt": "Answer.\n{question}",
        "reader": READERS[path.parent.name],
        "duplicates": "drop",
    }
    raw = json.loads(path.read_text(encoding="utf-8"))
    first: dict[str, tuple[str, int]] = {}
    for split, rows in raw.items():
        for at, row in enumerate(rows):
            first.setdefault(comparable(row["question"]), (split, at))
    raw = {
        split: [row for at, row in enumerate(raw[split]) if first[comparable(row["question"])] == (split, at)] for split in raw
    }
    pools = load_pools(read_task(block))
    assert {split: len(pools.get(split, ())) for split in ("train", "test")} == {s: len(raw[s]) for s in ("train", "test")}
    assert [e.question for e in pools["test"]] == [row["question"] for row in raw["test"]]
    if path.parent.name == "grounding":
        assert [list(e.answers) for e in pools["test"]] == [
            list(dict.fromkeys(a.strip() for a in r["answers"])) for r in raw["test"]
        ]
    task = open_task(block, Sizes(10, 5, 20), 0)
    for example in task.splits["test"]:
        assert task.read(f"So: <answer>{example.answer}</answer>") == example.answer
        assert task.score(example.answer, example) == 1
