"""The private names of libraries that we rely on are there and mean what they meant."""

import inspect
import os
from typing import Any, TypedDict

import pytest
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_config
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send, interrupt
from pydantic import BaseModel

from metaspo import compat
from metaspo.store.schema import migrations


class State(TypedDict, total=False):
    kept: bool
    outer: str


class Asked(BaseModel):
    kept: bool = False
    outer: str | None = None


def look(state: State) -> State:
    configurable = get_config()["configurable"]
    return {
        "kept": compat.is_checkpointed(configurable),
        "outer": compat.outer_namespace(configurable.get("checkpoint_ns", "")),
    }


def graph(node: Any, checkpointer: Any = None) -> Any:
    return StateGraph(State).add_node("look", node).add_edge(START, "look").compile(checkpointer=checkpointer)


def test_a_node_knows_whether_its_state_is_kept_and_what_is_around_it() -> None:
    assert graph(look).invoke({}) == {"kept": False, "outer": ""}
    thread = {"configurable": {"thread_id": "1"}}
    assert graph(look, InMemorySaver()).invoke({}, thread) == {"kept": True, "outer": ""}
    inside = graph(graph(look), InMemorySaver()).invoke({}, thread)
    assert inside["kept"] and inside["outer"].startswith("look:")


def test_a_graph_is_known_to_keep_its_threads_where_the_graph_around_it_does() -> None:
    inner, saver, found = graph(look), InMemorySaver(), []

    def looks(state: State) -> State:
        found.append(compat.saver_of(inner, get_config()))
        return {}

    graph(looks, saver).invoke({}, {"configurable": {"thread_id": "1"}})
    assert found == [saver] and compat.saver_of(graph(look, saver), {}) is saver and compat.saver_of(inner, {}) is None


def test_the_start_of_a_graph_sees_its_input_alone_and_writes_what_that_leaves_out() -> None:
    seen: list[Any] = []

    def begins(state: State) -> str:
        seen.append(compat.given_input(get_config()["configurable"]))
        if "outer" not in seen[-1]:
            compat.put_in_state(get_config()["configurable"], {"outer": "nothing"})
        return "look"

    def nothing(state: State) -> State:
        seen.append(compat.given_input(get_config()["configurable"]))
        return {}

    built = StateGraph(State).add_node("look", nothing).add_conditional_edges(START, begins, ["look"])
    kept, thread = built.compile(checkpointer=InMemorySaver()), {"configurable": {"thread_id": "1"}}
    assert kept.invoke({"outer": "x", "kept": True}, thread) == {"outer": "x", "kept": True}
    assert kept.invoke({"kept": False}, thread) == {"outer": "nothing", "kept": False}
    assert seen == [{"outer": "x", "kept": True}, None, {"kept": False}, None]
    assert compat.given_fields(Asked(kept=True), ["kept", "outer"]) == {"kept": True}


def test_what_a_thread_is_to_take_up_is_known_from_its_checkpoint() -> None:
    saver, thread = InMemorySaver(), {"configurable": {"thread_id": "1"}}
    own = graph(look, saver)
    own.invoke({}, thread)
    # Input that nothing has taken in, and the same as an edit sends it to the start.
    own.update_state(thread, {"outer": "there"}, as_node="__input__")
    assert compat.pending_sends(saver.get(thread)) == ([], {"outer": "there"})
    for node, there in (("look", ([{"kept": True}], None)), ("__start__", ([], {"kept": True}))):
        send: Any = Command(goto=Send(node, {"kept": True}))
        own.update_state(thread, send, as_node="look")
        assert compat.pending_sends(saver.get(thread)) == there
        assert own.invoke(None, thread)["outer"] == "" and compat.pending_sends(saver.get(thread)) == ([], None)
    assert compat.pending_sends(None) == ([], None)


def test_a_chat_model_has_identifying_parameters() -> None:
    assert compat.identifying_parameters(ChatOpenAI(model="m", api_key=lambda: "none"))["model_name"] == "m"


def test_migrations_have_names() -> None:
    assert compat.migration_names(migrations)[0] == "m001_runs"


def test_a_postgres_saver_gives_a_cursor() -> None:
    saver = pytest.importorskip("langgraph.checkpoint.postgres.aio").AsyncPostgresSaver
    assert callable(getattr(saver, "_cursor", None))


def test_the_agent_server_can_be_started_with_what_we_serve() -> None:
    assert {"n_jobs_per_worker", "open_browser", "graphs", "checkpointer", "http"} <= set(
        inspect.signature(compat.agent_server()).parameters
    )


def test_a_process_has_a_start_that_tells_it_apart() -> None:
    import os

    import psutil

    # A parent may have started in the same tick of the clock; the first process of all has not.
    mine, first = (compat.process_start(psutil.Process(pid)) for pid in (os.getpid(), 1))
    assert mine > 0 and mine == compat.process_start(psutil.Process()) and mine != first


def test_a_node_knows_how_many_answers_it_has_had_before() -> None:
    seen: list[Any] = []

    def asks(state: State) -> State:
        configurable = get_config()["configurable"]
        seen.append((compat.answers_before(configurable), [*compat.resume_map(configurable).values()]))
        while interrupt("?") != "yes":
            pass
        return {}

    waits, thread = graph(asks, InMemorySaver()), {"configurable": {"thread_id": "1"}}
    found = waits.invoke({}, thread)
    for answer in ("no", {found["__interrupt__"][0].id: "no"}, "yes"):
        waits.invoke(Command(resume=answer), thread)
    # With this saver LangGraph gives the bare "no" out a second time, when it is resumed without another bare one.
    assert seen == [(0, []), (0, []), (1, ["no"]), (3, [])]


def test_a_bare_answer_is_kept_for_no_task() -> None:
    saver, thread = InMemorySaver(), {"configurable": {"thread_id": "1"}}
    waits = graph(lambda state: {"outer": [interrupt("?"), interrupt("?")][1]}, saver)
    waits.invoke({}, thread)
    waits.invoke(Command(resume="no"), thread)
    writes = saver.get_tuple(thread).pending_writes  # type: ignore[union-attr, arg-type]
    assert (compat.nobodys_task(), "__resume__", "no") in (writes or [])


def test_the_bare_environment_is_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METASPO_OWN", "å")
    decoded = {os.fsdecode(name): os.fsdecode(value) for name, value in compat.bare_environment().items()}
    assert decoded == dict(os.environ) and compat.bare_environment() is not os.environ
    monkeypatch.delenv("METASPO_OWN")
    assert "METASPO_OWN" not in map(os.fsdecode, compat.bare_environment())


def test_ray_prints_nothing_while_it_is_to_be_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    from ray._private import worker

    said = {"lines": ["a node is gone"], "pid": "raylet", "is_err": False, "ip": "127.0.0.1", "job": None}
    with compat.quiet_ray():
        worker.print_to_stdstream(said, ignore_prefix=False)
    assert capsys.readouterr() == ("", "")
    assert worker.print_to_stdstream.__name__ == "print_to_stdstream"


def test_where_ray_would_go_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:7")
    assert (compat.ray_address() or "").endswith(":7")
    monkeypatch.setenv("RAY_ADDRESS", "local")
    assert compat.ray_address() is None
