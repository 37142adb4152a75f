"""What the tests of a server talk to it with; each file starts a server of its own."""

from collections.abc import AsyncIterator

import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from ..helpers.agent_server import AgentServer


@pytest.fixture
async def client(server: AgentServer) -> AsyncIterator[LangGraphClient]:
    async with get_client(url=server.url) as client:
        yield client
