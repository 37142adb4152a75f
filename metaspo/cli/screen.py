"""The one way to the terminal: what is printed is visible, never acted on; rich's markup is never read from data."""

import contextlib
import json
import os
import shlex
import sys
from collections.abc import Iterable
from typing import Any

import click
from rich.cells import cell_len
from rich.console import Console, ConsoleDimensions, ConsoleOptions, Group, RenderableType
from rich.panel import Panel
from rich.segment import Segment
from rich.text import Text

from ..domain.visible import is_unsafe, visible


class Screen(Console):
    """A console for data: text in it is shown as it stands, whatever it holds."""

    def __init__(self, *, stderr: bool = False) -> None:
        """Write to standard output, or to standard error."""
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False)

    @property
    def size(self) -> ConsoleDimensions:
        """COLUMNS where it is set, else what the terminal says, a dumb one too; 80 where there is none."""
        columns = os.environ.get("COLUMNS", "")
        wide, high = super().size
        if self.is_dumb_terminal:
            with contextlib.suppress(OSError, ValueError, AttributeError):
                wide, high = os.get_terminal_size(self.file.fileno())
        return ConsoleDimensions(int(columns) if columns.isdecimal() and int(columns) else wide or 80, high)

    @size.setter
    def size(self, new: tuple[int, int]) -> None:
        Console.size.fset(self, new)  # type: ignore[attr-defined]

    @property
    def is_live(self) -> bool:
        """Whether what was printed can be replaced: a terminal that takes control codes, whatever colours are forced on."""
        try:
            return self.file.isatty() and self.is_terminal and not self.is_dumb_terminal
        except ValueError:  # It is closed.
            return False

    def render_str(self, text: str, **options: Any) -> Text:
        """The cells of tables and whatever else comes as a string."""
        return super().render_str(visible(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What is about to be printed; rich's own control codes pass, those of data do not."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)

    def on_broken_pipe(self) -> None:
        """Leave it to whoever runs the command how that ends."""
        raise BrokenPipeError


class Aside(Screen):
    """Standard error, for what no result hangs on: when it can't be written, nothing more is, and work goes on."""

    def __init__(self) -> None:
        """Write to standard error."""
        super().__init__(stderr=True)

    def print(self, *shown: Any, **options: Any) -> None:
        """Print, or never again."""
        try:
            super().print(*shown, **options)
        except OSError:
            self.quiet = True


console = Screen()


def plain(said: str, style: str = "") -> Text:
    """A text to print, or a part of one."""
    return Text(visible(said), style=style)


def flowed(parts: Iterable[str], width: int, between: str = ", ") -> list[str]:
    """Parts put into lines of a width in cells: none goes over the end of a line, unless it is longer than one itself."""
    lines: list[str] = []
    for part in map(visible, parts):
        joined = f"{lines[-1]}{between}{part}" if lines else ""
        if lines and cell_len(joined) <= width:
            lines[-1] = joined
            continue
        if lines and cell_len(lines[-1] + between.rstrip()) <= width:
            lines[-1] += between.rstrip()
        lines.append(part)
    return lines


def wrapped(text: str, width: int) -> list[str]:
    """A text in lines of a width in cells, broken between words, within one that is longer; at least one line."""
    lines = Text(visible(text).expandtabs(4)).wrap(console, max(1, width), overflow="fold")
    return [line.plain.rstrip() for line in lines] or [""]


def continued(command: str, width: int, indent: int = 0) -> list[str]:
    """A command in lines of a width that a shell takes as one: broken between words, else within one, by a backslash."""
    room, lines = max(width - 2, 10), [" " * indent]
    for word in shlex.split(command):
        quoted = shlex.quote(word)
        if lines[-1].strip() and cell_len(f"{lines[-1]} {quoted}") <= room:
            lines[-1] += f" {quoted}"
            continue
        if lines[-1].strip():
            lines[-1] += " \\"
            lines.append(" " * indent)
        first, *others = _cut(word, room, indent)
        lines[-1] += first
        for part in others:
            # Nothing may stand before what goes on with a word.
            lines[-1] += "\\"
            lines.append(part)
    return lines


def _cut(word: str, room: int, indent: int) -> list[str]:
    """A word as a shell takes it, in parts that fit; the first stands behind an indent."""
    parts, left = list[str](), room - indent
    while word:
        size = next((size for size in range(len(word), 1, -1) if cell_len(shlex.quote(word[:size])) <= left), 1)
        parts.append(shlex.quote(word[:size]))
        word, left = word[size:], room
    return parts or ["''"]


def panel(body: Text | str, title: str) -> RenderableType:
    """A text in a frame with a title, which stands above the frame where that is too narrow for it."""
    shown = plain(body) if isinstance(body, str) else body
    if cell_len(visible(title)) > console.width - 6:
        return Group(*map(plain, wrapped(title, console.width)), Panel(shown))
    return Panel(shown, title=plain(title), title_align="left")


def say(said: str, *, err: bool = False) -> None:
    """A line of plain text, wrapped in a terminal. Work goes on where standard error takes none: no result hangs on that."""
    shown, stream = visible(said), sys.stderr if err else sys.stdout
    with contextlib.suppress(OSError) if err else contextlib.nullcontext():
        if not stream.closed and stream.isatty():
            shown = "\n".join(part for line in shown.split("\n") for part in wrapped(line, console.width))
        click.echo(shown, err=err)


def say_command(lead: str, command: str, *, err: bool = False) -> None:
    """A command with what it is for, in one line where that fits, or where no terminal is."""
    stream, line = sys.stderr if err else sys.stdout, f"{lead}: {command}"
    if not stream.closed and stream.isatty() and cell_len(visible(line)) > console.width:
        line = "\n".join([f"{lead}:", *continued(command, console.width, 4)])
    say(line, err=err)


def say_json(data: Any) -> None:
    """Data as JSON: every value is exact, and what is unsafe to show stands there as JSON's own escapes."""
    _echo_json(json.dumps(data, ensure_ascii=False, indent=2))


def say_json_line(data: Any) -> None:
    """The same in one line, for a script that reads line by line."""
    _echo_json(json.dumps(data, ensure_ascii=False))


def hand_over(said: str, *, as_json: bool) -> None:
    """A text for a program or a file, exact; on a terminal it is visible as all else is."""
    if as_json:
        _echo_json(said)
    else:
        click.echo(visible(said) if sys.stdout.isatty() else said)


def _echo_json(made: str) -> None:
    utf = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().startswith("utf")
    click.echo("".join(char if _is_shown(char, utf) else json.dumps(char)[1:-1] for char in made))


def _is_shown(char: str, utf: bool) -> bool:
    return " " <= char <= "~" or char == "\n" or (utf and not is_unsafe(char))


def prepare() -> None:
    """Have both outputs write what their encoding lacks as its code, where they would fail: a result is never lost to that."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
