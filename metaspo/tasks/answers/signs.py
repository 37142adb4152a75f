"""Signs that look different and mean the same: text made plain before an answer is read from it."""

import html
import re
import unicodedata
from functools import lru_cache

SIGNS = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u00a0": " ", "\u202f": " "})
SIGNS |= str.maketrans({"\u2010": "-", "\u2011": "-", "\u2013": "-", "\u2212": "-"})
SIGNS |= dict.fromkeys([*range(0x2000, 0x200B), 0x205F, 0x3000], " ")
SIGNS |= str.maketrans(
    {"\u02bc": "'", "\u00b4": "'", "\u061f": "?", "\u060c": ",", "\u061b": ";", "\u066b": ".", "\u066c": ","}
)
"""Typographic quotes, spaces, hyphens, dashes and minus signs, and the plain ones that they are read as."""

MARKS = "".join(chr(code) for code in range(0x300, 0x1100) if unicodedata.category(chr(code)) in ("Mn", "Mc"))
"""Signs above, below and around a letter, which belong to its word."""
TOGETHER = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
TOGETHER += "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
"""The scripts of languages that are written without spaces, and Korean's, as the inside of a regular expression's class."""

STYLED = ("<wide>", "<narrow>", "<font>", "<circle>")
WRAPPED = re.compile(
    r"\\(?:text(?:bf|it|rm|tt)?|math(?:bf|rm|it|sf|tt)|mbox|fbox|left|right|displaystyle|Large|large)\b\s*|\\[()\[\],;!]"
)
ELEMENT = re.compile(
    r"</?(?:b|i|u|p|em|strong|span|div|br|code|mark|font|h[1-6]|li|ul|ol|pre|sub)\b[^<>]{0,200}>", re.IGNORECASE
)
FENCE = re.compile(r"^[ \t]*(?:```|~~~)[ \t]*\w*[ \t]*$", re.MULTILINE)


@lru_cache(4096)
def _plain(sign: str) -> str:
    if unicodedata.category(sign) == "Cf":
        return ""  # Marks of direction and joiners, which nobody sees.
    digit = unicodedata.decimal(sign, None)
    if digit is not None:
        return str(digit)
    return unicodedata.normalize("NFKC", sign) if unicodedata.decomposition(sign).startswith(STYLED) else sign


def plain_signs(text: str) -> str:
    """The text with typographic quotes, spaces and dashes, full-width and styled letters and all digits made plain."""
    text = text.translate(SIGNS)
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", "".join(sign if sign.isascii() else _plain(sign) for sign in text)).translate(SIGNS)


def unwrapped(text: str) -> str:
    r"""Plain text without what only dresses it: HTML elements and entities, fences of code, LaTeX's \text and $.

    What LaTeX boxes stays marked by the word "boxed", which announces it.
    """
    if "&" in text:
        text = html.unescape(text)
    text = plain_signs(text)
    if "<" in text:
        text = ELEMENT.sub(" ", text)
    if "```" in text or "~~~" in text:
        text = FENCE.sub("", text)
    if "\\" in text:
        text = WRAPPED.sub("", text.replace("{,}", ",").replace("\\%", "%").replace("\\$", "$"))
    return text
