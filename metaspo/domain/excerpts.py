"""The beginning of a text that a model wrote, as it may be shown to a person."""

from .visible import is_unsafe

LONGEST = 100
"""Characters of a text that are shown."""

MASK = "\N{REPLACEMENT CHARACTER}"
"""What is in the place of a character that cannot be shown."""


def excerpt(text: str, longest: int = LONGEST) -> str:
    """The beginning of a text, on one line and without anything that a terminal would act on."""
    # Control and format characters: escape sequences, bells, marks that turn the direction of writing.
    safe = (MASK if is_unsafe(char) and not char.isspace() else char for char in text[: 4 * longest])
    line = " ".join("".join(safe).split())
    return line if len(line) <= longest and len(text) <= 4 * longest else f"{line[:longest]}..."


def head_and_tail(text: str, longest: int) -> str:
    """A text whole where it has at most so many characters; else its beginning and its end, where replies have their answer."""
    if len(text) <= longest:
        return text
    head = longest * 2 // 3
    return f"{text[:head]}\n[... {len(text) - longest:,} characters ...]\n{text[head - longest :]}"
