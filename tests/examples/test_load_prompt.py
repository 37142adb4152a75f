"""The agent that loads the newest confirmed prompts, from each place where they are kept."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from uuid import uuid4

import pytest

import metaspo
from metaspo.domain.prompts import fill
from metaspo.store.database import Store

from ..helpers.endpoint import Endpoint
from ..helpers.kept_run import HOSTILE, USER, write_run
from ..helpers.langsmith_prompts import LangSmithWithPrompts
from ..helpers.langsmith_server import KEY


@pytest.fixture
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    if request.param == "file":
        yield f"file:{tmp_path}/kept"
    elif request.param == "mlflow":
        request.getfixturevalue("mlflow_uri")
        yield f"mlflow:n{uuid4().hex[:8]}"
    else:
        server = LangSmithWithPrompts()
        monkeypatch.setenv("LANGSMITH_ENDPOINT", server.address)
        monkeypatch.setenv("LANGSMITH_API_KEY", KEY)
        yield f"langsmith:n{uuid4().hex[:8]}"
        server.close()


@pytest.mark.parametrize("place", ["langsmith", pytest.param("mlflow", marks=pytest.mark.slow), "file"], indirect=True)
def test_answers_with_the_newest_that_is_confirmed(
    place: str, example: Callable[[str], ModuleType], endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], open_store: Callable[[], Store], store_path: Path,
) -> None:  # fmt: skip
    agent = example("load_prompt")
    monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    question, store = "Is {{this}} {question} 票?", open_store()
    pushed = (("11111111-r", 16, "older"), ("22222222-r", 18, HOSTILE), ("33333333-r", 9, "not confirmed"))
    for id, gain, system in pushed:
        metaspo.push(write_run(store, id, gain=gain, system=system), to=place, store=store_path)
    agent.main(["--source", place, "--task", "a", "--model", "m", question])
    [body] = endpoint.seen
    assert [message["content"] for message in body["messages"]] == [HOSTILE, fill(USER, question)]
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert capsys.readouterr().out == "yes\n"
