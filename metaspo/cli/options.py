"""Options that several commands share."""

import sys
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import click

from ..domain.errors import AwaitsApproval, MetaspoError
from ..store.location import default_store
from .screen import say, say_command

F = TypeVar("F", bound=Callable[..., Any])

STORE = click.option("--store", default=default_store, show_default="METASPO_STORE, else metaspo.db", help="The SQLite file.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for a script.")


def _one_or_several(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> str | list[str] | None:
    return list(values) if len(values) > 1 else values[0] if values else None


BASE = click.option(
    "--base",
    multiple=True,
    callback=_one_or_several,
    help="The base model, such as openai:gpt-4o-mini or local:smollm2; may be repeated, so that each of several answers.",
)
OPTIMIZER = click.option("--optimizer", help="The optimizer model.")
ANALYST = click.option("--analyst", help="The model that analyses failures; the optimizer if none.")
OPTIMIZER_PROMPTS = click.option(
    "--optimizer-prompts",
    metavar="DIR",
    help="A folder of optimizer prompts in the place of ours, as 'metaspo prompts' writes it.",
)
TRACK = click.option(
    "--track", metavar="mlflow[:EXPERIMENT]", help="Tell MLflow of rounds and scores while the run is at work; none: no more."
)
SEED = click.option("--seed", type=int, help="Of every random choice.")
GIVEN = "metaspo.settings"
"""Where a command keeps what was set with --set, so that an error can name it."""


def _kept(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    context.meta[GIVEN] = values
    return values


def settings(help: str) -> Callable[[F], F]:
    """The option --set, which takes keys of a config with their values."""
    return click.option("--set", "settings", multiple=True, callback=_kept, metavar="KEY=VALUE", help=help)


SETTINGS = settings("Any other key of the config; budget.calls=1000 reaches into a block.")


def _parts(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())


def names(flag: str, help: str) -> Callable[[F], F]:
    """An option that takes names, separated by commas or given several times."""
    return click.option(flag, multiple=True, callback=_parts, metavar="NAME,...", help=help)


def stopped(reason: MetaspoError, go_on: str) -> NoReturn:
    """Say why a run ended early and how to go on, and leave with the reason's exit code."""
    say(str(reason) if isinstance(reason, AwaitsApproval) else f"stopped: {reason}", err=True)
    say_command("go on with", go_on, err=True)
    sys.exit(reason.exit_code)
