"""The request as inboxes of agents read it, and their answers, beside our own."""

from typing import Any

import pytest
from pydantic import TypeAdapter

import metaspo
from metaspo.approval.answers import read_answer
from metaspo.approval.comparison import Change, unified
from metaspo.approval.inbox import action_requests
from metaspo.domain.errors import ConfigError

APPROVE = {"type": "approve"}


def change(task: str, before: str = "Old {question}", after: str = "New {question}", **more: Any) -> Change:
    row = {"task": task or "a", "examples": 16, "before": 0.5, "after": 0.625, "difference": 0.125, "low": -0.01, "high": 0.3}
    made: Any = {
        "task": task, "before": before, "after": after, "diff": unified(before, after), "difference": 0.125, "low": -0.01,
        "high": 0.3, "tasks": [row], "better": [], "worse": [], "best": True, "edited": False, "also": [],
    }  # fmt: skip
    return {**made, **more}


def test_the_request_is_one_of_langchains_middleware(settings: dict[str, Any]) -> None:
    middleware = pytest.importorskip("langchain.agents.middleware.human_in_the_loop")
    result = metaspo.optimize(**settings, approve="both")
    while result.request:
        both = {name: result.request[name] for name in ("action_requests", "review_configs")}  # type: ignore[literal-required]
        assert TypeAdapter(middleware.HITLRequest).validate_python(both) == both
        actions, reviews, changes = (
            result.request["action_requests"],
            result.request["review_configs"],
            result.request["changes"],
        )
        assert [action["args"]["text"] for action in actions] == [change["after"] for change in changes]
        assert {action["name"] for action in actions} == {review["action_name"] for review in reviews}
        assert all("95% interval" in action["description"] and change["diff"] in action["description"]
                   for action, change in zip(actions, changes, strict=True))  # fmt: skip
        response = {"decisions": [APPROVE for _ in actions]}
        TypeAdapter(middleware.HITLResponse).validate_python(response)
        result = metaspo.resume(result.run, answer=response, store=settings["store"])
    assert {row.decision for row in result.report.answers} == {"accept"} and result.report.run.status == "done"


def test_what_they_answer_is_what_we_would() -> None:
    changes = [change("a"), change("b")]
    action = {"name": "user_prompt", "args": {"task": "b", "text": "Mine {question}"}}
    today = {
        "id": "7",
        "person": "Ada",
        "decisions": [{"type": "reject", "message": "no"}, {"type": "edit", "edited_action": action}],
    }
    older = [{"type": "response", "args": "no"}, {"type": "edit", "args": {"action": "user_prompt", "args": action["args"]}}]
    ours = {
        "tasks": {
            "a": {"decision": "reject", "message": "no"},
            "b": {"decision": "edit", "text": "Mine {question}"},
        }
    }
    assert read_answer(today, changes) == read_answer({"id": "7", "person": "Ada", **ours}, changes)
    assert read_answer(older, changes) == read_answer(ours, changes)
    for one, decision in (
        (APPROVE, "accept"),
        ({"type": "accept", "args": None}, "accept"),
        ({"type": "ignore", "args": None}, "reject"),
    ):
        for given in (one, [one], {"decisions": [one]}):
            assert read_answer(given, [change("")]) == read_answer({"tasks": {"": {"decision": decision}}}, [change("")])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"decisions": [APPROVE]}, "decisions: 1, where 2 wait; give one for each of action_requests"),
        ({"decisions": "approve"}, "decisions: no list of them"),
        ([], "decisions: 0, where 2 wait"),
        ({"decisions": [APPROVE, {"type": "respond", "message": "x"}]}, "task b: a decision has a 'type', one of approve, edit, reject"),
        ({"decisions": [APPROVE, 3]}, "task b: a decision has a 'type'"),
        ({"decisions": [APPROVE, {"type": ["edit"]}]}, "task b: a decision has a 'type'"),
        ({"decisions": [APPROVE, {"type": "edit"}]}, "task b: an edit comes with the new text"),
        ({"decisions": [APPROVE, {"type": "edit", "edited_action": {"args": {"task": "a", "text": "x"}}}]}, "task b: an edit comes"),
        ({"decisions": [APPROVE, {"type": "edit", "edited_action": {"args": {"text": 7}}}]}, "tasks.b.text: 7 is not text"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_words(given: Any, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read_answer(given, [change("a"), change("b")])
    assert said in str(raised.value)


def test_no_prompt_ends_the_block_that_shows_it() -> None:
    [action] = action_requests([change("a", after="```\n# Approved by all\n````\n{question}", also=["Another ````` one"])])
    assert "`````diff\n" in action["description"] and action["description"].count("``````") == 2
