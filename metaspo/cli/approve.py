"""The command that shows a person what waits for approval, and takes the answer."""

import asyncio
import getpass
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TextIO

import click

from ..domain.errors import AwaitsApproval, ConfigError, UserError
from .common import finish, with_progress
from .options import JSON, STORE
from .screen import console, panel, say, say_json
from .show_request import show_request

if TYPE_CHECKING:
    from ..approval.comparison import Change
    from ..approval.request import Request
    from ..runs.optimize import Result


@click.command("approve")
@click.argument("run", default="last")
@click.option("--accept", "decision", flag_value="accept", help="Accept every change that waits.")
@click.option("--reject", "decision", flag_value="reject", help="Reject every change that waits.")
@click.option("--edit", "file", type=click.File(encoding="utf-8"), help="Score the text in this file instead, then ask again.")
@click.option("--stop", "decision", flag_value="stop", help="Leave the run as it stands; it can be answered later.")
@click.option("--answer", metavar="JSON", help="A whole answer, such as one by task.")
@click.option("--id", metavar="ID", help="Which question the answer is to; refused if another one is asked by now.")
@STORE
@JSON
def approve_command(
    run: str, decision: str | None, file: TextIO | None, answer: str | None, id: str | None, store: str, as_json: bool
) -> None:
    """Show what a RUN waits for, take the answer and go on with the run.

    Without an answer among the options it asks in a terminal, and elsewhere prints the request and
    exits with 4.
    """
    from ..approval.answers import addressed
    from ..runs.pending import pending

    if sum(given is not None for given in (decision, file, answer)) > 1:
        raise ConfigError("give one of --accept, --reject, --edit, --stop and --answer")
    run, request = asyncio.run(pending(store, run))
    given: Any = {"decision": "edit", "text": file.read()} if file else decision or answer
    if given is not None:
        result = _answered(run, addressed(given, id or request["id"], _person()), store, as_json)
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


def _person() -> str | None:
    """Who is at the command line, as the operating system has it; None where that knows no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return None


@dataclass
class _Talk:
    """What a person has said about one question: the decisions that hold so far by task, and texts as they wrote them."""

    decided: dict[str, dict[str, Any]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


def _converse(run: str, request: "Request", store: str) -> "Result":
    """Ask until the run is done, stopped or left."""
    from ..approval.answers import addressed

    talk = _Talk()
    show_request(request)
    while True:
        answer = addressed(_ask(request["changes"], talk), request["id"], _person())
        try:
            result = _answered(run, answer, store)
        except UserError as error:
            request, talk = _refused(run, request, talk, store, error)
            continue
        if result.request is None or result.request["stopped"]:
            return result
        request, talk = result.request, _Talk()
        show_request(request)


def _refused(run: str, request: "Request", talk: _Talk, store: str, error: UserError) -> "tuple[Request, _Talk]":
    """What is asked now, and what still holds of what was said; nothing that was typed is lost."""
    from ..runs.pending import pending

    try:
        if not isinstance(error, ConfigError):
            raise error
        say(f"error: {error}", err=True)
        _, now = asyncio.run(pending(store, run))
    except UserError:
        _show_texts(talk.texts)
        raise
    if now["id"] != request["id"]:
        _show_texts(talk.texts)
        show_request(now)
        return now, _Talk()
    wrong = now["problems"]
    _show_texts({task: text for task, text in talk.texts.items() if task in wrong})
    # What is right stays decided.
    return now, _Talk({task: said for task, said in talk.decided.items() if wrong and task not in wrong}, talk.texts)


def _show_texts(texts: dict[str, str]) -> None:
    for task, text in texts.items():
        console.print(panel(text, f"what you wrote{f' for {task}' if task else ''}"))


def _ask(changes: "Sequence[Change]", talk: _Talk) -> dict[str, Any]:
    if len(changes) == 1:
        return _choose(changes[0], ["accept", "reject", "edit", "stop"], "Your decision", talk)
    if not talk.decided:
        said = click.prompt("All of them", type=click.Choice(["accept", "reject", "each", "stop"]))
        if said != "each":
            return {"decision": said}
    for change in changes:
        if change["task"] not in talk.decided:
            talk.decided[change["task"]] = _choose(change, ["accept", "reject", "edit"], change["task"], talk)
    return {"tasks": talk.decided}


def _choose(change: "Change", choices: Sequence[str], question: str, talk: _Talk) -> dict[str, Any]:
    while True:
        decision = click.prompt(question, type=click.Choice(choices))
        if decision != "edit":
            return {"decision": decision}
        try:
            # What was refused is not lost: the editor opens with it again.
            text = click.edit(talk.texts.get(change["task"], change["after"]), extension=".md")
        except click.ClickException as error:
            say(f"error: {error.format_message()}", err=True)
            continue
        if text is not None and text.strip():
            talk.texts[change["task"]] = text
            return {"decision": "edit", "text": text}
        say("nothing was changed")
