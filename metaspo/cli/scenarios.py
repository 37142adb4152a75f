"""`generalize` and `adapt`: what a system prompt is worth on tasks that it was not made for."""

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from ..domain.intervals import Difference
from ..runs.config import parse_setting
from ..store import runs
from ..store.database import Store
from ..studies.adapt import SHARES, Adaptation, adapt, plan_adaptation
from ..studies.generalize import GeneralizationReport, generalization_config, generalize, open_generalization
from .options import BASE, JSON, OPTIMIZER, SEED, SETTINGS, STORE, names, stopped
from .progress import Progress, Several
from .show import console

PROMPT = click.option("--prompt", required=True, help="The system prompt in question: a text file, a run's id, or last.")
AGAINST = click.option("--against", help="The one to compare with, named alike; 'You are a helpful assistant.' if none.")
TASKS = names("--tasks", "Tasks, by name or file. The run's target tasks if none.")


def given(options: dict[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    """The options that were set, with --set on top."""
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
@SEED
@SETTINGS
@STORE
@JSON
def generalize_command(
    prompt: str, against: str | None, settings: tuple[str, ...], store: str, as_json: bool, **options: Any
) -> None:
    """Score a system prompt on tasks it was not made for, under several user prompts each, against another one.

    What is interrupted goes on with 'metaspo resume'.
    """
    config = generalization_config(prompt, given(options, settings), against=against, store=store)
    with Progress(quiet=as_json) as progress:
        report = generalize(config, listener=progress.listen)
    show_generalization(report, as_json)
    if report.stopped is not None:
        stopped(report.stopped, f"metaspo resume {report.run.id[:8]} --store {report.store}")


def show_if_generalization(store: str, name: str, as_json: bool) -> bool:
    """Show a run if it is one of generalization; whether it was."""
    with closing(Store(store, create=False)) as opened:
        method = runs.find(opened.db, name).method
    if method == "generalize":
        show_generalization(open_generalization(store, name), as_json)
    return method == "generalize"


def show_generalization(report: GeneralizationReport, as_json: bool) -> None:
    """The report as JSON, or as a table with honest words."""
    if as_json:
        data = asdict(report)
        data["run"] = {"id": report.run.id, "status": report.run.status, "reason": report.run.reason}
        data["stopped"] = report.stopped and str(report.stopped)
        for task, one in zip(data["tasks"], report.tasks, strict=True):
            task["win_rate"] = one.win_rate
        click.echo(json.dumps(data, ensure_ascii=False, indent=2))
        return
    made = Table(
        title="Test scores of two system prompts, same user prompts", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0)
    )
    for name in ("task", "n", "ours", "±", "95%", "theirs", "change", "95%", "wins", "ma-\njority"):
        made.add_column(name, justify="left" if name == "task" else "right", min_width=19 if name == "task" else None)
    for task in report.tasks:
        spread = f"{100 * task.ours.spread:.1f}"
        made.add_row(
            task.task,
            f"{task.examples}x{len(task.ours.scores)}",
            *_scores(task.ours.mean, spread, task.theirs.mean, task.difference),
            f"{100 * task.win_rate:.0f}",
            f"{100 * task.majority:.1f}",
        )
    if report.overall:
        each = report.overall
        made.add_row("mean", "", *_scores(each.ours, "", each.theirs, each.difference), "", "", style="bold")
    console.print(made)
    console.print(
        Text(
            "All in %. n is examples x user prompts; ± the standard deviation over user prompts; 95% the interval over "
            "examples; wins the share of user prompts under which ours does better, ties counted half; majority what the "
            "commonest answer scores."
        )
    )
    for task in report.tasks:
        if task.ours.unparsed or task.theirs.unparsed:
            share = f"{100 * task.ours.unparsed:.0f}% of replies with ours, {100 * task.theirs.unparsed:.0f}% with theirs"
            console.print(Text(f"{task.task}: no readable answer in {share}."))
    if report.overall:
        noise = report.overall.difference.is_noise
        console.print(Text(f"The difference is {'within noise' if noise else 'real at the 95% level'}."))
    if report.dropped:
        console.print(Text(f"{report.dropped} user prompts were dropped: the optimizer wrote none that could be used."))
    console.print(Text(f"Paid: {report.usage.total_calls:,} calls. Run {report.run.id[:8]} in {report.store}."))


@click.command("adapt")
@PROMPT
@AGAINST
@TASKS
@click.option("--shares", default=",".join(f"{share:g}" for share in SHARES), show_default=True, help="Of the training data.")
@click.option("--parallel", type=click.IntRange(1), default=2, show_default=True, help="Searches at the same time.")
@BASE
@OPTIMIZER
@SEED
@SETTINGS
@STORE
@JSON
def adapt_command(
    prompt: str, against: str | None, shares: str, parallel: int, settings: tuple[str, ...], store: str, as_json: bool,
    **options: Any,
) -> None:  # fmt: skip
    """Search user prompts under a frozen system prompt, and show the test score by round and by share of training data.

    The prompts of a round are the ones that training examples chose. The same command again goes on
    with what was interrupted.
    """
    parts = [_number(part) for part in shares.split(",") if part.strip()]
    plan = plan_adaptation(prompt, given(options, settings), against=against, shares=parts, store=store)
    found = adapt(plan, parallel=parallel, listener=Several(quiet=as_json).listen)
    show_adaptation(found, as_json)
    if found.stopped is not None:
        stopped(found.stopped, "the same command")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no number; write shares like 0.25,0.5,1", param_hint="--shares") from error


def show_adaptation(found: Adaptation, as_json: bool) -> None:
    """The curves as JSON, or as a table: rounds down, searches across."""
    if as_json:
        data = asdict(found)
        data["stopped"] = found.stopped and str(found.stopped)
        data["reached"] = found.reached()
        for plain, one in zip(data["curves"], found.curves, strict=True):
            plain["means"] = [dict(zip(("round", "selecting", "test"), row, strict=True)) for row in one.means()]
        click.echo(json.dumps(data, ensure_ascii=False, indent=2))
        return
    made = Table(title="Mean test score by round, with as many training examples a task", box=SIMPLE_HEAD, pad_edge=False)
    made.add_column("round", justify="right")
    for curve in found.curves:
        made.add_column(f"{curve.side}, {curve.train_size}", justify="right")
    means = [{round: test for round, _, test in curve.means()} for curve in found.curves]
    for round in sorted({round for curve in means for round in curve}):
        values = [curve.get(round) for curve in means]
        made.add_row(str(round), *("" if value is None else f"{100 * value:.1f}" for value in values))
    console.print(made)
    console.print(Text("ours is the system prompt in question, theirs the other one. No test score chose a prompt."))
    for reached in found.reached():
        when = f"in round {reached['rounds']}" if reached["rounds"] is not None else "in no round"
        console.print(
            Text(
                f"With {reached['train_size']} training examples, ours does as well as theirs does in the end with all of "
                f"them ({100 * reached['score']:.1f}) {when}."
            )
        )


def _scores(ours: Difference, spread: str, theirs: Difference, change: Difference) -> tuple[str, ...]:
    value = f"{100 * change.value:+.1f}"
    return f"{100 * ours.value:.1f}", spread, _interval(ours), f"{100 * theirs.value:.1f}", value, _interval(change, "+")


def _interval(value: Difference, sign: str = "") -> str:
    return f"{100 * value.low:{sign}.0f}…{100 * value.high:{sign}.0f}"
