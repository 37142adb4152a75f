"""The examples that need no server of ours: real graphs, a real HTTP endpoint where an agent's model is needed."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from aiohttp import web
from click.testing import CliRunner

import metaspo
from metaspo.cli.main import main
from metaspo.store import runs
from metaspo.store.database import Store

from ..helpers.endpoint import Body, Endpoint, completion, say
from .conftest import DICE, EXAMPLES

Load = Callable[[str], ModuleType]


@pytest.fixture
def talk(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setenv("MODEL", "m")
    yield endpoint


def call_tool(name: str, **arguments: Any) -> web.Response:
    body = completion(None, "tool_calls")
    function = {"name": name, "arguments": json.dumps(arguments)}
    body["choices"][0]["message"]["tool_calls"] = [{"id": "1", "type": "function", "function": function}]
    return web.json_response(body)


def test_each_example_is_tested_and_in_the_docs() -> None:
    names = {path.stem for path in EXAMPLES.glob("*.py")}
    tests = " ".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert len(names) == 8 and all(f'"{name}"' in tests for name in names)
    for page in ("README.md", "docs/composition.md"):
        assert names <= set(re.findall(r"examples/(\w+)\.py", (EXAMPLES.parent / page).read_text())), page


def test_subgraph(example: Load, capsys: pytest.CaptureFixture[str]) -> None:
    example("subgraph").main([*DICE, "--store", "s.db"])
    said = capsys.readouterr().out.strip()
    shared, mapped = (metaspo.open_report("s.db", row) for row in _runs("s.db"))
    memo = f"Run {shared.run.id} recommends: {shared.system_after}"
    assert said == f"{memo}\n{mapped.system_after} ({mapped.train_after:.2f} on its training examples)"
    assert (shared.system_before, mapped.system_before) == ("You are a helpful assistant.", "You are brief.")
    assert {shared.run.status, mapped.run.status} == {"done"}


@pytest.mark.skipif("approve" not in metaspo.Context.model_fields, reason="nothing of the optimization interrupts")
@pytest.mark.parametrize("way", ["shared", "mapped"])
async def test_interrupts_pass_through_the_outer_graph(
    way: str, example: Load, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = example("subgraph")
    settings = {"base": "scripted:dice", "optimizer": "scripted:dice", "store": "s.db"}
    context = metaspo.Context.model_validate({**settings, "approve": "both"})
    given = {"tasks": ["app_reviews"], "targets": [], **module.SIZES, "method": "metaspo"}
    given = given if way == "shared" else {"topic": "app_reviews", "persona": "You are brief."}
    monkeypatch.setitem(module.SIZES, "patience", 6)  # Long enough for something to be found, and so to be asked about.
    asked: list[str] = []
    monkeypatch.setattr("builtins.input", lambda prompt: asked.append(prompt) or '{"decision": "accept"}')
    async with metaspo.opened():
        state = await module.run(getattr(module, way)(), given, context, "talk")
    assert asked and state["memo" if way == "shared" else "persona"]
    assert '"decision": "accept"' in capsys.readouterr().out.replace("\\", "") and len(_runs("s.db")) == 1


def _runs(path: str) -> list[str]:
    with closing(Store(path)) as store:
        return [run.id for run in sorted(runs.all_runs(store.db), key=lambda run: run.created)]


def test_tool(example: Load, talk: Endpoint, capsys: pytest.CaptureFixture[str]) -> None:
    def act(request: web.Request, body: Body, number: int) -> web.Response:
        last = body["messages"][-1]
        if last["role"] == "tool":
            found = json.loads(last["content"])
            return say(f"Run {found['run']} went from {found['scores']['app_reviews']['before']}.")
        [tool] = body["tools"]
        assert "app_reviews" in json.dumps(tool["function"]["parameters"])
        return call_tool(tool["function"]["name"], tasks=["app_reviews"], calls=1000)

    talk.act = act
    example("tool").main([*DICE, "--store", "s.db"])
    report = metaspo.open_report("s.db")
    source = next(task for task in report.tasks if task.role == "source")
    assert f"Run {report.run.id} went from {source.before}." in capsys.readouterr().out
    assert len(talk.seen) == 2 and len(talk.seen[1]["messages"][-1]["content"]) < 2000
    assert source.name == "app_reviews" and report.usage.total_calls <= 1000


def test_use_result(example: Load, talk: Endpoint, capsys: pytest.CaptureFixture[str]) -> None:
    result = metaspo.optimize(base="scripted:dice", optimizer="scripted:dice", store="s.db", test_size=8)
    example("use_result").main(["--store", "s.db", "--task", "app_reviews", "It has {braces}."])
    [body] = talk.seen
    user = result.user_prompts["app_reviews"].replace("{question}", "It has {braces}.")
    assert [message["content"] for message in body["messages"]] == [result.system_prompt, user]
    assert capsys.readouterr().out == "yes\n"


@pytest.mark.long
def test_use_result_with_the_built_in_model(example: Load, capsys: pytest.CaptureFixture[str]) -> None:
    metaspo.optimize(base="scripted:dice", optimizer="scripted:dice", store="s.db", method="fixed", test_size=0)
    example("use_result").main(["--store", "s.db", "--task", "app_reviews", "It crashes whenever I open it."])
    assert capsys.readouterr().out.strip()


def shop(request: web.Request, body: Body, number: int) -> web.Response:
    """Behind the clerk, a model that looks into the stock only if it is told to; as optimizer it gets the idea."""
    messages = body["messages"]
    if "between <prompt> and </prompt>" in messages[-1]["content"]:
        return say("<prompt>Always look into the stock before you answer.</prompt>")
    if messages[-1]["role"] == "tool":
        wanted = int(re.findall(r"have (\d+)", messages[1]["content"])[0])
        return say("yes" if wanted <= int(messages[-1]["content"]) else "no")
    if messages[0]["role"] == "system" and "stock" in messages[0]["content"]:
        return call_tool("in_stock", article=re.findall(r"'(\w+)'", messages[1]["content"])[0])
    return say("yes")


def test_optimize_agent(example: Load, talk: Endpoint, capsys: pytest.CaptureFixture[str]) -> None:
    talk.act = shop
    example("optimize_agent").main(["--store", "s.db"])
    found = json.loads(capsys.readouterr().out)
    assert found["system_prompt"] == "Always look into the stock before you answer."
    assert found["scores"]["orders"]["before"] < found["scores"]["orders"]["after"] == 1.0
    assert any(body["messages"][-1]["role"] == "tool" for body in talk.seen)


def test_the_agent_is_a_base_model_on_the_command_line(
    example: Load, talk: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk.act = shop
    config = {
        "tasks": [example("optimize_agent").ORDERS.model_dump(mode="json", by_alias=True)],
        "base": "program:examples.optimize_agent:clerk,concurrency=8", "optimizer": f"server:m,base_url={talk.url}",
        "method": "outer_only", "preset": "quick", "test_size": 20, "store": str(tmp_path / "s.db"),
    }  # fmt: skip
    (tmp_path / "shop.yaml").write_text(yaml.safe_dump(config))
    monkeypatch.chdir(EXAMPLES.parent)
    result = CliRunner().invoke(main, ["optimize", str(tmp_path / "shop.yaml"), "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["system_after"] == "Always look into the stock before you answer."
    asked = len(talk.seen)
    again = CliRunner().invoke(main, ["optimize", str(tmp_path / "shop.yaml"), "--json"])
    assert again.exit_code == 0 and len(talk.seen) == asked, "the agent's replies were not found again"
