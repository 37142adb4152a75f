"""Which method of a study stands highest, in sentences that claim no more than the intervals do."""

from .study import ALL
from .table import Entry, StudyReport


def leaders(report: StudyReport) -> list[str]:
    """A sentence or two for each measure, over all settings where there are several; the first one stands alone."""
    said = []
    for measure in dict.fromkeys(entry.measure for entry in report.entries):
        own = [entry for entry in report.entries if entry.measure == measure]
        settings = list(dict.fromkeys(entry.setting for entry in own))
        over = [ALL] if ALL in settings else settings
        for setting in over:
            where = measure if len(settings) == 1 else f"{measure}, {'all settings' if setting == ALL else setting}"
            said.append(_leader(where, [entry for entry in own if entry.setting == setting]))
    return said


def _leader(where: str, entries: list[Entry]) -> str:
    known = sorted((entry for entry in entries if entry.score is not None), key=lambda entry: -(entry.score or 0.0))
    if not known:
        return f"{where}: nothing is measured yet."
    first = known[0]
    if len(known) == 1:
        only = "" if len(entries) == 1 else ", the only method that is measured so far"
        return f"{where}: {first.method} scores {_score(first)}{only}."
    second = known[1]
    part = " so far" if any(entry.done < entry.seeds for entry in entries) else ""
    if (first.score or 0.0) - (second.score or 0.0) < 0.0005:
        alike = sum((first.score or 0.0) - (one.score or 0.0) < 0.0005 for one in known)
        return f"{where}: {alike} of {len(known)} methods have the same highest mean score{part}, {_score(first)}."
    apart = second.high is not None and first.low is not None and second.high < first.low
    how = (
        "their 95% intervals do not overlap" if apart
        else "their 95% intervals overlap, so which of them is better is not shown"
    )  # fmt: skip
    return (
        f"{where}: of {len(known)} methods {first.method} has the highest mean score{part}, {_score(first)}; "
        f"next is {second.method} with {_score(second)}: {how}."
    )


def _score(entry: Entry) -> str:
    if entry.score is None or entry.low is None or entry.high is None:
        return "nothing"
    return f"{100 * entry.score:.1f}% [{100 * entry.low:.1f}, {100 * entry.high:.1f}]"
