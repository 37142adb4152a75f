"""The commands on tasks: those there are, getting their data, and trying one before a run pays for it."""

from pathlib import Path
from typing import Any

import click

from ..prompts.renderer import DEFAULT_SYSTEM_PROMPT
from . import show
from .options import JSON
from .screen import say, say_json


@click.group()
def tasks() -> None:
    """List, fetch, check and preview tasks."""


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
@JSON
def tasks_check(files: tuple[str, ...], as_json: bool) -> None:
    """Check task files or built-in tasks: data, labels, prompts, splits."""
    from ..tasks.inspection import check_task

    rows = [check_task(file) for file in files]
    say_json(rows) if as_json else show.table(rows)


@tasks.command("preview")
@click.argument("file")
@click.option("--system", default=DEFAULT_SYSTEM_PROMPT, show_default=True, help="The system prompt.")
@JSON
def tasks_preview(file: str, system: str, as_json: bool) -> None:
    """Show one call exactly as a model would get it, and the answer that is expected."""
    from ..tasks.inspection import preview

    shown = preview(file, system)
    say_json(shown) if as_json else show.preview(shown)
