"""The functions that a task brings: imported, or given in Python, and the fingerprints of their code."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

from ..domain.errors import TaskError
from ..domain.importing import import_attribute
from ..domain.source import fingerprint, installed_version
from .given import OBJECT, given, short
from .scores.own_metric import OwnMetric, own_metric
from .spec import TaskSpec

HINTS: Mapping[type[BaseException], str] = {
    ModuleNotFoundError: "put its module beside the task file, in the working directory or on PYTHONPATH",
    AttributeError: "name a function that the module has",
}


def load_callable(name: str, spec: TaskSpec, role: str) -> Callable[..., Any]:
    """The function behind `package.module:function`, or one that was given in Python.

    The working directory and the task's folder count as import paths. Raises TaskError where it is not to be had.
    """
    if name.startswith(OBJECT):
        return _given(name, spec, role)
    module = name.partition(":")[0]
    try:
        found: object = import_attribute(name, spec._folder)
    except (Exception, SystemExit) as error:
        hint = HINTS.get(type(error), "mend the module")
        raise TaskError(f"task '{spec.name}': {role} {name} cannot be imported: {error!r}; {hint}") from error
    own = spec._folder and spec._folder.joinpath(*module.split(".")).with_suffix(".py")
    loaded = getattr(sys.modules[module], "__file__", None)
    if own and own.is_file() and loaded and not own.samefile(loaded):
        raise TaskError(f"task '{spec.name}': {role} {name} was found in {loaded}, not in {own}; rename one of the two files")
    if not callable(found):
        raise TaskError(f"task '{spec.name}': {role} {name} is {type(found).__name__}, not a function; name a function")
    return found


def _given(name: str, spec: TaskSpec, role: str) -> Callable[..., Any]:
    found = given(name, spec.metric.version if role == "metric" else spec.reader.version)
    if found is None:
        raise TaskError(
            f"task '{spec.name}': {role} {short(name)} was given in Python, as a function that cannot be imported; go on from "
            "Python with the same function, or put it into a module and begin anew with module:function"
        )
    return found


def metric_of(spec: TaskSpec) -> OwnMetric | None:
    """The metric of a person's own; None where a task has another one. Raises TaskError where it cannot be called."""
    name = spec.metric.own
    if name is None:
        return None
    try:
        return own_metric(load_callable(name, spec, "metric"))
    except ValueError as problem:
        raise TaskError(f"task '{spec.name}': metric {short(name)} {problem}") from None


def looks_at_rows(spec: TaskSpec) -> bool:
    """Whether a task's metric takes the whole row, which is then part of each example."""
    found = metric_of(spec)
    return found is not None and "row" in found.names


def code_of(name: str, spec: TaskSpec, role: str) -> str:
    """The fingerprint of the code behind a function's name, which has been loaded; see metaspo/domain/source.py.

    Raises TaskError where the code is no text that could be read and no installed package either, which has a version.
    """
    if name.startswith(OBJECT):
        return name  # It holds the fingerprint.
    module = name.partition(":")[0]
    found = fingerprint(module, spec._folder) or installed_version(module)
    if found is None:
        raise TaskError(
            f"task '{spec.name}': the code of {role} {name} cannot be read, so that a change of it would go unseen; "
            f"give the {role} a version, such as version: 1, and another one whenever it changes"
        )
    return found
