"""Who answered is part of a call's key: other objects, addresses and code are other models; the same ones after a restart are not."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI
from pydantic import PrivateAttr, SecretStr

import metaspo
from metaspo.domain.described import described
from metaspo.domain.errors import ModelError
from metaspo.models.langchain import program, register
from metaspo.models.openai_compatible import OpenAICompatible
from metaspo.models.spec import ModelSpec

from ..helpers import forked
from ..helpers.endpoint import Endpoint


class Says(BaseChatModel):
    """A chat model whose author told LangChain nothing about it."""

    model: str = ""
    key: SecretStr = SecretStr("")
    _hidden: str = PrivateAttr("")

    def __init__(self, model: str, key: str = "", hidden: str = "") -> None:
        super().__init__(model=model, key=SecretStr(key))  # type: ignore[call-arg]
        self._hidden = hidden

    @property
    def _llm_type(self) -> str:
        return "says"

    def _generate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **given: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage(self.model))])


@pytest.fixture
def other() -> Iterator[Endpoint]:
    server = Endpoint()
    yield server
    server.close()


def scored(make_task: Callable[..., Any], store: Path, base: Any, **settings: Any) -> Any:
    sizes = {"train_size": 2, "validation_size": 0, "test_size": 4}
    return metaspo.optimize(tasks=[make_task("t", 8)], base=base, method="fixed", store=store, **sizes, **settings)


def test_objects_that_tell_langchain_nothing_are_told_apart_by_their_settings(
    make_task: Callable[..., Any], store_path: Path, open_store: Any
) -> None:
    assert Says("a")._identifying_params == Says("b")._identifying_params
    names = {register(model).name for model in (Says("a"), Says("b"), Says("a", hidden="x"))}
    assert len(names) == 3
    scored(make_task, store_path, Says("no"), optimizer=Says("yes"))
    scored(make_task, store_path, Says("yes"))
    assert {row["reply"] for row in open_store().db["calls"].rows} == {"no", "yes"}


@pytest.mark.long
def test_the_same_settings_are_the_same_model_after_a_restart_and_with_another_key() -> None:
    assert register(Says("a", key="one")) == register(Says("a", key="two"))
    code = "from tests.models.test_identity import Says, register; print(register(Says('a')).name)"
    told = {forked.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() for _ in range(2)}
    assert told == {register(Says("a")).name}


def test_a_chat_model_at_another_address_gets_its_own_calls(
    make_task: Callable[..., Any], store_path: Path, endpoint: Endpoint, other: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    for server in (endpoint, other, endpoint):
        scored(make_task, store_path, ChatOpenAI(model="m", base_url=server.url, max_retries=0))
    assert len(endpoint.seen) == len(other.seen) > 0
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert register(ChatOpenAI(model="m")) != register(ChatOpenAI(model="m", base_url="http://127.0.0.1:8/v1"))
    assert register(ChatOpenAI(model="m", default_headers={"a": "b"})) != register(ChatOpenAI(model="m"))
    assert register(ChatOpenAI(model="m", api_key=SecretStr("sk-other"))) == register(ChatOpenAI(model="m"))


@pytest.mark.parametrize("name", ["OPENAI_BASE_URL", "OPENAI_API_BASE"])
def test_openai_at_an_address_from_the_environment_is_known_by_that_address(
    name: str,
    make_task: Callable[..., Any],
    store_path: Path,
    endpoint: Endpoint,
    other: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    for server in (endpoint, other):
        monkeypatch.setenv(name, server.url)
        scored(make_task, store_path, "openai:m")
    assert len(endpoint.seen) == len(other.seen) > 0
    monkeypatch.setenv(name, "http://user:secret@127.0.0.1/v1")
    with pytest.raises(ModelError, match=name) as raised:
        scored(make_task, store_path, "openai:m")
    assert "secret" not in str(raised.value)


def test_openais_own_address_keeps_the_name_that_recorded_calls_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    assert OpenAICompatible(ModelSpec.parse("openai:m")).identity["endpoint"] == "openai"
    monkeypatch.setenv("OPENAI_BASE_URL", "https://api.openai.com/v1/")
    assert OpenAICompatible(ModelSpec.parse("openai:m")).identity["endpoint"] == "openai"


def test_two_different_programs_are_never_registered_under_one_name() -> None:
    def chain(word: str) -> Any:
        return RunnableLambda(lambda given: word)

    assert program(chain("a"), name="cells", version="1") == program(chain("a"), name="cells", version="1")
    with pytest.raises(ModelError, match="another version"):
        program(chain("b"), name="cells", version="1")
    program(chain("b"), name="cells", version="2")


def test_what_is_described_holds_no_address_and_no_secret() -> None:
    class Holder:
        def __init__(self) -> None:
            self.inner, self.api_key, self.round = object(), "sk-12345678", self

    assert described(Holder()) == described(Holder())
    assert "0x" not in str(described(Holder())) and "sk-1234" not in str(described(Holder()))


EDITED = {
    "words.py": "WORD = '{}'\n",
    "script.py": "from words import WORD\n\ndef base(request):\n    return WORD\n",
}


def test_an_edited_script_is_another_model(tmp_path: Path) -> None:
    # Edits within one second are edits all the same, which Python's compiled files would miss.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}

    def replies(word: str, *specs: str) -> list[float]:
        """The scores by each spec, in a process of its own."""
        for name, text in EDITED.items():
            (tmp_path / name).write_text(text.replace("{}", word), encoding="utf-8")
        rows = [{"question": f"{n}?", "answer": "yes"} for n in range(4)]
        task = {"name": "t", "examples": rows, "user_prompt": "Go. {question}", "reader": {"from": "reply"}}
        given = {"tasks": [task], "method": "fixed", "store": "s.db", "train_size": 2, "test_size": 2}
        code = f"import metaspo\nfor base in {specs!r}: print(metaspo.optimize(base=base, **{given!r}).report.tasks[0].after)"
        done = forked.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        return [float(line) for line in done.stdout.split()]

    free, pinned = "scripted:script:base", "scripted:script:base,version=1"
    assert [replies("yes", free), replies("no", free, pinned), replies("yes", free, pinned)] == [[1.0], [0.0, 0.0], [1.0, 0.0]]
