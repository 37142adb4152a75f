"""Two people approve the same run, through a real server and at two command lines: one answer counts, the other one's writer is told."""

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from metaspo import open_report, optimize
from metaspo.reports.listing import list_runs
from metaspo.reports.verification.verify import verify
from metaspo.store import answers
from metaspo.store.database import open_store

from ..helpers import forked
from ..helpers.agent_server import ROOT, AgentServer

MODELS = dict.fromkeys(("base", "optimizer"), "scripted:tests.helpers.scripts:uneven")
WHO = """
from langgraph_sdk import Auth

auth = Auth()


@auth.authenticate
async def who(headers):
    name = headers.get(b"x-user", b"").decode()
    return {"identity": name or "this machine", "is_authenticated": bool(name)}
"""


def task(name: str) -> dict[str, Any]:
    rows = [{"question": f"Does {name} like {n}?", "answer": "yes" if n % 2 else "no"} for n in range(30)]
    reader = {"kind": "choice", "labels": ["yes", "no"], "from": "reply"}
    return {"name": name, "examples": rows, "user_prompt": "Say yes or no.\n{question}", "reader": reader}


PROBLEM: dict[str, Any] = {
    "tasks": [task("ann"), task("bob")],
    "preset": "quick",
    "method": "metaspo",
    "test_size": 8,
    "keep": 2,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentServer]:
    """A server that knows its users by a header."""
    folder = tmp_path_factory.mktemp("approvers")
    (folder / "who.py").write_text(WHO)
    served = json.loads((ROOT / "langgraph.json").read_text()) | {
        "dependencies": [str(ROOT)],
        "auth": {"path": "./who.py:auth"},
    }
    (folder / "langgraph.json").write_text(json.dumps(served))
    server = AgentServer(folder, "langgraph", "dev", "--no-reload", "--n-jobs-per-worker", "4")
    yield server
    server.stop()


async def begin(client: LangGraphClient, **problem: Any) -> tuple[str, dict[str, Any]]:
    """A run that waits, with the interrupt that it waits at."""
    run = (await client.threads.create())["thread_id"]
    found: Any = await client.runs.wait(run, "metaspo", input=PROBLEM | problem, context=MODELS | {"approve": "both"})
    return run, found["__interrupt__"][0]


async def send(client: LangGraphClient, run: str, answer: Any) -> Any:
    """What comes of an answer: the interrupt that waits then, or what the run has found."""
    found: Any = await client.runs.wait(run, "metaspo", command={"resume": answer})
    return found["__interrupt__"][0] if "__interrupt__" in found else found


def recorded(server: AgentServer, run: str, request: str) -> set[tuple[str, str | None]]:
    with open_store(server.store) as store:
        return {(row.decision, row.person) for row in answers.of_request(store.db, run, request)}


@pytest.mark.long
@pytest.mark.parametrize("form", ["by id", "plain", "by interrupt", "as an inbox"])
async def test_of_two_clients_at_once_one_is_answered_and_one_is_told(
    form: str, client: LangGraphClient, server: AgentServer
) -> None:
    run, first = await begin(client)
    asked = first["value"]

    def answer(decision: str, person: str) -> Any:
        said = {"decision": decision, "person": person}
        types = {"accept": "approve", "reject": "reject"}
        return {
            "by id": said | {"id": asked["id"]},
            "plain": said,
            "by interrupt": {first["id"]: said},
            "as an inbox": {"person": person, "decisions": [{"type": types[decision]} for _ in asked["action_requests"]]},
        }[form]

    async with get_client(url=server.url) as other:
        both = await asyncio.gather(send(client, run, answer("accept", "Ada")), send(other, run, answer("reject", "Bob")))
    [told] = [found["value"] for found in both if found["value"]["problem"]]
    [counted] = [found["value"] for found in both if not found["value"]["problem"]]
    assert told["id"] == counted["id"] != asked["id"] and told["changes"] == counted["changes"]
    [(decision, person)] = recorded(server, run, asked["id"])
    assert (decision, person) in {("accept", "Ada"), ("reject", "Bob")}
    if form == "by id":
        assert f"answers question {asked['id']}, which {person} answered" in told["problem"]
    # Nothing of the other answer is left: the run waits as it did.
    state: Any = await client.threads.get_state(run)
    assert state["interrupts"][0]["value"]["id"] == counted["id"]
    assert [row["status"] for row in list_runs(server.store) if row["run"] == run] == ["waiting"]
    assert {decision for decision, _ in recorded(server, run, counted["id"])} == {""}


