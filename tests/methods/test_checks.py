"""Placeholders, training examples, known prompts and cut texts: what keeps a text from being a candidate."""

import time
from collections.abc import Callable, Sequence

import pytest

from metaspo import Task as TaskSpec
from metaspo.domain.messages import as_text
from metaspo.domain.results import Example
from metaspo.methods.checks import about_placeholders, cut_off, placeholders, same_as, training
from metaspo.tasks.catalogue import open_task
from metaspo.tasks.splits import Sizes
from metaspo.tasks.task import Task

SEED = "You are a helpful assistant."


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Plain.", set()),
        ("Help {customer_name}.", {"{customer_name}"}),
        ("Help {{customer_name}} and {{ customer.name }}.", {"{{customer_name}}", "{{customer.name}}"}),
        ("{question}", {"{question}"}),
        ("Hi ${name}, your order {order-id}", {"{name}", "{order-id}"}),
        ('Answer as {"label": "yes"}.', set()),
        ('Answer as {"label": {label}}.', {"{label}"}),
        ("Answer as {'a': 1}, {}, {0}, {1, 2}, {yes or no}, {a, b}.", set()),
        ("void f() { return; }  if (x) {\n  y\n}", set()),
        ("\\frac{a}{b}, \\boxed{answer}, x_{i}, 10^{n}, \\text{so} \\sqrt[3]{x}", set()),
        ("file_{name}.txt", {"{name}"}),
        ("<customer_name> [name] %s", set()),
        ("{größe} und {名}", {"{größe}", "{名}"}),
        ("{{{raw}}}", {"{{{raw}}}"}),
    ],
)
def test_placeholders(text: str, found: set[str]) -> None:
    assert placeholders(text) == found


def test_placeholders_are_kept_and_none_is_new() -> None:
    kept = placeholders("You work for {company}. {{today}}")
    assert about_placeholders("At {company} it is {{ today }}.", kept, kept) is None
    assert "does not hold the placeholder {{today}}" in (about_placeholders("At {company}.", kept, kept) or "")
    assert "does not hold" in (about_placeholders("At {company} it is {today}.", kept, kept) or "")
    assert "{name}, which its seed lacks" in (about_placeholders("{company} {{today}} {name}", kept, kept) or "")
    # A user prompt may show a form in braces; only what is lost counts.
    assert about_placeholders("Answer as {answer}. {question}", set()) is None
    assert (
        about_placeholders("You help. Use {question}.", set(), set())
        == "holds the placeholder {question}, which its seed lacks"
    )
    assert about_placeholders('Answer as {"a": 1}.', set(), set()) is None


@pytest.fixture
def opened(make_task: Callable[..., TaskSpec]) -> Callable[..., Task]:
    def open_it(rows: Sequence[tuple[str, str]], name: str = "a", **settings: object) -> Task:
        examples = {"train": [{"question": question, "answer": answer} for question, answer in rows]}
        return open_task(make_task(name, examples=examples, **settings), Sizes(len(rows), 0, 0), 0)

    return open_it


LONG = "The ship left the harbour of Genoa at dawn, and nobody on board knew where it was going."


def test_eight_words_in_a_row_with_the_answer_give_an_example_away(opened: Callable[..., Task]) -> None:
    index = training([opened([(LONG, "yes"), ("Was it late?", "no")])], [SEED])
    told = "the harbour of genoa at dawn and nobody"
    assert index.complaint(f"Think: {told} -> yes") == f"holds a training example word for word: {told!r}"
    for same in ("THE HARBOUR of Genoa -- at\n dawn; and, nobody", "the harbour of Genoa at dawn, and nobody"):
        assert index.complaint(f"For one, {same}: yes.")
    assert index.complaint(f"For one, {told}: no.") is None, "another answer"
    assert index.complaint(f"For one, {told}: yesterday.") is None, "a word that the answer is a part of"
    assert index.complaint("Ships leave the harbour of Genoa at dawn: yes.") is None, "seven words"
    assert index.complaint("Answer yes or no.") is None


def test_a_short_question_counts_as_a_whole_from_four_words_on(opened: Callable[..., Task]) -> None:
    index = training([opened([("Is the cat grey?", "yes"), ("Is it?", "no")])], [SEED])
    assert index.complaint("Note: is the cat grey -- yes.")
    assert index.complaint("Note: is the cat green -- yes.") is None
    assert index.complaint("Is it? no.") is None


