"""Several labels at once: read from a text, and compared as sets. Pure functions; None where a text is no set of the labels."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence, Set

from ...domain.excerpts import excerpt
from .json_reader import read_json
from .json_text import values
from .labels import Labels
from .reader_spec import ReaderSpec
from .signs import plain_signs
from .words import tokens_of

AROUND = " \t\r\n.;,:*_`\"'()[]{}«»„「」『』【】《》。、"
BULLET = r"(?:[-*+\u2022\u2023\u25e6\u00b7]|\(?\d{1,2}[.)])\s+"
LINE = re.compile(rf"\s*\n\s*(?:{BULLET})?|\A\s*{BULLET}")
"""The break between two lines of a list, with the bullet or the number of the next one."""
SEPARATED = re.compile(r"[;|,\u3001\uff0c\uff1b](?:\s*(?:and|und|et|y|e|og|och|en)\s)?")
JOINED = re.compile(r"\s+(?:and|&|und|et|y|e|og|och|en)\s+|\s*(?:和|と)\s*", re.IGNORECASE)
"""What stands before the last of several, where no comma does."""
ANNOUNCED = re.compile(
    r"(?:\b(?:answers?|labels?|tags?|topics?|categor(?:y|ies)|class(?:es)?|respuestas?|etiquetas?|categor[ií]as?|temas?|respostas?"
    r"|r[oó]tulos?|r[eé]ponses?|[eé]tiquettes?|cat[eé]gories?|th[eè]mes?|antwort(?:en)?|etikett(?:en)?|kategorien?|them(?:a|en)"
    r"|klassen?|rispost[ae]|etichett[ae]|categorie|temi|ответы?|метк[аи]|категори[яи]|темы?|उत्तर|लेबल|श्रेणियाँ|উত্তর)"
    r"|الإجابة|الإجابات|التصنيفات|الفئات|答案|标签|標籤|类别|類別|主题|主題|答え|回答|ラベル|カテゴリー?|라벨|정답)"
    r"[\s*_]*(?:(?:is|are|son|sind|sont|sono|são|ist|est|es|è)\b[\s*_]*:?|[是为為は][\s*_]*:?|[:=])",
    re.IGNORECASE,
)
"""What comes before labels that are announced, in the languages that most people speak."""
DENYING = ("not", "without", "wrong")


NEARBY = 60
"""How many characters before that are looked at for what denies them."""

NONE = ""
"""Stands for the word that says none of the labels."""

Spellings = Sequence[tuple[str, str]]
"""What may be written for a label, each with the label."""


def read_labels(text: str, labels: Labels, none: str | None = None) -> str | None:
    """The labels that a text gives, as a JSON list in the task's order; `none` is the word for the empty list.

    A JSON list of them; or one a line, with or without bullets, or between commas, semicolons or bars. What comes
    before is left aside where the labels are announced ("Labels: a, b"). Each element is a label, or one of its
    synonyms, but for case, quotes, brackets and a stop; one that is none leaves nothing of the whole.
    """
    known = _known(labels, none)
    for elements in _ways(text, known):
        found = {_label(element, known) for element in elements}
        if None not in found and (NONE not in found or len(found) == 1):
            return label_list(found, labels.labels)
    return None


def why_no_labels(text: str, labels: Labels, none: str | None = None) -> str:
    """Why a text that `read_labels` reads nothing in gives no labels, for people and for whoever rewrites the prompt."""
    known = _known(labels, none)
    ways = list(_ways(text, known))
    odd = [element for element in (ways[-1] if ways else []) if _label(element, known) is None]
    return f"{excerpt(odd[0].strip(), 40)!r} is none of the labels" if odd else "it holds no list of labels alone"


def _known(labels: Labels, none: str | None) -> Spellings:
    return [*labels.spellings, *([(none, NONE)] if none is not None else [])]


def _ways(text: str, known: Spellings) -> Iterator[list[str]]:
    """The elements of the list that a text is, as it may be taken apart."""
    listed = read_json(text)
    elements = json.loads(listed) if listed is not None else None
    if isinstance(elements, list):
        if all(isinstance(element, str | int) for element in elements):
            yield [element if isinstance(element, str) else json.dumps(element) for element in elements]
        return
    if isinstance(elements, dict) or (listed is None and len(list(values(text))) > 1):
        return
    text = plain_signs(text).strip()
    yield from _separated(text, known)
    if announced := [match for match in ANNOUNCED.finditer(text) if not _is_denied(text, match)]:
        yield from _separated(text[announced[-1].end() :], known)


def _is_denied(text: str, announced: re.Match[str]) -> bool:
    """Whether what announces labels says that they are none: "Wrong labels: a, b"."""
    line = text[text.rfind("\n", 0, announced.start()) + 1 : announced.start()]
    return any(token.has(role) for token in tokens_of(line[-NEARBY:], []) for role in DENYING)


def _separated(text: str, known: Spellings) -> Iterator[list[str]]:
    if text.strip().startswith(("[", "{")) and not text.strip(" \t\r\n.`").endswith(("]", "}")):
        return  # cut off
    # A label may hold a comma or an "and" itself.
    elements = [text]
    for separator in (LINE, SEPARATED, JOINED):
        elements = [part for one in elements for part in ([one] if _label(one, known) is not None else separator.split(one))]
    yield [element for element in elements if element.strip(AROUND)] or [text]


def _label(text: str, known: Spellings) -> str | None:
    """The label that a text spells: as it stands, or else without what is around it."""
    for alike in (_spaced, _bare):
        own = alike(text)
        found = {label for word, label in known if alike(word) == own}
        if len(found) == 1:
            return found.pop()
    return None


def label_list(found: Set[str | None], labels: Sequence[str]) -> str:
    """Some of the labels as a JSON list, in the task's order."""
    return json.dumps([label for label in labels if label in found], ensure_ascii=False)


