"""The commands that read what a store holds of its runs."""

import sys
from pathlib import Path

import click

from ..domain.errors import ConfigError
from . import show
from .options import JSON, STORE
from .screen import hand_over, say, say_json


@click.command("runs")
@STORE
@JSON
def runs_command(store: str, as_json: bool) -> None:
    """List the runs of a store."""
    from ..reports.listing import list_runs

    rows = list_runs(store)
    say_json(rows) if as_json else show.runs(rows)


@click.command("show")
@click.argument("run", default="last")
@click.option(
    "--errors", is_flag=True, help="Instead, what the prompts found still get wrong on the test split, with the replies."
)
@click.option("--task", help="With --errors: of this task alone.")
@click.option("--limit", type=click.IntRange(0), help="With --errors: so many examples of each task, 0 for all; 20 if none.")
@STORE
@JSON
def show_command(run: str, errors: bool, task: str | None, limit: int | None, store: str, as_json: bool) -> None:
    """Show a RUN: its prompts before and after, its scores by task, and where the winner came from."""
    if errors:
        _show_errors(run, task, limit, store, as_json)
        return
    if task is not None or limit is not None:
        raise ConfigError(f"{'--limit' if task is None else '--task'} belongs to --errors; add that, or leave it out")
    from ..reports import export
    from ..reports.any_run import open_any
    from ..reports.report import Report
    from .show_scenarios import show_generalization

    found = open_any(store, run)
    if not isinstance(found, Report):
        show_generalization(found, as_json)
    else:
        say_json(export.as_data(found)) if as_json else show.run(found)


def _show_errors(run: str, task: str | None, limit: int | None, store: str, as_json: bool) -> None:
    from ..reports.failures import LONGEST, open_failures
    from .show_examples import show_failures

    found = open_failures(store, run, task, LONGEST if limit is None else limit)
    say_json(found.as_data()) if as_json else show_failures(found)


@click.command("verify")
@click.argument("run", required=False)
@STORE
@JSON
def verify_command(run: str | None, store: str, as_json: bool) -> None:
    """Find again what is recorded of a RUN, or of all runs: outcomes from replies, means, decisions. No model is asked."""
    from dataclasses import asdict

    from ..reports.verification.verify import verify
    from .show_verification import show_verification

    found = verify(run, store=store)
    say_json(asdict(found)) if as_json else show_verification(found)
    if not found.well:
        sys.exit(1)


@click.command("history")
@click.argument("run", default="last")
@STORE
@JSON
def history_command(run: str, store: str, as_json: bool) -> None:
    """List the rounds of a RUN: level, score, checkpoint, system prompt."""
    from ..reports.history import history

    rows = history(store, run)
    say_json(rows) if as_json else show.history(rows)


@click.command("diff")
@click.argument("first")
@click.argument("second", default="last")
@STORE
@JSON
def diff_command(first: str, second: str, store: str, as_json: bool) -> None:
    """Compare two runs side by side: settings, prompts, test scores."""
    from ..reports.compare import compare
    from ..reports.report import open_report

    found = compare(open_report(store, first), open_report(store, second))
    say_json(found) if as_json else show.comparison(found)


FORMS = ("json", "text", "messages", "langchain")
"""Those of metaspo/reports/export.py, which costs half a second to import; a test holds the two alike."""


@click.command("export")
@click.argument("run", default="last")
@click.option("--format", "form", type=click.Choice(FORMS), default="json", show_default=True)
@click.option("--task", help="The task whose user prompt to export; needed by messages and langchain if there are several.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
@STORE
def export_command(run: str, form: str, task: str | None, output: Path | None, store: str) -> None:
    """Write the prompts of a RUN: JSON, plain text, OpenAI messages, or a LangChain ChatPromptTemplate."""
    from ..reports.export import export
    from ..reports.report import open_report

    found = open_report(store, run)
    text = export(found, form, task)
    if form != "json":
        # What a program reads holds no room for it, whoever exports is told all the same.
        say(found.verdict_says, err=True)
    if output:
        if not output.absolute().parent.is_dir():
            raise ConfigError(f"--output {output}: there is no folder {output.parent}; make it first")
        output.write_text(text + "\n", encoding="utf-8")
        say(f"wrote {output}")
    else:
        hand_over(text, as_json=form != "text")
