"""Lists and mappings that a text spells, as cells of tables do: JSON, Python's own form, numpy's. Pure functions."""

import ast
import io
import json
import re
import tokenize
from typing import Any

ARRAY = re.compile(r"\barray\((\[.*?\])(?:,\s*dtype=\w+)?\)", re.DOTALL)
LITERALS = (tokenize.STRING, tokenize.NUMBER, tokenize.NAME)
SPACES = (tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
PROBLEMS = (ValueError, SyntaxError, RecursionError, MemoryError, TypeError, tokenize.TokenError)


def opened(text: str) -> Any:
    """The list or mapping that a text spells; the text where it spells none."""
    if text.lstrip()[:1] not in ("{", "["):
        return text
    for read in (json.loads, _literal):
        try:
            return read(text.strip())
        except PROBLEMS:
            continue
    return text


def _literal(text: str) -> Any:
    return ast.literal_eval(_with_commas(ARRAY.sub(r"\1", text)))


def _with_commas(text: str) -> str:
    """The text with commas between items that only space divides: numpy writes ['a' 'b'], which is 'ab' to Python."""
    parts: list[str] = []
    ended = False
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in SPACES:
            continue
        literal = token.type in LITERALS
        if ended and (literal or token.string in ("[", "{", "(")):
            parts.append(",")
        parts.append(token.string)
        ended = literal or token.string in ("]", "}", ")")
    return " ".join(parts)
