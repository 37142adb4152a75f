"""Numbers of things in words."""


def counted(count: int, name: str) -> str:
    """So many of something, by its name in the singular."""
    return f"{count:,} {name}{'s' * (count != 1)}"
