"""How much room a text takes on a page, in bytes, and texts cut to what there is: escaping makes some five times as long."""

from markupsafe import escape

from ...domain.excerpts import head_and_tail
from ...domain.visible import visible

LEAST = 20
"""Characters that are left of any text."""


def room_of(text: str) -> int:
    """The bytes of a text as a page holds it: made visible, escaped, in UTF-8."""
    return len(str(escape(visible(text))).encode())


def cut(text: str, most: int) -> str:
    """A text whole where it takes at most so many bytes; else its beginning and end, with how much is missing between.

    The words about what is missing come on top of `most`.
    """
    longest, shown = most, head_and_tail(text, most)
    while longest > LEAST and (room := room_of(shown)) > most + 60:
        longest = max(LEAST, longest * most // room)
        shown = head_and_tail(text, longest)
    return shown