def test_what_a_seed_says_and_how_a_task_is_put_give_nothing_away(opened: Callable[..., Task]) -> None:
    seed = "Read it: the ship left the harbour of Genoa at dawn and nobody minded."
    assert training([opened([(LONG, "yes")])], [seed]).complaint("The ship left the harbour of Genoa at dawn. yes") is None
    assert training([opened([(LONG, "yes")])], [SEED]).complaint("The ship left the harbour of Genoa at dawn. yes")
    rows = [(f"Decide for the following text whether it is about number {at} of the list.", "yes") for at in range(20)]
    index = training([opened(rows)], [SEED])
    assert index.complaint("Decide for the following text whether it is about numbers. yes or no") is None
    assert index.complaint("Decide whether it is about number 7 of the list: yes")


def test_every_accepted_answer_and_signs_count(opened: Callable[..., Task]) -> None:
    task = opened([(LONG, "+")], reader={"kind": "text", "from": "reply"})
    assert training([task], [SEED]).complaint(f"{LONG} +") and training([task], [SEED]).complaint(LONG) is None
    task = Task(task.spec, {"train": (Example("1", LONG, ("Genoa city", "Genova")),)})
    assert training([task], [SEED]).complaint(f"{LONG} genova!")


def test_every_turn_of_a_conversation_counts(opened: Callable[..., Task]) -> None:
    turns = (("system", "Be kind."), ("user", "Why so?"), ("assistant", LONG), ("user", "Is that true?"))
    task = Task(opened([(LONG, "yes")]).spec, {"train": (Example("1", as_text(turns), ("Genova",), messages=turns),)})
    index = training([task], [SEED])
    assert index.complaint(f"{LONG} genova!") and index.complaint(f"{LONG} Milan") is None
    assert index.complaint("Is that true? Genova") is None, "too short to be one example's"


def test_words_of_a_language_without_spaces(opened: Callable[..., Task]) -> None:
    question = "黎明时分船离开了热那亚的港口没有人知道它要去哪里"
    index = training([opened([(question, "yes")])], [SEED])
    assert index.complaint("例如：船离开了热那亚的港口 yes") and index.complaint("例如：船离开 yes") is None


def test_the_index_is_made_once_and_is_fast(opened: Callable[..., Task]) -> None:
    rows = [(" ".join(f"w{(at * 7919 + word * 104729) % 99991}" for word in range(300)), "yes") for at in range(1000)]
    task = opened(rows)
    started = time.thread_time()
    index = training([task], [SEED])
    assert time.thread_time() - started < 5
    assert training([task], [SEED]) is index and training([task], ["Another seed."]) is not index
    started = time.thread_time()
    for at in range(50):
        assert index.complaint(f"Prompt {at}. " + "Read it twice and answer with yes or no. " * 40) is None
    assert index.complaint(f"{' '.join(rows[500][0].split()[20:28])} yes")
    assert time.thread_time() - started < 2


@pytest.mark.parametrize("text", ["Read twice.", "read  TWICE", "Read\ntwice!", " Read twice... "])
def test_the_same_but_for_spacing_case_and_end(text: str) -> None:
    assert same_as(text, ["Think.", "Read twice."])
    assert same_as(f"{text} Or thrice.", ["Read twice."]) is None


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("You read every word of the message before you answ", True),
        ("You read every word of the message, and you answer,", True),
        ("You read every word of the message before you answer.", False),
        ("You read every word of the message before you answer:", False),
        ("You read every word of the message (and its title)", False),
        ("Read every word", False),
        ("- Read every word of the message.\n- Answer in the form that is asked f", True),
        ("- Read every word of the message\n- Answer in the form that is asked for", False),
        ("1. Read every word of the message\n2. Answer in one word", False),
        (
            "你先读完整条消息，再按照要求的格式回答，不要添加任何其他内容，也不要重复问题，更不要道歉或者问候，然后给出答案。",
            False,
        ),
        ("你先读完整条消息，再按照要求的格式回答，不要添加任何其他内容，也不要重复问题，更不要道歉或者问候，", True),
    ],
)
def test_a_text_that_stops_in_the_middle(text: str, cut: bool) -> None:
    assert bool(cut_off(text, SEED)) is cut
    assert cut_off(text, "A parent without an end") is None
