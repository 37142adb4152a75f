"""The commands that search: a new run, one that goes on, and one that starts from a round of another."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .common import finish, with_progress
from .options import ANALYST, BASE, JSON, OPTIMIZER, OPTIMIZER_PROMPTS, SEED, SETTINGS, STORE, TRACK, settings
from .screen import say
from .show_plan import show_plan

if TYPE_CHECKING:
    from ..runs.config import RunConfig


@click.command("optimize")
@click.argument("config", required=False, type=click.Path(path_type=Path))
@BASE
@OPTIMIZER
@ANALYST
@OPTIMIZER_PROMPTS
@click.option("--task", "tasks", multiple=True, help="A source task, by name or file; may be repeated.")
@click.option("--target", "targets", multiple=True, help="A task that the search never sees; may be repeated.")
@click.option("--method", help="How to search; 'metaspo methods' lists the ways.")
@click.option(
    "--preset",
    type=click.Choice(["paper", "quick", "batch"]),
    help="Sizes: the paper's, quick ones, or few wide rounds for batches.",
)
@SEED
@TRACK
@click.option(
    "--from-run",
    metavar="RUN",
    help="Begin with the prompts that this run of the store ended with: an id's beginning, last, or confirmed (the newest "
    "that is). Without CONFIG its tasks and settings are taken, and the data read again.",
)
@click.option("--allow-unconfirmed", is_flag=True, help="With --from-run: begin with prompts that are not confirmed.")
@click.option("--allow-unchanged", is_flag=True, help="With --from-run: begin even if nothing has changed in the data since.")
@click.option("--store", help="The SQLite file; METASPO_STORE or metaspo.db if none.")
@SETTINGS
@click.option("--plan", "plan_only", is_flag=True, help="Only print what the run will need at most; no model is called.")
@JSON
def optimize_command(config: Path | None, as_json: bool, plan_only: bool, settings: tuple[str, ...], **options: Any) -> None:
    """Optimize the system prompt and the user prompts of several tasks.

    CONFIG is a YAML file as 'metaspo init' writes it. Without one, the built-in tasks and the
    built-in model are used.
    """
    from ..runs.config import parse_setting, read_config

    allowed = {name: options.pop(name) for name in ("allow_unconfirmed", "allow_unchanged")}
    given = {key: list(value) if isinstance(value, tuple) else value for key, value in options.items() if value}
    if options["seed"] is not None:
        given["seed"] = options["seed"]
    given |= {f"from_run.{name}": True for name, is_set in allowed.items() if is_set}
    _plan_or_run(read_config(config, {**given, **dict(parse_setting(text) for text in settings)}), plan_only, as_json)


@click.command("branch")
@click.argument("run", default="last")
@click.option("--at", type=int, help="The round to go on from; the last one of the search if none.")
@settings("Any key of the config; system_prompt is an edited prompt.")
@click.option("--plan", "plan_only", is_flag=True, help="Only print what the branch will need at most.")
@STORE
@JSON
def branch_command(run: str, at: int | None, settings: tuple[str, ...], plan_only: bool, store: str, as_json: bool) -> None:
    """Start a new run from a round of RUN with changed settings; RUN stays as it is."""
    from ..runs.branch import branch_config
    from ..runs.config import parse_setting

    _plan_or_run(branch_config(store, run, at, dict(parse_setting(text) for text in settings)), plan_only, as_json)


def _plan_or_run(config: "RunConfig", plan_only: bool, as_json: bool) -> None:
    from ..runs.optimize import optimize
    from ..runs.plan import plan

    if not as_json and "optimizer" in config.model_fields_set and config.schedule() and not config.asks_optimizer():
        say(f"note: method {config.method} with preset {config.preset} asks no optimizer; --preset paper does", err=True)
    if not as_json and config.analyst and config.schedule() and not config.asks_analyst():
        say(f"note: method {config.method} with preset {config.preset} asks no analyst", err=True)
    began = config.from_run.model_dump(include={"run", "says", "changes"}) if config.from_run else None
    if began and not as_json:
        say("\n".join(began["says"]), err=not plan_only)
    if plan_only:
        show_plan(plan(config), as_json, began)
    else:
        finish(with_progress(as_json, lambda listener: optimize(config, listener=listener)), as_json)


@click.command("resume")
@click.argument("run", default="last")
@settings("Replace base, optimizer, analyst, approve or a budget (budget.calls=5000).")
@TRACK
@STORE
@JSON
def resume_command(run: str, settings: tuple[str, ...], track: str | None, store: str, as_json: bool) -> None:
    """Go on with a RUN (an id's beginning, or the last one) where it stopped."""
    from ..runs.config import parse_setting
    from ..runs.optimize import resume

    given = dict(parse_setting(text) for text in settings) | ({"track": track} if track is not None else {})
    finish(with_progress(as_json, lambda listener: resume(run, store=store, listener=listener, **given)), as_json)
