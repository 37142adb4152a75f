"""A server as it comes, strict, and clients who try to make it read, import, start and call what they like."""

import asyncio
import json
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import BadRequestError

from metaspo import aoptimize
from metaspo.domain.errors import BudgetSpent
from metaspo.reports.listing import list_runs

from ..helpers.agent_server import AgentServer
from ..helpers.hostile import CANARY, ROWS, VARIABLE, Traps, places, put, task

DICE = {"base": "scripted:dice", "optimizer": "throw,temperature=0.5"}
QUICK = {"method": "metaspo", "preset": "quick", "iterations": 1, "test_size": 4}
SMALL = {**QUICK, "tasks": [task(examples=ROWS[:8])], "iterations": 0, "train_size": 2, "test_size": 1}


@pytest.fixture(scope="module")
def traps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traps]:
    traps = Traps(tmp_path_factory.mktemp("server"))
    yield traps
    traps.close()


@pytest.fixture(scope="module")
def server(traps: Traps) -> Iterator[AgentServer]:
    tasks = traps.folder / "served"
    tasks.mkdir()
    (tasks / "mine.yaml").write_text(
        json.dumps(task(name="mine", examples="rows.json", reader={"from": "tests.helpers.own:read"}))
    )
    (tasks / "mine.yaml").write_text(json.dumps(task(name="mine", examples="rows.json")))
    (tasks / "rows.json").write_text(json.dumps(ROWS))
    own = {
        "METASPO_SERVE_TASKS": str(tasks), "METASPO_SERVE_MODELS": "throw=scripted:dice;grader=scripted:tests.helpers.scripts:grader",
        "HOME": str(traps.folder), VARIABLE: "secret-of-the-server", "HF_HUB_OFFLINE": "1",
    }  # fmt: skip
    server = AgentServer(traps.folder, "metaspo", "studio", environment=own, strict=True)
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def nothing_sprang(server: AgentServer, traps: Traps) -> Iterator[None]:
    """Nothing of what the traps hold is in the log or in the store, whatever a client did."""
    yield
    stored = b"".join(path.read_bytes() for path in traps.folder.glob("metaspo.db*")).decode("utf-8", "replace")
    traps.refuse_sprung(server.log, stored)
    assert "secret-of-the-server" not in server.log + stored


async def said(
    client: LangGraphClient, graph: str, given: Any, context: Any = None, thread: str | None = None, **more: Any
) -> Any:
    """What a run answers, or the error it ends with; waited for."""
    thread = thread or (await client.threads.create())["thread_id"]
    try:
        return await client.runs.wait(thread, graph, input=given, context=context, raise_error=False, **more)
    except httpx.HTTPStatusError as error:
        # Refused before there is a run.
        assert error.response.status_code in (400, 403, 422), error
        return {"__error__": {"error": "ConfigError", "message": error.response.text}}


@pytest.mark.long
async def test_an_honest_client_gets_its_work_done(client: LangGraphClient) -> None:
    judged = task(name="told", metric={"kind": "judge", "rubric": "Short.", "model": "grader"}, reader={"kind": "text"})
    given = QUICK | {"tasks": ["mine", "shop_reviews", task(), judged], "targets": []}
    found = await said(client, "metaspo", given, DICE)
    assert set(found["kept"]) == {"mine", "shop_reviews", "odd", "told"} and found["rounds"][-1]["level"] == "test"


@pytest.mark.slow
async def test_every_place_of_every_form(client: LangGraphClient, traps: Traps) -> None:
    """Each field of what the server says that it takes, with a value that names something."""
    values, tries = cycle(traps.values), []
    for graph in ("metaspo", "adapt", "generalize"):
        [assistant] = await client.assistants.search(graph_id=graph)
        schemas: Any = await client.assistants.get_schemas(assistant["assistant_id"])
        small = SMALL | ({"method": graph} if graph != "metaspo" else {})
        for place in places(schemas["input_schema"]):
            # A task's block is one schema, wherever it stands.
            if len(place) == 1 or (graph == "metaspo" and place[0] != "targets"):
                tries.append((graph, put(small, place, next(values)), DICE))
        if graph == "metaspo":
            for place in places(schemas["context_schema"]):
                tries += [(graph, small, put(DICE, place, next(values))) for _ in range(3)]
    answers = []
    for at in range(0, len(tries), 20):
        answers += await asyncio.gather(*(said(client, *one) for one in tries[at : at + 20]))
    assert len(answers) > 100
    told = [answer["__error__"] for answer in answers if "__error__" in answer]
    assert len(told) > len(answers) / 2
    traps.refuse_sprung(json.dumps(answers))
    assert {one["error"] for one in told} <= {"ConfigError", "TaskError", "ModelError", "PromptError"}, told
    assert not [one for one in told if "pydantic" in one["message"] or "validation error" in one["message"]]


