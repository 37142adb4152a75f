"""The models that a run may ask; of several base models, that they differ, and that what counts of them stays."""

from collections.abc import Mapping
from typing import Any

from ..domain.calls import Role
from ..domain.errors import ConfigError
from ..models.spec import ModelSpec
from .context import Context, names_of
from .resources import Workspace


def check_differ(workspace: Workspace) -> None:
    """Raise ConfigError for two base models that are one: its scores would count twice."""
    names = names_of(workspace.context.base_models)
    for task in workspace.tasks.values():
        known: dict[str, str] = {}
        for name, one in zip(names, workspace.each, strict=False):
            same = known.setdefault(one.evaluation_id(task, ("", ""), "test"), name)
            if same != name:
                raise ConfigError(f"base: {same} and {name} are the same model, asked alike; name it once")


def check_counting(run: str, before: Mapping[str, Any], now: Context) -> None:
    """Raise ConfigError where other scores of several base models would count than those that have selected."""
    was = before.get("bases", now.bases)
    if isinstance(before.get("base"), list) and was != now.bases:
        raise ConfigError(
            f"bases: run {run[:8]} selects by the {was} of its base models' scores, and goes on so; for the {now.bases}, "
            f"start a run from one of its rounds: metaspo branch {run[:8]} --set bases={now.bases}"
        )


def asked_models(workspace: Workspace) -> list[tuple[Role, ModelSpec]]:
    """Every model that the run may ask, with its role."""
    asked: list[tuple[Role, ModelSpec]] = [("base", base.spec) for base in workspace.bases]
    asked += [("optimizer", workspace.optimizer.spec)] if workspace.optimizer else []
    asked += [("analyst", workspace.analyst.spec)] if workspace.analyst else []
    return [*asked, *(("judge", judge.spec) for judge in workspace.judges.values())]
