"""Prompts in LangSmith, through its real client, on a server that speaks its interface."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from langsmith import Client

import metaspo
from metaspo.domain.errors import ConfigError, HubError
from metaspo.domain.prompts import fill
from metaspo.reports.export import export
from metaspo.reports.kept import langsmith_prompts

from ...helpers.langsmith_prompts import LangSmithWithPrompts
from ...helpers.langsmith_server import KEY

Push = Callable[..., metaspo.Pushed]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LangSmithWithPrompts]:
    server = LangSmithWithPrompts()
    monkeypatch.setenv("LANGSMITH_ENDPOINT", server.address)
    monkeypatch.setenv("LANGSMITH_API_KEY", KEY)
    yield server
    server.close()


@pytest.fixture
def push(server: LangSmithWithPrompts, store_path: Path) -> Push:
    def pushed(run: str, **how: Any) -> metaspo.Pushed:
        return metaspo.push(run, to="langsmith:Support", store=store_path, **how)

    return pushed


def pulled(name: str) -> Any:
    return Client().pull_prompt(name, skip_cache=True)


def test_what_an_agent_pulls_is_what_export_writes(push: Push, written: Callable[..., str], store_path: Path) -> None:
    run = written(tasks=("a", "票据"))
    done = push(run)
    report, question = metaspo.open_report(store_path, run), "Is {{this}} {question} 票?\n"
    for user in done.prompts[:2]:
        both = pulled("support:confirmed") + pulled(f"{user.name}:run-0a1b2c3d")
        wanted = json.loads(export(report, "messages", user.task))
        wanted[1]["content"] = fill(wanted[1]["content"], question)
        roles = {"system": "system", "human": "user"}
        messages = both.format_messages(question=question)
        assert [{"role": roles[one.type], "content": one.content} for one in messages] == wanted
    about = pulled("support").metadata
    assert (about["metaspo_run"], about["metaspo_verdict"], about["metaspo_test_after"]) == (run, "confirmed", 0.8)
    assert about["metaspo_tasks"] == ["a", "票据"] and done.renamed["Support"] == "support"


def test_the_same_run_is_not_committed_again(push: Push, written: Callable[..., str], server: LangSmithWithPrompts) -> None:
    run = written()
    assert {one.state for one in push(run, dry_run=True).prompts} == {"new"} and not server.written
    first = push(run)
    assert not any(repo["is_public"] for repo in server.repos.values())
    server.written.clear()
    again = push(run)
    assert [one.version for one in again.prompts] == [one.version for one in first.prompts] and not server.written
    assert {one.state for one in again.prompts} == {"there"}


def test_only_a_confirmed_version_moves_confirmed_and_only_on(push: Push, written: Callable[..., str]) -> None:
    runs = [written("11111111-r"), written("22222222-r", gain=9), written("33333333-r", gain=18)]

    def newest(tag: str) -> str:
        return str(pulled(f"support:{tag}").metadata["metaspo_run"])

    push(runs[0])
    push(runs[1])
    assert (newest("confirmed"), newest("latest")) == (runs[0], runs[1])
    push(runs[2])
    assert newest("confirmed") == runs[2]
    assert not any(one.confirmed for one in push(runs[0]).prompts)
    assert (newest("confirmed"), newest("latest"), newest("run-11111111")) == (runs[2], runs[2], runs[0])


def test_half_a_push_is_told_and_gone_on_with(push: Push, written: Callable[..., str], server: LangSmithWithPrompts) -> None:
    run = written()

    def full(request: web.Request) -> web.Response | None:
        refuses = request.method == "POST" and request.path == "/commits/-/support-b"
        return web.json_response({"detail": f"no room for {KEY}"}, status=507) if refuses else None

    server.instead = full
    with pytest.raises(HubError) as refused:
        push(run)
    said = str(refused.value)
    assert "Pushed: support-a (commit " in said and "; not pushed: support-b, support; the same command goes on" in said
    assert KEY not in said and "507" in said and "confirmed" not in server.commit_tags["support-a"]
    server.instead = None
    assert [one.state for one in push(run).prompts] == ["there", "new", "new"]
    assert all("confirmed" in tags for tags in server.commit_tags.values())


@pytest.mark.long
def test_a_commit_that_was_not_tagged_yet_is_found(
    push: Push, written: Callable[..., str], server: LangSmithWithPrompts
) -> None:
    server.instead = lambda request: web.Response(status=500) if request.path.endswith("/tags") else None
    with pytest.raises(HubError, match=r"Pushed: support-a \(commit \w+\); not pushed: support-b"):
        push(written())
    server.instead = None
    assert [one.state for one in push("0a1b2c3d").prompts] == ["there", "new", "new"]


@pytest.mark.long
def test_what_the_server_refuses_is_said_without_the_key(
    push: Push, written: Callable[..., str], server: LangSmithWithPrompts, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = written()
    monkeypatch.setenv("LANGSMITH_API_KEY", KEY[:-1] + "8")
    with pytest.raises(ConfigError, match=r"does not take the key; set LANGSMITH_API_KEY.*Pushed: nothing") as refused:
        push(run)
    assert KEY[:-1] not in str(refused.value)
    monkeypatch.setenv("LANGSMITH_API_KEY", KEY)
    server.instead = lambda request: web.Response(text="<html>hello</html>")
    with pytest.raises(HubError, match="does not answer as LangSmith does; check LANGSMITH_ENDPOINT"):
        push(run)
    server.instead = lambda request: asyncio.sleep(5, web.Response())
    monkeypatch.setattr(langsmith_prompts, "TIMEOUT", (500, 500))
    with pytest.raises(HubError, match="can't be reached or is too slow"):
        push(run)
    server.instead = None
    server.stop()
    try:
        with pytest.raises(HubError, match="can't be reached or is too slow"):
            push(run)
    finally:
        server.start()
