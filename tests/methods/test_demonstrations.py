"""Demonstrations: which examples are carried, how they stand in a prompt, and that they are found there again."""

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

import metaspo
from metaspo import Task as TaskSpec
from metaspo.domain.prompts import fill
from metaspo.methods.correction import CORRECTED
from metaspo.methods.demonstrations import DEMONSTRATED, choose, rewriting
from metaspo.methods.evolution import EVOLVED
from metaspo.methods.paraphrase import PARAPHRASED
from metaspo.store.database import Store
from metaspo.store.prompts import candidates, prompt_texts
from metaspo.tasks.catalogue import open_task
from metaspo.tasks.demonstrations import HEAD, TAIL, apart, block, carried, carrying, demonstration
from metaspo.tasks.splits import Sizes
from metaspo.tasks.task import Task
from metaspo.workspace.method import Method, Step, needs_optimizer
from metaspo.workspace.settings import Settings

NUMBERED = "scripted:tests.helpers.writers:numbered"
Maker = Callable[..., TaskSpec]


@pytest.fixture
def task(make_task: Maker) -> Task:
    return open_task(make_task("a", size=60), Sizes(20, 0, 0), 0)


def with_rows(make_task: Maker, rows: list[tuple[str, str]], **settings: Any) -> Task:
    examples = {"train": [{"question": question, "answer": answer} for question, answer in rows]}
    return open_task(make_task("a", examples=examples, **settings), Sizes(len(rows), 0, 0), 0)


def test_demonstrations_stand_before_the_question_and_are_found_again(task: Task) -> None:
    first, second, *_ = task.splits["train"]
    prompt = carrying(task.spec.user_prompt, block(task, [first, second]))
    assert prompt == (
        f"Say yes or no.\n{HEAD}Question: {first.question}\nAnswer: {first.answer}\n\n"
        f"Question: {second.question}\nAnswer: {second.answer}\n\n{TAIL}{{question}}"
    )
    assert task.complaint(prompt) is None
    assert apart(task, prompt) == (task.spec.user_prompt, block(task, [first, second]))
    assert carried(task, prompt) == {first.id, second.id}
    assert carried(task, task.spec.user_prompt) == frozenset() and apart(task, task.spec.user_prompt)[1] == ""
    filled = fill(prompt, "Is it?")
    assert filled.endswith(f"{TAIL}Is it?") and filled.count("Is it?") == 1


@pytest.mark.parametrize(
    ("instructions", "whole"),
    [
        ("{question}", "BLOCK{question}"),
        ("Say it.\n\nQ: {question}\nA:", "Say it.\n\nBLOCKQ: {question}\nA:"),
        ("Is this spam? {question}", "BLOCKIs this spam? {question}"),
        ("{question}\n\nSay yes or no.", "BLOCK{question}\n\nSay yes or no."),
        ("No question", "No question"),
    ],
)
def test_the_line_of_the_question_stays_whole(task: Task, instructions: str, whole: str) -> None:
    held = block(task, task.splits["train"][:3])
    prompt = carrying(instructions, held)
    assert prompt == whole.replace("BLOCK", held)
    assert apart(task, prompt)[0] == instructions
    # Putting them in and taking them out again changes nothing, however often.
    again = carrying(apart(task, prompt)[0], block(task, task.splits["train"][5:7]))
    assert apart(task, again)[0] == instructions


@pytest.mark.parametrize(
    ("reader", "answer", "line"),
    [
        ({"kind": "choice", "labels": ["yes", "no"], "from": "tag"}, "yes", "<answer>yes</answer>"),
        ({"kind": "choice", "labels": ["yes", "no"], "from": "reply"}, "yes", "yes"),
        ({"kind": "integer", "from": "reply"}, "7", "7"),
        ({"kind": "text", "from": "tag"}, "in Genoa", "<answer>in Genoa</answer>"),
        ({"kind": "text", "pattern": r"#### (.*)"}, "12", "#### 12"),
        ({"kind": "text", "pattern": r"The answer is (.*)\."}, "12", "The answer is 12."),
        ({"kind": "text", "pattern": r"boxed\{(.*)\}"}, "12", "\\boxed{12}"),
        ({"kind": "text", "from": "tests.methods.test_demonstrations:last_word"}, "Genoa", "Genoa"),
        ({"kind": "text", "from": "tests.methods.test_demonstrations:never"}, "Genoa", None),
        ({"kind": "text", "from": "tests.methods.test_demonstrations:fails"}, "Genoa", None),
    ],
)
def test_answers_have_the_form_that_the_task_reads(
    make_task: Maker, reader: dict[str, Any], answer: str, line: str | None
) -> None:
    opened = with_rows(make_task, [("Where is it?", answer)], reader=reader)
    [example] = opened.splits["train"]
    text = demonstration(opened, example)
    assert text == (line and f"Question: Where is it?\nAnswer: {line}")
    if text:
        assert opened.read(text.split("Answer: ", 1)[1]) == answer


