"""How much goes into one batch, and what is seen of one at its endpoint."""

from dataclasses import dataclass

MOST_REQUESTS, MOST_BYTES = 50_000, 190_000_000
"""Of one batch; OpenAI takes 200 MB."""

GONE = "not known there"
"""What a batch is that its endpoint does not know."""

ENDED = ("completed", "failed", "expired", "cancelled", GONE)
"""The states at its endpoint after which nothing more comes of a batch."""


@dataclass(frozen=True, slots=True)
class Look:
    """Where a batch stands at its endpoint: its state there, how many requests are done, and the files that hold them."""

    state: str
    done: int = 0
    files: tuple[str, ...] = ()
    error: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more comes of it."""
        return self.state in ENDED
