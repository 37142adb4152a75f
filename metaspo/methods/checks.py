"""Checks: what keeps a text from being a candidate, whatever else it says. Pure functions; a complaint, or None.

Every candidate keeps the placeholders of its seed and holds no training example word for word. Those of strict
methods also differ from what has been tried, speak to the assistant, and are whole.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from ..domain.messages import text_of
from ..domain.results import Example
from ..tasks.task import Task
from .talk import talk

BRACES = re.compile(r"(\{{1,3})[ \t]*([^\W\d][\w.-]*)[ \t]*(\}{1,3})")
TEX = re.compile(r"(?:\\[A-Za-z]+\*?(?:\[[^\]]*\])?(?:\{[^{}]*\})*|\^|(?<![A-Za-z])[A-Za-z)]_)$")
"""What stands before a brace pair that is TeX: a command with its arguments, a power, an index."""

RUN, SHORTEST = 8, 4
"""Words in a row that give a training question away; a shorter question does as a whole, from so many words on."""

CJK = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
WORD = re.compile(rf"[{CJK}]|[^\W_{CJK}]+")
"""A word; of Chinese and Japanese, which put no space between words, each character."""

STOPS = ".!?:;…\u3002\uff01\uff1f\uff1a\uff1b"
"""Signs that end a sentence, in full width too."""

COMMAS = ",\uff0c\u3001"
CLOSINGS = ")]}\"'”’»`|*_>"
WHOLE_FROM = 40
"""Characters up to which a text may do without an end."""

LIST_ITEM = re.compile(r"\s*(?:[-*•\u2013]|\d+[.)])\s+\S")


def placeholders(text: str) -> frozenset[str]:
    """The placeholders in a text, as `{name}` or `{{name}}`; braces around anything else, code and TeX are content."""
    found = set()
    for match in BRACES.finditer(text):
        depth = min(len(match[1]), len(match[3]))
        if not TEX.search(text[max(0, match.start() - 80) : match.start()]):
            found.add("{" * depth + match[2] + "}" * depth)
    return frozenset(found)


def about_placeholders(text: str, kept: Collection[str], known: Collection[str] | None = None) -> str | None:
    """Whether a text has lost one of `kept`, or holds one that is not `known`; any may be held where that is None."""
    held = placeholders(text)
    if lost := sorted(set(kept) - held):
        return f"does not hold the placeholder {' '.join(lost)}"
    if known is not None and (new := sorted(held - set(known))):
        return f"holds the placeholder {' '.join(new)}, which its seed lacks"
    return None


@dataclass(frozen=True, slots=True)
class _Trained:
    """A training example in plain words: its task, the question between spaces, its accepted answers alike."""

    task: str
    question: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Sources:
    """What an index is made of; told apart by the tasks' fingerprints and the seeds."""

    tasks: tuple[str, ...]
    seeds: tuple[str, ...]
    splits: tuple[tuple[Example, ...], ...] = field(compare=False)


@dataclass(frozen=True, slots=True)
class Training:
    """The training examples of a run, to be told in a text: every run of words that gives one away, by its hash."""

    examples: tuple[_Trained, ...]
    runs: frozenset[int]
    seeds: tuple[str, ...]
    sizes: Mapping[str, int]

    def complaint(self, text: str) -> str | None:
        """Whether a text holds a training question's words in a row together with its answer.

        Words that a seed prompt holds as well give nothing away, nor do those that more than a tenth of a
        task's questions have in common, and three at least: they are how the task is put.
        """
        words, plain = _words(text), ""
        for size in range(SHORTEST, RUN + 1):
            for at in range(len(words) - size + 1):
                run = words[at : at + size]
                if hash(run) not in self.runs or any(_plain(run) in seed for seed in self.seeds):
                    continue
                plain = plain or _plain(words)
                if any(_told(answer, plain, text) for one in self._holding(run) for answer in one.answers):
                    return f"holds a training example word for word: {' '.join(run)!r}"
        return None

    def _holding(self, run: Sequence[str]) -> list[_Trained]:
        plain = _plain(run)
        found = [one for one in self.examples if (plain in one.question if len(run) == RUN else plain == one.question)]
        often = Counter(one.task for one in found)
        return [one for one in found if often[one.task] <= max(2, self.sizes[one.task] / 10)]


def training(tasks: Iterable[Task], seeds: Iterable[str]) -> Training:
    """The training examples of tasks, in an index that is made once for the same examples and seed prompts."""
    given = sorted(tasks, key=lambda task: task.name)
    splits = tuple(task.splits["train"] for task in given)
    return _indexed(_Sources(tuple(task.id for task in given), tuple(dict.fromkeys(seeds)), splits))


@lru_cache(maxsize=8)
def _indexed(sources: _Sources) -> Training:
    examples: list[_Trained] = []
    runs: set[int] = set()
    for task, split in zip(sources.tasks, sources.splits, strict=True):
        for example, words in ((one, _words(text)) for one in split for text in _texts(one)):
            examples.append(_Trained(task, _plain(words), tuple(map(_plain_answer, example.answers))))
            if SHORTEST <= len(words) < RUN:
                runs.add(hash(words))
            runs.update(map(hash, zip(*(words[at:] for at in range(RUN)), strict=False)))
    sizes = {task: len(split) for task, split in zip(sources.tasks, sources.splits, strict=True)}
    return Training(tuple(examples), frozenset(runs), tuple(_plain(_words(seed)) for seed in sources.seeds), sizes)


def _texts(example: Example) -> list[str]:
    """What a prompt must not hold of an example: its question, or of a conversation each turn."""
    return [text_of(content) for _, content in example.messages] or [example.question]


def _words(text: str) -> tuple[str, ...]:
    return tuple(WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def _plain(words: Sequence[str]) -> str:
    return f" {' '.join(words)} "


def _plain_answer(answer: str) -> str:
    words = _words(answer)
    return _plain(words) if words else answer


def _told(answer: str, plain: str, text: str) -> bool:
    return answer in (plain if answer.startswith(" ") else text)


def same_as(text: str, known: Iterable[str]) -> str | None:
    """Whether a text is a known one but for spacing, case and the signs at its end."""
    own = _bare(text)
    return "is the same as a prompt that was tried before" if any(_bare(other) == own for other in known) else None


def _bare(text: str) -> str:
    return " ".join(text.split()).casefold().rstrip(f" {STOPS}")


def cut_off(text: str, parent: str) -> str | None:
    """Whether a system prompt stops in the middle of a sentence, told by a parent that does not."""
    text = text.rstrip()
    stops = text.endswith(tuple(COMMAS)) or (text[-1:].isalpha() and not _ends_a_list(text))
    if len(text) > WHOLE_FROM and stops and parent.rstrip().endswith(tuple(STOPS + CLOSINGS)):
        return f"is cut off at its end: {text[-WHOLE_FROM:]!r}"
    return None


def _ends_a_list(text: str) -> bool:
    """Whether a text ends with the items of a list that do without stops."""
    *_, before, last = ["", *text.splitlines()]
    return bool(LIST_ITEM.match(before) and LIST_ITEM.match(last) and before.rstrip()[-1].isalpha())


def strays(text: str, written: Sequence[str]) -> str | None:
    """Whether a text speaks of prompts, examples or its own making instead of to the assistant.

    What is `written` by a person, the seeds and locked parts, may be repeated.
    """
    found = talk(text, written)
    return f"speaks of the prompt or its making instead of to the assistant: {found!r}" if found else None
