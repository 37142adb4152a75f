"""The command that keeps the prompts of a run where prompts are kept."""

from typing import TYPE_CHECKING

import click

from .options import JSON, STORE
from .screen import say, say_json

if TYPE_CHECKING:
    from ..reports.kept.push import Pushed


@click.command("push")
@click.argument("run", default="last")
@click.option("--to", required=True, metavar="PLACE", help="langsmith:NAME, mlflow:NAME, file or file:FOLDER.")
@click.option("--unfinished", is_flag=True, help="Also a run that is not done, with the prompts that it has found so far.")
@click.option("--dry-run", is_flag=True, help="Only say what would be pushed, and what is there already.")
@STORE
@JSON
def push_command(run: str, to: str, unfinished: bool, dry_run: bool, store: str, as_json: bool) -> None:
    """Keep the prompts of a RUN as versions: the system prompt as NAME, each task's user prompt as NAME-TASK.

    The versions say what they scored, whether that is confirmed, and which run they come from. A version
    that is there already is not made again. In LangSmith and MLflow, "confirmed" stands for the newest
    version that is confirmed.
    """
    from ..reports.kept.push import push

    done = push(run, to=to, store=store, unfinished=unfinished, dry_run=dry_run)
    say_json(done.as_data()) if as_json else _show(done)


def _show(done: "Pushed") -> None:
    say(f"{'would go' if done.dry_run else 'kept'} in {done.where}:")
    width = max(len(prompt.name) for prompt in done.prompts)
    for prompt in done.prompts:
        what = f"the user prompt of task '{prompt.task}'" if prompt.task else "the system prompt"
        label = prompt.version or "a new version"
        there = ", there already" if prompt.state == "there" else ""
        say(f"  {prompt.name:{width}}  {label}{there}: {what}")
    for name, became in done.renamed.items():
        say(f"note: '{name}' is no name there, so it is called {became}")
    newer = [prompt.name for prompt in done.prompts if not prompt.confirmed]
    if done.verdict == "confirmed" and not done.dry_run:
        stays = f"note: a newer version is confirmed of {', '.join(newer)}"
        say(stays if newer else "these are the newest confirmed versions there")
    elif done.verdict != "confirmed":
        verdict = "not confirmed yet" if done.verdict == "not yet" else done.verdict
        say(f"note: the verdict on the run is '{verdict}', so 'confirmed' does not move")