def named_in(reader: ReaderSpec, answer: str) -> Sequence[str]:
    """The labels that an answer stands for: those of a set, or the answer itself where it is one label, or any text."""
    found = read_labels(answer, Labels.of(reader.labels or [], reader.synonyms)) if reader.kind == "labels" else None
    return [answer] if found is None else [str(label) for label in json.loads(found)]


def _spaced(text: str) -> str:
    return " ".join(plain_signs(text).split()).casefold()


def _bare(text: str) -> str:
    return _spaced(text).strip(AROUND)


def set_f1(answer: str, golds: Sequence[str]) -> float:
    """The best F1 of the answer's labels and an accepted set of them; 1 where both are empty."""
    return max((f1(*both) for both in _sets(answer, golds)), default=0.0)


def jaccard(answer: str, golds: Sequence[str]) -> float:
    """The best share of labels in common among all that the answer or an accepted set names; 1 where both are empty."""
    return max((overlap(*both) for both in _sets(answer, golds)), default=0.0)


def f1(one: Set[str], other: Set[str]) -> float:
    """The F1 of two sets, in [0, 1]."""
    return 2 * len(one & other) / (len(one) + len(other)) if one or other else 1.0


def overlap(one: Set[str], other: Set[str]) -> float:
    """The Jaccard index of two sets, in [0, 1]."""
    return len(one & other) / len(one | other) if one or other else 1.0


def _sets(answer: str, golds: Sequence[str]) -> list[tuple[set[str], set[str]]]:
    return [(set(json.loads(answer)), set(json.loads(gold))) for gold in golds]


def said_of(answer: str, golds: Sequence[str]) -> str:
    """Which labels an answer misses of the nearest accepted set, and which it has too many."""
    given, gold = max(_sets(answer, golds), key=lambda both: f1(*both))
    wrong: Mapping[str, set[str]] = {"missing": gold - given, "too many": given - gold}
    return "; ".join(f"{what}: {', '.join(sorted(labels))}" for what, labels in wrong.items() if labels)
