"""What the tests of a server talk to it with; each file starts a server of its own."""

from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from ..helpers.agent_server import AgentServer

if find_spec("langgraph_api") is None:
    # Without the extra `studio` there is no server to be had.
    collect_ignore = [path.name for path in Path(__file__).parent.glob("test_*.py") if "agent_server" in path.read_text()]


@pytest.fixture
async def client(server: AgentServer) -> AsyncIterator[LangGraphClient]:
    async with get_client(url=server.url) as client:
        yield client
