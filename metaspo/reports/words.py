"""What a report says beside its figures, in sentences, for a terminal and a page alike: nobody is to believe too much."""

from collections.abc import Sequence
from typing import Any

from ..domain.calls import Usage
from ..domain.excerpts import excerpt
from ..store.answers import Answer
from ..tasks.given import short
from .claims import claim, points
from .controls import TaskReport
from .placebo import PlaceboReport
from .report import Report
from .set_aside import says

SHARES = ("right", "wrong", "unparsed", "ungraded")
"""What replies can be, by the names of the shares."""

OF_BRANCH = (
    "The placebo of a branch begins with the prompts that the run had found from which it branches off, so it cannot tell what "
    "unrelated texts would have brought. One of a new run can."
)

SIDES = ("replies_before", "replies_after")


def scores_say(report: Report) -> list[str]:
    """What the test scores allow one to say, and no more; a sentence each."""
    tested = (("On the source tasks", report.source), ("On tasks the search never saw", report.target))
    lines = [claim(where, change) for where, change in tested if change is not None]
    metrics = ", ".join(sorted({short(task.metric) for task in report.tasks}))
    lines.append(f"Scores are {metrics} in %; majority is what the best constant answer scores; unparsed is in %.")
    if any(task.majority is None for task in report.tasks):
        lines.append("There is no majority answer's score where nobody can tell, as by a judge, or by a metric of replies.")
    below = [task.name for task in report.tasks if task.majority is not None and task.after <= task.majority]
    if below:
        lines.append(f"No better than the majority answer: {', '.join(below)}.")
    if any(task.unparsed_before > 0.05 + task.unparsed_after for task in report.tasks):
        lines.append("Part of the gain is format: fewer replies without a readable answer.")
    held = [task.name for task in report.tasks if task.constrained]
    if held:
        named = "All tasks" if len(held) == len(report.tasks) else ", ".join(held)
        lines.append(f"{named} ask for constrained replies: where the backend holds them to the labels, format plays no part.")
    return lines


def controls(report: Report) -> list[str]:
    """The verdict on what was found and the controls, a line each; nothing where there is nothing to tell."""
    lines = [report.verdict_says]
    if report.tasks:
        lines += [
            replies_say(report.tasks),
            lengths_say(report.tasks),
            *format_says(report.tasks),
            *_unread(report.tasks),
            *_said(report.tasks),
        ]
        lines += report.remarks
    lines += [excerpt(line, 300) for line in says(report.set_aside)]
    lines += splits_say(report)
    return lines + (placebo_says(report.placebo) if report.placebo else [])


def splits_say(report: Report) -> list[str]:
    """How the prompts found did on each split, and which task lost most."""
    lines = []
    splits = [(name, getattr(report.splits, name)) for name in ("train", "validation", "test")]
    scored = [f"{name} {100 * score:.1f}" for name, score in splits if score is not None]
    if len(scored) > 1:
        lines.append(f"The prompts found on the source tasks, by split: {', '.join(scored)}.")
    if report.worst is not None and report.worst.change < 0:
        lines.append(f"Lost most on the selecting examples: {report.worst.task}, {100 * report.worst.change:+.1f}.")
    return lines


def paid(usage: Usage) -> str:
    """Calls by role, tokens, and the cost where there is one."""
    roles = ", ".join(f"{count:,} {role}" for role, count in sorted(usage.calls.items()))
    about = "about " if usage.estimated else ""
    cost = f", cost {usage.cost_says}" if usage.cost or usage.unpriced else ""
    named = f" ({roles})" if roles else ""
    cached = f" ({usage.cached_tokens:,} of them cached)" if usage.cached_tokens else ""
    tokens = f"{about}{usage.input_tokens:,} input{cached} and {usage.output_tokens:,} output tokens"
    which = "" if usage.estimated == usage.total_calls else f" of {usage.estimated:,} calls"
    said = f" (tokens{which} estimated: the endpoint told none)" if about else ""
    return f"{usage.total_calls:,} calls{named}, {tokens}{cost}{said}"


def _mean(tasks: Sequence[TaskReport], name: str) -> str:
    """The mean over tasks before and after."""
    before, after = (sum(getattr(getattr(t, side), name) for t in tasks) / len(tasks) for side in SIDES)
    return f"{before:,.0f} -> {after:,.0f}"


