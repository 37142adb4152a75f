"""The commands. Each parses its options, calls `runs` and prints; what it means is decided below."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ..domain.errors import MetaspoError
from ..reports import export as exports
from ..reports.compare import compare
from ..reports.history import history
from ..reports.listing import list_runs
from ..reports.report import open_report
from ..runs.branch import branch_config
from ..runs.config import RunConfig, parse_setting, read_config
from ..runs.optimize import optimize, resume
from ..runs.plan import plan
from ..runs.scaffold import scaffold
from ..tasks.inspection import check_task, list_tasks, preview
from ..workspace.method import known_methods
from . import scenarios, show, study
from .approve import approve_command
from .common import finish, with_progress
from .fetch import fetch
from .options import BASE, JSON, OPTIMIZER, SEED, SETTINGS, STORE
from .serve import serve_command
from .studio import studio


class _Group(click.Group):
    """Turns errors meant for people into one message and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except MetaspoError as error:
            click.echo(f"error: {error}", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            ctx.exit(130)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="metaspo")
def main() -> None:
    """Find one system prompt that holds up across many tasks."""


@main.command()
@click.argument("folder", default=".", type=click.Path(file_okay=False, path_type=Path))
def init(folder: Path) -> None:
    """Write a commented config and a sample task into an empty FOLDER."""
    for path in scaffold(folder):
        click.echo(f"wrote {path}")
    click.echo("next: edit them, then run 'metaspo optimize metaspo.yaml' there")


@main.command("optimize")
@click.argument("config", required=False, type=click.Path(path_type=Path))
@BASE
@OPTIMIZER
@click.option("--task", "tasks", multiple=True, help="A source task, by name or file; may be repeated.")
@click.option("--target", "targets", multiple=True, help="A task that the search never sees; may be repeated.")
@click.option("--method", help="How to search; 'metaspo methods' lists the ways.")
@click.option("--preset", type=click.Choice(["paper", "quick"]), help="Sizes: the paper's, or quick ones.")
@SEED
@click.option("--store", help="The SQLite file; METASPO_STORE or metaspo.db if none.")
@SETTINGS
@click.option("--plan", "plan_only", is_flag=True, help="Only print what the run will need at most; no model is called.")
@JSON
def optimize_command(config: Path | None, as_json: bool, plan_only: bool, settings: tuple[str, ...], **options: Any) -> None:
    """Optimize the system prompt and the user prompts of several tasks.

    CONFIG is a YAML file as 'metaspo init' writes it. Without one, the built-in tasks and the
    built-in model are used.
    """
    given = {key: list(value) if isinstance(value, tuple) else value for key, value in options.items() if value}
    if options["seed"] is not None:
        given["seed"] = options["seed"]
    run_config = read_config(config, {**given, **dict(parse_setting(text) for text in settings)})
    if plan_only:
        _show_plan(run_config, as_json)
        return
    finish(with_progress(as_json, lambda listener: optimize(run_config, listener=listener)), as_json)


def _show_plan(config: RunConfig, as_json: bool) -> None:
    needs = [asdict(need) for need in plan(config)]
    click.echo(json.dumps(needs, indent=2)) if as_json else show.plan(needs)


@main.command("branch")
@click.argument("run", default="last")
@click.option("--at", type=int, help="The round to go on from; the last one of the search if none.")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any key of the config; system_prompt is an edited prompt."
)
@click.option("--plan", "plan_only", is_flag=True, help="Only print what the branch will need at most.")
@STORE
@JSON
def branch_command(run: str, at: int | None, settings: tuple[str, ...], plan_only: bool, store: str, as_json: bool) -> None:
    """Start a new run from a round of RUN with changed settings; RUN stays as it is."""
    config = branch_config(store, run, at, dict(parse_setting(text) for text in settings))
    if plan_only:
        _show_plan(config, as_json)
        return
    finish(with_progress(as_json, lambda listener: optimize(config, listener=listener)), as_json)


