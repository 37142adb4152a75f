import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from metaspo.domain.errors import TaskError
from metaspo.domain.results import Example
from metaspo.tasks.catalogue import open_task
from metaspo.tasks.spec import TaskSpec
from metaspo.tasks.splits import Sizes
from metaspo.tasks.task import Task

SIZES = Sizes(4, 0, 10)
EXAMPLE = Example("e", "Is {question} a word?", ("yes",))

CODE = """
def length(answer, golds):
    return min(1, len(answer) / len(golds[0]))

class Longer:
    def __call__(self, answer, golds):
        return float(len(answer) > 3)

def last_word(reply):
    return reply.split()[-1] if reply.split() else None

def broken(*given):
    raise KeyError("inside")

def too_good(answer, golds):
    return 1.5

def not_a_number(answer, golds):
    return float("nan")

def no_number(answer, golds):
    return 'good'

longer = Longer()
LIMIT = 3
"""


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A module of one's own in the working directory; its name, which no other test uses."""
    name = f"own_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(CODE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield name
    sys.modules.pop(name, None)


@pytest.fixture
def open_(make_task: Callable[..., TaskSpec]) -> Callable[..., Task]:
    return lambda **settings: open_task(make_task("t", **settings), SIZES, 0)


def test_messages(open_: Callable[..., Task]) -> None:
    task = open_()
    user = "{name} says: {question} {}"
    filled = ("user", "{name} says: Is {question} a word? {}")
    assert task.messages("Be good.", user, EXAMPLE) == (("system", "Be good."), filled)
    assert task.messages("", user, EXAMPLE) == (filled,)


def test_complete_adds_the_answer_format_once(open_: Callable[..., Task]) -> None:
    task = open_(answer_format="One word.")
    completed = task.complete("Say. {question} \n")
    assert completed == "Say. {question}\n\nOne word."
    assert task.complete(completed) == completed
    assert task.complaint(completed) is None
    assert "answer format" in (task.complaint("Say. {question}") or "")


@pytest.mark.parametrize(
    ("source", "choices", "grammar"),
    [
        ("reply", ("yes", 'n"o'), r'root ::= "yes" | "n\"o"'),
        ("tag", ("<answer>yes</answer>", '<answer>n"o</answer>'), r'root ::= "<answer>yes</answer>" | "<answer>n\"o</answer>"'),
    ],
)
def test_a_constraint_allows_just_what_reads_as_the_labels(
    open_: Callable[..., Task], source: str, choices: tuple[str, ...], grammar: str
) -> None:
    rows = [{"question": str(i), "answer": "yes"} for i in range(9)]
    task = open_(examples=rows, reader={"kind": "choice", "labels": ["yes", 'n"o'], "from": source}, constrain=True)
    assert task.constraint is not None
    assert task.constraint.choices == choices
    assert task.constraint.grammar == grammar
    assert [task.read(choice) for choice in choices] == ["yes", 'n"o']


def test_no_constraint_unless_asked_for(open_: Callable[..., Task]) -> None:
    assert open_().constraint is None


@pytest.mark.parametrize(
    ("metric", "reader", "answer", "golds", "score"),
    [
        ("accuracy", "text", "Paris", ("paris",), 1),
        ("exact_match", "text", "The Paris.", ("London", "paris"), 1),
        ("token_f1", "text", "Paris France", ("paris",), 2 / 3),
        ("contains", "text", "It is Paris", ("paris",), 1),
        ({"kind": "numeric", "tolerance": 0.5}, "number", "4.5", ("4",), 1),
        ({"kind": "numeric", "tolerance": 0.4}, "number", "4.5", ("4",), 0),
    ],
)
def test_scores(
    open_: Callable[..., Task], metric: Any, reader: str, answer: str, golds: tuple[str, ...], score: float
) -> None:
    rows = [{"question": str(i), "answer": "1"} for i in range(9)]
    task = open_(examples=rows, metric=metric, reader={"kind": reader})
    assert task.score(answer, Example("e", "q", golds)) == pytest.approx(score)