def hostile(traps: Traps) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Input and context that read, import, start or call something if they may."""
    own = str(traps.folder)
    call = f"server:m,base_url={traps.url}/v1,api_key_env={VARIABLE}"
    judge = {"metric": {"kind": "judge", "rubric": "Good.", "model": call}, "reader": {"kind": "text"}}
    return [
        (SMALL | {"method": f"file:{traps.text}"}, DICE),
        (SMALL | {"tasks": [f"{own}/canary.yaml"]}, DICE),
        (SMALL | {"targets": ["canary.yaml"]}, DICE),
        (SMALL | {"tasks": [task(examples=f"{own}/canary.jsonl")]}, DICE),
        (SMALL | {"tasks": [task(examples={"train": "canary.jsonl", "test": ROWS})]}, DICE),
        (SMALL | {"tasks": [task(reader={"from": "traps:trap"})]}, DICE),
        (SMALL | {"tasks": [task(metric={"reward": "traps:trap"})]}, DICE),
        (SMALL | {"tasks": [task(reader={"kind": "json", "schema": "canary.json"})]}, DICE),
        (SMALL | {"tasks": [task(**judge)]}, DICE),
        (SMALL, DICE | {"base": "scripted:traps:trap"}),
        (SMALL, DICE | {"optimizer": "program:traps:trap"}),
        (SMALL, DICE | {"analyst": call}),
        (SMALL, DICE | {"base": [call, "throw"]}),
        (SMALL, DICE | {"store": f"{own}/other.db"}),
    ]


async def by_stream(client: LangGraphClient, given: Any, context: Any) -> Any:
    thread = (await client.threads.create())["thread_id"]
    parts = client.runs.stream(thread, "metaspo", input=given, context=context, stream_mode=["values", "debug", "events"])
    return [part.data async for part in parts if part.event != "metadata"]


async def by_assistant(client: LangGraphClient, given: Any, context: Any) -> Any:
    try:
        made = await client.assistants.create("metaspo", context=context)
    except httpx.HTTPStatusError as error:
        return {"Error": error.response.text}
    return await said(client, made["assistant_id"], given)


async def by_configurable(client: LangGraphClient, given: Any, context: Any) -> Any:
    return await said(client, "metaspo", given, None, config={"configurable": context})


ONE = asyncio.Lock()
"""The in-memory runtime of `langgraph dev` loses answers where several runs without a thread end at once."""


async def by_no_thread(client: LangGraphClient, given: Any, context: Any) -> Any:
    async with ONE:
        return await client.runs.wait(None, "metaspo", input=given, context=context, raise_error=False)


async def by_used_thread(client: LangGraphClient, given: Any, context: Any) -> Any:
    thread = (await client.threads.create())["thread_id"]
    assert "rounds" in await said(client, "metaspo", SMALL, DICE, thread)
    return await said(client, "metaspo", given, context, thread)


async def by_edit(client: LangGraphClient, given: Any, context: Any) -> Any:
    """As Studio edits: the state after the first round, or where the run begins."""
    thread = (await client.threads.create())["thread_id"]
    await said(client, "metaspo", SMALL, DICE, thread)
    history: Any = await client.threads.get_history(thread, limit=50)
    told: list[Any] = []
    for state, node in ((history[-1], None), (history[-1], "__start__"), (history[-2], "evaluate"), (history[1], "select")):
        try:
            edited: Any = await client.threads.update_state(thread, given, as_node=node, checkpoint=state["checkpoint"])
            told.append(await said(client, "metaspo", None, context, thread, checkpoint=edited["checkpoint"]))
        except httpx.HTTPStatusError as error:
            told.append(error.response.text)
    return told


async def by_command(client: LangGraphClient, given: Any, context: Any) -> Any:
    thread = (await client.threads.create())["thread_id"]
    await said(client, "metaspo", SMALL, DICE, thread)
    told = []
    for command in ({"update": given, "goto": "evaluate"}, {"update": given}, {"goto": {"node": "__start__", "input": given}}):
        try:
            told.append(await said(client, "metaspo", None, context, thread, command=command))
        except httpx.HTTPStatusError as error:
            told.append(error.response.text)
    return told


async def by_refused_input(client: LangGraphClient, given: Any, context: Any) -> Any:
    """Input that was refused waits in its thread: run on, edited, and in a copy of the thread."""
    told: list[Any] = []
    for edit in (None, {"seed": 5}, {"system_prompt": "Hello."}):
        thread = (await client.threads.create())["thread_id"]
        told.append(await said(client, "metaspo", given, context, thread))
        copy: Any = await client.http.post(f"/threads/{thread}/copy", json=None)
        for name in (thread, copy["thread_id"]):
            try:
                if edit:
                    await client.threads.update_state(name, edit)
                told.append(await said(client, "metaspo", None, context, name))
            except httpx.HTTPStatusError as error:
                told.append(error.response.text)
    return told


WAYS = [by_refused_input, by_stream, by_assistant, by_configurable, by_no_thread, by_used_thread, by_edit, by_command]


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_no_way_leads_past_it(way: Any, client: LangGraphClient, traps: Traps) -> None:
    tries = hostile(traps)[:: 4 if way in (by_no_thread, by_refused_input) else 1]
    answers = await asyncio.gather(*(way(client, given, context) for given, context in tries))
    traps.refuse_sprung(json.dumps(answers))
    if way not in (by_edit, by_command, by_refused_input):
        assert all(
            "Error" in json.dumps(answer) and '"rounds"' not in json.dumps(answer[-1:] if isinstance(answer, list) else answer)
            for answer in answers
        ), answers


@pytest.mark.long
async def test_a_tool_of_mcp_takes_no_more(server: AgentServer, traps: Traps) -> None:
    headers = {"accept": "application/json, text/event-stream"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60) as client:

        async def call(name: str, given: Any) -> str:
            about = {"name": name, "arguments": given}
            reply = await client.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": about})
            return reply.text

        calls = [call("metaspo", given) for given, context in hostile(traps) if context is DICE]
        calls += [call(name, {"tasks": [f"{traps.folder}/canary.yaml"]}) for name in ("adapt", "generalize")]
        told = await asyncio.gather(*calls)
    assert len(told) == 11 and all("rror" in one for one in told)
    traps.refuse_sprung(*told)


@pytest.mark.long
async def test_nobody_learns_whether_a_file_is_there(client: LangGraphClient, traps: Traps) -> None:
    for form in ("{}", "{}.yaml", "file:{}"):
        given = [form.format(path) for path in ("/etc/passwd", "/etc/nothere", "/root/secret")]
        answers = await asyncio.gather(*(said(client, "metaspo", SMALL | {"tasks": [one]}, DICE) for one in given))
        words = {answer["__error__"]["message"].replace(one, "PATH") for answer, one in zip(answers, given, strict=True)}
        assert len(words) == 1


@pytest.mark.long
async def test_only_runs_of_this_server_are_built_on(client: LangGraphClient) -> None:
    for run, says in (
        ("../x", "is no run of this server"),
        ("0b6c1c4e-0000-4000-8000-000000000000", "is none of this server's"),
    ):
        answer = await said(client, "metaspo", SMALL | {"made_by": [run]}, DICE)
        assert answer["__error__"]["error"] == "ConfigError" and says in answer["__error__"]["message"]


@pytest.mark.long
async def test_what_the_command_line_began_with_paths_and_programs_goes_on(
    client: LangGraphClient, server: AgentServer, tmp_path: Path
) -> None:
    (tmp_path / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in ROWS))
    (tmp_path / "own.yaml").write_text(json.dumps(task(name="own", examples="rows.jsonl")))
    models = dict.fromkeys(("base", "optimizer"), "scripted:tests.helpers.scripts:uneven")
    given: dict[str, Any] = {**QUICK, "tasks": [str(tmp_path / "own.yaml"), task()], "iterations": 2}
    begun = await aoptimize(**given, **models, store=server.store, budget={"calls": 60})
    assert isinstance(begun.stopped, BudgetSpent)
    answer = await said(client, "metaspo", None, {"base": models["base"]}, begun.run)
    assert "base: this server asks no model" in answer["__error__"]["message"]
    found = await said(client, "metaspo", None, {"budget": {"calls": 10**6}}, begun.run)
    assert set(found["kept"]) == {"own", "odd"} and found["rounds"][-1]["level"] == "test"
    assert {row["run"]: row["status"] for row in list_runs(server.store)}[begun.run] == "done"
    assert CANARY not in json.dumps(found)
    # A fork keeps them too; what a client edits is data as ever.
    for edit, said_of_it in (({"tasks": [str(tmp_path / "own.yaml"), str(tmp_path / "rows.jsonl")]}, "this server has no task"),
                             ({"method": f"file:{tmp_path / 'own.yaml'}"}, "this server reads no prompt from a file")):  # fmt: skip
        with pytest.raises(BadRequestError, match=said_of_it):
            await client.threads.update_state(begun.run, edit)
    await client.threads.update_state(begun.run, {"system_prompt": "Say it.", "tasks": [str(tmp_path / "own.yaml")], "seed": 3})
    fork = await said(client, "metaspo", None, None, begun.run)
    assert fork["run"] != begun.run and set(fork["kept"]) == {"own"} and fork["incumbent"]["text"] == "Say it."
    assert CANARY not in json.dumps(fork)
