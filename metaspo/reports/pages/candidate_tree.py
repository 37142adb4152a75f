"""Who came from whom, and who fell where and why: the candidates of a search as trees, one a level and task.

The way from the first prompt to the one that stands is a list of its own, so that it is read from top to bottom however
long it is; whatever else was tried hangs below the prompt that it was made from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlite_utils import Database

from ...domain.excerpts import excerpt
from ...domain.percentages import percent, signed
from ...methods.stages import EVERYTHING, GATE
from ...store import prompts, runs
from ...store.prompts import CandidateRow
from .room import cut, room_of

ROOM = 300_000
"""Bytes that the texts of candidates that fell may take of a page, and as many those that stood."""

SIZES = (300_000, 30_000, 8000, 4000, 2000, 1000, 500, 250)
"""Bytes of a text, the first of which lets all of them fit."""

SHORT = 120
"""Characters of a reason that stand in a candidate's line."""


@dataclass(slots=True)
class Candidate:
    """A candidate with what became of it, and what was made from it, round by round.

    `on_the_way` says that it leads to the prompt that stands. `again` are later rounds that proposed the same text once more,
    and `later` what became of it then.
    """

    row: CandidateRow
    text: str | None
    on_the_way: bool = False
    from_run: str = ""
    again: list[int] = field(default_factory=list)
    later: list[str] = field(default_factory=list)
    groups: list["Group"] = field(default_factory=list)

    @property
    def fell(self) -> bool:
        """Whether it stands nowhere, and never did."""
        return self.row.status == "rejected" and not self.later

    @property
    def word(self) -> str:
        """What became of it in a word or two."""
        status = "kept" if self.row.task and self.row.status == "incumbent" else self.row.status
        words = {
            "seed": "first prompt",
            "carried": "carried over",
            "kept": "kept",
            "incumbent": "taken up",
            "dropped": "dropped",
        }
        return words.get(status, "fell" if self.fell else "kept")

    @property
    def says(self) -> str:
        """What became of it, beside whether it was taken up: how far it came, and how well it did."""
        told = [became(self.row), *self.later]
        if self.again:
            told.append(f"proposed again in round {', '.join(map(str, self.again))}")
        if self.from_run:
            told.append(f"carried over from run {self.from_run[:8]}")
        return "; ".join(text for text in told if text)


@dataclass(slots=True)
class Group:
    """What a round made from one prompt: those taken up, then those that fell, the best first."""

    round: int
    candidates: list[Candidate]

    @property
    def taken(self) -> int:
        """How many of them were kept."""
        return self.made - self.dropped - self.fell

    @property
    def dropped(self) -> int:
        """How many proposals could not be used."""
        return sum(one.row.prompt is None for one in self.candidates)

    @property
    def fell(self) -> int:
        """How many were scored and not kept."""
        return sum(one.fell for one in self.candidates)

    @property
    def made(self) -> int:
        """How many it made."""
        return len(self.candidates)

    @property
    def says(self) -> str:
        """The group in a line."""
        counts = ((self.taken, "kept"), (self.fell, "fell"), (self.dropped, "dropped"))
        return f"Round {self.round}: {self.made} made from it, {', '.join(f'{n} {word}' for n, word in counts if n)}"

    @property
    def others(self) -> list[Candidate]:
        """All but the one that the way goes on with."""
        return [one for one in self.candidates if not one.on_the_way]


@dataclass(frozen=True, slots=True)
class Tree:
    """The candidates of the system prompt (task "") or of one task's user prompt.

    `way` are the prompts from the first one to the one that stands, `beside` other first prompts with what came of them.
    """

    task: str
    way: Sequence[Candidate]
    beside: Sequence[Candidate]
    tried: int
    dropped: int
    others_kept: int

    @property
    def says(self) -> str:
        """The tree in a sentence."""
        steps = sum(one.row.status != "seed" for one in self.way)
        dropped = f" ({self.dropped} of them dropped before they were scored)" if self.dropped else ""
        lead = (
            f"{steps} step{'s' * (steps != 1)} from the first prompt to the one that stands"
            if steps
            else "the first prompt stands"
        )
        beside = f", {self.others_kept} more kept beside it" if self.others_kept else ""
        return f"{self.tried} candidate{'s' * (self.tried != 1)}{dropped}; {lead}{beside}."


@dataclass(frozen=True, slots=True)
class CandidateTrees:
    """The tree of the system prompt, and one for each task's user prompt; `shortened` where some texts are."""

    system: Tree | None
    users: Sequence[Tree]
    shortened: bool


def candidate_trees(db: Database, run: runs.Run) -> CandidateTrees:
    """The trees of a search, before its first round closed without any."""
    rows = prompts.ancestry(db, run.id)
    kept = prompts.kept_pairs(db, run.id)
    stands = {pair.task: pair.user for pair in kept if pair.position == 0} | ({"": kept[0].system} if kept else {})
    if kept:
        beams = {"": len(prompts.beam(db, run.id, kept[0].round))}
    else:
        beams = {}
    for pair in kept:
        beams[pair.task] = beams.get(pair.task, -1) + 1
    texts, shortened = _fitting(prompts.prompt_texts(db, sorted({row.prompt for row in rows if row.prompt})), rows)
    by_task: dict[str, list[CandidateRow]] = {}
    for row in rows:
        by_task.setdefault(row.task, []).append(row)
    trees = {
        task: _tree(run.id, of, texts, stands.get(task), beams.get(task, 0)) for task, of in by_task.items() if _searched(of)
    }
    return CandidateTrees(trees.pop("", None), [trees[task] for task in sorted(trees)], shortened)


