"""Prompts in a real MLflow server on SQLite: versions, tags, aliases, and what becomes of half a push."""

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web
from mlflow import MlflowClient

import metaspo
from metaspo.domain.errors import ConfigError, HubError
from metaspo.domain.prompts import fill

from ...helpers.endpoint import Endpoint
from .conftest import HOSTILE, USER

pytestmark = pytest.mark.long

Push = Callable[..., metaspo.Pushed]


@pytest.fixture
def push(mlflow_uri: str, store_path: Path) -> Push:
    name = f"n{uuid.uuid4().hex[:8]}"

    def pushed(run: str, **how: object) -> metaspo.Pushed:
        return metaspo.push(run, to=f"mlflow:{name}", store=store_path, **how)  # type: ignore[arg-type]

    return pushed


def loaded(uri: str, **values: str) -> object:
    return MlflowClient().load_prompt(f"prompts:/{uri}", cache_ttl_seconds=0).format(**values)


def test_what_an_agent_loads_is_what_was_found(push: Push, written: Callable[..., str]) -> None:
    run = written(tasks=("a", "票据"))
    a, other, system = push(run).prompts
    assert loaded(f"{system.name}@confirmed") == HOSTILE == loaded(f"{system.name}@latest")
    question = "Is {{this}} {question} 票?\n"
    for user in (a, other):
        assert loaded(f"{user.name}@run-0a1b2c3d", question=question) == fill(USER, question)
    tags = MlflowClient().load_prompt(f"prompts:/{system.name}/1").tags
    assert (tags["metaspo_run"], tags["metaspo_verdict"], tags["metaspo_test_after"]) == (run, "confirmed", "0.8")
    assert (tags["metaspo_tasks"], tags["metaspo_method"], tags["metaspo_calls"]) == ("a, 票据", "common_first", "240")
    assert MlflowClient().load_prompt(f"prompts:/{other.name}/1").tags["metaspo_task"] == "票据"


def test_only_a_confirmed_version_moves_confirmed_and_only_on(push: Push, written: Callable[..., str]) -> None:
    first, weak, second = written("11111111-r"), written("22222222-r", gain=9), written("33333333-r", gain=18)
    name = push(first).prompts[-1].name

    def points_to(alias: str) -> int:
        return int(MlflowClient().get_prompt_version_by_alias(name, alias).version)

    assert points_to("confirmed") == 1
    done = push(weak)
    assert not any(prompt.confirmed for prompt in done.prompts)
    assert (points_to("confirmed"), points_to("latest")) == (1, 2)
    push(second)
    assert points_to("confirmed") == 3
    again = push(first)
    assert {(one.version, one.state, one.confirmed) for one in again.prompts} == {("version 1", "there", False)}
    assert (points_to("confirmed"), points_to("latest"), points_to("run-11111111")) == (3, 3, 1)


def test_a_dry_run_makes_nothing_and_says_what_is_there(push: Push, written: Callable[..., str]) -> None:
    run = written()
    dry = push(run, dry_run=True)
    assert {one.state for one in dry.prompts} == {"new"} and MlflowClient().get_prompt(dry.prompts[0].name) is None
    push(run)
    assert {(one.state, one.version) for one in push(run, dry_run=True).prompts} == {("there", "version 1")}


def test_half_a_push_is_told_and_gone_on_with(push: Push, written: Callable[..., str]) -> None:
    run = written()
    names = [prompt.name for prompt in push(run, dry_run=True).prompts]
    MlflowClient().create_registered_model(names[1])
    with pytest.raises(ConfigError) as refused:
        push(run)
    said = str(refused.value)
    assert f"Pushed: {names[0]} (version 1); not pushed: {names[1]}, {names[2]}; the same command goes on" in said
    assert MlflowClient().get_prompt(names[2]) is None
    MlflowClient().delete_registered_model(names[1])
    assert [one.state for one in push(run).prompts] == ["there", "new", "new"]
    assert loaded(f"{names[0]}@confirmed", question="?") == fill(USER, "?")


def test_another_tasks_prompt_is_not_taken_for_its_own(push: Push, written: Callable[..., str], store_path: Path) -> None:
    user = push(written(tasks=("a",))).prompts[0]
    with pytest.raises(ConfigError, match=f"{user.name} there is the user prompt of task 'a'; push under another NAME"):
        metaspo.push(written("22222222-r", tasks=("b",)), to=f"mlflow:{user.name}", store=store_path)


def test_a_server_that_is_gone_or_takes_no_key_is_said(
    written: Callable[..., str], store_path: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = written()
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:hunter2x@127.0.0.1:9")
    with pytest.raises(HubError, match="can't be reached") as gone:
        metaspo.push(run, to="mlflow:x", store=store_path)
    assert "hunter2x" not in str(gone.value) and "Pushed: nothing" in str(gone.value)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{endpoint.port}")
    with pytest.raises((ConfigError, HubError), match="refuses it"):
        metaspo.push(run, to="mlflow:x", store=store_path)


def test_a_key_that_is_not_taken(written: Callable[..., str], store_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(Endpoint):
        def routes(self, app: web.Application) -> None:
            async def no(request: web.Request) -> web.Response:
                return web.Response(status=401, text=f"no {request.headers.get('Authorization')}")

            app.router.add_route("*", "/api/{rest:.*}", no)

    server = Closed()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.port}")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "a-key-that-is-wrong-77")
    try:
        with pytest.raises(ConfigError, match="does not take the key; check MLFLOW_TRACKING_TOKEN") as refused:
            metaspo.push(written(), to="mlflow:x", store=store_path)
    finally:
        server.close()
    assert "a-key-that" not in str(refused.value)
