"""The command line: all commands in one group, whose errors are one message and an exit code."""

from typing import Any

import click

from ..domain.errors import MetaspoError
from .approve import approve_command
from .prepare import init, methods
from .runs import diff_command, export_command, history_command, runs_command, show_command, verify_command
from .scenarios import adapt_command, generalize_command
from .search import branch_command, optimize_command, resume_command
from .serve import serve_command
from .studio import studio
from .study import study_command
from .tasks import tasks


class _Group(click.Group):
    """Turns errors meant for people into one message and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except MetaspoError as error:
            click.echo(f"error: {error}", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            ctx.exit(130)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="metaspo")
def main() -> None:
    """Find one system prompt that holds up across many tasks."""


for command in (
    init, methods, tasks, optimize_command, resume_command, branch_command, approve_command, runs_command, show_command,
    verify_command, history_command, diff_command, export_command, generalize_command, adapt_command, study_command,
    serve_command, studio,
):  # fmt: skip
    main.add_command(command)
