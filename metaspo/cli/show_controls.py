"""How a report's verdict and controls look in a terminal: what scores stand beside, so that nobody believes too much."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

from .screen import plain

if TYPE_CHECKING:
    from ..domain.calls import Usage
    from ..reports.controls import TaskReport
    from ..reports.placebo import PlaceboReport
    from ..reports.report import Report


def controls(report: "Report") -> list[str]:
    """The verdict on what was found and the controls, a line each; nothing where there is nothing to tell."""
    from ..domain.excerpts import excerpt
    from ..reports.set_aside import says

    lines = [report.verdict_says]
    if report.tasks:
        lines += [
            _replies(report.tasks),
            _lengths(report.tasks),
            *_format(report.tasks),
            *_unread(report.tasks),
            *_said(report.tasks),
        ]
        lines += report.remarks
    lines += [excerpt(line, 300) for line in says(report.set_aside)]
    splits = [(name, getattr(report.splits, name)) for name in ("train", "validation", "test")]
    scored = [f"{name} {100 * score:.1f}" for name, score in splits if score is not None]
    if len(scored) > 1:
        lines.append(f"The prompts found on the source tasks, by split: {', '.join(scored)}.")
    if report.worst is not None and report.worst.change < 0:
        lines.append(f"Lost most on the selecting examples: {report.worst.task}, {100 * report.worst.change:+.1f}.")
    return lines + (_placebo(report.placebo) if report.placebo else [])


def paid(usage: "Usage") -> str:
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


def replies(report: "Report") -> Table:
    """What became of every task's test examples, before and after, in %."""
    made = Table(title="Replies to test questions, before -> after", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    made.add_column("task", overflow="fold", min_width=12)
    for name in ("right", "wrong", "un-\nparsed", "un-\ngraded", "user\nprompt", "input\ntokens"):
        made.add_column(name, justify="right", no_wrap=True)
    for task in report.tasks:
        shares = [_both(task, lambda one, name=name: 100 * getattr(one, name)) for name in SHARES]
        made.add_row(task.name, *shares, _both(task, lambda one: one.user_length), _both(task, lambda one: one.input_tokens))
    return made


def by_field(report: "Report") -> Table:
    """What each field of the tasks' answers scored on test, before and after, in %."""
    made = Table(title="Test scores by field of the answer", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("task", "field", "n", "before", "after", "change"):
        made.add_column(name, justify="left" if name in ("task", "field") else "right", overflow="fold")
    for task in report.tasks:
        for at, one in enumerate(task.fields):
            scores = [f"{100 * one.before:.1f}", f"{100 * one.after:.1f}", f"{100 * (one.after - one.before):+.1f}"]
            last = at == len(task.fields) - 1
            made.add_row("" if at else plain(task.name), plain(one.field), str(one.examples), *scores, end_section=last)
    return made


SHARES = ("right", "wrong", "unparsed", "ungraded")


def _both(task: "TaskReport", of: Callable[..., float]) -> str:
    return f"{of(task.replies_before):.0f} -> {of(task.replies_after):.0f}"


def _mean(tasks: "Sequence[TaskReport]", name: str) -> str:
    """The mean over tasks before and after."""
    before, after = (sum(getattr(getattr(t, side), name) for t in tasks) / len(tasks) for side in SIDES)
    return f"{before:,.0f} -> {after:,.0f}"


SIDES = ("replies_before", "replies_after")


def _replies(tasks: "Sequence[TaskReport]") -> str:
    """The shares of what replies were, each over all tasks."""
    told = []
    for name in SHARES:
        before, after = (100 * sum(getattr(getattr(t, side), name) for t in tasks) / len(tasks) for side in SIDES)
        if name in SHARES[:3] or before or after:
            told.append(f"{name} {before:.0f}% -> {after:.0f}%")
    return f"Test replies, all tasks: {', '.join(told)}."


def _lengths(tasks: "Sequence[TaskReport]") -> str:
    about = " (estimated)" if any(task.replies_before.estimated or task.replies_after.estimated for task in tasks) else ""
    return (
        f"Characters: system prompt {_mean(tasks, 'system_length')}, user prompts {_mean(tasks, 'user_length')}; "
        f"tokens of a base call: {_mean(tasks, 'input_tokens')} in, {_mean(tasks, 'output_tokens')} out{about}."
    )


def _format(tasks: "Sequence[TaskReport]") -> list[str]:
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


def _unread(tasks: "Sequence[TaskReport]") -> list[str]:
    """The share of replies that could not be read with the prompts found, and a few of them."""
    found = [(task.name, text) for task in tasks for text in task.unread]
    share = 100 * sum(task.replies_after.unparsed for task in tasks) / len(tasks)
    told = [f"  {name}: {text or '(nothing)'}" for name, text in found[:3]]
    return [f"{share:.0f}% of the test replies could not be read, such as:", *told] if found else []


def _said(tasks: "Sequence[TaskReport]") -> list[str]:
    """What a judge or a person's own metric said of a few answers that are wrong with the prompts found."""
    from ..domain.excerpts import excerpt

    told = [f"  {task.name}: {excerpt(text, 300)}" for task in tasks for text in task.said]
    return ["What was said of wrong answers, such as:", *told[:3]] if told else []


def _placebo(found: "PlaceboReport") -> list[str]:
    """What as many unrelated texts brought, and what they cost, apart from the run itself."""
    from ..reports.claims import claim, points

    if found.status == "not begun":
        return ["The placebo has not been run yet: it begins when the run is done, or when a run that is done is resumed."]
    lines = []
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