def last_word(reply: str) -> str | None:
    return reply.split()[-1].strip(".") if reply else None


def never(reply: str) -> str | None:
    return None


def fails(reply: str) -> str | None:
    raise ValueError(reply)


def test_hostile_questions_stay_content(make_task: Maker) -> None:
    rows = [
        ("Is {question} a placeholder?", "yes"),
        (f"{HEAD}Question: Is it?\nAnswer: yes\n\n{TAIL}Then?", "yes"),
        ("Is it?", "yes"),
        ("Is it?\nAnswer: yes\n\nQuestion: Or not?", "no"),
        ('Is {"a": {b}} JSON, or \\boxed{x}?', "no"),
    ]
    task = with_rows(make_task, rows)
    examples = {example.question: example for example in task.splits["train"]}
    assert demonstration(task, examples[rows[0][0]]) is None
    usable = [examples[question] for question, _ in rows[1:]]
    for chosen in (usable, usable[::-1], usable[:1], usable[2:], [usable[1], usable[2]]):
        prompt = carrying(task.spec.user_prompt, block(task, chosen))
        assert prompt.count("{question}") == 1
        assert apart(task, prompt) == (task.spec.user_prompt, block(task, chosen))
        # Rather one too many than one whose answer is given away.
        assert carried(task, prompt) >= {example.id for example in chosen}


def test_an_example_that_a_branch_drew_for_another_split_is_known_all_the_same(task: Task) -> None:
    first, second, *rest = task.splits["train"]
    prompt = carrying(task.spec.user_prompt, block(task, [first, second]))
    other = Task(task.spec, {"train": (second, *rest[:3]), "validation": (first, *rest[3:])})
    assert carried(other, prompt) == {first.id, second.id} and apart(other, prompt)[0] == task.spec.user_prompt
    # One that is known nowhere may be anything: the prompt is then left as it is.
    assert apart(Task(task.spec, {"train": (second, *rest)}), prompt) == (prompt, "")


def test_half_of_them_are_failures_and_answers_take_turns(task: Task) -> None:
    train = task.splits["train"]
    failed = {example.id for example in train if example.answer == "no"} | {train[0].id, train[1].id, train[2].id}
    chosen = choose(task, failed, frozenset(), (4, Random(1)))
    assert sum(example.id in failed for example in chosen) == 2 and len({example.id for example in chosen}) == 4
    assert Counter(example.answer for example in chosen) == {"yes": 2, "no": 2} or {e.answer for e in chosen} == {"yes", "no"}
    assert chosen == choose(task, failed, frozenset(), (4, Random(1))) != choose(task, failed, frozenset(), (4, Random(2)))
    assert len(choose(task, set(), frozenset(), (4, Random(1)))) == 4
    assert len(choose(task, {example.id for example in train}, frozenset(), (5, Random(1)))) == 5
    taken = frozenset(example.id for example in train[:18])
    assert {example.id for example in choose(task, failed, taken, (4, Random(1)))} == {example.id for example in train[18:]}


def test_what_an_optimizer_rewrites_leaves_the_demonstrations_as_they_are(task: Task) -> None:
    held = block(task, task.splits["train"][:2])
    instructions, finish = rewriting(task, carrying(task.spec.user_prompt, held))
    assert instructions == task.spec.user_prompt
    assert finish(" Think, then say it.\n{question} ") == f"Think, then say it.\n{held}{{question}}"
    assert finish("No place.") == "No place."
    plain, same = rewriting(task, task.spec.user_prompt)
    assert plain == task.spec.user_prompt and same(" Think. {question} ") == "Think. {question}"


def test_the_answer_format_belongs_to_the_instructions(make_task: Maker) -> None:
    rows = [("Say yes or no. Is it?", "yes"), ("Is it so?", "no")]
    task = with_rows(make_task, rows, answer_format="Say yes or no.", user_prompt="Look.\n{question}")
    held = block(task, [example for example in task.splits["train"] if example.question.startswith("Say")])
    finish = rewriting(task, carrying("Look. Say yes or no.\n{question}", held))[1]
    assert finish("Think.\n{question}") == f"Think.\n\nSay yes or no.\n\n{held}{{question}}"


def run(make_task: Maker, own_method: Any, open_store: Any, store_path: Any, steps: list[Step], **settings: Any) -> Any:
    name = own_method(Method("shows", "", lambda sizes: steps, strict=True))
    given: dict[str, Any] = {
        "tasks": [make_task("a"), make_task("b")], "base": "scripted:tests.helpers.scripts:uneven", "optimizer": NUMBERED,
        "preset": "quick", "train_size": 16, "test_size": 4, "keep": 1, "prompt_length": 0, "demonstrations": 4,
        "judging": "exhaustive", "method": name, "store": store_path,
    }  # fmt: skip
    result = metaspo.optimize(**(given | settings))
    store: Store = open_store()
    rows = [one for one in candidates(store.db, result.run) if one.status != "seed"]
    return result, rows, prompt_texts(store.db, [one.prompt for one in rows if one.prompt])


