"""The page docs/cli.md, made from the commands themselves.

python -m tests.helpers.cli_page    # writes it anew
"""

import inspect
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from metaspo.cli.main import main
from metaspo.domain.errors import AwaitsApproval, BudgetSpent, Interrupted, MetaspoError, UserError

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"

EXIT_CODES = [
    (0, "done"),
    (MetaspoError.exit_code, "our fault, or an endpoint or hub that cannot be reached"),
    (UserError.exit_code, "a mistake in what was written: a config, a task file, an option, a key"),
    (BudgetSpent.exit_code, "a budget is spent; `metaspo resume` goes on"),
    (AwaitsApproval.exit_code, "a person has to approve prompts first; `metaspo approve` goes on"),
    (Interrupted.exit_code, "interrupted by Ctrl-C or SIGTERM, with what was in flight recorded; `metaspo resume` goes on"),
]


def page() -> str:
    """The whole page."""
    every = list(_commands(main, None, "metaspo"))
    parts = [
        "# The command line",
        "`metaspo COMMAND --help` says the same in a terminal. This page is written from the commands by "
        "`python -m tests.helpers.cli_page`.",
        _table(("command", "what it does"), [(f"`{_usage(context, short=True)}`", _text(context)[0]) for context in every]),
        *(_section(context) for context in every),
        "## Exit codes",
        _table(("code", "what it says"), EXIT_CODES),
        "A mistake is said on stderr in a line that begins with `error:`, without a traceback; the command line's own, such as "
        "an unknown option, comes with the usage. What ends a run early is said there too, with the command that goes on.",
        "## Output for scripts",
        "With `--json` a command writes its result to stdout as one JSON document and shows no progress. Scores in it are in "
        "[0, 1]; only tables show percentages. Exit codes stay the same.",
        "## Completion",
        'Bash completes commands and options after `eval "$(_METASPO_COMPLETE=bash_source metaspo)"`; `zsh_source` and '
        "`fish_source` are for the other shells.",
    ]
    return "\n\n".join(parts) + "\n"


def _commands(command: click.Command, parent: click.Context | None, name: str) -> Iterator[click.Context]:
    context = click.Context(command, info_name=name, parent=parent)
    if isinstance(command, click.Group):
        for inner, one in command.commands.items():
            yield from _commands(one, context, inner)
    else:
        yield context


def _section(context: click.Context) -> str:
    arguments = [one for one in context.command.params if isinstance(one, click.Argument)]
    absent = [
        f"`{one.human_readable_name}` is `{one.default}` if none is given." for one in arguments if _is_shown(one.default)
    ]
    options = [one for one in context.command.params if isinstance(one, click.Option)]
    table = _table(("option", "value", "default", "what it says"), [_row(one, context) for one in options])
    parts = [f"## {context.command_path}", f"    {_usage(context)}", *_text(context), *absent, *([table] if options else [])]
    return "\n\n".join(parts)


def _text(context: click.Context) -> list[str]:
    """The paragraphs of a command's help."""
    return [" ".join(part.split()) for part in inspect.cleandoc(context.command.help or "").split("\n\n")]


def _usage(context: click.Context, *, short: bool = False) -> str:
    pieces = [piece for piece in context.command.collect_usage_pieces(context) if not (short and piece == "[OPTIONS]")]
    return " ".join([context.command_path, *pieces])


def _row(option: click.Option, context: click.Context) -> Sequence[str]:
    flags = ", ".join(f"`{flag}`" for flag in [*option.opts, *option.secondary_opts])
    again = " May be repeated." if option.multiple and "repeated" not in (option.help or "") else ""
    return flags, "" if option.is_flag else _value(option), _default(option, context), f"{option.help or ''}{again}"


def _value(option: click.Option) -> str:
    kind = option.type
    if option.metavar:
        return f"`{option.metavar}`"
    if isinstance(kind, click.Choice):
        return ", ".join(f"`{choice}`" for choice in kind.choices)
    if isinstance(kind, click.IntRange):
        return f"integer from {kind.min}" + (f" to {kind.max}" if kind.max is not None else "")
    return kind.name


def _default(option: click.Option, context: click.Context) -> str:
    """What --help says, and else the value; never what a function finds on this machine."""
    if isinstance(option.show_default, str):
        return option.show_default
    if option.required:
        return "required"
    value = option.get_default(context, call=False)
    if isinstance(value, bool):
        return f"`{option.opts[0]}`" if value else ""
    return f"`{value}`" if _is_shown(value) else ""


def _is_shown(value: Any) -> bool:
    return isinstance(value, str | int | float | Path)


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(re.sub(r"(?<!\\)\|", r"\|", str(cell)) for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
