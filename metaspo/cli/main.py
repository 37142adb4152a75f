"""The command line: all commands in one group, whose errors are one message and an exit code."""

import io
import sys
from typing import Any

import click

from ..domain.redaction import without_keys
from ..workspace.tracing.trace_client import traces_for_all
from .approve import approve_command
from .endings import end
from .merge import merge_command, move_command
from .options import GIVEN
from .prepare import init, methods, prompts
from .push import push_command
from .report import report_command
from .runs import diff_command, export_command, history_command, runs_command, show_command, verify_command
from .scenarios import adapt_command, generalize_command
from .screen import prepare, say
from .search import branch_command, optimize_command, resume_command
from .serve import serve_command
from .studio import studio
from .study import study_command
from .tasks import tasks
from .watch import watch_command


class _Group(click.Group):
    """Turns errors into one message and an exit code."""

    def main(
        self, args: Any = None, prog_name: Any = None, complete_var: Any = None, standalone_mode: bool = True, **extra: Any
    ) -> Any:
        prepare()
        traces_for_all()
        code: Any = 1
        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
            # Here and not when Python ends, so that a full disk or a closed pipe is told of like anything else.
            sys.stdout.flush()
        except click.ClickException as error:
            shown = io.StringIO()
            error.show(shown)
            say(without_keys(shown.getvalue()).rstrip(), err=True)
            code = error.exit_code
        except click.Abort:
            say("Aborted!", err=True)
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            done = super().invoke(ctx)
            sys.stdout.flush()
            return done
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except KeyboardInterrupt:
            ctx.exit(130)
        except Exception as error:
            ctx.exit(end(error, ctx.meta.get(GIVEN, ())))


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="metaspo")
def main() -> None:
    """Find one system prompt that holds up across many tasks."""


for command in (
    init, methods, prompts, tasks, optimize_command, resume_command, branch_command, approve_command, runs_command,
    show_command, watch_command, verify_command, history_command, diff_command, report_command, export_command,
    push_command, merge_command, move_command, generalize_command, adapt_command, study_command, serve_command, studio,
):  # fmt: skip
    main.add_command(command)
