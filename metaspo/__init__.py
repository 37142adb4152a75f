"""metaspo: one system prompt that holds up across many tasks.

Bilevel system prompt optimization (MetaSPO, arXiv 2505.09666) as a LangGraph graph.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .domain.errors import (
        AwaitsApproval,
        BudgetSpent,
        ConfigError,
        EditError,
        EndpointUnavailable,
        Interrupted,
        MetaspoError,
        MissingExtraError,
        ModelError,
        PromptError,
        RunHeldError,
        RunStopped,
        StoreError,
        TaskError,
        UserError,
    )
    from .graph.bilevel import build as build_graph
    from .methods.failures import candidate_random
    from .models.langchain import program
    from .models.registry import opened
    from .models.spec import ModelSpec
    from .reports.curve import open_curve
    from .reports.export import chat_template
    from .reports.generalization import open_generalization
    from .reports.report import Report, open_report
    from .runs.branch import abranch, branch
    from .runs.config import RunConfig, read_config
    from .runs.optimize import Result, aoptimize, aresume, optimize, resume
    from .runs.tool import brief, optimization_tool
    from .studies.adapt import aadapt, adapt, plan_adaptation
    from .studies.generalize import ageneralize, generalization_config, generalize
    from .studies.study import arun_study, plan_study, read_study, run_study
    from .studies.table import study_report
    from .tasks.spec import TaskSpec as Task
    from .workspace.context import Context
    from .workspace.method import Method, Proposal, Proposer, Step, known_methods, register
    from .workspace.problem import Problem
    from .workspace.resources import Workspace
    from .workspace.settings import Settings
    from .workspace.state import Job

    __version__: str

_HOMES = {
    "AwaitsApproval": "domain.errors",
    "BudgetSpent": "domain.errors",
    "ConfigError": "domain.errors",
    "Context": "workspace.context",
    "EditError": "domain.errors",
    "EndpointUnavailable": "domain.errors",
    "Interrupted": "domain.errors",
    "Job": "workspace.state",
    "MetaspoError": "domain.errors",
    "Method": "workspace.method",
    "MissingExtraError": "domain.errors",
    "ModelError": "domain.errors",
    "ModelSpec": "models.spec",
    "Problem": "workspace.problem",
    "PromptError": "domain.errors",
    "Proposal": "workspace.method",
    "Proposer": "workspace.method",
    "Report": "reports.report",
    "Result": "runs.optimize",
    "RunConfig": "runs.config",
    "RunHeldError": "domain.errors",
    "RunStopped": "domain.errors",
    "Settings": "workspace.settings",
    "Step": "workspace.method",
    "StoreError": "domain.errors",
    "Task": "tasks.spec:TaskSpec",
    "TaskError": "domain.errors",
    "UserError": "domain.errors",
    "Workspace": "workspace.resources",
    "aadapt": "studies.adapt",
    "abranch": "runs.branch",
    "adapt": "studies.adapt",
    "ageneralize": "studies.generalize",
    "aoptimize": "runs.optimize",
    "aresume": "runs.optimize",
    "arun_study": "studies.study",
    "branch": "runs.branch",
    "brief": "runs.tool",
    "build_graph": "graph.bilevel:build",
    "candidate_random": "methods.failures",
    "chat_template": "reports.export",
    "generalization_config": "studies.generalize",
    "generalize": "studies.generalize",
    "known_methods": "workspace.method",
    "open_curve": "reports.curve",
    "open_generalization": "reports.generalization",
    "open_report": "reports.report",
    "opened": "models.registry",
    "optimization_tool": "runs.tool",
    "optimize": "runs.optimize",
    "plan_adaptation": "studies.adapt",
    "plan_study": "studies.study",
    "program": "models.langchain",
    "read_config": "runs.config",
    "read_study": "studies.study",
    "register": "workspace.method",
    "resume": "runs.optimize",
    "run_study": "studies.study",
    "study_report": "studies.table",
}
"""Where each public name is defined, as module or module:name-there."""

_WITHOUT_METHODS = ("domain.", "models.", "tasks.", "reports.")
"""Rooms in which nothing looks a method up."""

__all__ = [
    "AwaitsApproval",
    "BudgetSpent",
    "ConfigError",
    "Context",
    "EditError",
    "EndpointUnavailable",
    "Interrupted",
    "Job",
    "MetaspoError",
    "Method",
    "MissingExtraError",
    "ModelError",
    "ModelSpec",
    "Problem",
    "PromptError",
    "Proposal",
    "Proposer",
    "Report",
    "Result",
    "RunConfig",
    "RunHeldError",
    "RunStopped",
    "Settings",
    "Step",
    "StoreError",
    "Task",
    "TaskError",
    "UserError",
    "Workspace",
    "aadapt",
    "abranch",
    "adapt",
    "ageneralize",
    "aoptimize",
    "aresume",
    "arun_study",
    "branch",
    "brief",
    "build_graph",
    "candidate_random",
    "chat_template",
    "generalization_config",
    "generalize",
    "known_methods",
    "open_curve",
    "open_generalization",
    "open_report",
    "opened",
    "optimization_tool",
    "optimize",
    "plan_adaptation",
    "plan_study",
    "program",
    "read_config",
    "read_study",
    "register",
    "resume",
    "run_study",
    "study_report",
]


if not TYPE_CHECKING:  # a type checker that saw it would take any name for a public one

    def __getattr__(name: str) -> Any:
        """Load a public name when it is first used, since the rooms behind it cost seconds."""
        if name == "__version__":
            from importlib.metadata import version

            value: Any = version(__name__)
        elif name in _HOMES:
            module, _, inside = _HOMES[name].partition(":")
            if not module.startswith(_WITHOUT_METHODS):
                # Registers the built-in methods, whichever name is used first.
                import_module(".methods.builtin", __name__)
            value = getattr(import_module(f".{module}", __name__), inside or name)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