def replies_say(tasks: Sequence[TaskReport]) -> str:
    """The shares of what replies were, each over all tasks."""
    told = []
    for name in SHARES:
        before, after = (100 * sum(getattr(getattr(t, side), name) for t in tasks) / len(tasks) for side in SIDES)
        if name in SHARES[:3] or before or after:
            told.append(f"{name} {before:.0f}% -> {after:.0f}%")
    return f"Test replies, all tasks: {', '.join(told)}."


def lengths_say(tasks: Sequence[TaskReport]) -> str:
    """How long prompts are and how many tokens a call of a base model has, each over all tasks."""
    about = " (estimated)" if any(task.replies_before.estimated or task.replies_after.estimated for task in tasks) else ""
    return (
        f"Characters: system prompt {_mean(tasks, 'system_length')}, user prompts {_mean(tasks, 'user_length')}; "
        f"tokens of a base call: {_mean(tasks, 'input_tokens')} in, {_mean(tasks, 'output_tokens')} out{about}."
    )


def format_says(tasks: Sequence[TaskReport]) -> list[str]:
    """What the answer format alone brought, where one was added to the seeds."""
    added = [(task, task.written) for task in tasks if task.written is not None]
    if not added:
        return []
    written, before = sum(score for _, score in added) / len(added), sum(task.before for task, _ in added) / len(added)
    where = "" if len(added) == len(tasks) else f" ({', '.join(task.name for task, _ in added)})"
    return [
        f"The seeds as written score {100 * written:.1f}{where}; with the answer format alone added {100 * before:.1f}, "
        "which is 'before' in the table."
    ]


def unread_share(tasks: Sequence[TaskReport]) -> str:
    """The share of replies that could not be read with the prompts found."""
    return f"{100 * sum(task.replies_after.unparsed for task in tasks) / len(tasks):.0f}% of the test replies could not be read"


def _unread(tasks: Sequence[TaskReport]) -> list[str]:
    """The same, and a few of them."""
    told = [f"  {task.name}: {text or '(nothing)'}" for task in tasks for text in task.unread]
    return [f"{unread_share(tasks)}, such as:", *told[:3]] if told else []


def _said(tasks: Sequence[TaskReport]) -> list[str]:
    """What a judge or a person's own metric said of a few answers that are wrong with the prompts found."""
    told = [f"  {task.name}: {excerpt(text, 300)}" for task in tasks for text in task.said]
    return ["What was said of wrong answers, such as:", *told[:3]] if told else []


def placebo_says(found: PlaceboReport) -> list[str]:
    """What as many unrelated texts brought, and what they cost, apart from the run itself."""
    if found.status == "not begun":
        return ["The placebo has not been run yet: it begins when the run is done, or when a run that is done is resumed."]
    lines = [OF_BRANCH] if found.of_branch else []
    gains = [(where, change) for where, change in (("source", found.source), ("unseen", found.target)) if change is not None]
    if gains:
        told = ", ".join(
            f"{points(c.value)} [{100 * c.low:+.0f} to {100 * c.high:+.0f}] on {where} tasks" for where, c in gains
        )
        lines.append(f"As many unrelated texts, chosen in the same way: {told}.")
    ahead = (("Over the unrelated texts, source tasks", found.over_source), ("The same, unseen tasks", found.over_target))
    lines += [claim(where, change) for where, change in ahead if change is not None]
    if found.status != "done":
        lines.append(f"The placebo is not done ({found.reason or found.status}); 'metaspo resume' on this run goes on with it.")
    lines.append(f"The placebo paid, apart from what follows: {paid(found.usage)}, {found.seconds:.0f} s.")
    return lines


def answered(answers: Sequence[Answer]) -> list[dict[str, Any]]:
    """What people answered, a row each: which change they saw, what they decided, who they are and when it was."""
    return [
        {
            "round": one.round, "prompt": f"user prompt of {one.task}" if one.task else "system prompt",
            "change": f"{100 * one.shown['difference']:+.1f}", "decision": one.decision, "who": one.person or "not said",
            "when (UTC)": one.created[:16].replace("T", " "),
        }
        for one in answers
    ]  # fmt: skip
