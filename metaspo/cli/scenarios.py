"""`generalize` and `adapt`: what a system prompt is worth on tasks that it was not made for."""

from collections.abc import Sequence
from typing import Any

import click

from ..prompts.renderer import DEFAULT_SYSTEM_PROMPT
from .options import ANALYST, BASE, JSON, OPTIMIZER, OPTIMIZER_PROMPTS, SEED, SETTINGS, STORE, names, stopped
from .show_plan import show_plan
from .show_scenarios import show_adaptation, show_generalization

PROMPT = click.option("--prompt", required=True, help="The system prompt in question: a text file, a run's id, or last.")
AGAINST = click.option("--against", help=f"The one to compare with, named alike; {DEFAULT_SYSTEM_PROMPT!r} if none.")
PLAN = click.option("--plan", "plan_only", is_flag=True, help="Only print what it will need at most; no model is called.")
TASKS = names("--tasks", "Tasks, by name or file. The run's target tasks if none.")


def given(options: dict[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    """The options that were set, with --set on top."""
    from ..runs.config import parse_setting

    chosen = {
        key: list(value) if isinstance(value, tuple) else value for key, value in options.items() if value not in (None, ())
    }
    return {**chosen, **dict(parse_setting(text) for text in settings)}


@click.command("generalize")
@PROMPT
@AGAINST
@TASKS
@click.option("--prompts", type=int, help="User prompts to induce per task; 10 if none.")
@click.option("--user-prompts", help="A YAML file with user prompts by task, used as they are.")
@click.option("--test-size", type=int, help="Examples to score on per task, at most.")
@BASE
@OPTIMIZER
@OPTIMIZER_PROMPTS
@SEED
@SETTINGS
@PLAN
@STORE
@JSON
def generalize_command(
    prompt: str, against: str | None, settings: tuple[str, ...], plan_only: bool, store: str, as_json: bool, **options: Any
) -> None:
    """Score a system prompt on tasks it was not made for, under several user prompts each, against another one.

    What is interrupted goes on with 'metaspo resume'.
    """
    from ..studies.generalize import generalization_config, generalize
    from .progress import Progress

    config = generalization_config(prompt, given(options, settings), against=against, store=store)
    if plan_only:
        from ..studies.plans import plan_generalization

        show_plan(plan_generalization(config.generalization().check(), config.context()), as_json)
        return
    with Progress(quiet=as_json) as progress:
        report = generalize(config, listener=progress.listen)
    show_generalization(report, as_json)
    if report.stopped is not None:
        from ..reports.commands import command

        stopped(report.stopped, command("resume", report.run.id, report.store))


@click.command("adapt")
@PROMPT
@AGAINST
@TASKS
@click.option("--shares", default="0.25,0.5,1", show_default=True, help="Of the training data.")
@click.option("--parallel", type=click.IntRange(1), default=2, show_default=True, help="Searches at the same time.")
@BASE
@OPTIMIZER
@ANALYST
@OPTIMIZER_PROMPTS
@SEED
@SETTINGS
@PLAN
@STORE
@JSON
def adapt_command(
    prompt: str, against: str | None, shares: str, parallel: int, settings: tuple[str, ...], plan_only: bool, store: str,
    as_json: bool, **options: Any,
) -> None:  # fmt: skip
    """Search user prompts under a frozen system prompt, and show the test score by round and by share of training data.

    The prompts of a round are the ones that training examples chose. The same command again goes on
    with what was interrupted.
    """
    from ..studies.adapt import adapt, plan_adaptation
    from .progress import Several

    parts = [_number(part) for part in shares.split(",") if part.strip()]
    plan = plan_adaptation(prompt, given(options, settings), against=against, shares=parts, store=store)
    if plan_only:
        from ..studies.plans import plan_runs

        show_plan(plan_runs([search for _, _, search in plan.searches]), as_json)
        return
    found = adapt(plan, parallel=parallel, listener=Several(quiet=as_json).listen)
    show_adaptation(found, as_json)
    if found.stopped is not None:
        stopped(found.stopped, "the same command")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no number; write shares like 0.25,0.5,1", param_hint="--shares") from error
