"""How a command ends when something fails: one sentence and an exit code."""

import contextlib
import errno
import os
import re
import sys
import traceback
from collections.abc import Sequence

from ..domain.errors import MetaspoError, UserError
from ..domain.redaction import redact, without_keys
from .screen import say

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)
MANY = (errno.EMFILE, errno.ENFILE)


def end(error: Exception, settings: Sequence[str] = ()) -> int:
    """Tell of an error on standard error, without keys; the exit code. `settings` are what was given with --set."""
    if isinstance(error, BrokenPipeError):
        # Whoever reads has had enough, as `head` has.
        silence()
        return 1
    words, code = in_words(error)
    if words is not None and isinstance(error, UserError):
        words = "\n".join(_named(line, settings) for line in words.split("\n"))
    if words is None:
        words = redact("".join(traceback.format_exception(error))).rstrip()
    try:
        say(f"error: {words}" if code else words, err=True)
        sys.stderr.flush()
    except OSError:
        silence()
    return code or 1


def _named(line: str, settings: Sequence[str]) -> str:
    """A complaint with the option that it is about, where --set has brought the value."""
    for text in () if "--set" in line else settings:
        key, _, value = (part.strip() for part in text.partition("="))
        whole, leaf = re.escape(key), "|".join(map(re.escape, key.split(".")[1:])) or "(?!)"
        about = rf"^{whole}[:.\s]|unknown key '{whole}'|\bset {whole} to|^model .*(: ({leaf}):|setting '({leaf})')"
        if re.search(about, line) or (value and f"'{value.strip('[]')}'" in line):
            return without_keys(f"--set {text}: {line}")
    return line


def in_words(error: Exception) -> tuple[str | None, int]:
    """What to tell a person, and the exit code; (None, 0) for an error that is no one's but ours."""
    if isinstance(error, MetaspoError):
        return str(error), error.exit_code
    if isinstance(error, UnicodeEncodeError) and "surrogates" in error.reason:
        near = error.object[max(0, error.start - 20) : error.start + 20]
        return f"half of a character (a lone surrogate) stands in {near!r}; write that text again", 2
    if not isinstance(error, OSError):
        return None, 0
    if error.errno in MANY:
        return too_many_files(), 1
    reason = error.strerror or type(error).__name__
    if error.filename is not None:
        return f"{os.fsdecode(error.filename) if isinstance(error.filename, bytes) else error.filename}: {reason}", 2
    if error.errno in FULL:
        silence()
        return f"the output could not be written: {reason}; results are in the store, see them with 'metaspo show'", 1
    return None, 0


def too_many_files() -> str:
    """What to do where no more files and connections may be open."""
    from ..domain.files import most_open

    return (
        f"too many open files: this process may have {most_open() or 'no more'}; raise that ('ulimit -n 4096'), "
        "or set a lower concurrency on the models"
    )


def silence() -> None:
    """Have nothing more written to outputs that take nothing more, not even when Python flushes them at the end."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                with contextlib.suppress(OSError, ValueError):
                    os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
