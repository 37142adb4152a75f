"""An exception in words, with what led to it: "ToolError: no answer, because ConnectionError: refused"."""

import sysconfig
from collections.abc import Callable, Iterator
from traceback import extract_tb

from .redaction import redact

LONGEST = 300
"""Characters that are shown of what one exception says."""

LIBRARIES = (*(sysconfig.get_path(kind) for kind in ("stdlib", "purelib", "platlib")), "<frozen")
"""Where the files of Python and of installed packages lie."""

MOST = 5
"""Exceptions of a chain that are named."""


def line_of(text: str) -> str:
    """A text as it stands in a message: one line, shortened, storable, without what looks like a secret."""
    storable = text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")
    return redact(" ".join(storable.split()))[:LONGEST]


def chain(error: BaseException, said: Callable[[BaseException], str] = str) -> str:
    """The type and the words of an exception and of those behind it, the outermost first, as one line."""
    links = list(behind(error))
    named = [named_error(one, said) for one in (links if len(links) <= MOST else [*links[: MOST - 1], links[-1]])]
    return ", because ".join(named)


def named_error(error: BaseException, said: Callable[[BaseException], str] = str) -> str:
    """The type and the words of an exception alone."""
    words = line_of(said(error))
    name = type(error).__name__
    return name if words in ("", name) else f"{name}: {words}"


def behind(error: BaseException) -> Iterator[BaseException]:
    """An exception and what it was raised from, or while handling what, down to the first; of a group the first one."""
    at: BaseException | None = error
    seen: set[int] = set()
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        if isinstance(at, BaseExceptionGroup):
            at = at.exceptions[0]
        else:
            at = at.__cause__ or (None if at.__suppress_context__ else _handled(at.__context__))


def _handled(context: BaseException | None) -> BaseException | None:
    """What was being handled in somebody's own code; libraries run code of others while they handle what means nothing."""
    frames = extract_tb(context.__traceback__) if context else []
    own = (frame for frame in frames if not frame.filename.startswith(LIBRARIES) and "-packages" not in frame.filename)
    return context if any(own) else None