@main.command("history")
@click.argument("run", default="last")
@STORE
@JSON
def history_command(run: str, store: str, as_json: bool) -> None:
    """List the rounds of a RUN: level, score, checkpoint, system prompt."""
    rows = history(store, run)
    click.echo(json.dumps(rows, ensure_ascii=False, indent=2)) if as_json else show.history(rows)


@main.command("diff")
@click.argument("first")
@click.argument("second", default="last")
@STORE
@JSON
def diff_command(first: str, second: str, store: str, as_json: bool) -> None:
    """Compare two runs side by side: settings, prompts, test scores."""
    found = compare(open_report(store, first), open_report(store, second))
    click.echo(json.dumps(found, ensure_ascii=False, indent=2)) if as_json else show.comparison(found)


@main.command("resume")
@click.argument("run", default="last")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Replace base, optimizer, approve or a budget (budget.calls=5000).",
)
@STORE
@JSON
def resume_command(run: str, settings: tuple[str, ...], store: str, as_json: bool) -> None:
    """Go on with a RUN (an id's beginning, or the last one) where it stopped."""
    given = dict(parse_setting(text) for text in settings)
    finish(with_progress(as_json, lambda listener: resume(run, store=store, listener=listener, **given)), as_json)


@main.command("runs")
@STORE
@JSON
def runs_command(store: str, as_json: bool) -> None:
    """List the runs of a store."""
    rows = list_runs(store)
    click.echo(json.dumps(rows, indent=2)) if as_json else show.runs(rows)


@main.command("show")
@click.argument("run", default="last")
@STORE
@JSON
def show_command(run: str, store: str, as_json: bool) -> None:
    """Show a RUN: its prompts before and after, its scores by task, and where the winner came from."""
    if scenarios.show_if_generalization(store, run, as_json):
        return
    found = open_report(store, run)
    click.echo(json.dumps(exports.as_data(found), ensure_ascii=False, indent=2)) if as_json else show.run(found)


@main.command("export")
@click.argument("run", default="last")
@click.option("--format", "form", type=click.Choice(list(exports.FORMS)), default="json", show_default=True)
@click.option("--task", help="The task whose user prompt to export; needed by messages and langchain if there are several.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
@STORE
def export_command(run: str, form: str, task: str | None, output: Path | None, store: str) -> None:
    """Write the prompts of a RUN: JSON, plain text, OpenAI messages, or a LangChain ChatPromptTemplate."""
    text = exports.export(open_report(store, run), form, task)
    if output:
        output.write_text(text + "\n", encoding="utf-8")
        click.echo(f"wrote {output}")
    else:
        click.echo(text)


main.add_command(serve_command)
main.add_command(studio)


@main.group()
def tasks() -> None:
    """List, fetch, check and preview tasks."""


tasks.add_command(fetch)


@tasks.command("list")
@JSON
def tasks_list(as_json: bool) -> None:
    """List the built-in tasks and the paper's."""
    rows = list_tasks()
    click.echo(json.dumps(rows, indent=2)) if as_json else show.table(rows)


@tasks.command("check")
@click.argument("files", nargs=-1, required=True)
@JSON
def tasks_check(files: tuple[str, ...], as_json: bool) -> None:
    """Check task files or built-in tasks: data, labels, prompts, splits."""
    rows = [check_task(file) for file in files]
    click.echo(json.dumps(rows, indent=2)) if as_json else show.table(rows)


@tasks.command("preview")
@click.argument("file")
@click.option("--system", default="You are a helpful assistant.", show_default=True, help="The system prompt.")
@JSON
def tasks_preview(file: str, system: str, as_json: bool) -> None:
    """Show one call exactly as a model would get it, and the answer that is expected."""
    shown = preview(file, system)
    click.echo(json.dumps(shown, ensure_ascii=False, indent=2)) if as_json else show.preview(shown)


@main.command()
@JSON
def methods(as_json: bool) -> None:
    """List the ways to search."""
    rows = [{"method": method.name, "what it does": method.description} for method in known_methods()]
    click.echo(json.dumps(rows, indent=2)) if as_json else show.table(rows)


for command in (approve_command, scenarios.generalize_command, scenarios.adapt_command, study.study_command):
    main.add_command(command)
