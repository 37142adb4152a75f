"""Candidates that are not what they should be: asked for again, told why where the method is strict, then dropped with the reason."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import metaspo
from metaspo import Task
from metaspo.domain.errors import ConfigError
from metaspo.domain.prompts import Prompt
from metaspo.methods.correction import CORRECTED
from metaspo.methods.induction import INDUCED, induce_user_prompt
from metaspo.methods.proposal import Rules, _constraint, user_rules
from metaspo.methods.rules import candidate_rules
from metaspo.store import prompts
from metaspo.store.database import Store
from metaspo.store.prompts import CandidateRow, RoundRow, candidates, prompt_texts
from metaspo.workspace.method import Method, Step

from ..helpers import writers

IN_TURN = "scripted:tests.helpers.writers:in_turn"
Maker = Callable[..., Task]


@pytest.fixture(autouse=True)
def replies() -> Any:
    writers.REPLIES.clear()
    yield writers.REPLIES
    writers.REPLIES.clear()


@pytest.fixture
def search(make_task: Maker, store_path: Path, own_method: Any) -> Callable[..., Any]:
    """Runs a search of one step; returns its result, the reasons and texts of its candidates, and what the optimizer was asked."""

    def run(level: Any = "system", strict: bool = False, count: int = 1, **settings: Any) -> Any:
        name = own_method(Method("checked", "", lambda sizes: [Step(level, count, CORRECTED)], strict=strict))
        given: dict[str, Any] = {
            "tasks": [make_task("a")], "base": IN_TURN, "optimizer": IN_TURN, "preset": "quick", "train_size": 10, "test_size": 0,
            "proposal_attempts": 3, "prompt_length": 0, "store": store_path, "method": name,
        }  # fmt: skip
        result = metaspo.optimize(**(given | settings))
        store = Store(store_path)
        rows = [one for one in candidates(store.db, result.run) if one.status != "seed"]
        texts = prompt_texts(store.db, [one.prompt for one in rows if one.prompt])
        sent = store.db.execute("SELECT request FROM calls WHERE run = ? AND role = 'optimizer' ORDER BY rowid", [result.run])
        asked = [json.loads(request)["messages"][0]["content"] for (request,) in sent.fetchall()]
        store.close()
        return [(one.reason, texts.get(one.prompt or "")) for one in rows], [
            text for text in asked if "between <prompt>" in text
        ]

    return run


def test_a_system_prompt_holds_the_placeholders_of_its_seed_and_no_others(search: Any, replies: dict[str, list[str]]) -> None:
    replies["system"] = ["Answer {question} well.", "Work for {company} and {customer}.", "Work.", "At {company}."]
    found, asked = search(system_prompt="You work for {company}.", proposal_attempts=4)
    assert found == [(None, "At {company}.")] and len(asked) == 4
    assert all("exactly as it is written here, since a program fills it in: {company}" in text for text in asked)
    found, _ = search(system_prompt="You work for {company}.", seed=1)
    assert found == [("does not hold the placeholder {company}", None)]
    replies["system"] = ["Answer {question}.", "Answer {{question}}."]
    found, asked = search(seed=2)
    assert found == [("holds the placeholder {{question}}, which its seed lacks", None)]
    # Where the seed has none, nothing is said of any.
    assert not any("program fills" in text for text in asked) and asked[0] == asked[1]


def test_braces_that_are_no_placeholders_are_content(search: Any, replies: dict[str, list[str]]) -> None:
    replies["system"] = ['Answer as {"label": "yes"} or \\boxed{answer}.']
    assert search()[0] == [(None, replies["system"][0])]


def test_a_user_prompt_keeps_the_placeholders_of_its_seed(search: Any, replies: dict[str, list[str]], make_task: Maker) -> None:
    task = make_task("a", user_prompt="{customer_name} asks: {question}")
    replies["user"] = ["A customer asks: {question}", "{customer_name} asks {how}: {question}"]
    found, asked = search("user", tasks=[task])
    assert found == [(None, "{customer_name} asks {how}: {question}")]
    assert all("fills it in: {customer_name}." in text for text in asked)


def test_any_of_several_seeds_is_enough(search: Any, replies: dict[str, list[str]]) -> None:
    replies["system"] = ["Work for {company}.", "Work for {team}."]
    assert search(system_prompt="You work for {company}.", system_prompts=["You help."])[0] == [(None, "Work for {company}.")]
    assert search(system_prompt="You help {team}.", system_prompts=["You help {team} at {company}."], seed=1)[0] == [
        (None, "Work for {team}.")
    ]


@pytest.mark.parametrize("level", ["system", "user"])
def test_no_training_example_stands_in_a_candidate(level: str, search: Any) -> None:
    copies = "scripted:tests.helpers.writers:copies"
    found, asked = search(level, optimizer=copies)
    end = "\n{question}" if level == "user" else ""
    assert found == [(None, f"Think.{end}")] and asked[0] == asked[1] == asked[2]
    [(reason, text)], _ = search(level, optimizer=copies, proposal_attempts=2, seed=1)
    assert text is None and reason.startswith("holds a training example word for word: 'is ")


def test_a_strict_method_says_what_was_wrong(search: Any, replies: dict[str, list[str]]) -> None:
    replies["system"] = [
        "YOU ARE A HELPFUL\nassistant",
        "This prompt makes the assistant better.",
        "You read every message twice, then you ans",
        "Read.",
    ]
    found, asked = search(strict=True, proposal_attempts=4)
    assert found == [(None, "Read.")] and len(asked) == 4
    told = [text.removeprefix(asked[0]).strip() for text in asked]
    assert told[0] == "" and all(text.startswith("Your last attempt was turned down. The reason: ") for text in told[1:])
    for text, reason in zip(
        told[1:], ["is the same as a prompt that was tried", "speaks of the prompt", "is cut off at its end"], strict=True
    ):
        assert reason in text
    # The same texts, and nobody to mind.
    found, asked = search(seed=1)
    assert found == [(None, replies["system"][0])] and len(asked) == 1


def test_what_never_gets_right_is_dropped_with_its_last_fault(search: Any, replies: dict[str, list[str]]) -> None:
    replies["user"] = ["Based on the examples above, say yes. {question}", "say yes or no!\n\n{question}\n"]
    [(reason, text)], asked = search("user", strict=True, proposal_attempts=1)
    assert text is None and "speaks of the prompt or its making" in reason and "examples above" in reason and len(asked) == 1
    replies["user"] = ["say  YES or no.\n{question}"]
    [(reason, text)], asked = search("user", strict=True, seed=1)
    assert (reason, text) == ("is the same as a prompt that was tried before", None) and len(asked) == 3


async def test_known_are_the_prompts_of_earlier_rounds_alone(opened: Any, make_task: Maker, own_method: Any) -> None:
    name = own_method(Method("checked", "", lambda sizes: [Step("system", 2, CORRECTED)] * 3, strict=True))
    workspace = await opened(tasks=[make_task("a")], method=name)
    first, second, parent = Prompt("system", "Be calm."), Prompt("system", "Be kind."), Prompt("system", "Be brief.")
    await workspace.save_prompts(first, second, parent)

    def tried(round: int, prompt: Prompt, level: Any = "system", task: str = "") -> CandidateRow:
        return CandidateRow("run", round, level, task, 0, prompt.id, None, "rejected")

    for round, prompt in ((1, first), (2, second)):
        closed = RoundRow("run", round, "system", parent.id, 0.5, 0, 0)
        await workspace.store.run(prompts.save_round, closed, [tried(round, prompt)], [], [])
    job: Any = {"run": "run", "round": 2, "level": "system", "task": "", "position": 0}
    rules = await candidate_rules(workspace, job, parent.id)
    assert rules.complaint("be calm") and rules.complaint("Be brief!") and rules.complaint("You are a helpful assistant")
    assert rules.complaint("Be kind.") is None
    assert (await candidate_rules(workspace, {**job, "round": 3}, parent.id)).complaint("be kind")
    user = await candidate_rules(workspace, {**job, "round": 3, "level": "user", "task": "a"}, None)
    assert user.complaint("Be calm. {question}") is None and user.complaint("say yes or no. {question}")


async def test_what_a_person_wrote_may_stay(opened: Any, make_task: Maker, own_method: Any) -> None:
    name = own_method(Method("checked", "", lambda sizes: [Step("system", 2, CORRECTED)], strict=True))
    locked = "As an AI language model, I <locked>keep to what this prompt says: be kind and be brief in all you say</locked>"
    workspace = await opened(tasks=[make_task("a")], method=name, system_prompt=locked)
    edited = Prompt("system", f"Today is {{date}}. The revised instructions count. {workspace.problem.locks.parts[0]}")
    await workspace.save_prompts(edited)
    job: Any = {"run": "run", "round": 1, "level": "system", "task": "", "position": 0}
    rules = await candidate_rules(workspace, job, edited.id)
    # What the parent holds, as a person edited it, may stay; a locked part may end a prompt as it is.
    assert rules.complaint(f"Today is {{date}}. As an AI language model, I help. {workspace.problem.locks.parts[0]}") is None
    assert rules.complaint(f"The revised instructions count as ever. {workspace.problem.locks.parts[0]}") is None
    assert "{name}" in (rules.complaint(f"Today is {{name}}. {workspace.problem.locks.parts[0]}") or "")


def test_a_user_prompt_has_a_length(search: Any, replies: dict[str, list[str]], make_task: Maker) -> None:
    long = f"{'Think. ' * 20}{{question}}"
    replies["user"] = [long, "Think.\n{question}"]
    found, asked = search("user", user_length=100)
    assert found == [(None, "Think.\n{question}")] and len(asked) == 2
    assert all("What you write has at most 100 characters." in text for text in asked)
    found, _ = search("user", user_length=100, proposal_attempts=1, seed=1)
    assert found == [(f"is {len(long)} characters long, more than 100", None)]
    # The answer format counts, also where it is added.
    task = make_task("a", answer_format="Say it in a single word and write nothing else at all.")
    longest = len(task.user_prompt)
    replies["user"] = ["Say yes or no, whichever is right.\n{question}"]
    found, _ = search("user", user_length=longest, proposal_attempts=2, seed=2, tasks=[task])
    assert f"more than {longest}" in found[0][0]
    with pytest.raises(ConfigError, match="begins with a user prompt that is longer than user_length 60"):
        search("user", user_length=60, seed=3, tasks=[task])
    assert not any("What you write has at most" in text for text in search("user", seed=3)[1])


def test_a_grammar_leaves_room_for_placeholders() -> None:
    known = _constraint(240, Rules("user", placeholders=frozenset({"{b}", "{{a}}"}), room=214))
    assert known is not None
    assert known.grammar == 'root ::= "<prompt>" [A-Z] ([^<>{}] | "{b}" | "{{a}}"){20,200} "\\n\\n{question}</prompt>"'
    plain = _constraint(240, Rules("user"))
    assert plain is not None and plain.grammar == 'root ::= "<prompt>" [A-Z] [^<>{}]{20,240} "\\n\\n{question}</prompt>"'


async def test_a_person_is_held_to_the_rules_of_the_level_alone(opened: Any, make_task: Maker) -> None:
    workspace = await opened(tasks=[make_task("a")])
    task = workspace.tasks["a"]
    assert user_rules(task).complaint("Say yes or no.\n{question}") is None
    assert user_rules(task, 20).complaint("Say yes or no.\n{question}") == "is 25 characters long, more than 20"


async def test_induced_prompts_are_checked_too(
    opened: Any, make_task: Maker, replies: dict[str, list[str]], own_method: Any
) -> None:
    name = own_method(Method("checked", "", lambda sizes: [Step("user", 1, INDUCED)]))
    workspace = await opened(
        tasks=[make_task("a", user_prompt="{name} asks: {question}")],
        method=name,
        optimizer=IN_TURN,
        train_size=8,
        prompt_length=0,
    )
    example = workspace.tasks["a"].splits["train"][0]
    replies["user"] = [
        f"{{name}}: {example.question} is {example.answer}. {{question}}",
        "Say it. {question}",
        "{name}: {question}",
    ]
    made = await induce_user_prompt(workspace, workspace.tasks["a"], "0")
    assert made is not None and made.text == "{name}: {question}"
