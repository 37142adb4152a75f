"""Two texts as one: what stayed, what went, what came, word by word."""

import difflib
import re
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of text that both have ("same"), or that only the later ("added") or the earlier one has ("removed")."""

    kind: Literal["same", "added", "removed"]
    text: str


def text_diff(before: str, after: str) -> list[Part]:
    """The parts in order: without what was added they are the text before, without what was removed the text after."""
    old, new = (re.findall(r"\s+|\w+|[^\w\s]", text) for text in (before, after))
    parts: list[Part] = []
    for how, start, end, begin, stop in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if how == "equal":
            parts.append(Part("same", "".join(old[start:end])))
            continue
        removed, added = "".join(old[start:end]), "".join(new[begin:stop])
        parts += [Part("removed", removed)] * bool(removed) + [Part("added", added)] * bool(added)
    return parts
