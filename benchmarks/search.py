"""How well searches find prompts, and at what price: in simulated worlds, against each other and against other optimizers.

    python benchmarks/search.py --quick                     two worlds, three seeds, about a minute
    python benchmarks/search.py --json rows.json            all worlds, 20 seeds each
    python benchmarks/search.py --worlds base --methods metaspo outer_only --seeds 5
    python benchmarks/search.py --first-seed 1000           seeds that no method was made with
    python benchmarks/search.py --null 500 --methods metaspo
    python benchmarks/search.py --ablations --seeds 8       what each part of the default method is worth
    python benchmarks/search.py --tables rows.json          the tables of an earlier run

Every search of metaspo goes through its Python API, the real graph and a real SQLite store; only the models are
simulated (`worlds/`). Base calls are those of the search, with those that confirm and without the final test. The
first method named is the one that the others are compared with; other optimizers (`rivals.py`) get as many base calls
as it used in the same world with the same seed. Scores are of test questions: of the source tasks with the prompts
found, of the unseen tasks with their seed user prompts under the system prompt found. Intervals are Student's, over seeds.

`--null` counts, in a world where no prompt is better than another, how often a search ends with another system prompt
than it began with, how much it believes to have gained, and how often its report calls that real.
"""

import argparse
import gc
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from rivals import RIVALS, missing
from variants import COMMON_FIRST, VARIANTS, method_of
from worlds import LABELS, WORLDS, Sim, build, play

METHODS = ["common_first", "metaspo", "outer_only", "metaspo_ape", "sprig", "gepa", "gepa_defaults", "dspy"]
"""What is compared; the others are compared with the first."""

QUICK_WORLDS, QUICK_SEEDS = ["base", "noisy"], 3
LESS_OFTEN = 50_000
"""Objects after which Python collects garbage. With its own 700, half of an engine call's time goes there."""


@dataclass(frozen=True)
class Row:
    """One search: what it took and what it found.

    `taken` says whether the system prompt is another one, `claimed` is what the scores that selected say
    was gained, `confirmed` whether the run's own check on examples kept back says so, and `real` whether its
    report calls the gain on the source tasks' test questions real; None where there is no such thing.
    """

    world: str
    seed: int
    method: str
    base: int
    optimizer: int
    source: float
    unseen: float
    taken: bool
    claimed: float | None = None
    confirmed: bool | None = None
    real: bool | None = None


def task(sim: Sim, name: str, role: str) -> dict[str, Any]:
    """A task of a world as metaspo reads one."""
    splits = {"train": sim.train(name), "test": sim.test(name)}
    rows = {split: [{"question": q.text, "answer": q.expected} for q in questions] for split, questions in splits.items()}
    reader = {"kind": "choice", "labels": list(LABELS), "from": "reply"}
    return {"name": name, "role": role, "examples": rows, "user_prompt": sim.seed_user(name), "reader": reader}


def searched(sim: Sim, method: str, **sizes: Any) -> Row:
    """One search by metaspo."""
    import metaspo

    calls, (name, settings) = play(sim), method_of(method)
    with tempfile.TemporaryDirectory() as folder:
        done = metaspo.optimize(
            tasks=[task(sim, name, "source") for name in sim.source_tasks],
            targets=[task(sim, name, "target") for name in sim.target_tasks],
            system_prompt=sim.seed_system, base="scripted:worlds.chat:base,concurrency=256",
            optimizer="scripted:worlds.chat:optimizer", method=name, seed=sim.seed, store=Path(folder) / "search.db",
            **{"preset": "paper", "test_size": sim.world.test, "tested_pairs": 1} | settings | sizes,
        )  # fmt: skip
    report = done.report
    assert done.stopped is None, done.stopped
    assert report.usage.calls.get("base") == calls["train"] + calls["test"], "calls were lost on the way"
    scores = {role: [one.after for one in report.tasks if one.role == role] for role in ("source", "target")}
    return Row(
        sim.world.name, sim.seed, method, calls["train"], calls["optimizer"], mean(scores["source"]), mean(scores["target"]),
        report.system_after != report.system_before, (report.train_after or 0) - (report.train_before or 0),
        report.verdict == "confirmed" if report.confirmation else None, report.source.is_gain if report.source else None,
    )  # fmt: skip


