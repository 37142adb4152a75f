"""The command that follows a run of another process."""

import sys
from typing import TYPE_CHECKING, Any, cast

import click

from .options import JSON, STORE
from .screen import say, say_command, say_json_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..reports.watching import End, Look


@click.command("watch")
@click.argument("run", required=False)
@STORE
@JSON
def watch_command(run: str | None, store: str, as_json: bool) -> None:
    """Follow a RUN of another process, the server's too, until it is done or does not go on; the newest at work if none.

    Nothing is written to the store, and Ctrl-C leaves the run at work. Exits as the run has: 0 done, 3 budget, 4 waiting
    for a person. With --json, every event is a line, from the first one on.
    """
    from ..reports.watching import run_to_watch, watch

    id = run_to_watch(store, run)
    try:
        end = (_as_lines if as_json else _shown)(watch(store, id))
    except KeyboardInterrupt:
        from ..reports.commands import command

        say("no longer watched; the run goes on", err=True)
        say_command("watch it again", command("watch", id, store), err=True)
        sys.exit(130)
    if not as_json:
        _tell_end(store, id, end)
    sys.exit(end.exit_code)


def _as_lines(looks: "Iterable[Look]") -> "End":
    end: Any = None
    for look in looks:
        if look.anew:
            say_json_line({"run": look.run, "event": "taken_back"})
        for at, event in look.told:
            say_json_line({"run": look.run, "at": round(at, 3), **event})
        if (end := look.end) is not None:
            say_json_line({
                "run": look.run, "event": "ended", "status": end.kind, "reason": end.reason, "go_on": end.command,
                "exit_code": end.exit_code,
            })  # fmt: skip
    return cast("End", end)


def _shown(looks: "Iterable[Look]") -> "End":
    from .progress import Progress

    end: Any = None
    progress, watched = Progress(), ""
    try:
        for look in looks:
            if look.run != watched or look.anew:
                progress.__exit__(None, None, None)
                if look.anew:
                    say(f"run {look.run[:8]} was taken back to an earlier point, and goes on from there", err=True)
                elif look.end is None or look.told:
                    say(_who(look, bool(watched)), err=True)
                progress, watched = Progress(), look.run
                progress.catch_up(cast(Any, look.told))
                if look.end is None:
                    progress.__enter__()
            else:
                for at, event in look.told:
                    progress.listen(cast(Any, event), at)
            end = look.end
    finally:
        progress.__exit__(None, None, None)
    return cast("End", end)


def _who(look: "Look", follows: bool) -> str:
    name = f"{'its placebo, ' * follows}run {look.run[:8]}"
    if look.holder is None:
        return f"{name}: nobody works on it now"
    process, machine, since = look.holder
    return f"{name}: process {process} on {machine} has been at work since {since}; Ctrl-C leaves it at work"


def _tell_end(store: str, run: str, end: "End") -> None:
    """How the run stands and what to do next."""
    if end.kind == "done":
        from ..reports.watching import gained_by

        say(f"run {run[:8]} is done{f': {end.reason}' if end.reason else ''}")
        if gained := gained_by(store, run):
            say(gained)
        say_command("see it", end.command)
        return
    words = {"killed": "was killed", "taken back": "was taken back", "waiting": "waits", "stopped": "has stopped"}
    say(f"run {run[:8]} {words[end.kind]}: {end.reason}", err=True)
    if end.command:
        say_command("go on with", end.command, err=True)
