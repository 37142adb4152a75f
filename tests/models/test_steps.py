"""What an agent did before it answered is recorded with its reply, shortened and without keys, and shown to the optimizer."""

import json
import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from click.testing import CliRunner
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage, ToolCall, ToolMessage
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.tools import tool
from langgraph.graph import END, START, StateGraph, add_messages

import metaspo
from metaspo import ModelSpec
from metaspo.cli.main import main
from metaspo.domain.calls import Reply, Request
from metaspo.domain.errors import ModelError
from metaspo.domain.steps import LONGEST, MOST, in_words, kept, read_steps
from metaspo.models.account import Account
from metaspo.models.registry import Registry

from ..helpers import programs

CALL = {"role": "assistant", "content": "", "tool_calls": [{"name": "is_odd", "arguments": {"number": 3}}]}
RESULT = {"role": "tool", "content": "odd", "name": "is_odd"}


@pytest.fixture
async def ask(store_path: Path) -> AsyncIterator[Callable[..., Any]]:
    registry = Registry()

    async def ask(found: Any, text: str = "Is 3 odd?", about: str = "") -> Reply:
        named = isinstance(found, str | ModelSpec)
        spec = found if named else metaspo.program(found, name=f"p{id(found)}", version="1")
        _, ledger = await registry.ledger(store_path)
        model = await registry.model(ModelSpec.parse(spec))
        request = Request((("system", "Use the tool."), ("user", text)), 16, 0.0, about=about)
        return (await ledger.call(model, request, "base", Account("run")))[1]

    yield ask
    await registry.close()


def asked_of(store: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(store)) as db, db:
        return db.execute(query).fetchall()


@pytest.mark.parametrize("name", ["slot_in_state", "slot_in_context", "make"])
async def test_an_agent_s_tools_and_their_results(name: str, ask: Callable[..., Any], store_path: Path) -> None:
    reply = await ask(f"program:tests.helpers.programs:{name}")
    assert read_steps(reply.steps) == [CALL, RESULT] and reply.text == "yes"
    assert asked_of(store_path, "SELECT steps FROM calls") == [(reply.steps,)]
    assert in_words(reply.steps) == 'is_odd({"number": 3})\nis_odd -> odd'


async def test_a_program_without_steps_has_none(ask: Callable[..., Any]) -> None:
    plain = RunnableLambda(lambda given: programs.Clerk().invoke(given["messages"]))
    assert (await ask(plain)).steps == "" == (await ask(RunnableLambda(lambda given: "yes"))).steps


async def test_a_chain_s_models_and_tools_are_heard(ask: Callable[..., Any]) -> None:
    def run(given: dict[str, Any]) -> str:
        first = programs.Clerk().invoke([SystemMessage("tool"), *given["messages"]])
        said = programs.is_odd.invoke(first.tool_calls[0])
        programs.is_odd.invoke({"number": 4})
        return f"It is {said.content}."

    reply = await ask(RunnableLambda(run), "Is 3 odd")
    assert read_steps(reply.steps) == [CALL, RESULT, RESULT | {"content": "even"}] and reply.text == "It is odd."
    alone = RunnableLambda(lambda given: programs.is_odd.invoke({"number": 4}))
    [step] = read_steps((await ask(alone)).steps)
    assert step == {"role": "tool", "name": "is_odd", "arguments": {"number": 4}, "content": "even"}


async def test_going_in_circles_is_seen(ask: Callable[..., Any]) -> None:
    reply = await ask("program:tests.helpers.programs:circling")
    assert reply.finish == "recursion_limit" and {step["content"] for step in read_steps(reply.steps)} == {"no"}


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    system_prompt: str


def graph(*messages: AnyMessage) -> Runnable[Any, Any]:
    """An agent that has gone through these messages."""
    made = StateGraph(State).add_node("go", lambda state: {"messages": list(messages)})
    return made.add_edge(START, "go").add_edge("go", END).compile()


