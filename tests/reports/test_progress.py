"""What a run's events come to: a rate when it is known, of one session; times left that are about right; the share unread."""

from typing import Any, cast

from metaspo.reports.progress import RunProgress, duration
from metaspo.workspace.events import Event

SPENT = {"cached": 0, "input_tokens": 0, "output_tokens": 0, "cost": None, "unpriced": 0, "estimated": 0, "budget": {}}


def opened(round: int, level: str = "system", candidates: int = 2, evaluations: int = 4) -> Event:
    return cast(Event, {
        "event": "round_opened", "round": round, "rounds": 5, "level": level, "candidates": candidates, "evaluations": evaluations,
    })  # fmt: skip


def scored(calls: int, examples: int = 10, unparsed: int = 0, **spent: Any) -> Event:
    return cast(Event, {
        "event": "scored", "examples": examples, "unparsed": unparsed, "ungraded": 0, "sample": "",
        "spent": {**SPENT, "calls": calls, **spent},
    })  # fmt: skip


def closed(round: int, calls: int, level: str = "system", score: float = 0.5) -> Event:
    return cast(Event, {
        "event": "round_closed", "round": round, "level": level, "score": score, "accepted": 0, "dropped": 0, "incumbent": "x",
        "spent": {**SPENT, "calls": calls},
    })  # fmt: skip


def fed(*events: tuple[float, Event]) -> RunProgress:
    progress = RunProgress()
    for at, event in events:
        progress.take(event, at)
    return progress


def test_a_new_run_counts_its_calls_from_its_first_round_on() -> None:
    progress = fed((100, opened(0, "seed", 0, 2)))
    assert progress.rate() is None and "calls/s" not in ", ".join(progress.now(105))
    progress.take(scored(50), 110)
    assert progress.rate() == 5 and "unparsed 0%" in progress.now(110)


def test_a_resumed_run_has_a_rate_of_its_own_session() -> None:
    progress = fed((100, scored(10_000)))
    assert progress.rate() is None
    progress.take(scored(10_030), 110)
    assert progress.rate() == 3
    # Killed, and gone on with a day later: past events of two sessions.
    progress.take(scored(10_060), 110 + 86_400, past=True)
    assert progress.rate() is None and progress.now(110 + 86_400)[-1] == "0 s"


def test_a_rate_looks_back_a_minute_and_a_slow_one_is_told_by_the_minute() -> None:
    assert fed((0, scored(0)), (10, scored(1000)), (70, scored(1060)), (130, scored(1120))).rate() == 1
    assert "30.0 calls/min" in fed((0, scored(0)), (60, scored(30))).costs(60)


def test_time_left_comes_from_what_was_scored_and_from_rounds_that_are_done() -> None:
    progress = fed((0, opened(1)), (10, scored(10)), (11, closed(1, 10)), (11, opened(2)), (20, closed(2, 20)))
    assert progress.left_in_search(20) is None  # Between two rounds there is nothing at work to tell of.
    progress.take(opened(3, candidates=0), 20)
    assert progress.left_in_round(20) is None and progress.left_in_search(20) == 30
    for at in (22, 24):
        progress.take(scored(at), at)
    assert progress.left_in_round(24) == 4 and progress.left_in_search(24) == 26
    assert progress.left(24) == ["about 4 s left in this round", "about 26 s left of the search"]


def test_what_is_dropped_is_not_waited_for_and_a_stage_is_named() -> None:
    progress = fed((0, opened(1)))
    assert progress.done == (0, 6)
    progress.take(cast(Event, {"event": "proposed", "task": "t", "dropped": "too long", "spent": {**SPENT, "calls": 1}}), 1)
    assert progress.done == (1, 4)
    stage = {"event": "stage_opened", "round": 1, "level": "system", "stage": "16 examples", "candidates": 1, "evaluations": 2}
    progress.take(cast(Event, stage), 2)
    assert progress.doing() == "round 1 of 5: system prompt judged on 16 examples"


def test_many_replies_that_cannot_be_read_are_told_with_their_round() -> None:
    progress = fed((0, opened(1)), (1, scored(10, 10, 4)))
    assert "unparsed 40%" in progress.now(1)
    assert progress.take(closed(1, 10), 2)[0].startswith("  40% of replies could not be read")


def test_an_event_out_of_a_store_names_no_function() -> None:
    progress = RunProgress()
    for name in ("pay", "_pay", "takes", "another_session", "of a later version"):
        assert progress.take(cast(Event, {"event": name}), 1.0) == []


def test_times_are_said_as_people_say_them() -> None:
    assert [duration(one) for one in (0.2, 42, 89.6, 600, 12_000, 360_000)] == [
        "1 s",
        "42 s",
        "90 s",
        "10 min",
        "3 h 20 min",
        "100 h",
    ]