def _fitting(texts: Mapping[str, str], rows: Sequence[CandidateRow]) -> tuple[Mapping[str, str], bool]:
    """The texts, cut where all of them would make a page too large: those that fell before those that stand."""
    stay = {row.prompt for row in rows if row.status != "rejected"}
    fitting: dict[str, str] = {}
    for whether, room in ((True, ROOM), (False, ROOM)):
        own = {id: text for id, text in texts.items() if (id in stay) == whether}
        sizes = [room_of(text) for text in own.values()]
        most = next((size for size in SIZES if sum(min(one, size) for one in sizes) <= room), SIZES[-1])
        fitting |= {id: cut(text, most) if room_of(text) > most else text for id, text in own.items()}
    return fitting, fitting != texts


def _searched(rows: Sequence[CandidateRow]) -> bool:
    return any(row.status not in ("seed", "carried") for row in rows)


def _tree(run: str, rows: Sequence[CandidateRow], texts: Mapping[str, str], stands: str | None, others_kept: int) -> Tree:
    """The tree of one task's rows; of an earlier run only what leads to a prompt that this one began with."""
    by_prompt: dict[str, Candidate] = {}
    dropped: list[Candidate] = []
    for row in rows:
        before = by_prompt.get(row.prompt or "")
        if before is not None:
            _once_more(before, row)
            continue
        made = Candidate(row, texts.get(row.prompt or ""), from_run="" if row.run == run else row.run)
        if row.prompt is None:
            dropped.append(made)
        else:
            by_prompt[row.prompt] = made
    carried = [row.prompt for row in rows if row.run == run and row.status == "carried" and row.prompt]
    wanted = {id for start in [*carried, stands] for id in _line(by_prompt, start)}
    known = {id: one for id, one in by_prompt.items() if not one.from_run or id in wanted}
    way = [known[id] for id in _line(known, stands)]
    for one in way:
        one.on_the_way = True
    roots = _hung(known, [one for one in dropped if not one.from_run])
    own = [row for row in rows if row.run == run and row.status not in ("seed", "carried")]
    return Tree(
        rows[0].task, way, [one for one in roots if not one.on_the_way], len(own), sum(row.prompt is None for row in own),
        others_kept,
    )  # fmt: skip


def became(row: CandidateRow) -> str:
    """How far a candidate came and how well it did there, in words; points are out of 100."""
    if row.prompt is None:
        return excerpt(row.reason or "no reason is on record", SHORT)
    told = [_at_its_stage(row)] if row.gain is not None else []
    if row.score is not None:
        told.append(f"score {percent(row.score)}")
    return "; ".join([*told, *([excerpt(row.reason, SHORT)] if row.reason else [])])


def _at_its_stage(row: CandidateRow) -> str:
    gain, fell = round(row.gain or 0, 9), row.status == "rejected"
    if row.stage == GATE:
        share = f"{100 * gain:.0f}% of the failures that it was written from, and others more"
        return f"mended {share if gain > 0 else 'none of the failures that it was written from'}"
    where = f" on {'all ' if row.stage == EVERYTHING else 'a sample of '}{row.examples} examples" if row.examples else ""
    others = "another was preferred" if row.stage == EVERYTHING else "others did better there"
    better = f", but {others}" if fell and gain > 0 and not row.reason else ""
    return f"{signed(gain)} points{where}{better}"


def _once_more(before: Candidate, row: CandidateRow) -> None:
    """The same text once more, which may come further or be dropped then; what a branch carried over is no proposal."""
    if row.status in ("seed", "carried"):
        return
    taken = row.status in ("incumbent", "kept")
    if taken and before.fell:
        before.later.append(f"taken up in round {row.round}: {became(row)}")
    before.again.append(row.round)


def _line(known: Mapping[str, Candidate], stands: str | None) -> list[str]:
    """The ids from the first prompt to this one."""
    line: list[str] = []
    while stands is not None and stands in known and stands not in line:
        line.append(stands)
        stands = known[stands].row.parent
    return line[::-1]


def _hung(known: Mapping[str, Candidate], dropped: Sequence[Candidate]) -> list[Candidate]:
    """Every candidate below its parent, round by round; those without one that is known are returned."""
    roots: list[Candidate] = []
    below: dict[tuple[str, int], list[Candidate]] = {}
    for one in [*known.values(), *dropped]:
        parent = one.row.parent
        if parent is None or parent not in known or parent == one.row.prompt or one.row.status in ("seed", "carried"):
            roots.append(one)
        else:
            below.setdefault((parent, one.row.round), []).append(one)
    for (parent, round), made in below.items():
        known[parent].groups.append(Group(round, sorted(made, key=_best_first)))
    for one in known.values():
        one.groups.sort(key=lambda group: group.round)
    return roots


def _best_first(one: Candidate) -> tuple[bool, bool, float, int, float, int]:
    """Taken up, then how far they came, then how well they did there; dropped ones last."""
    row = one.row
    taken = row.status in ("incumbent", "kept")
    return row.prompt is None, not taken, -(row.score or -1), -(row.examples or 0), -(row.gain or 0), row.position
