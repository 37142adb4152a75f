"""The command that shows a person what waits for approval, and takes the answer."""

import asyncio
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TextIO

import click

from ..domain.errors import AwaitsApproval, ConfigError
from .common import finish, with_progress
from .options import JSON, STORE
from .screen import say, say_json
from .show_request import show_request

if TYPE_CHECKING:
    from ..approval.comparison import Change
    from ..approval.review import Request
    from ..runs.optimize import Result


@click.command("approve")
@click.argument("run", default="last")
@click.option("--accept", "decision", flag_value="accept", help="Accept every change that waits.")
@click.option("--reject", "decision", flag_value="reject", help="Reject every change that waits.")
@click.option("--edit", "file", type=click.File(encoding="utf-8"), help="Score the text in this file instead, then ask again.")
@click.option("--stop", "decision", flag_value="stop", help="Leave the run as it stands; it can be answered later.")
@click.option("--answer", metavar="JSON", help="A whole answer, such as one by task.")
@STORE
@JSON
def approve_command(run: str, decision: str | None, file: TextIO | None, answer: str | None, store: str, as_json: bool) -> None:
    """Show what a RUN waits for, take the answer and go on with the run.

    Without an answer among the options it asks in a terminal, and elsewhere prints the request and
    exits with 4.
    """
    from ..runs.pending import pending

    if sum(given is not None for given in (decision, file, answer)) > 1:
        raise ConfigError("give one of --accept, --reject, --edit, --stop and --answer")
    run, request = asyncio.run(pending(store, run))
    given: Any = {"decision": "edit", "text": file.read()} if file else decision or answer
    if given is not None:
        result = _answered(run, given, store, as_json)
    elif not as_json and sys.stdin.isatty() and sys.stdout.isatty():
        result = _converse(run, request, store)
    else:
        say_json(request) if as_json else show_request(request)
        sys.exit(AwaitsApproval.exit_code)
    if result.request and result.request["stopped"]:
        say(f"{result.stopped}\nanswer later with: metaspo approve {run[:8]} --store {store}", err=True)
    else:
        finish(result, as_json)


def _answered(run: str, answer: Any, store: str, quiet: bool = False) -> "Result":
    from ..runs.optimize import resume

    return with_progress(quiet, lambda listener: resume(run, answer=answer, store=store, listener=listener))


def _converse(run: str, request: "Request", store: str) -> "Result":
    """Ask until the run is done, stopped or left."""
    drafts: dict[str, str] = {}
    while True:
        show_request(request)
        try:
            result = _answered(run, _ask(request["changes"], drafts), store)
        except ConfigError as error:
            say(f"error: {error}", err=True)
            continue
        if result.request is None or result.request["stopped"]:
            return result
        request, drafts = result.request, {}


def _ask(changes: "Sequence[Change]", drafts: dict[str, str]) -> dict[str, Any]:
    if len(changes) == 1:
        return _choose(changes[0], ["accept", "reject", "edit", "stop"], "Your decision", drafts)
    said = click.prompt("All of them", type=click.Choice(["accept", "reject", "each", "stop"]))
    if said != "each":
        return {"decision": said}
    choices = ["accept", "reject", "edit"]
    return {"tasks": {change["task"]: _choose(change, choices, change["task"], drafts) for change in changes}}


def _choose(change: "Change", choices: Sequence[str], question: str, drafts: dict[str, str]) -> dict[str, Any]:
    while True:
        decision = click.prompt(question, type=click.Choice(choices))
        if decision != "edit":
            return {"decision": decision}
        # What was refused is not lost: the editor opens with it again.
        text = click.edit(drafts.get(change["task"], change["after"]), extension=".md")
        if text is not None and text.strip():
            drafts[change["task"]] = text
            return {"decision": "edit", "text": text}
        say("nothing was changed")