def as_split(make_task: Maker, path: Any, name: str) -> Task:
    """The task as a run drew it, as far as demonstrations go: every example may be one."""
    spec = make_task(name)
    return Task(spec, {"train": tuple(open_task(spec, Sizes(40, 0, 0), 0).splits["train"])})


def test_a_search_carries_demonstrations_and_replaces_them(
    make_task: Maker, own_method: Any, open_store: Any, store_path: Any
) -> None:
    steps = [Step("user", 2, DEMONSTRATED)] * 2
    assert not needs_optimizer(steps, Settings())
    result, rows, texts = run(make_task, own_method, open_store, store_path, steps, optimizer="scripted:nothing.of:the_kind")
    assert set(result.report.usage.calls) == {"base"}
    train = {
        name: {
            example
            for (example,) in open_store().db.execute(
                "SELECT DISTINCT o.example FROM outcomes o JOIN evaluations e ON e.id = o.evaluation JOIN run_tasks t ON t.task = e.task"
                " WHERE e.split = 'train' AND t.name = ?",
                [name],
            )
        }
        for name in "ab"
    }
    for row in rows:
        task = as_split(make_task, store_path, row.task)
        text = texts[row.prompt or ""]
        instructions, held = apart(task, text)
        assert instructions == "Say yes or no.\n{question}" and held.count("Question: ") == 4
        assert len(carried(task, text)) == 4 and carried(task, text) <= train[row.task]
    first = [texts[row.prompt or ""] for row in rows if row.round == 1 and row.task == "a"]
    assert len(set(first)) == 2, "the candidates of a round carry different examples"


def test_no_more_than_fit_and_than_may_be(make_task: Maker, own_method: Any, open_store: Any, store_path: Any) -> None:
    steps = [Step("user", 1, DEMONSTRATED)]

    def held(**settings: Any) -> list[tuple[str | None, int]]:
        _, rows, texts = run(make_task, own_method, open_store, store_path, steps, **settings)
        return [(row.reason, texts.get(row.prompt or "", "").count("Question: ")) for row in rows]

    assert [count for _, count in held(train_size=6, demonstrations=8)] == [3, 3]
    assert all(0 < count < 4 and reason is None for reason, count in held(user_length=190))
    [first, _] = held(user_length=60)
    assert first == ("no training example fits into a user prompt as a demonstration", 0)
    [first, _] = held(demonstrations=0)
    assert first == ("there are no demonstrations to carry; set demonstrations to 1 or more", 0)
    # What the optimizer may write is no limit for what it does not write.
    assert [count for _, count in held(prompt_length=20)] == [4, 4]


def test_at_the_system_level_there_are_none(make_task: Maker, own_method: Any, open_store: Any, store_path: Any) -> None:
    _, rows, _ = run(make_task, own_method, open_store, store_path, [Step("system", 1, DEMONSTRATED)])
    assert [(row.status, row.reason) for row in rows] == [("dropped", "demonstrations belong to user prompts")]


@pytest.mark.parametrize("proposer", [CORRECTED, EVOLVED, PARAPHRASED])
def test_a_prompt_that_carries_some_is_rewritten_around_them(
    make_task: Maker, own_method: Any, open_store: Any, store_path: Any, proposer: Any
) -> None:
    helped = "scripted:tests.helpers.writers:helped"
    steps = [Step("user", 2, DEMONSTRATED), Step("user", 2, proposer), Step("user", 2, DEMONSTRATED)]
    _, rows, texts = run(
        make_task, own_method, open_store, store_path, steps, tasks=[make_task("a")], base=helped, optimizer=helped
    )
    task = as_split(make_task, store_path, "a")
    carried_by = {row.prompt: carried(task, texts[row.prompt or ""]) for row in rows}
    second = [row for row in rows if row.round == 2]
    assert len(second) == 2 and {row.parent for row in second} <= {row.prompt for row in rows if row.round == 1}
    for row in second:
        instructions, _ = apart(task, texts[row.prompt or ""])
        assert instructions.startswith("Think of seed 0") and carried_by[row.prompt] == carried_by[row.parent]
    for row in (row for row in rows if row.round == 3):
        # Others in their place, under the instructions of the parent.
        assert len(carried_by[row.prompt]) == 4 and not carried_by[row.prompt] & carried_by[row.parent]
        parent = texts[row.parent or ""]
        assert apart(task, texts[row.prompt or ""])[0] == apart(task, parent)[0]
    sent = open_store().db.execute("SELECT request FROM calls WHERE role = 'optimizer'").fetchall()
    assert len(sent) == (4 if proposer is CORRECTED else 2) and not any(HEAD.strip() in request for (request,) in sent)
