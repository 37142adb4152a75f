"""The beginning of a text that a model wrote, as it may be shown to a person."""

import unicodedata

LONGEST = 100
"""Characters of a text that are shown."""

UNSAFE, MASK = ("Cc", "Cf", "Cs"), "\N{REPLACEMENT CHARACTER}"
"""The categories of characters that are not shown, and what is in their place."""


def excerpt(text: str, longest: int = LONGEST) -> str:
    """The beginning of a text, on one line and without anything that a terminal would act on."""
    # Control and format characters: escape sequences, bells, marks that turn the direction of writing.
    safe = (MASK if unicodedata.category(char) in UNSAFE and not char.isspace() else char for char in text[: 4 * longest])
    line = " ".join("".join(safe).split())
    return line if len(line) <= longest and len(text) <= 4 * longest else f"{line[:longest]}..."
