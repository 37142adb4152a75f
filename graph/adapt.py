"""Test-time adaptation as a graph of its own: the bilevel graph, with the defaults of a search on target tasks."""

from pydantic import Field

from metaspo.workspace.method import user_methods
from metaspo.workspace.problem import ADAPT, Problem
from metaspo.workspace.run_input import SystemPrompt

from ..prompts.renderer import DEFAULT_SYSTEM_PROMPT
from .bilevel import build


class Adaptation(Problem):
    """Which tasks to adapt to under which system prompt; it is frozen. The defaults are the built-in target tasks."""

    system_prompt: SystemPrompt = Field(
        DEFAULT_SYSTEM_PROMPT,
        description="The system prompt, which stays as it is.",
        json_schema_extra={"langgraph_nodes": ["evaluate"], "langgraph_type": "prompt"},
    )
    method: str = Field(
        ADAPT,
        description="How to search: adapt, or another way that leaves the system prompt alone.",
        json_schema_extra=lambda schema: schema.update(enum=[method.name for method in user_methods()]),
    )


graph = build(name="adapt", given=Adaptation)
"""What langgraph.json serves."""
