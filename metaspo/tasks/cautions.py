"""What may be wrong with a task that loads: sentences for whoever wrote it. Nothing of it keeps a run from starting."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from ..domain.excerpts import excerpt
from ..domain.results import Example
from .answers.label_sets import named_in
from .examples import Pools
from .near import nearly_alike
from .task import Task

IMBALANCED = 0.8
"""The share of rows with one answer above which a task is told to be imbalanced."""

GIVEN_AWAY = 0.8
"""The share of rows whose question says its answer above which that is told."""

COMPARED = 20_000
"""Questions that are looked through for those that say nearly the same: more would take gigabytes of memory."""

CLOSING = re.compile(r"(?:answer|label|antwort|respuesta|réponse|答案)\s*[:=\uff1a]\s*(.+?)\s*\Z", re.IGNORECASE)
"""The end of a question that says its answer."""


def cautions(task: Task, pools: Pools) -> list[str]:
    """What to look at before a run pays for a task, a sentence each, given all its examples by their splits."""
    examples = [example for pool in pools.values() for example in pool]
    found = [*_answers(task, pools), *_questions(task, pools), *_given_away(task, examples), *_unreadable(task, examples)]
    return [*found, *_prompt(task, examples)]


def _answers(task: Task, pools: Pools) -> Iterator[str]:
    """One answer only, one that is much more common than others, labels that no row has."""
    golds = Counter(example.answer for pool in pools.values() for example in pool if example.answers)
    total, labels = golds.total(), task.spec.reader.labels or []
    in_golds = {label for answer in golds for label in named_in(task.spec.reader, answer)}
    if total > 1 and task.spec.metric.kind != "judge":
        [(common, count)] = golds.most_common(1)
        if count == total:
            yield f"every answer is {excerpt(common)!r}, so that whatever always says it is right; add rows with other answers"
        elif count > IMBALANCED * total:
            said = f"{count} of {total} answers are {excerpt(common)!r}"
            yield f"{said}: {_always(task, pools)}; prefer balanced rows or macro_f1"
    if missing := [label for label in labels if label not in in_golds and total]:
        yield f"no row has the answer {_or(missing)}, which the reader has as a label; add rows, or take it out of labels"
    for label in labels if "train" in pools and "test" in pools else ():
        trained = (named_in(task.spec.reader, answer) for example in pools["train"] for answer in example.answers)
        if label in in_golds and not any(label in named for named in trained):
            yield f"no train row has the answer {label!r}, and some of the others do: nothing can be learnt of it"


def _always(task: Task, pools: Pools) -> str:
    best = task.majority_of([example for pool in pools.values() for example in pool])
    if best is None:
        return "who always gives this answer is right as often"
    return f"the best constant answer scores {100 * best:.1f} by {task.spec.metric.kind}"


def _questions(task: Task, pools: Pools) -> Iterator[str]:
    """Questions that say nearly the same, and those that stand on both sides of splits."""
    placed = [(split, example) for split, pool in pools.items() for example in pool[: max(1, COMPARED // len(pools))]]
    if len(placed) == 1 and task.spec.duplicates == "drop":
        yield "one question is all that is left of the rows: 'question' names what is the same in all of them"
    pairs = [(placed[one], placed[other]) for one, other in nearly_alike([example.question for _, example in placed])]
    across = [pair for pair in pairs if pair[0][0] != pair[1][0]]
    if pairs:
        such = " and ".join(map(_placed, (across or pairs)[0]))
        told = "question says" if len(pairs) == 1 else "questions say"
        there = f"; {len(across)} of them in another split than the other one" if across else ""
        there += f" (of {len(placed)} of {every} questions)" if len(placed) < (every := sum(map(len, pools.values()))) else ""
        yield (
            f"{len(pairs)} {told} nearly the same as another, such as {such}{there}; what selects must not be tested: "
            "remove one of each, or put both into one split"
        )
    apart = [pair for pair in pairs if pair[0][1].answers and not {*pair[0][1].answers} & {*pair[1][1].answers}]
    if apart:
        (_, first), (_, second) = apart[0]
        yield (
            f"{len(apart)} of them with another answer than the question that is nearly the same, such as "
            f"{excerpt(first.question, 60)!r}: {excerpt(first.answer, 30)!r} and {excerpt(second.answer, 30)!r}"
        )


def _placed(one: tuple[str, Example]) -> str:
    split, example = one
    return f"{excerpt(example.question, 60)!r}{f' ({split})' if split else ''}"


def _given_away(task: Task, examples: Sequence[Example]) -> Iterator[str]:
    """Questions that say their answer: at their end, or by naming one label, which is the right one."""
    labels = task.spec.reader.labels or []
    known = [example for example in examples if example.answers]
    told = [_closes_with_answer(example) for example in known]
    if len(labels) > 1 and not any(told):
        named = [[label for label in labels if _names(example.question, label)] for example in known]
        told = [[*named_in(task.spec.reader, example.answer)] == one != [] for one, example in zip(named, known, strict=True)]
    if sum(told) > 1 and sum(told) >= GIVEN_AWAY * len(known):
        first = known[told.index(True)]
        yield (
            f"{sum(told)} of {len(known)} questions say their answer, such as {excerpt(first.question[-80:])!r} with the "
            f"answer {excerpt(first.answer, 30)!r}; take it out of 'question'"
        )


def _closes_with_answer(example: Example) -> bool:
    end = CLOSING.search(example.question)
    return end is not None and end[1].casefold().strip("\"'.* ") in map(str.casefold, example.answers)


def _unreadable(task: Task, examples: Sequence[Example]) -> Iterator[str]:
    """Answers that the reader would not find again in a reply that says them and nothing else."""
    reader = task.spec.reader
    if reader.pattern is not None or ":" in reader.source or task.spec.metric.kind == "judge":
        return
    labels = reader.labels or [] if reader.kind == "choice" else []
    golds = dict.fromkeys([*labels, *(answer for example in examples for answer in example.answers)])
    told = {gold: task.read(f"<answer>{gold}</answer>" if reader.source == "tag" else gold) for gold in golds}
    lost = [gold for gold, read in told.items() if read is None or (reader.kind == "text" and read.split() != gold.split())]
    if lost:
        yield (
            f"a reply that says {_or(lost)} and nothing else is read as {told[lost[0]]!r}: no reply can be right; mend "
            f"{'the labels' if reader.labels else 'these answers'}, or take another reader"
        )


def _prompt(task: Task, examples: Sequence[Example]) -> Iterator[str]:
    """What a model cannot know that is asked with the seed prompt: which answers there are, and where they are looked for."""
    prompt, reader = task.spec.user_prompt, task.spec.reader
    if task.constraint is not None:
        return
    if reader.source == "tag" and reader.pattern is None and "<answer>" not in prompt.casefold():
        yield (
            "answers are read from <answer> and </answer>, which the user prompt does not ask for: say so in answer_format, or "
            "set from: reply in the reader"
        )
    if reader.kind not in ("choice", "labels") or not reader.labels:
        return
    unnamed = [label for label in reader.labels if not _names(prompt, label)]
    shown = Counter(label for example in examples for label in unnamed if _names(example.question, label))
    if unnamed := [label for label in unnamed if shown[label] < len(examples) / 2]:
        yield f"the user prompt does not name the label {_or(unnamed)}, nor do most questions: a model cannot know it"


def _names(text: str, label: str) -> bool:
    """Whether a text has a label as a word of its own; a single letter counts as it is spelled."""
    flags = re.IGNORECASE if len(label) > 1 else 0
    return bool(re.search(rf"(?<![^\W_]){re.escape(label)}(?![^\W_])", text, flags)) or (
        not label.isascii() and label.casefold() in text.casefold()
    )


def _or(words: Sequence[str], most: int = 5) -> str:
    said = [repr(excerpt(word, 40)) for word in words[:most]]
    said += [f"{len(words) - most} more"] if len(words) > most else []
    return " or ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said)