@pytest.mark.long
async def test_one_client_answers_plainly_to_the_end(client: LangGraphClient, server: AgentServer) -> None:
    run, found = await begin(client, iterations=1)
    asked = []
    while "value" in found:
        assert found["value"]["problem"] is None
        asked.append(found["value"]["id"])
        found = await send(client, run, {"decision": "accept"})
    assert len(asked) > 1 and set(found) >= {"incumbent", "rounds"}
    report = open_report(server.store, run)
    assert {row.person for row in report.answers} == {"this machine"}
    assert list(dict.fromkeys(row.request for row in report.answers)) == asked
    assert report.run.status == "done" and verify(run, store=server.store).well
    before: Any = await client.threads.get_state(run)
    for answer in ({"id": asked[-1], "decision": "reject"}, "accept"):
        late: Any = await client.runs.wait(run, "metaspo", command={"resume": answer}, raise_error=False)
        assert f"run {run} waits for no answer: it is done." in late["__error__"]["message"]
    state: Any = await client.threads.get_state(run)
    assert state["checkpoint"] == before["checkpoint"] and open_report(server.store, run) == report


@pytest.mark.long
async def test_a_late_answer_by_id_is_told_who_answered_whatever_has_come_between(client: LangGraphClient) -> None:
    run, first = await begin(client)
    text = "Mine.\n{question}"
    edit = {"tasks": {"ann": {"decision": "accept"}, "bob": {"decision": "edit", "text": text}}, "person": "Ada"}
    edited = await send(client, run, {"id": first["value"]["id"], **edit})
    assert edited["value"]["round"] == first["value"]["round"] and edited["value"]["id"] != first["value"]["id"]
    late = await send(client, run, {"id": first["value"]["id"], "decision": "accept"})
    said = f"question {first['value']['id']}, which Ada answered, and not what is asked now: question {edited['value']['id']}"
    assert said in late["value"]["problem"] and "the user prompts of bob of round 1" in late["value"]["problem"]


@pytest.mark.long
async def test_an_answer_at_a_checkpoint_that_the_run_has_left_takes_nothing_back(
    client: LangGraphClient, server: AgentServer
) -> None:
    run, asked = await begin(client, seed=8)
    at: Any = (await client.threads.get_state(run))["checkpoint"]
    now = await send(client, run, {"id": asked["value"]["id"], "decision": "accept", "person": "Ada"})
    late: Any = {"resume": {"id": asked["value"]["id"], "decision": "reject", "person": "Bob"}}
    said: Any = await client.runs.wait(run, "metaspo", command=late, checkpoint=at, raise_error=False)
    assert f"what run {run} asked at this checkpoint has been answered" in said["__error__"]["message"]
    state: Any = await client.threads.get_state(run)
    assert state["interrupts"][0]["value"]["id"] == now["value"]["id"]
    assert {decision for decision, _ in recorded(server, run, asked["value"]["id"])} == {"accept"}
    # Taken back on purpose, it asks anew, and the new answer counts.
    again: Any = await client.runs.wait(run, "metaspo", checkpoint=at)
    assert again["__interrupt__"][0]["value"]["id"] == asked["value"]["id"]
    await send(client, run, late["resume"])
    assert {decision for decision, _ in recorded(server, run, asked["value"]["id"])} == {"reject"}


@pytest.mark.long
async def test_nobody_answers_under_anothers_name(client: LangGraphClient, server: AgentServer) -> None:
    run, first = await begin(client)
    said = {"id": first["value"]["id"], "decision": "accept", "person": "bob"}
    async with get_client(url=server.url, headers={"x-user": "alice"}) as alice:
        second = await send(alice, run, said)
    assert recorded(server, run, first["value"]["id"]) == {("accept", "alice (bob)")}
    async with get_client(url=server.url, headers={"x-user": "carol"}) as carol:
        refused = await send(carol, run, "accept")
        assert "alice (bob) has answered the one before" in refused["value"]["problem"]
        # Told what is asked now, she may say it as shortly again.
        third = await send(carol, run, "accept")
    assert second["value"]["id"] == refused["value"]["id"] != third["value"]["id"]
    assert recorded(server, run, second["value"]["id"]) == {("accept", "carol")}
    forged: Any = {"configurable": {"langgraph_auth_user": {"identity": "alice"}, "langgraph_auth_user_id": "alice"}}
    answer = {"id": third["value"]["id"], "decision": "accept"}
    await client.runs.wait(run, "metaspo", command={"resume": answer}, config=forged)
    assert recorded(server, run, third["value"]["id"]) == {("accept", "this machine")}


@pytest.mark.long
def test_of_two_command_lines_one_answer_counts(tmp_path: Path) -> None:
    store = tmp_path / "metaspo.db"
    result = optimize(**PROBLEM, **MODELS, approve="both", store=store)
    assert result.request is not None
    words = [sys.executable, "-m", "metaspo", "approve", result.run, "--store", str(store), "--id", result.request["id"]]
    both = [
        forked.Popen([*words, decision], cwd=ROOT, stdout=forked.PIPE, stderr=forked.PIPE, text=True)
        for decision in ("--accept", "--reject")
    ]
    said = [one.communicate(timeout=120)[1] for one in both]
    codes = [one.returncode for one in both]
    assert sorted(codes) == [2, 4], said
    loser = codes.index(2)
    told = (
        "is being worked on by process",
        f"answers question {result.request['id']}, which",
        f"answered question {result.request['id']}",
    )
    assert any(words in said[loser] for words in told), said
    report = open_report(store, result.run)
    assert {row.decision for row in report.answers} == {("accept", "reject")[1 - loser]}
