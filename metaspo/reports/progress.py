"""What a run's events come to while it is at work: where it stands, how fast it is, about how long it will take."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..domain.costs import cost_says

if TYPE_CHECKING:
    from ..workspace.events import Event, Spent

LEVELS = {
    "seed": "scoring the first prompts",
    "branch": "prompts carried over",
    "user": "user prompts",
    "system": "system prompt",
    "confirm": "meeting the seeds on validation",
    "test": "final test",
}
SEARCH = ("user", "system")
"""The levels that rounds of the search have."""

MANY = 0.1
"""The share of replies without a readable answer from which on a person is told."""

WINDOW = 60.0
"""Seconds that a rate looks back, at least."""

SHORTEST = 0.1
"""Seconds from which on a rate is told: of less it would be a guess."""

AWAY = 600.0
"""Seconds without an event after which past ones are of two sessions."""


@dataclass
class _Round:
    """The round at work: what it is expected to bring, what it has brought, and when its evaluations began."""

    began: float
    evaluations_began: float
    candidates: int
    evaluations: float
    each: float
    """Evaluations that a candidate is expected to bring; none come of one that is dropped."""
    done: int = 0
    scored: int = 0
    stage: str = ""
    stage_scored: int = 0
    stage_evaluations: float = 0.0


@dataclass
class RunProgress:
    """Takes in events with their times, in seconds since 1970, and tells what they come to.

    `began` is when the session began; None takes the first event's time. `take` returns what a person is told for good,
    `now` and `left` what holds at the moment. Scores are in [0, 1], and percentages in what is told.
    """

    began: float | None = None
    round: int = 0
    rounds: int = 0
    """Of the search; 0 until it is told."""
    level: str = ""
    score: float | None = None
    """The meta score of what stands after the last closed round, which is the best so far."""
    spent: "Spent | None" = None
    at: float | None = None
    """When the last event came."""
    ended: bool = False
    """Whether the run's last round, the final test, is closed."""
    _open: _Round | None = None
    _paid: deque[tuple[float, int]] = field(default_factory=deque)
    _took: list[float] = field(default_factory=list)
    _staged: bool = False
    _replies: int = 0
    _unparsed: int = 0
    _ungraded: int = 0
    _sample: str = ""

    def take(self, event: "Event", at: float, *, past: bool = False) -> list[str]:
        """Take in an event that came at a time; what to tell of it, a line each. `past` is one read after the fact."""
        data: dict[str, Any] = dict(event)
        if past and self.at is not None and at - self.at > AWAY:
            self.another_session(at)
        if self.began is None:
            self.began = at
        if "spent" in data:
            self._pay(data["spent"], at)
        # An event may come out of a store, of a later version too: it names no function.
        take = self._takes.get(str(data["event"]))
        lines = take(data, at) if take else []
        self.at = at
        return lines

    @property
    def _takes(self) -> Mapping[str, Callable[[Mapping[str, Any], float], list[str]]]:
        return {
            "round_opened": self._round_opened, "stage_opened": self._stage_opened, "scored": self._scored,
            "proposed": self._proposed, "noted": self._noted, "round_closed": self._round_closed,
        }  # fmt: skip

    def another_session(self, at: float) -> None:
        """From here on rates and times are those of another session, or of another run under the same display."""
        self.began = at
        if self._open is not None:
            self._open.began = at
        self._paid.clear()
        self._took.clear()

    def _pay(self, now: "Spent", at: float) -> None:
        if self.spent is not None and now["calls"] < self.spent["calls"]:
            # Another run begins under the same display, such as a placebo: its pace is its own.
            self.another_session(at)
        self.spent = now
        self._paid.append((at, now["calls"]))
        while len(self._paid) > 2 and self._paid[1][0] <= at - WINDOW:
            self._paid.popleft()

    def _round_opened(self, data: Mapping[str, Any], at: float) -> list[str]:
        if not self._paid and (data["level"] == "seed" or (data["round"], data["level"]) == (0, "test")):
            self._paid.append((at, 0))  # A run's very first round: nothing is paid yet.
        self.round, self.rounds, self.level, self.ended = data["round"], data["rounds"], data["level"], False
        candidates, evaluations = data["candidates"], data["evaluations"]
        self._open = _Round(at, at, candidates, evaluations, evaluations / candidates if candidates else 0.0)
        self._open.stage_evaluations = evaluations
        self._replies = self._unparsed = self._ungraded = 0
        return []

    def _stage_opened(self, data: Mapping[str, Any], at: float) -> list[str]:
        self._staged = True
        if (opened := self._open) is not None:
            opened.stage, opened.stage_scored, opened.stage_evaluations = data["stage"], 0, data["evaluations"]
            opened.evaluations = opened.scored + data["evaluations"]
            opened.evaluations_began = at
        return []

    def _scored(self, data: Mapping[str, Any], at: float) -> list[str]:
        if (opened := self._open) is not None:
            if not opened.stage_scored and self.at is not None:
                opened.evaluations_began = max(opened.evaluations_began, self.at)
            opened.done, opened.scored, opened.stage_scored = opened.done + 1, opened.scored + 1, opened.stage_scored + 1
        self._replies += data.get("examples", 0)
        self._unparsed += data.get("unparsed", 0)
        self._ungraded += data.get("ungraded", 0)
        self._sample = data.get("sample") or self._sample
        return []

    def _proposed(self, data: Mapping[str, Any], at: float) -> list[str]:
        if (opened := self._open) is not None:
            opened.done += 1
            if data["dropped"]:
                opened.evaluations -= opened.each
                opened.stage_evaluations -= opened.each
        if data["dropped"] and data["dropped"] != "no failures left to mend":
            return [f"  a proposal for {data['task'] or 'the system prompt'} was dropped: {data['dropped']}"]
        return []

    def _noted(self, data: Mapping[str, Any], at: float) -> list[str]:
        return [f"note: {data['text']}"]

    def _round_closed(self, data: Mapping[str, Any], at: float) -> list[str]:
        before, self.score, level = self.score, data["score"], data["level"]
        lines = self._unread()
        if self._open is not None and level in SEARCH:
            self._took.append(at - self._open.began)
        self._open, self.ended = None, level == "test"
        told = ", ".join(self.costs(at))
        if self.ended:
            return [*lines, f"final test done, {told}"]
        gain = "" if before is None else f" ({100 * (data['score'] - before):+.1f})"
        news = {"user": f", {data['accepted']} kept", "system": ", new incumbent" if data["accepted"] else ", incumbent stays"}
        # A resumed run may close a round that it did not open.
        name = f"{self._of(data['round'])}, {LEVELS[level]}" if data["round"] and level in SEARCH else LEVELS[level]
        return [*lines, f"{name}: score {100 * data['score']:.1f}{gain}{news.get(level, '')}, {told}"]

    def _of(self, round: int) -> str:
        return f"round {round} of {self.rounds}" if self.rounds else f"round {round}"

    def _unread(self) -> list[str]:
        """What could not be read in the round that ends, where that is more than a few."""
        lines = []
        if self._unparsed > MANY * self._replies:
            lines.append(f"  {self._unparsed / self._replies:.0%} of replies could not be read, such as: {self._sample}")
        if self._ungraded > MANY * self._replies:
            lines.append(f"  {self._ungraded / self._replies:.0%} of answers got no grade from the judge")
        self._replies = self._unparsed = self._ungraded = 0
        return lines

    @property
    def done(self) -> tuple[int, int]:
        """Proposals and evaluations of the round at work that are done, and how many there will be as far as is known."""
        if self._open is None:
            return 0, 0
        return self._open.done, max(self._open.done, round(self._open.candidates + self._open.evaluations))

    def rate(self) -> float | None:
        """Calls a second lately, in this session; None until that is known."""
        if len(self._paid) < 2:
            return None
        (start, before), (end, now) = self._paid[0], self._paid[-1]
        return (now - before) / (end - start) if end - start >= SHORTEST and now > before else None

    def doing(self) -> str:
        """What the run is at: round, level and stage."""
        if self._open is None:
            return ""
        name = f"{self._of(self.round)}: {LEVELS[self.level]}" if self.level in SEARCH else LEVELS[self.level]
        return f"{name} judged on {self._open.stage}" if self._open.stage else name

    def now(self, at: float) -> list[str]:
        """What holds at a time, in parts: the best score, the unparsed share of this round, and what was paid how fast."""
        score = [] if self.score is None else [f"best score {100 * self.score:.1f}"]
        unparsed = [f"unparsed {self._unparsed / self._replies:.0%}"] if self._replies else []
        return [*score, *unparsed, *self.costs(at)]

    def costs(self, at: float) -> list[str]:
        """What was paid until now, and how fast, in parts."""
        spent = self.spent
        if spent is None:
            return []
        rate, about = self.rate(), "about " if spent["estimated"] else ""
        parts = [f"{spent['calls']:,} calls{f' + {cached:,} known' if (cached := spent['cached']) else ''}"]
        if rate is not None:
            parts.append(f"{rate:.1f} calls/s" if rate >= 1 else f"{60 * rate:.1f} calls/min")
        if about or {"input_tokens", "output_tokens"} & spent["budget"].keys():
            read, written = spent["input_tokens"], spent["output_tokens"]
            estimated = " (estimated)" if about else ""
            parts.append(f"{about}{read:,} input and {written:,} output tokens{estimated}")
        paid, unpriced = spent["cost"], spent["unpriced"]
        if paid or unpriced:
            parts.append(f"cost {cost_says(paid, unpriced, estimated=bool(about))}")
        limits = ", ".join(f"{limit:g} {name.replace('_', ' ')}" for name, limit in spent["budget"].items())
        seconds = at - (at if self.began is None else self.began)
        return [*parts, f"{seconds:.0f} s{f' (budget: {limits})' if limits else ''}"]

    def left(self, at: float) -> list[str]:
        """About how long the round and the whole search will take from a time on, as far as can be told, in parts."""
        parts = []
        if (seconds := self.left_in_round(at)) is not None:
            what = "stage" if self._staged and self.level in SEARCH else "round"
            parts.append(f"about {duration(seconds)} left in this {what}")
        if (seconds := self.left_in_search(at)) is not None:
            parts.append(f"about {duration(seconds)} left of the search")
        return parts

    def left_in_round(self, at: float) -> float | None:
        """Seconds, by the pace of the evaluations that this round, or its stage, has scored; None until two are."""
        opened = self._open
        if opened is None or opened.stage_scored < 2 or self.at is None:
            return None
        took = self.at - opened.evaluations_began
        ahead = opened.stage_evaluations - opened.stage_scored
        return max(0.0, took / opened.stage_scored * ahead - (at - self.at)) if took >= 1 and ahead > 0 else None

    def left_in_search(self, at: float) -> float | None:
        """Seconds, were the rounds to come as long as those of this session; None until two of these are closed.

        The search may end before, and what follows it (the final test) isn't counted.
        """
        if len(self._took) < 2 or not self.rounds or self.level not in SEARCH or self._open is None:
            return None
        each = sum(self._took) / len(self._took)
        return each * (self.rounds - self.round) + max(0.0, each - (at - self._open.began))


def duration(seconds: float) -> str:
    """A time as people say it, to the two largest units at most: 42 s, 7 min, 3 h 20 min."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest and hours < 24 else f"{hours} h"
