"""Data sets of LangSmith, read by its own client from a real HTTP server on loopback."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from metaspo.domain.errors import HubError, MetaspoError, TaskError
from metaspo.tasks.rows.row import Row
from metaspo.tasks.sources import langsmith
from metaspo.tasks.sources.named import Named
from metaspo.tasks.sources.opening import open_source, pinned

from ...helpers.langsmith_server import KEY, LangSmith, example

FIRST, SECOND = "2024-05-01T00:00:00+00:00", "2024-06-01T12:30:00.123456+00:00"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LangSmith]:
    found = LangSmith()
    found.versions[FIRST] = [example(i, {"question": f"q{i}"}, {"answer": f"a{i}"}) for i in range(250)]
    for name in ("LANGCHAIN_ENDPOINT", "LANGCHAIN_API_KEY", "LANGSMITH_WORKSPACE_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANGSMITH_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("LANGSMITH_ENDPOINT", found.address)
    monkeypatch.setenv("LANGSMITH_API_KEY", KEY)
    yield found
    found.close()


def read(written: Any) -> list[Row]:
    return open_source(written, None, lambda path: [])


def test_all_pages_with_question_and_answer(server: LangSmith) -> None:
    rows = read("langsmith:Ticket Routing")
    assert len(rows) == 250 and len([path for path, _ in server.asked if path == "/examples"]) == 3
    assert rows[249].values == {
        "question": "q249", "answer": "a249", "inputs": {"question": "q249"}, "outputs": {"answer": "a249"},
        "metadata": {}, "id": "00000000-0000-0000-0000-0000000000f9",
    }  # fmt: skip
    assert rows[1].place == "langsmith:Ticket Routing, example 00000000-0000-0000-0000-000000000001"
    assert not any(row.split for row in rows)


def test_several_inputs_are_named_by_a_person(server: LangSmith) -> None:
    server.versions[FIRST] = [example(1, {"title": "t", "text": "x"}, {"label": "a", "why": "b"}, topic="z")]
    [row] = read("langsmith:Ticket Routing")
    assert row.values["metadata"] == {"topic": "z"} and not {"question", "answer"} & set(row.values)
    assert row.hint("question").startswith('write question: "{inputs.title} {inputs.text}" in the task')
    assert row.hint("answer").startswith("write answer: outputs.label in the task")


def test_chats_of_langchain(server: LangSmith) -> None:
    one = [{"type": "human", "data": {"content": "hi"}}]
    two = [{"type": "system", "content": "Be kind."}, {"role": "user", "content": "hi"}]
    said = {"output": {"type": "ai", "data": {"content": "ho"}}}
    server.versions[FIRST] = [example(1, {"input": one}, said), example(2, {"messages": two}, {"messages": [two[1]]})]
    first, second = read("langsmith:Ticket Routing")
    assert (first.values["question"], first.values["answer"]) == ("hi", "ho")
    assert second.values["question"] == [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "hi"}]
    assert second.values["answer"] == "hi"


def test_splits_by_their_names(server: LangSmith) -> None:
    def of(number: int, *splits: str) -> dict[str, Any]:
        return example(number, {"q": f"{number}"}, {"a": "x"}, dataset_split=list(splits))

    server.versions[FIRST] = [of(0, "train", "easy"), of(1, "dev"), of(2, "Test")]
    assert [row.split for row in read("langsmith:Ticket Routing")] == ["train", "validation", "test"]
    assert [(row.split, row.values["question"]) for row in read("langsmith:Ticket Routing#easy")] == [("", "0")]
    assert len(read({"langsmith": "Ticket Routing", "split": "dev"})) == 1
    server.versions[FIRST].append(of(3, "base"))
    with pytest.raises(
        TaskError, match=r"003: is in no split that is called train, .*\{train: 'langsmith:Ticket Routing#base'"
    ):
        read("langsmith:Ticket Routing")
    server.versions[FIRST][-1] = of(3, "train", "test")
    with pytest.raises(TaskError, match=r"is in the splits test, train; leave it in one of them"):
        read("langsmith:Ticket Routing")
    with pytest.raises(TaskError, match=r"the split 'none' of the data set holds no examples"):
        read("langsmith:Ticket Routing#none")


def test_a_version_is_pinned_and_stays(server: LangSmith) -> None:
    pins: dict[str, str] = {}
    first = pinned("langsmith:Ticket Routing", pins)
    assert first == {"langsmith": "Ticket Routing", "version": FIRST} and pins == {"langsmith:Ticket Routing": FIRST}
    server.versions[SECOND] = [example(1, {"q": "new"}, {"a": "x"})]
    server.tags["prod"] = FIRST
    assert len(read(first)) == len(read("langsmith:Ticket Routing@prod")) == 250
    assert len(read("langsmith:Ticket Routing")) == len(read(f"langsmith:Ticket Routing@{SECOND}")) == 1
    assert pinned({"train": "langsmith:Ticket Routing"}, pins) == {"train": first}
    assert pinned("langsmith:Ticket Routing", {})["version"] == SECOND
    assert pinned("langsmith:Ticket Routing@prod", {})["version"] == FIRST
    assert pinned("langsmith:Ticket Routing@2024-05-02", {})["version"] == "2024-05-02T00:00:00+00:00"


def slow() -> Any:
    time.sleep(1)
    return web.json_response([])


@pytest.mark.long
@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [
        (403, TaskError, "does not take the key; set LANGSMITH_API_KEY"),
        (404, TaskError, "has no such data set or version"),
        (429, HubError, "could not be read"),
        (500, HubError, "could not be read"),
        (200, HubError, "sent what is no data set of LangSmith's; check LANGSMITH_ENDPOINT"),
    ],
)
def test_what_goes_wrong_is_said_without_the_key(
    status: int, kind: type[MetaspoError], says: str, server: LangSmith, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.instead = lambda request: web.Response(text=f"<html>{KEY} failed</html>", status=status)
    with pytest.raises(kind, match=f"langsmith:Ticket Routing: LangSmith at {server.address} {says}") as raised:
        read("langsmith:Ticket Routing")
    assert KEY[:12] not in str(raised.value) and raised.value.__cause__ is None and raised.value.__suppress_context__


def test_a_wrong_key_a_wrong_name_and_a_wrong_tag(server: LangSmith, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TaskError, match=r"langsmith:Routing: .* has no such data set or version; check its name"):
        read("langsmith:Routing")
    with pytest.raises(TaskError, match=r"langsmith:Ticket Routing@prod: .* has no such data set or version"):
        pinned("langsmith:Ticket Routing@prod", {})
    for key in ("lsv2_pt_wrong", ""):
        monkeypatch.setenv("LANGSMITH_API_KEY", key)
        with pytest.raises(TaskError, match=r"does not take the key; set LANGSMITH_API_KEY") as raised:
            read("langsmith:Ticket Routing")
        assert not key or key not in str(raised.value)
    assert server.keys[-2:] == ["lsv2_pt_wrong", ""]


@pytest.mark.long
def test_a_server_that_is_slow_or_gone(server: LangSmith, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(langsmith, "TIMEOUT", 200)
    server.instead = lambda request: slow()
    with pytest.raises(HubError, match=r"took too long; check LANGSMITH_ENDPOINT and the network, and try again"):
        read("langsmith:Ticket Routing")
    server.stop()
    with pytest.raises(HubError, match=r"could not be read \(LangSmithConnectionError\); check LANGSMITH_ENDPOINT") as raised:
        read("langsmith:Ticket Routing")
    assert KEY[:5] not in str(raised.value)
    server.start()


def test_odd_values_are_named(server: LangSmith) -> None:
    server.versions[FIRST] = [example(3, {"q": "a\0b"}, {"a": 1})]
    with pytest.raises(TaskError, match=r"example 0{8}-0{4}-0{4}-0{4}-0{11}3: field 'inputs.q' holds a NUL character"):
        read("langsmith:Ticket Routing")
    server.versions[FIRST] = []
    with pytest.raises(TaskError, match=r"the data set holds no examples; add some, or write langsmith:NAME"):
        read("langsmith:Ticket Routing")


@pytest.mark.parametrize(
    ("written", "name", "split", "version"),
    [
        ("langsmith:My set", "My set", "", ""),
        ("langsmith:a:b@prod#x y", "a:b", "x y", "prod"),
        ("langsmith:a@b@2024-05-01T00:00:00+00:00", "a@b", "", "2024-05-01T00:00:00+00:00"),
        ({"langsmith": "a@b#c", "split": "d", "version": 1}, "a@b#c", "d", "1"),
    ],
)
def test_how_it_is_written(written: Any, name: str, split: str, version: str) -> None:
    assert Named.parse(written) == Named("langsmith", name, "", split, version)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("langsmith:", "names no data set; write langsmith:NAME"),
        ({"langsmith": " "}, "names no data set"),
        ({"langsmith": "a", "revision": "b"}, "unknown key 'revision'; known keys: langsmith, split, version"),
        ({"langsmith": ["a"]}, "'langsmith' is text"),
    ],
)
def test_how_it_is_not_written(written: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Named.parse(written)
