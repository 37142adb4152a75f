"""`metaspo tasks fetch`: the data of the paper's tasks, into the user's cache."""

import json
from pathlib import Path
from typing import Any

import click

from ..tasks.inspection import fetch_tasks


@click.command("fetch")
@click.argument("words", metavar="TASK...", nargs=-1, required=True)
@click.option(
    "--from",
    "folder",
    type=click.Path(exists=True, path_type=Path),
    help="Take the authors' JSON files in this folder (or this one file) instead of the Hugging Face hub.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the draw from the hub's data.")
@click.option("--json", "as_json", is_flag=True, help="Print the manifests as JSON.")
def fetch(words: tuple[str, ...], folder: Path | None, seed: int, as_json: bool) -> None:
    """Get the data of the paper's tasks: one such as medical/anatomy, a domain, or all.

    Each task is written whole or not at all, with a manifest beside it.
    """
    manifests = []
    for manifest in fetch_tasks(words, folder, seed):
        manifests.append(manifest)
        if not as_json:
            click.echo(_line(manifest))
    if as_json:
        click.echo(json.dumps(manifests, ensure_ascii=False, indent=2))


def _line(manifest: dict[str, Any]) -> str:
    if "missing" in manifest:
        return f"{manifest['task']}: left out, no file {manifest['missing']}"
    counts = ", ".join(f"{one['examples']} {split}" for split, one in manifest["splits"].items())
    dropped = sum(sum(one["dropped"].values()) for one in manifest["splits"].values())
    return f"{manifest['task']}: {counts} examples, {dropped} records left out"
