"""What a run was given, as short lines for a page: no example of a task, no secret, nothing that stands elsewhere on it."""

import json
from collections.abc import Mapping
from typing import Any

from ...domain.excerpts import excerpt
from ...domain.redaction import redact
from ...store.runs import Run
from ...workspace.generalization import GENERALIZE
from ..places import file_name, name_of

LONGEST = 300
"""Characters that are shown of a value."""

ELSEWHERE = ("system_prompt", "against", "user_prompts", "method", "start", "optimizer_prompts", "sizes")
"""Settings that are prompts, or that a page shows in their own place."""

MODELS = ("base", "optimizer", "analyst")


def facts(run: Run, store: str) -> list[tuple[str, str]]:
    """Names and values: which run it is, where it is, its models, and whatever was set."""
    problem, context = run.config.get("problem", {}), run.config.get("context", {})
    sizes = run.config.get("settings", {})
    if run.method == GENERALIZE:
        # It searches nothing: of the sizes only these say anything.
        sizes = {key: sizes[key] for key in ("train_size", "test_size") if key in sizes}
    # What was set, and where nothing was, what that came to.
    given = {**sizes, **{key: value for key, value in problem.items() if value is not None}}
    found: dict[str, Any] = {
        "run": run.id,
        "store": file_name(store),
        "status": run.status + (f": {run.reason}" if run.reason else ""),
        "began": run.created,
        "worked for": f"{run.seconds:,.0f} s",
        "version of metaspo": run.version,
        "method": run.method,
        **{role: labels(context[role]) for role in MODELS if context.get(role)},
        "of several base models": context.get("bases") if isinstance(context.get("base"), list) else None,
        "budget": {key: value for key, value in (context.get("budget") or {}).items() if value is not None},
        **{key: value for key, value in given.items() if key not in ELSEWHERE},
    }
    return rows(found)


def rows(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Settings as text, without those that say nothing."""
    return [(key, shown(key, value)) for key, value in found.items() if value not in (None, "", [], {}, False)]


def shown(key: str, value: Any) -> str:
    """A setting's value on a line: tasks by their names, what is long by its beginning, nothing that looks like a key."""
    if key in ("tasks", "targets") and isinstance(value, list):
        return ", ".join(str(task.get("name", "?")) if isinstance(task, dict) else name_of(str(task)) for task in value)
    if key in MODELS:
        return labels(value)
    if isinstance(value, list) and value and all(isinstance(one, str | int | float) for one in value):
        return ", ".join(shown(key, one) for one in value)
    text = name_of(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return excerpt(redact(text), LONGEST)


def labels(spec: Any) -> str:
    """The names of models."""
    if isinstance(spec, list):
        return ", ".join(map(labels, spec))
    return f"{spec.get('provider')}:{name_of(str(spec.get('name')))}" if isinstance(spec, dict) else str(spec)
