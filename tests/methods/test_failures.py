"""Which failing examples a proposal is made from, and how they are shown."""

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

import metaspo
from metaspo import Task
from metaspo.domain.messages import as_text
from metaspo.domain.results import Example
from metaspo.methods.correction import CORRECTED
from metaspo.methods.failures import LONGEST, differing, draw, draw_differing, shortened, shown_question
from metaspo.methods.failures import own_method as method_of
from metaspo.store.database import Store
from metaspo.workspace.method import Method, Shown, Step
from metaspo.workspace.state import Failure

NO = "scripted:tests.helpers.writers:numbered"
Maker = Callable[..., Task]


def asked(path: Path) -> list[str]:
    """What the optimizer was asked, in the order of its calls."""
    store = Store(path)
    rows = store.db.execute("SELECT request FROM calls WHERE role = 'optimizer' ORDER BY rowid").fetchall()
    store.close()
    return [json.loads(request)["messages"][0]["content"] for (request,) in rows]


def examples_in(request: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in request.splitlines() if line.startswith('{"question"')]


def a_method(own_method: Any, **settings: Any) -> str:
    name: str = own_method(
        Method("shown", "", lambda sizes: [Step("user", 1, CORRECTED), Step("system", 1, CORRECTED)], **settings)
    )
    return name


def test_examples_that_differ_come_first() -> None:
    common = [Example(f"c{at}", f"Is the apple number {at} red?", ("yes",)) for at in range(30)]
    rare = Example("r", "Is the apple number 31 red?", ("no",))
    other = Example("o", "How far is it to Genoa by ship?", ("yes",))
    for seed in range(20):
        order = differing([*common, other, rare], Random(seed))
        first = [next(order).id for _ in range(3)]
        # Both answers within two, and the question unlike the others as soon as its answer is due again.
        assert "r" in first[:2] and "o" in first
        assert [one.id for one in differing([*common, other, rare], Random(seed))][:3] == first
    assert {next(differing(common, Random(seed))).id for seed in range(20)} != {"c0"}
    assert next(differing([*common, rare], Random(0), before=common[:1])).id == "r"
    assert len(list(differing([*common, other, rare], Random(0)))) == 32


def test_answers_take_turns_also_where_every_answer_is_another() -> None:
    free = [Example(str(at), f"What is {at} and {at}?", (str(2 * at),)) for at in range(10)] + [
        Example("x", "Who wrote it?", ("he",))
    ]
    assert all("x" in [one.id for one, _ in zip(differing(free, Random(seed)), range(2), strict=False)] for seed in range(10))


async def test_failures_that_differ_are_drawn_task_by_task(opened: Any, make_task: Maker, own_method: Any) -> None:
    workspace = await opened(tasks=[make_task("a"), make_task("b")], train_size=12, method=a_method(own_method))
    found: dict[str, list[Failure]] = {
        name: [{"task": name, "example": one.id, "call": ""} for one in task.splits["train"]]
        for name, task in workspace.sources.items()
    }
    drawn = draw_differing(workspace.tasks, found, 4, Random(1))
    assert [one["task"] for one in drawn] in (["a", "b"] * 4, ["b", "a"] * 4)
    assert drawn == draw_differing(workspace.tasks, found, 4, Random(1)) != draw_differing(workspace.tasks, found, 4, Random(2))
    answers = Counter(workspace.tasks[one["task"]].examples[one["example"]].answer for one in drawn)
    assert answers == {"yes": 4, "no": 4}
    assert len(draw_differing(workspace.tasks, {"a": found["a"][:1], "b": []}, 4, Random(1))) == 1
    assert len(draw(found, 4, Random(1))) == 8


@pytest.mark.long
def test_many_failures_are_drawn_quickly() -> None:
    words = [f"w{at}" for at in range(2000)]
    many = [Example(str(at), " ".join(Random(at).choices(words, k=200)), (str(at % 3),)) for at in range(20_000)]
    started = time.thread_time()
    order = differing(many, Random(0))
    assert {next(order).answer for _ in range(3)} == {"0", "1", "2"} and [next(order) for _ in range(13)]
    assert time.thread_time() - started < 3


