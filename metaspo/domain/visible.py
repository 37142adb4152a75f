"""Text as it can be shown: nothing in it moves a cursor, turns the direction of writing or hides."""

import re
import unicodedata
from functools import lru_cache

UNSAFE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Categories of characters that a terminal acts on or that have no shape: escapes, bells, marks of direction, halves."""

HIDDEN = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0x180B, 0x1810), *range(0xE0100, 0xE01F0)}
"""Characters of other categories that look like nothing."""

DOUBTFUL = re.compile(r"[^ -~\n\t]")
"""What has to be looked at, character by character; all else is plain."""


def visible(text: str) -> str:
    r"""The text with every such character as its code, such as \x1b or \u202e; lines and tabs stay."""
    return DOUBTFUL.sub(lambda found: _shown(found[0]), text.replace("\r\n", "\n"))


def is_unsafe(char: str) -> bool:
    """Whether a terminal acts on a character, or shows nothing for it."""
    if " " <= char <= "~" or char in "\n\t":
        return False
    return unicodedata.category(char) in UNSAFE or ord(char) in HIDDEN


@lru_cache(4096)
def _shown(char: str) -> str:
    return _code(char) if is_unsafe(char) else char


def _code(char: str) -> str:
    number = ord(char)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def half_character(text: str) -> int | None:
    """Where a text holds half of a surrogate pair, which no file and no wire can carry; None where it holds none."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        return error.start
    return None
