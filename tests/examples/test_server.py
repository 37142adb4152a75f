"""The examples that talk to a server: one real `langgraph dev` for all."""

from collections.abc import Callable
from types import ModuleType

import pytest

import metaspo

from ..helpers.agent_server import AgentServer
from ..runs.test_server import server, traced
from .conftest import DICE

__all__ = ["server", "traced"]


@pytest.mark.long
@pytest.mark.parametrize("name", ["remote", "mcp_client"])
def test_optimizes_on_the_server(
    name: str, example: Callable[[str], ModuleType], server: AgentServer, capsys: pytest.CaptureFixture[str]
) -> None:
    example(name).main(["--url", server.url, *DICE])
    report = metaspo.open_report(server.store)
    printed = capsys.readouterr().out.strip()
    lines = printed.removesuffix(report.system_after).strip().split("\n")
    assert (
        printed.endswith(report.system_after)
        and report.run.status == "done"
        and [t.name for t in report.tasks] == ["app_reviews"]
    )
    if name == "remote":
        assert [line.split(":")[0] for line in lines] == [f"round {row.round} ({row.level})" for row in report.rounds]
    else:
        assert "tasks" in lines[0] and "system_prompt" in lines[0]