async def test_long_steps_are_shortened_and_keys_and_odd_signs_left_out(
    ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEARCH_API_KEY", "sk-verysecretkey1234567890")
    call = ToolCall(name="find", args={"text": "q" * 9000, "key": "sk-verysecretkey1234567890"}, id="1")
    page = "begin " + "x" * 50_000 + " end sk-verysecretkey1234567890 \0 \ud800"
    reply = await ask(graph(AIMessage("Let me see.", tool_calls=[call]), ToolMessage(page, tool_call_id="1", name="find"),
                            HumanMessage("Go on."), AIMessage("Done.")))  # fmt: skip
    first, second, third = read_steps(reply.steps)
    assert "verysecret" not in reply.steps and "\\u0000" not in reply.steps
    assert first["content"] == "Let me see." and third == {"role": "user", "content": "Go on."}
    assert len(first["tool_calls"][0]["arguments"]) < LONGEST + 100
    assert second["content"].startswith("begin x") and second["content"].endswith("end ***  ?")
    assert len(second["content"]) < LONGEST + 100 and reply.text == "Done."
    assert all(len(line) < 500 for line in in_words(reply.steps).split("\nfind"))


async def test_many_steps_leave_the_first_and_the_last(ask: Callable[..., Any]) -> None:
    reply = await ask(graph(*(AIMessage(f"step {at}") for at in range(200)), AIMessage("Done.")))
    steps = read_steps(reply.steps)
    assert len(steps) == MOST + 1 and steps[0]["content"] == "step 0" and steps[-1]["content"] == "step 199"
    assert steps[MOST // 2] == {"role": "note", "content": "[150 messages are left out here]"}
    assert kept([]) == "" and read_steps("") == []


@tool
def looks_up(word: str) -> str:
    """Fail as tools do."""
    try:
        raise ConnectionError("refused by the catalogue")
    except ConnectionError as error:
        raise RuntimeError(f"no entry for {word}") from error


async def test_a_tool_s_failure_is_a_step(ask: Callable[..., Any]) -> None:
    def run(given: dict[str, Any]) -> str:
        try:
            return str(looks_up.invoke({"word": "a"}))
        except RuntimeError:
            return "none"

    [step] = read_steps((await ask(RunnableLambda(run))).steps)
    assert step["content"] == "failed with RuntimeError: no entry for a, because ConnectionError: refused by the catalogue"


def missing(given: dict[str, Any]) -> str:
    """A program that cannot do without an entry."""
    try:
        return str({}["entry"])
    except KeyError as error:
        raise ValueError("the program's own words") from error


def within(given: dict[str, Any]) -> str:
    try:
        return missing(given)
    except ValueError:
        raise LookupError("while it was handled")  # noqa: B904, the chain is kept without `from` too


@pytest.mark.parametrize("program", [missing, within])
async def test_an_exception_keeps_its_chain_and_names_its_example(program: Any, ask: Callable[..., Any]) -> None:
    with pytest.raises(ModelError) as raised:
        await ask(RunnableLambda(program), about="example e1 ('Is 3 odd?') of task 't', in run 'r'")
    said = str(raised.value)
    assert "ValueError: the program's own words, because KeyError: 'entry'" in said and "test_steps.py" in said
    assert said.endswith("on example e1 ('Is 3 odd?') of task 't', in run 'r'")
    assert ("LookupError: while it was handled, because ValueError" in said) == (program is within)


async def test_a_tool_whose_endpoint_is_down_is_named_with_it(ask: Callable[..., Any]) -> None:
    def run(given: dict[str, Any]) -> str:
        return str(looks_up.invoke({"word": "a"}))

    spec = metaspo.program(RunnableLambda(run), name="down", version="1", patience=0)
    with pytest.raises(
        metaspo.RunStopped, match=r"RuntimeError: no entry for a, because connection closed.*refused by the cat"
    ):
        await ask(spec)


SEEN: list[list[dict[str, Any]]] = []


def by_steps(answer: str, messages: list[dict[str, Any]]) -> tuple[float, str]:
    """A metric that looks at what an agent did."""
    SEEN.append(messages)
    used = [step["name"] for step in messages if step["role"] == "tool"]
    return 0.5, f"used {', '.join(used) or 'nothing'}"


def test_a_metric_and_the_optimizer_see_the_steps(store_path: Path) -> None:
    SEEN.clear()
    rows = [{"question": f"Is {at} odd", "answer": "yes" if at % 2 else "no"} for at in range(40)]
    task = metaspo.Task.model_validate(
        {"name": "t", "examples": rows, "user_prompt": "Say yes or no . {question}", "reader": {"from": "reply"},
         "metric": by_steps}
    )  # fmt: skip
    done = metaspo.optimize(
        tasks=[task], base="program:tests.helpers.programs:slot_in_state", optimizer="scripted:tests.helpers.scripts:uneven",
        system_prompt="Use the tool.", method="metaspo", iterations=1, preset="paper", train_size=6, validation_size=0,
        test_size=4, user_candidates=1, system_candidates=1, store=store_path,
    )  # fmt: skip
    messages = next(found for found in SEEN if len(found) == 5)
    assert [one["role"] for one in messages] == ["system", "user", "assistant", "tool", "assistant"]
    assert done.report.tasks[0].said[0].startswith("used ")
    shown = [text for (text,) in asked_of(store_path, "SELECT request FROM calls WHERE role = 'optimizer'")]
    lines = [json.loads(line) for text in shown for one in json.loads(text)["messages"]
             for line in one["content"].splitlines() if line.startswith('{"question"')]  # fmt: skip
    assert lines and any('is_odd({"number":' in line.get("steps", "") for line in lines)
    assert metaspo.verify(store=store_path).well
    told = CliRunner().invoke(main, ["show", "last", "--errors", "--store", str(store_path)], env={"COLUMNS": "120"})
    assert told.exit_code == 0 and 'is_odd({"number":' in told.output and "used is_odd" in told.output


def fails_at_once(given: dict[str, Any]) -> str:
    raise ValueError("of its own")


def test_code_without_a_loop_adds_nothing_to_the_chain(store_path: Path, make_task: Callable[..., metaspo.Task]) -> None:
    base = metaspo.program(RunnableLambda(fails_at_once), name="fails", version="1")
    with pytest.raises(ModelError) as raised:
        metaspo.optimize(tasks=[make_task("t")], base=base, method="fixed", train_size=2, test_size=2, store=store_path)
    said = str(raised.value)
    assert "failed with ValueError: of its own, at test_steps.py" in said
    assert re.search(r"on example [0-9a-f]{16} \('Is \d+ a number that t likes\?'\) of task 't', in run [0-9a-f-]{36}", said)