def test_an_outcome_fails_below_the_threshold(open_: Callable[..., Task]) -> None:
    rows = [{"question": str(i), "answer": "1"} for i in range(9)]
    task = open_(examples=rows, metric="token_f1", reader={"kind": "text"})
    assert [task.outcome(EXAMPLE, "call", "x", score).failed for score in (0.0, 0.49, 0.5, 1.0)] == [True, True, False, False]


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_a_split_s_score(open_: Callable[..., Task], metric: str) -> None:
    task = open_(metric=metric)
    examples = task.splits["test"]
    right = [task.outcome(e, "", e.answer, 1.0) for e in examples]
    unparsed = [task.outcome(e, "", None, 0.0) for e in examples]
    constant = [task.outcome(e, "", "yes", task.score("yes", e)) for e in examples]
    yes = sum(e.answer == "yes" for e in examples)
    assert task.aggregate(right) == 1
    assert task.aggregate(unparsed) == 0
    assert task.aggregate(constant) == pytest.approx(yes / 10 if metric == "accuracy" else 2 * yes / (10 + yes) / 2)
    majority = task.majority("test")
    assert majority is not None and majority >= task.aggregate(constant)


def test_a_callable_metric(open_: Callable[..., Task], code: str) -> None:
    assert open_(metric=f"{code}:length").score("ye", EXAMPLE) == pytest.approx(2 / 3)
    assert open_(metric=f"{code}:longer").score("yess", EXAMPLE) == 1


def test_a_callable_reader(open_: Callable[..., Task], code: str) -> None:
    task = open_(reader={"kind": "choice", "labels": ["yes", "no"], "from": f"{code}:last_word"})
    assert task.read("no no YES") == "yes"
    assert task.read(" ") is None


def test_a_module_that_ends_the_process_is_a_mistake_like_any_other(
    open_: Callable[..., Task], code: str, tmp_path: Path
) -> None:
    (tmp_path / f"{code}_exits.py").write_text("raise SystemExit(3)", encoding="utf-8")
    with pytest.raises(TaskError, match=rf"metric {code}_exits:f cannot be imported: SystemExit\(3\); mend the module"):
        open_(metric=f"{code}_exits:f").load()


@pytest.mark.parametrize("function", ["broken", "too_good", "not_a_number", "no_number"])
def test_a_metric_that_misbehaves_is_named(open_: Callable[..., Task], code: str, function: str) -> None:
    with pytest.raises(TaskError, match=f"task 't': metric {code}:{function}"):
        open_(metric=f"{code}:{function}").score("yes", EXAMPLE)


def test_a_reader_that_misbehaves_is_named(open_: Callable[..., Task], code: str) -> None:
    with pytest.raises(TaskError, match=f"task 't': reader {code}:broken failed: KeyError"):
        open_(reader={"kind": "text", "from": f"{code}:broken"}).read("yes")


def test_a_module_of_another_task_is_not_taken_for_one_s_own(
    code: str, tmp_path: Path, make_task: Callable[..., TaskSpec]
) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{code}_shared.py").write_text("def score(answer, golds): return 1", encoding="utf-8")
    specs = [make_task(folder, metric=f"{code}_shared:score") for folder in ("a", "b")]
    for spec in specs:
        spec._folder = tmp_path / spec.name
    open_task(specs[0], SIZES, 0)
    with pytest.raises(TaskError, match=r"task 'b': .* was found in .*a.*, not in .*b.*; rename"):
        open_task(specs[1], SIZES, 0)


@pytest.mark.parametrize(
    "settings",
    [
        {"reader": {"kind": "choice", "labels": ["yes", "no"], "from": "tag"}},
        {"metric": "macro_f1"},
        {"metric": {"kind": "accuracy", "failing_below": 0.5}},
        {"max_tokens": 9},
        {"size": 39},
    ],
)
def test_the_id_changes_with_what_a_score_depends_on(open_: Callable[..., Task], settings: dict[str, Any]) -> None:
    assert open_().id == open_().id == open_(description="other", user_prompt="Other. {question}").id
    assert open_(**settings).id != open_().id


def test_the_id_changes_with_the_code_of_a_callable(open_: Callable[..., Task], code: str, tmp_path: Path) -> None:
    before = {name: open_(metric=f"{code}:{name}").id for name in ("length", "longer")}
    sys.modules.pop(code)
    # Loaded anew, as in another process: callable objects have other addresses, which must not show.
    assert {name: open_(metric=f"{code}:{name}").id for name in before} == before
    sys.modules.pop(code)
    changed = CODE.replace("len(answer)", "9 + len(answer)")
    (tmp_path / f"{code}.py").write_text(changed, encoding="utf-8")
    after = {name: open_(metric=f"{code}:{name}").id for name in before}
    assert not set(after.values()) & set(before.values())
