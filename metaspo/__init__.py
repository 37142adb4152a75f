"""metaspo: one system prompt that holds up across many tasks.

Bilevel system prompt optimization (MetaSPO, arXiv 2505.09666) as a LangGraph graph.
"""

from importlib.metadata import version

from .domain.errors import MetaspoError, RunStopped, UserError
from .graph.bilevel import build as build_graph
from .models.langchain import program
from .models.registry import opened
from .models.spec import ModelSpec
from .reports.export import chat_template
from .reports.report import open_report
from .runs.branch import abranch, branch
from .runs.config import RunConfig, read_config
from .runs.optimize import Result, aoptimize, aresume, optimize, resume
from .runs.tool import optimization_tool
from .studies.generalize import ageneralize, generalize
from .tasks.spec import TaskSpec as Task
from .workspace.context import Context
from .workspace.problem import Problem

__version__ = version("metaspo")

__all__ = [
    "Context",
    "MetaspoError",
    "ModelSpec",
    "Problem",
    "Result",
    "RunConfig",
    "RunStopped",
    "Task",
    "UserError",
    "abranch",
    "ageneralize",
    "aoptimize",
    "aresume",
    "branch",
    "build_graph",
    "chat_template",
    "generalize",
    "open_report",
    "opened",
    "optimization_tool",
    "optimize",
    "program",
    "read_config",
    "resume",
]
