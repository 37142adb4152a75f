"""The optimization as an MCP tool: any MCP client can call it through the server's /mcp.

    pip install mcp
    langgraph dev --no-browser &                 # in the project's folder
    python examples/mcp_client.py                # the built-in model on the server, minutes
    python examples/mcp_client.py --base scripted:dice --optimizer scripted:dice

Every assistant of the server is a tool, its input schema that of the graph, and its result JSON. Models are
no matter of the caller's: they are set once, in the assistant's context.
"""

import argparse
import asyncio
import json
from collections.abc import Sequence
from typing import Any

from langgraph_sdk import get_client
from mcp import Client

import metaspo

NAME = "prompt_optimizer"
PROBLEM = {"tasks": ["app_reviews"], "targets": [], "preset": "quick", "sizes": {"iterations": 1, "test_size": 10}}


async def offer(url: str, context: dict[str, Any]) -> None:
    """Make an assistant that works with these models, or give it these models."""
    async with get_client(url=url) as client:
        known = await client.assistants.search(name=NAME)
        about = "Improve a system prompt on examples of its tasks. Returns the best prompt found and the scores by round."
        if known:
            await client.assistants.update(known[0]["assistant_id"], context=context, description=about)
        else:
            await client.assistants.create("metaspo", name=NAME, context=context, description=about)


async def call(url: str) -> dict[str, Any]:
    """Find the tool by its name, tell what it takes, call it."""
    async with Client(f"{url}/mcp") as session:
        tools = {tool.name: tool for tool in (await session.list_tools()).tools}
        print(f"{NAME} takes {', '.join(tools[NAME].input_schema['properties'])}")
        result = await session.call_tool(NAME, PROBLEM)
        [content] = result.content
        assert content.type == "text"
        if result.is_error:
            raise SystemExit(content.text)
        found: dict[str, Any] = json.loads(content.text)
        return found


async def optimize(url: str, context: dict[str, Any]) -> dict[str, Any]:
    """Offer the tool, then use it."""
    await offer(url, context)
    return await call(url)


def main(argv: Sequence[str] | None = None) -> None:
    """Optimize through MCP and print the prompt found."""
    parser = argparse.ArgumentParser(description="The optimization as an MCP tool.")
    parser.add_argument("--url", default="http://127.0.0.1:2024")
    parser.add_argument("--base", default="local:smollm2")
    parser.add_argument("--optimizer", default="local:smollm2,max_tokens=100")
    given = parser.parse_args(argv)
    context = metaspo.Context(base=given.base, optimizer=given.optimizer).model_dump(mode="json", exclude_unset=True)
    found = asyncio.run(optimize(given.url, context))
    print(found["incumbent"]["text"])


if __name__ == "__main__":
    main()
