"""Costs as people read them: what is not known is said to be unknown, and never shown as 0."""


def cost_says(cost: float | None, unpriced: int = 0, *, estimated: bool = False, digits: int = 4) -> str:
    """A cost in words, given how many calls it leaves out because theirs is unknown: "0.42 + unknown for 120 calls"."""
    about = "about " if estimated else ""
    if cost is None:
        return "unknown"
    known = f"{about}{cost:,.{digits}f}"
    return f"{known} + unknown for {unpriced:,} call{'s' * (unpriced != 1)}" if unpriced else known
