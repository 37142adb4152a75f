"""What a person may do next with a run, by how it stands: a few steps, each with its command where it has one."""

from dataclasses import dataclass
from typing import Any

from ..store import leases
from ..store.database import open_store
from ..store.runs import PLACEBO, Run
from .claims import points
from .commands import command, telling
from .generalization import GeneralizationReport
from .pairs import searched
from .report import Report


@dataclass(frozen=True, slots=True)
class Step:
    """What to do, and the command that does it, "" where that isn't one command."""

    says: str
    command: str = ""


def next_steps(report: Report | GeneralizationReport) -> list[Step]:
    """The steps that make sense, most pressing first; none for a control of unrelated texts, whose run goes on with it."""
    run = report.run
    if run.method.startswith(PLACEBO):
        return []
    if run.status != "done":
        return [_go_on(report)]
    if isinstance(report, GeneralizationReport):
        return _compared(report)
    steps = _keep(report) if _is_better(report) else [*_instead(report), *_confirm(report)]
    if not report.tasks:
        steps.append(Step("Test it: with 'test_size' above 0 a run also scores examples and tasks that nothing selected."))
    if report.builtin:
        steps += [
            Step("Take your own tasks: this writes a config and a sample task to edit.", "metaspo init my-project"),
            Step(
                "Take an optimizer that writes prompts, on any server: "
                "--preset paper --optimizer openai:gpt-4o-mini."
            ),
        ]  # fmt: skip
    return steps


def _go_on(report: Report | GeneralizationReport) -> Step:
    run = report.run
    if run.status == "waiting":
        return Step("Answer what it waits for, and it goes on.", _command(report, "approve"))
    if run.status == "running":
        with open_store(report.store) as store:
            held = leases.is_held(store.db, run.id)
        if held:
            return Step("It is at work in another process; follow it.", _command(report, "watch"))
        return Step("Its process is gone: go on where it was; nothing is paid twice.", _command(report, "resume"))
    more = _more(run)
    if more:
        return Step("Go on with a larger budget; nothing is paid twice.", f"{_command(report, 'resume')} {more}")
    return Step("Go on where it stopped; nothing is paid twice.", _command(report, "resume"))


def _more(run: Run) -> str:
    """The option that gives a run more of the limit that it came to, "" where there is no such one."""
    more = larger(run)
    return f"--set budget.{more[0]}={more[1]}" if more else ""


def larger(run: Run) -> tuple[str, str] | None:
    """The one limit that a run came to, with twice as much of it as text; None where it came to none, or has several."""
    limits: dict[str, Any] = run.config.get("context", {}).get("budget") or {}
    given = {name: limit for name, limit in limits.items() if isinstance(limit, int | float)}
    if "budget" not in (run.reason or "") or len(given) != 1 or any(isinstance(limit, dict) for limit in limits.values()):
        return None
    [(name, limit)] = given.items()
    return name, f"{2 * limit:g}" if limit < 500_000 else f"{2 * limit:.0f}"


def _is_better(report: Report) -> bool:
    """Whether the prompts found may be used as they are: a paired test on examples that selected nothing says so."""
    if _lost(report):
        return False
    return report.verdict == "confirmed" or (report.source is not None and report.source.is_gain)


def _keep(report: Report) -> list[Step]:
    worse = report.target is not None and report.target.is_real and report.target.value < 0
    where = " on the tasks that they were made on; on others they did worse" if worse else ""
    use = Step(f"Use the prompts{where}.", _command(report, "export", "--format text"))
    page = Step("Show others what came of it, as a page.", _command(report, "report"))
    if report.builtin:
        return [use, page]
    kept = Step("Keep them where your programs load prompts.", _command(report, "push", "--to mlflow:NAME"))
    if report.verdict != "confirmed":
        return [use, kept, page]
    if any(isinstance(task, dict) for task in report.run.config.get("problem", {}).get("tasks") or []):
        # Nothing can read rows again that were given in memory.
        grown = Step(
            f"Once your data have grown, go on from these prompts: optimize(from_run='{telling(report.run.id)}', tasks=...)."
        )
    else:
        grown = Step("Once your data have grown, go on from these prompts.", _command(report, "optimize --from-run"))
    return [use, kept, page, grown]


def _instead(report: Report) -> list[Step]:
    """What to do with prompts that no test finds better."""
    found = report.confirmation
    if _lost(report) or (found is not None and found.seeds_returned) or _unchanged(report):
        if not searched(report.rounds):
            return [Step("Take a method that searches for better ones; this lists them.", "metaspo methods")]
        return [Step("Keep the prompts that you have; another optimizer, method or seed may find better ones.")]
    return [Step("Do not rely on the prompts found yet: no test finds them better.")]


def _confirm(report: Report) -> list[Step]:
    """What it would take to have what is found confirmed."""
    found = report.confirmation
    if _unchanged(report) or _lost(report):
        return []
    if found is None:
        return [Step("To have a gain confirmed, take a method that keeps examples back, and tasks that have some to spare.")]
    if found.needed is None or found.selecting is None:
        return []
    tasks = sum(task.role == "source" for task in report.drawn) or 1
    have = found.change.examples // tasks
    said = (
        f"Had they gained as much as on the selecting examples ({points(found.selecting)}), it would take about "
        f"{found.needed:,} examples a task that select nothing to confirm that; here were {have:,}"
    )
    return [Step(f"{said}.")] if found.needed > have else [Step(f"{said}, so the gain is hardly that large.")]


def _lost(report: Report) -> bool:
    """Whether the test finds the prompts worse on the tasks that they were made on."""
    return report.source is not None and report.source.is_real and report.source.value < 0


def _unchanged(report: Report) -> bool:
    after = {task: texts[0] for task, texts in report.user_after.items() if texts}
    return report.system_after == report.system_before and all(
        report.user_before.get(task) == text for task, text in after.items()
    )


def _compared(report: GeneralizationReport) -> list[Step]:
    change = report.overall.difference if report.overall else None
    if change is None or not change.is_real:
        words = "More tasks, examples or user prompts would tell smaller differences apart."
    else:
        words = f"Take the {'candidate' if change.value > 0 else 'baseline'} for tasks like these."
    return [Step(words), Step("Show others what came of it, as a page.", _command(report, "report"))]


def _command(report: Report | GeneralizationReport, name: str, more: str = "") -> str:
    return command(name, report.run.id, report.store, more)
