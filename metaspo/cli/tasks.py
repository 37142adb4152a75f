"""The commands on tasks: those there are, getting their data, and trying one before a run pays for it."""

from pathlib import Path
from typing import Any

import click

from ..prompts.renderer import DEFAULT_SYSTEM_PROMPT
from . import show
from .options import BASE, JSON, SETTINGS, stopped
from .screen import say, say_json

SYSTEM = click.option(
    "--system",
    metavar="TEXT",
    default=DEFAULT_SYSTEM_PROMPT,
    show_default=True,
    help="The system prompt, or @ and a file of it.",
)


@click.group()
def tasks() -> None:
    """List, fetch, check, preview and try tasks."""


@tasks.command("list")
@JSON
def tasks_list(as_json: bool) -> None:
    """List the built-in tasks and the paper's."""
    from ..tasks.inspection import list_tasks

    rows = list_tasks()
    say_json(rows) if as_json else show.table(rows)


@tasks.command("fetch")
@click.argument("words", metavar="TASK...", nargs=-1, required=True)
@click.option(
    "--from",
    "folder",
    type=click.Path(exists=True, path_type=Path),
    help="Take the authors' JSON files in this folder (or this one file) instead of the Hugging Face hub.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the draw from the hub's data.")
@click.option("--json", "as_json", is_flag=True, help="Print the manifests as JSON.")
def tasks_fetch(words: tuple[str, ...], folder: Path | None, seed: int, as_json: bool) -> None:
    """Get the data of the paper's tasks: one such as medical/anatomy, a domain, or all.

    Each task is written whole or not at all, with a manifest beside it.
    """
    from ..tasks.inspection import fetch_tasks

    manifests = []
    for manifest in fetch_tasks(words, folder, seed):
        manifests.append(manifest)
        if not as_json:
            say(_line(manifest))
    if as_json:
        say_json(manifests)


def _line(manifest: dict[str, Any]) -> str:
    if "missing" in manifest:
        return f"{manifest['task']}: left out, no file {manifest['missing']}"
    counts = ", ".join(f"{one['examples']} {split}" for split, one in manifest["splits"].items())
    dropped = sum(sum(one["dropped"].values()) for one in manifest["splits"].values())
    return f"{manifest['task']}: {counts} examples, {dropped} records left out"


@tasks.command("check")
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--preset",
    type=click.Choice(["paper", "quick", "batch"]),
    help="The sizes that there should be rows for; quick for built-in tasks, else paper, if none.",
)
@click.option("--base", metavar="SPEC", help="The base model whose context the prompts should fit; it is not asked.")
@JSON
def tasks_check(files: tuple[str, ...], preset: str | None, base: str | None, as_json: bool) -> None:
    """Check task files or built-in tasks: data, labels, prompts, splits, the judge's model.

    What would stop a run is an error. What only may be wrong is a warning: too few rows, answers that are all or nearly
    all the same, questions that say the same, prompts that are too long, labels that nobody names. No model is asked.
    """
    from ..runs.checked import check_task

    rows = [check_task(file, preset, base) for file in files]
    if as_json:
        say_json(rows)
        return
    show.table([{key: value for key, value in row.items() if key != "warnings"} for row in rows])
    for row in rows:
        for warning in row["warnings"]:
            say(f"warning: {row['task']}: {warning}", err=True)


@tasks.command("diff")
@click.argument("before", metavar="BEFORE")
@click.argument("after", metavar="AFTER")
@JSON
def tasks_diff(before: str, after: str, as_json: bool) -> None:
    """Say what changed between two files of one task: examples new, gone, with another answer; reader, metric, prompt."""
    from ..tasks.changes import changes_say
    from ..tasks.inspection import differences

    found = differences(before, after)
    say_json(found.as_data()) if as_json else say("\n".join(changes_say(found, before)))


@tasks.command("preview")
@click.argument("file")
@SYSTEM
@JSON
def tasks_preview(file: str, system: str, as_json: bool) -> None:
    """Show one call exactly as a model would get it, and the answer that is expected."""
    from ..runs.prompt_source import written_or_in_file
    from ..tasks.inspection import preview

    shown = preview(file, written_or_in_file(system))
    say_json(shown) if as_json else show.preview(shown)


@tasks.command("try")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@BASE
@click.option(
    "--optimizer", "--judge", "optimizer", metavar="SPEC", help="The model that grades, for tasks whose judge names none."
)
@SYSTEM
@click.option("--examples", "size", type=click.IntRange(1), default=5, show_default=True, help="How many, at most.")
@click.option("--store", help="The SQLite file; METASPO_STORE or metaspo.db if none.")
@SETTINGS
@JSON
def tasks_try(files: tuple[str, ...], size: int, system: str, settings: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Put some examples of tasks to the base model, and show request, reply, the answer as it was read, and its score.

    The examples are none that a run would test. Calls are recorded in the store, and a run that asks the same pays
    nothing for them.
    """
    from ..runs.config import parse_setting, read_config
    from ..runs.prompt_source import written_or_in_file
    from ..runs.trial import as_data, try_task
    from .show_examples import show_trial

    given = {key: value for key, value in options.items() if value}
    given = {**given, "system_prompt": written_or_in_file(system), **dict(parse_setting(text) for text in settings)}
    trials = []
    for file in files:
        trials.append(trial := try_task(read_config(None, {**given, "tasks": [file]}), size))
        if not as_json:
            show_trial(trial)
        if trial.stopped is not None:
            break
    if as_json:
        say_json([as_data(trial) for trial in trials])
    if trials[-1].stopped is not None:
        stopped(trials[-1].stopped, "the same command")