def test_long_texts_are_shown_with_their_tails() -> None:
    text = "a" * LONGEST + "b" * 3000 + "END"
    assert shortened(text, tails=False) == "a" * LONGEST
    head, middle, tail = shortened(text, tails=True).split("\n")
    assert middle == "[3003 characters are left out here]" and head == "a" * 1000 and tail.endswith("END") and len(tail) == 1000
    assert shortened("a" * LONGEST, tails=True) == "a" * LONGEST


def test_what_a_method_shows(make_task: Maker, own_method: Any, store_path: Path) -> None:
    long = [{"question": f"{at}? {'x' * 3000} Last word {at}.", "answer": "yes"} for at in range(30)]
    sizes = {"train_size": 8, "validation_size": 0, "test_size": 0, "user_failures": 2, "system_failures": 3}
    given = {"tasks": [make_task("a", examples=long), make_task("b")], "base": NO, "optimizer": NO, "preset": "quick", **sizes}
    name = a_method(own_method, shown=Shown(tails=True, differing=True))
    metaspo.optimize(**given, method=name, store=store_path)
    user = [examples_in(text) for text in asked(store_path) if "this user prompt led" in text]
    assert [len(examples) for examples in user] == [2, 2]
    of_a = next(examples for examples in user if "xxx" in examples[0]["question"])
    assert all("Last word" in one["question"] and "characters are left out here]" in one["question"] for one in of_a)
    [system] = [examples_in(text) for text in asked(store_path) if "weaknesses of the system prompt" in text]
    assert len(system) == 6
    assert all(set(one) == {"question", "expected", "reply"} for one in system)


def test_no_more_failures_are_shown_than_may_be(make_task: Maker, own_method: Any, store_path: Path) -> None:
    given = {"tasks": [make_task("a"), make_task("b")], "base": NO, "optimizer": NO, "preset": "quick", "system_failures": 4}
    name = a_method(own_method, shown=Shown(differing=True))
    metaspo.optimize(**given, method=name, store=store_path, most_failures=5, train_size=16, test_size=0)
    [system] = [examples_in(text) for text in asked(store_path) if "weaknesses of the system prompt" in text]
    assert sorted(Counter("that a likes" in one["question"] for one in system).values()) == [2, 3]


def test_explanations_are_those_of_whoever_judged(make_task: Maker, own_method: Any, store_path: Path) -> None:
    judged = make_task(
        "a", reader={"kind": "text", "from": "reply"},
        metric={"kind": "judge", "rubric": "Gives a reason.", "model": "scripted:tests.helpers.writers:grader"},
    )  # fmt: skip
    unread = make_task("b", reader={"kind": "choice", "labels": ["yes", "no"], "from": "tag"})
    given = {"tasks": [judged, unread], "base": NO, "optimizer": NO, "preset": "quick", "train_size": 8, "test_size": 0}
    metaspo.optimize(**given, method=a_method(own_method, shown=Shown(explanations=True)), store=store_path)
    texts = [
        text for text in asked(store_path) if "weaknesses of the system prompt" in text or "several different tasks" in text
    ]
    assert len(texts) == 2
    for text in texts:
        said = {one["explanation"] for one in examples_in(text)}
        assert said == {"It leaves out the reason.", "no answer found in the reply"}
    # Long texts stay out of what the graph carries.
    store = Store(store_path)
    state = store.db.execute("SELECT checkpoint FROM checkpoints UNION ALL SELECT value FROM writes").fetchall()
    store.close()
    assert state and not any(b"leaves out the reason" in bytes(blob) for (blob,) in state)


async def test_a_run_of_another_kind_goes_by_the_defaults(opened: Any, make_task: Maker, own_method: Any) -> None:
    workspace = await opened(tasks=[make_task("a")], method=a_method(own_method, strict=True))
    assert method_of(workspace).strict
    workspace.problem = workspace.problem.model_copy(update={"method": "generalize"})
    assert method_of(workspace).shown == Shown() and not method_of(workspace).strict


def test_of_a_long_conversation_its_beginning_and_its_end_are_shown() -> None:
    turns = (("user", "first"), ("assistant", "word " * LONGEST), ("user", "last"))
    talk, text = Example("t", as_text(turns), ("x",), messages=turns), Example("q", as_text(turns), ("x",))
    assert shown_question(talk, False) == shown_question(talk, True) == shown_question(text, True)
    assert shown_question(talk, False).startswith("user: first") and shown_question(talk, False).endswith("user: last")
    assert shown_question(text, False) == as_text(turns)[:LONGEST]