def rivalled(sim: Sim, method: str, budget: int) -> Row:
    """One search by another optimizer, with so many base calls."""
    found = RIVALS[method](sim, budget)
    source = mean(sim.score(found.system, found.users[name], sim.test(name)) for name in sim.source_tasks)
    unseen = mean(sim.score(found.system, sim.seed_user(name), sim.test(name)) for name in sim.target_tasks)
    taken = found.system != sim.seed_system
    return Row(sim.world.name, sim.seed, method, found.base, found.optimizer, source, unseen, taken)


def compared(world: str, seed: int, methods: Sequence[str]) -> list[Row]:
    """Every method once in one world with one seed; the first one's calls are the rivals' budget."""
    gc.freeze()
    gc.set_threshold(LESS_OFTEN)
    sim = build(world, seed)
    rows: list[Row] = []
    for method in methods:
        rows.append(rivalled(sim, method, rows[0].base) if method in RIVALS else searched(sim, method))
        gc.collect()
    return rows


def in_processes(jobs: int, calls: Sequence[tuple[str, int, Sequence[str]]]) -> Iterator[list[Row]]:
    """The rows of each world and seed as they come, from so many processes."""
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for number, done in enumerate(as_completed([pool.submit(compared, *call) for call in calls]), 1):
            yield done.result()
            print(f"\r{number} of {len(calls)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def spread(values: Sequence[float], sign: str = "") -> str:
    """The mean and half of its 95% interval, where there are several; Student's quantile by Fisher's expansion."""
    said = f"{mean(values):{sign}.3f}"
    if len(values) < 2:
        return said
    free = len(values) - 1
    # One degree of freedom is where the expansion fails.
    quantile = 12.706 if free == 1 else 1.96 + 2.372 / free + 2.82 / free**2 + 2.56 / free**3
    return f"{said} ± {quantile * stdev(values) / len(values) ** 0.5:.3f}"


def table(rows: Sequence[Row], world: str) -> list[list[str]]:
    """A world's methods, one a line, with the first one's lead over each."""
    by_method: dict[str, dict[int, Row]] = {}
    for row in rows:
        if row.world == world:
            by_method.setdefault(row.method, {})[row.seed] = row
    first, lines = next(iter(by_method.values())), []
    for method, found in by_method.items():
        seeds = sorted(found.keys() & first.keys())
        lines.append(
            [method, f"{mean(r.base for r in found.values()):,.0f}", f"{mean(r.optimizer for r in found.values()):,.0f}"]
        )
        for part in ("source", "unseen"):
            lines[-1].append(spread([getattr(row, part) for row in found.values()]))
        for part in ("source", "unseen"):
            lead = [getattr(first[seed], part) - getattr(found[seed], part) for seed in seeds]
            lines[-1].append("" if found is first else spread(lead, "+"))
    return [["method", "base calls", "optimizer calls", "source", "unseen", "lead, source", "lead, unseen"], *lines]


def null_table(rows: Sequence[Row]) -> list[list[str]]:
    """What each method makes of a world where there is nothing to gain."""
    lines = [["method", "runs", "took another system prompt", "claimed gain", "confirmed", "called real on test"]]
    for method in dict.fromkeys(row.method for row in rows):
        own = [row for row in rows if row.method == method]
        claims = [row.claimed for row in own if row.claimed is not None]
        claim = f"{100 * mean(claims):+.1f} points" if claims else ""
        shares = [share([getattr(row, name) for row in own]) for name in ("taken", "confirmed", "real")]
        lines.append([method, str(len(own)), shares[0], claim, *shares[1:]])
    return lines


def share(found: Sequence[bool | None]) -> str:
    """How often something is so, of how often it can be said; the interval is Wilson's."""
    known = [bool(one) for one in found if one is not None]
    if not known:
        return ""
    count, z = len(known), 1.96
    middle = (sum(known) + z * z / 2) / (count + z * z)
    half = z / (count + z * z) * (sum(known) * (count - sum(known)) / count + z * z / 4) ** 0.5
    return f"{mean(known):.1%} ({max(0, middle - half):.1%} to {middle + half:.1%})"


def show(title: str, lines: Sequence[Sequence[str]], markdown: bool) -> None:
    """Print a table, as Markdown or in columns."""
    print(f"\n**{title}**\n" if markdown else f"\n{title}")
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for number, line in enumerate(lines):
        cells = [
            text.ljust(width) if not at else text.rjust(width)
            for at, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        print(f"| {' | '.join(cells)} |" if markdown else "  ".join(cells))
        if markdown and not number:
            print(f"|{'|'.join('-' * (width + 2) for width in widths)}|")


def show_all(rows: Sequence[Row], null: bool, markdown: bool) -> None:
    """Print what was found."""
    if null:
        show("nothing to gain", null_table(rows), markdown)
    for world in [] if null else dict.fromkeys(row.world for row in rows):
        seeds = len({row.seed for row in rows if row.world == world})
        show(f"{world}, {seeds} seeds", table(rows, world), markdown)


def available(methods: Sequence[str]) -> list[str]:
    """The methods less those whose packages are missing."""
    absent = [method for method in methods if method in RIVALS and missing(method)]
    if absent:
        print(f"left out: {', '.join(absent)}; pip install 'metaspo[bench]'", file=sys.stderr)
    return [method for method in methods if method not in absent]


def options() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", nargs="+", choices=list(WORLDS), default=list(WORLDS), metavar="WORLD")
    parser.add_argument("--seeds", type=int, default=20, help="so many")
    parser.add_argument(
        "--first-seed", type=int, default=0, metavar="SEED", help="where they begin: 0, or seeds that nobody has seen"
    )
    parser.add_argument("--methods", nargs="+", default=METHODS, help="the first is compared with the others")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--quick", action="store_true", help=f"{' and '.join(QUICK_WORLDS)}, {QUICK_SEEDS} seeds")
    parser.add_argument("--ablations", action="store_true", help="the first method against itself with a part taken out")
    parser.add_argument("--null", type=int, nargs="?", const=500, default=0, metavar="RUNS", help="the null world alone")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the rows there, from the first on")
    parser.add_argument("--tables", type=Path, metavar="FILE", help="print the tables of rows that were kept")
    parser.add_argument("--markdown", action="store_true")
    asked = parser.parse_args()
    if asked.methods[0] in RIVALS:
        parser.error("the first method must be one of metaspo's: the other optimizers get as many calls as it used")
    return asked


def main() -> None:
    """Parse, search, print."""
    asked = options()
    rows: list[Row] = []
    if asked.tables:
        rows = [Row(**row) for row in json.loads(asked.tables.read_text(encoding="utf-8"))]
    else:
        worlds, seeds = (QUICK_WORLDS, QUICK_SEEDS) if asked.quick else (asked.worlds, asked.seeds)
        worlds, seeds = (["null"], asked.null) if asked.null else (worlds, seeds)
        methods = [COMMON_FIRST, *VARIANTS] if asked.ablations else available(asked.methods)
        numbers = range(asked.first_seed, asked.first_seed + seeds)
        for found in in_processes(asked.jobs, [(world, seed, methods) for world in worlds for seed in numbers]):
            rows += found
            if asked.json:
                asked.json.write_text(json.dumps([asdict(row) for row in rows], indent=1), encoding="utf-8")
    rows.sort(key=lambda row: (list(WORLDS).index(row.world), row.seed))
    show_all(rows, bool(asked.null), asked.markdown)


if __name__ == "__main__":
    main()
