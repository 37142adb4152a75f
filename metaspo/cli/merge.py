"""The commands that join stores, and move runs from one to another."""

import click

from .options import JSON, STORE
from .screen import say, say_json

FURTHER = click.option(
    "--further", is_flag=True, help="Of a run that goes on in one file from where the other one stands, take the further one."
)


@click.command("merge")
@click.argument("into")
@click.argument("froms", metavar="FROM...", nargs=-1, required=True)
@FURTHER
@JSON
def merge_command(into: str, froms: tuple[str, ...], further: bool, as_json: bool) -> None:
    """Join store files into the store INTO, which is made if it is missing: all of them, or nothing.

    Runs come with all that belongs to them, also with what their calls cost; what is in both is one. The files FROM stay
    as they are. A run that stands in two files at different points is refused, with what differs.
    """
    from ..runs.merge import merge

    done = merge(into, *froms, further=further)
    say_json(done.as_data()) if as_json else say("\n".join(done.says))


@click.command("move")
@click.argument("run")
@click.option("--to", required=True, metavar="FILE", help="The store that the run goes to; it is made if it is missing.")
@click.option("--copy", is_flag=True, help="Leave the run here as well.")
@FURTHER
@STORE
@JSON
def move_command(run: str, to: str, copy: bool, further: bool, store: str, as_json: bool) -> None:
    """Move a RUN into another store with all that it needs there, to resume or show it: 'metaspo resume RUN --store FILE'.

    Its placebo and the runs of its thread go along, the runs that it descends from as copies. What it asked stays here as
    well. Back again: 'metaspo move RUN --store FILE --to STORE'.
    """
    from ..runs.merge import move

    done = move(run, to=to, store=store, copy=copy, further=further)
    say_json(done.as_data()) if as_json else say("\n".join(done.says))
