"""What a run gained, in a sentence or a few that a manager understands: how much, on what, and whether it is confirmed."""

from collections.abc import Sequence

from ..domain.counting import counted
from ..domain.percentages import percent
from ..domain.significance import Change
from ..store.runs import PLACEBO, Run
from ..workspace.generalization import Generalization
from ..workspace.known import stored_input
from .claims import in_doubt, kept_back, points, tested, verdict_first
from .controls import TaskReport
from .generalization import GeneralizationReport
from .pairs import searched
from .report import Report

EVEN = 0.0005
"""Differences smaller than this are shown as no points at all."""


def gained_says(report: Report | GeneralizationReport) -> str:
    """What was gained, in plain words and with the figures that carry it; a true sentence for a run of any kind and status."""
    return " ".join(gained(report))


def gained(report: Report | GeneralizationReport) -> list[str]:
    """The same sentence by sentence: the first says what came of it, the others what to know beside that."""
    if isinstance(report, GeneralizationReport):
        return [*_compared(report), *_not_done(report.run)]
    told = _returned(report) or _nothing(report) or _on_test(report) or _kept_back(report) or _on_selecting(report)
    if report.run.method.startswith(PLACEBO):
        begun = report.run.config.get("problem", {}).get("start")
        told = [
            "A control of unrelated texts, no result: it began with prompts that another run had found, and what they gained "
            "is in its figures." if begun
            else "A control of unrelated texts, no result: whatever it gains comes from being chosen, not from what it says.",
            *told,
        ]  # fmt: skip
    return [*told, *_not_done(report.run)]


def _on_test(report: Report) -> list[str]:
    """The final test, then what the examples kept back say, then the placebo; nothing where there was no test."""
    said: list[str] = []
    for kind, change, role in (("", report.source, "source"), ("unseen ", report.target, "target")):
        if change is not None:
            tasks = [task for task in report.tasks if task.role == role]
            told = f"{moved(change.value)}{_ends(tasks, change)}"
            on = f"on {_size(change.examples, len(tasks), kind)}"
            both = f"On {on[3:]} they {told}" if said else f"Test scores {told}{',' * told.endswith('%')} {on}"
            said.append(f"{both}, {_worth(change)}.")
    if not said:
        return []
    if report.source is not None:
        said.append(verdict_first(report.verdict, report.confirmation, None) if report.confirmation else report.verdict_says)
    return [*said, *_beside_placebo(report)]


def _beside_placebo(report: Report) -> list[str]:
    """What is left of the gain beside unrelated texts, where that is not a real lead."""
    ahead = report.placebo.over_source if report.placebo else None
    if ahead is None or ahead.is_gain:
        return []
    if ahead.is_real:
        return [f"Unrelated texts, chosen in the same way, did better by {100 * -ahead.value:.1f} points ({tested(ahead)})."]
    return [
        f"Beside unrelated texts, chosen in the same way, the difference is {points(ahead.value)}, within noise "
        f"({in_doubt(ahead)}): it may not be what the prompts say that counts."
    ]


def _returned(report: Report) -> list[str]:
    found = report.confirmation
    if found is None or not found.seeds_returned:
        return []
    return [
        f"Nothing was gained: the prompts found did worse on {kept_back(found.change)} ({points(found.change.value)}), so "
        "the run returned the prompts that it began with."
    ]


def _nothing(report: Report) -> list[str]:
    """What to say of a search that is over and has changed nothing."""
    after = {task: texts[0] for task, texts in report.user_after.items()}
    changed = report.system_after != report.system_before or any(after[task] != report.user_before.get(task) for task in after)
    if report.run.status != "done" or changed or (report.source is not None and report.source.differing):
        return []
    said = [
        "Nothing was gained: the run ended with the prompts that it began with." if searched(report.rounds)
        else "Nothing was searched: the run scored the prompts that it was given."
    ]  # fmt: skip
    tasks = [task for task in report.tasks if task.role == "source"]
    if tasks:
        size = _size(sum(task.examples for task in tasks), len(tasks))
        said.append(f"They score {_mean(tasks, 'before')} on {size} of the test.")
    return said


def _kept_back(report: Report) -> list[str]:
    """The examples that were kept back, where there was no test."""
    if report.confirmation is None:
        return []
    return [verdict_first(report.verdict, report.confirmation, None), "No final test has been made."]


def _on_selecting(report: Report) -> list[str]:
    """The examples that selected: all that a run knows before anything else was scored."""
    if report.train_before is None or report.train_after is None:
        return ["Nothing is known yet: the run has not scored the prompts that it begins with."]
    sources = [task for task in report.drawn if task.role == "source"]
    size = _size(sum(getattr(task, report.selecting) for task in sources), len(sources))
    if abs(report.train_after - report.train_before) < EVEN:
        return [f"Nothing is gained so far: the score on the {size} that select is {_percent(report.train_after)} as before."]
    return [
        f"On the {size} that select, the score {moved(report.train_after - report.train_before)}, from "
        f"{_percent(report.train_before)} to {_percent(report.train_after)}.",
        "Part of that is the luck of being selected, and no final test has been made.",
        report.verdict_says,
    ]


def _compared(report: GeneralizationReport) -> list[str]:
    if report.overall is None:
        return ["Nothing is compared yet: not every pair of prompts has been scored."]
    change, given = report.overall.difference, stored_input(report.run.config)
    known = isinstance(given, Generalization) and bool(given.made_by)
    size = _size(change.examples, len(report.tasks), "unseen " if known and not report.seen else "")
    differ = (
        "does as well as the baseline" if abs(change.value) < EVEN
        else f"scores {100 * abs(change.value):.1f} points {'more' if change.value > 0 else 'less'} than the baseline"
    )  # fmt: skip
    said = [f"The candidate system prompt {differ} on {size}, {_worth(change)}."]
    return [*said, f"Not unseen: {', '.join(report.seen)}."] if report.seen else said


def _not_done(run: Run) -> list[str]:
    """That there may be more to come, and what for."""
    why = f": {run.reason}" if run.reason else ""
    words = {"running": "The run is not done yet", "waiting": f"The run waits{why}", "stopped": f"The run has stopped{why}"}
    return [] if run.status == "done" else [f"{words[run.status].rstrip('.')}."]


def moved(value: float) -> str:
    """A change of scores as a verb: "rose by 12.5 points"."""
    if abs(value) < EVEN:
        return "did not change"
    return f"{'rose' if value > 0 else 'fell'} by {100 * abs(value):.1f} points"


def _worth(change: Change) -> str:
    """What the paired test allows one to call a change."""
    if not change.differing:
        return "alike on every one of them"
    if not change.is_real:
        return f"within noise ({in_doubt(change)})"
    return f"a real {'gain' if change.value > 0 else 'loss'} ({tested(change)})"


def _ends(tasks: Sequence[TaskReport], change: Change) -> str:
    """From where to where, where that is the change: examples without a grade may be part of the one and not of the other."""
    before, after = (sum(getattr(task, when) for task in tasks) / len(tasks) for when in ("before", "after"))
    if abs(change.value) < EVEN or abs(after - before - change.value) > EVEN:
        return ""
    return f", from {_percent(before)} to {_percent(after)}"


def _size(examples: int, tasks: int, kind: str = "") -> str:
    return f"{counted(examples, 'example')} of {counted(tasks, f'{kind}task')}"


def _mean(tasks: Sequence[TaskReport], when: str) -> str:
    return _percent(sum(getattr(task, when) for task in tasks) / len(tasks))


def _percent(score: float) -> str:
    return f"{percent(score)}%"
