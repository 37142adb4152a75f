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
    )  # fmt: skip
    from .graph.bilevel import build as build_graph
    from .methods.failures import candidate_random
    from .models.background import opened
    from .models.langchain import program
    from .models.spec import ModelSpec
    from .reports.compare import compare
    from .reports.curve import open_curve
    from .reports.export import chat_template
    from .reports.failures import open_failures
    from .reports.generalization import open_generalization
    from .reports.kept.push import Pushed, push
    from .reports.notebook.live import progress
    from .reports.report import Report, open_report
    from .reports.verification.verify import Verification, averify, verify
    from .runs.branch import abranch, branch
    from .runs.config import RunConfig, read_config
    from .runs.merge import Merged, amerge, amove, merge, move
    from .runs.optimize import Result, aoptimize, aresume, optimize, resume
    from .runs.plan import plan
    from .runs.tool import brief, optimization_tool
    from .studies.adapt import aadapt, adapt, plan_adaptation
    from .studies.any_page import open_page
    from .studies.generalize import ageneralize, generalization_config, generalize
    from .studies.study import arun_study, plan_study, read_study, run_study
    from .studies.study_page import study_page
    from .studies.table import study_report
    from .tasks.spec import TaskSpec as Task
    from .workspace.context import Context
    from .workspace.method import Method, Proposal, Proposer, Step, known_methods, register
    from .workspace.problem import Problem
    from .workspace.resources import Workspace
    from .workspace.search import SearchWorkspace
    from .workspace.settings import Settings
    from .workspace.state import Job

    __version__: str

_NAMES = {
    "domain.errors": "AwaitsApproval BudgetSpent ConfigError EditError EndpointUnavailable Interrupted MetaspoError "
    "MissingExtraError ModelError PromptError RunHeldError RunStopped StoreError TaskError UserError",
    "graph.bilevel": "build_graph",
    "methods.failures": "candidate_random",
    "models.background": "opened",
    "models.langchain": "program",
    "models.spec": "ModelSpec",
    "reports.compare": "compare",
    "reports.curve": "open_curve",
    "reports.export": "chat_template",
    "reports.failures": "open_failures",
    "reports.generalization": "open_generalization",
    "reports.kept.push": "Pushed push",
    "reports.notebook.live": "progress",
    "reports.report": "Report open_report",
    "reports.verification.verify": "Verification averify verify",
    "runs.branch": "abranch branch",
    "runs.config": "RunConfig read_config",
    "runs.merge": "Merged amerge amove merge move",
    "runs.optimize": "Result aoptimize aresume optimize resume",
    "runs.plan": "plan",
    "runs.tool": "brief optimization_tool",
    "studies.adapt": "aadapt adapt plan_adaptation",
    "studies.any_page": "open_page",
    "studies.generalize": "ageneralize generalization_config generalize",
    "studies.study": "arun_study plan_study read_study run_study",
    "studies.study_page": "study_page",
    "studies.table": "study_report",
    "tasks.spec": "Task",
    "workspace.context": "Context",
    "workspace.method": "Method Proposal Proposer Step known_methods register",
    "workspace.problem": "Problem",
    "workspace.resources": "Workspace",
    "workspace.search": "SearchWorkspace",
    "workspace.settings": "Settings",
    "workspace.state": "Job",
}
"""The public names by the module that defines them."""

_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}
_NAMED_THERE = {"Task": "TaskSpec", "build_graph": "build"}
"""Names that a module has under another name."""

_WITHOUT_METHODS = ("domain.", "models.", "tasks.", "reports.")
"""Rooms in which nothing looks a method up."""

__all__ = [
    "AwaitsApproval", "BudgetSpent", "ConfigError", "Context", "EditError", "EndpointUnavailable", "Interrupted", "Job",
    "Merged", "MetaspoError", "Method", "MissingExtraError", "ModelError", "ModelSpec", "Problem", "PromptError", "Proposal",
    "Proposer", "Pushed", "Report", "Result", "RunConfig", "RunHeldError", "RunStopped", "SearchWorkspace", "Settings", "Step",
    "StoreError", "Task", "TaskError", "UserError", "Verification", "Workspace", "aadapt", "abranch", "adapt", "ageneralize",
    "amerge", "amove", "aoptimize", "aresume", "arun_study", "averify", "branch", "brief", "build_graph", "candidate_random",
    "chat_template", "compare", "generalization_config", "generalize", "known_methods", "merge", "move", "open_curve",
    "open_failures", "open_generalization", "open_page", "open_report", "opened", "optimization_tool", "optimize", "plan",
    "plan_adaptation", "plan_study", "program", "progress", "push", "read_config", "read_study", "register", "resume",
    "run_study", "study_page", "study_report", "verify",
]  # fmt: skip


if not TYPE_CHECKING:  # a type checker that saw it would take any name for a public one

    def __getattr__(name: str) -> Any:
        """Load a public name when it is first used, since the rooms behind it cost seconds."""
        if name == "__version__":
            from importlib.metadata import version

            value: Any = version(__name__)
        elif name in _HOMES:
            module = _HOMES[name]
            if not module.startswith(_WITHOUT_METHODS):
                # Registers the built-in methods, whichever name is used first.
                import_module(".methods.builtin", __name__)
            value = getattr(import_module(f".{module}", __name__), _NAMED_THERE.get(name, name))
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
